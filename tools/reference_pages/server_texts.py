"""Codes that the GraphQL server answers by itself: of HTTP, of documents, and of faults."""

from collections.abc import Mapping
from typing import Final

from energycore.graphql.limits import Limits
from tools.reference_pages.error_examples import Asked, Sent
from tools.reference_pages.texts import Text

__all__ = ["SERVER_TEXTS"]

_LIST = '{"query": "{ devices { totalCount } }"}'

SERVER_TEXTS: Final[Mapping[str, Text]] = {
    "BAD_REQUEST": Text(
        meaning="The request is not a well-formed GraphQL request.",
        when="The body is no JSON object, `query` is missing or no string, `variables` is no "
        "object, a parameter is given twice, or a batch or a subscription is sent where none is "
        "served.",
        do="Send one JSON object with `query`, and if needed `variables` and `operationName`. The "
        "message says which part is wrong.",
        example=Sent("POST", "[1, 2]"),
    ),
    "BAD_USER_INPUT": Text(
        meaning="A variable, or an argument, is not of the type that the schema says.",
        when="A variable of a required type is missing or null, has another type, or more or less "
        "than one kind stands in a `DeviceSpecInput`. What has the right type and a value that "
        "cannot be held is `INVALID_VALUE`.",
        do="Compare the variables with their types in the schema; the message names the variable "
        "and the way into it.",
        example=Sent(
            "POST",
            '{"query": "query ($first: Int) { devices(first: $first) { totalCount } }",'
            ' "variables": {"first": "ten"}}',
        ),
    ),
    "CONTENT_TOO_LARGE": Text(
        meaning="The body of the request is longer than the server reads (status 413).",
        when="Many readings or a long document are sent at once; the limit is 256 KiB unless the "
        "server sets another.",
        do="Send readings in several requests of about a thousand, and values in `variables` "
        "rather than in the document.",
        example=Sent("POST", _LIST, options={"limits": Limits(max_body_bytes=20)}),
    ),
    "GRAPHQL_PARSE_FAILED": Text(
        meaning="The document is not GraphQL.",
        when="A brace, a quote or a name is missing, or the document has more tokens than the "
        "server reads.",
        do="Look at `locations`: line and column of the first character that does not fit.",
        example=Asked("{ devices { totalCount }"),
    ),
    "GRAPHQL_VALIDATION_FAILED": Text(
        meaning="The document does not fit the schema.",
        when="A field, argument, type or variable does not exist, is of another type, or a "
        "required one is missing.",
        do="Compare with [the schema](../schema.md), or let an editor do so with "
        "[schema.graphql](../schema.graphql). All problems are listed, not only the first.",
        example=Asked("{ devices { nodes { name watts } } }"),
    ),
    "INTERNAL_ERROR": Text(
        meaning="Something failed that nobody expected; what it was stands in the server's log "
        "only.",
        when="There is a defect in the server or in a package that it uses.",
        do="Repeat a query later. Give `errorId` to whoever runs the server: the log has the "
        "traceback under it. A mutation may have been done: look before you repeat it.",
        example=Sent("POST", _LIST, broken=RuntimeError("unexpected")),
    ),
    "METHOD_NOT_ALLOWED": Text(
        meaning="The HTTP method is not served, or not for mutations (status 405).",
        when="A mutation is sent by GET, or the method is none of GET, HEAD, POST and OPTIONS.",
        do="Send mutations by POST. The header `allow` lists what is served.",
        example=Sent(
            "GET",
            target="/graphql?query=mutation{deactivateDevice(input:{id:%22x%22}){device{id}}}",
            headers={},
        ),
    ),
    "NOT_ACCEPTABLE": Text(
        meaning="The client accepts no media type that the server answers in (status 406).",
        when="The header `accept` names neither `application/graphql-response+json` nor "
        "`application/json`.",
        do="Accept one of the two; the first tells failures by the status as well.",
        example=Sent(
            "POST", _LIST, headers={"content-type": "application/json", "accept": "text/plain"}
        ),
    ),
    "OPERATION_RESOLUTION_FAILURE": Text(
        meaning="The request does not say which operation of its document is meant.",
        when="The document has several operations and `operationName` names none of them, or it "
        "has only fragments.",
        do="Send `operationName`, or one operation only.",
        example=Asked("query A { sites { totalCount } } query B { devices { totalCount } }"),
    ),
    "UNSUPPORTED_MEDIA_TYPE": Text(
        meaning="The body is not JSON, or compressed (status 415).",
        when="The header `content-type` is not `application/json`, such as from an HTML form or a "
        "file upload.",
        do="Send JSON in UTF-8 with `content-type: application/json`, not compressed.",
        example=Sent("POST", "query=...", headers={"content-type": "multipart/form-data"}),
    ),
    "URI_TOO_LONG": Text(
        meaning="The query string is longer than the server reads (status 414).",
        when="A long document is sent by GET.",
        do="Send it by POST.",
        example=Sent(
            "GET",
            target="/graphql?query={sites{totalCount}}",
            headers={},
            options={"limits": Limits(max_body_bytes=20)},
        ),
    ),
}
