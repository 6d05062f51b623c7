"""What a request asks for, whichever way its parameters came."""

from collections.abc import Mapping
from typing import Any, NoReturn

from attrs import frozen

from energycore.graphql.trusted import id_of

__all__ = ["NotServed", "Parameters", "bad_request", "read_parameters"]


@frozen(kw_only=True)
class Parameters:
    """The parameters of a request: the text of a document, or its id, or both."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any] | None


class NotServed(Exception):
    """The request is not a well-formed GraphQL request over HTTP."""

    def __init__(self, status: int, code: str, message: str, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.allow = allow


def read_parameters(fields: Mapping[str, object]) -> Parameters:
    """Read the parameters of a request.

    Raises:
        NotServed: one of them is of a wrong type, or there is no document.
    """
    query = fields.get("query")
    operation_name = fields.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        bad_request("The parameter operationName must be a string.")
    variables = fields.get("variables")
    if variables is not None and not isinstance(variables, dict):
        bad_request("The parameter variables must be an object.")
    extensions = fields.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        bad_request("The parameter extensions must be an object.")
    try:
        document_id = id_of(fields)
    except ValueError as error:
        bad_request(str(error))
    if not isinstance(query, str) and (query is not None or document_id is None):
        bad_request("The parameter query must be a string.")
    return Parameters(
        query=query, document_id=document_id, operation_name=operation_name, variables=variables
    )


def bad_request(message: str) -> NoReturn:
    """Refuse a request as malformed.

    Raises:
        NotServed: always.
    """
    raise NotServed(400, "BAD_REQUEST", message)
