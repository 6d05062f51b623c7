"""GraphQL over HTTP without any I/O: a request in, a response out, the same for every framework."""

import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl
from uuid import uuid4

from attrs import evolve, field, frozen
from graphql import GraphQLError, GraphQLSchema, OperationType, assert_valid_schema

from energycore.graphql import json_text
from energycore.graphql.documents import DocumentCache, DocumentRules, Refusal
from energycore.graphql.executing import Executed, Prepared, run
from energycore.graphql.faults import MEANT_FOR_CLIENTS, ErrorReporter, shown
from energycore.graphql.judging import exceeded
from energycore.graphql.limits import Limits
from energycore.graphql.negotiation import (
    GRAPHQL_RESPONSE,
    JSON,
    is_json,
    response_media_type,
)
from energycore.graphql.parameters import NotServed, Parameters, bad_request, read_parameters
from energycore.graphql.trusted import NO_TRUSTED_DOCUMENTS, TrustedDocuments, relaxed

__all__ = ["GraphQLEngine", "HttpRequest", "HttpResponse"]

_METHODS = "GET, HEAD, POST, OPTIONS"
_MAX_QUERY_FIELDS = 20


@frozen(kw_only=True)
class HttpRequest:
    """What a framework received.

    Args:
        method: the HTTP method in capitals.
        headers: by name in lower case; read are accept, content-type and content-encoding.
        query_string: what follows the question mark, still encoded.
        body: the whole body.
        graphiql: where this client finds GraphiQL, such as `/`; None for nowhere.
    """

    method: str
    headers: Mapping[str, str]
    query_string: bytes = b""
    body: bytes = b""
    graphiql: str | None = None


@frozen(kw_only=True)
class HttpResponse:
    """What a framework sends: a status, headers by name in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def _new_error_id() -> str:
    return uuid4().hex


@frozen
class GraphQLEngine:
    """Answers GraphQL requests of one schema; holds no connection and may be shared by threads.

    Args:
        schema: its resolvers are synchronous.
        documents: keeps parsed and validated documents; engines may share one.
        limits: what a request may ask for.
        trusted: documents that a request may name by their id, and whether there are others.
        introspection: whether clients may ask for the schema itself, and refusals suggest names.
        logger: gets the types and lines of each fault.
        log_details: whether the log also gets what the exceptions say, which may hold values,
            SQL and paths.
        new_error_id: makes the identifier under which a fault is logged and shown.

    Raises:
        TypeError: the schema is not valid.
    """

    schema: GraphQLSchema
    documents: DocumentCache = field(kw_only=True, factory=DocumentCache)
    limits: Limits = field(kw_only=True, factory=Limits)
    trusted: TrustedDocuments = field(kw_only=True, default=NO_TRUSTED_DOCUMENTS)
    introspection: bool = field(kw_only=True, default=True)
    logger: logging.Logger = field(
        kw_only=True, factory=lambda: logging.getLogger("energycore.graphql")
    )
    log_details: bool = field(kw_only=True, default=False)
    new_error_id: Callable[[], str] = field(kw_only=True, default=_new_error_id)
    _rules: DocumentRules = field(init=False, repr=False)
    _trusted_rules: DocumentRules = field(init=False, repr=False)
    _reporter: ErrorReporter = field(init=False, repr=False)

    @_rules.default
    def _make_rules(self) -> DocumentRules:
        assert_valid_schema(self.schema)
        return DocumentRules(
            schema=self.schema, limits=self.limits, introspection=self.introspection
        )

    @_trusted_rules.default
    def _make_trusted_rules(self) -> DocumentRules:
        return evolve(self._rules, limits=relaxed(self.limits))

    @_reporter.default
    def _make_reporter(self) -> ErrorReporter:
        return ErrorReporter(
            logger=self.logger, new_error_id=self.new_error_id, log_details=self.log_details
        )

    def respond(self, request: HttpRequest, context_value: object) -> HttpResponse:
        """Answer one request; never raises an `Exception`.

        Args:
            request: as received.
            context_value: handed to each resolver as `info.context`. If it has a method
                `open_operation`, that takes a `Deadline` and gives a context manager around one
                execution, and resolvers are handed what it enters with.
        """
        media_type = response_media_type(request.headers.get("accept"))
        try:
            response = self._respond(request, media_type, context_value)
        except NotServed as refusal:
            response = _refused(refusal, media_type)
        except Exception as error:  # noqa: BLE001 - the last net: no text of a fault gets out
            response = self._fault(error, media_type)
        return _without_body(response) if request.method == "HEAD" else response

    def fail(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Answer a request whose context could not be made, by the exception that prevented it."""
        media_type = response_media_type(request.headers.get("accept"))
        if isinstance(error, MEANT_FOR_CLIENTS):
            problem = GraphQLError(error.message)
            response = _request_errors([shown(problem, error.code)], media_type)
        else:
            response = self._fault(error, media_type)
        return _without_body(response) if request.method == "HEAD" else response

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """Answer a request whose body was not read because it is longer than the limit."""
        media_type = response_media_type(request.headers.get("accept"))
        return _refused(_too_large(self.limits.max_body_bytes), media_type)

    def _respond(
        self, request: HttpRequest, media_type: str | None, context_value: object
    ) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"allow": _METHODS})
        if request.method == "POST":
            parameters = self._posted(request, media_type)
        elif request.method in ("GET", "HEAD"):
            parameters = self._asked(request, media_type)
        else:
            problem = "GraphQL is served by GET and POST only."
            raise NotServed(405, "METHOD_NOT_ALLOWED", problem, _METHODS)
        prepared = self.prepare(parameters)
        if isinstance(prepared, Refusal):
            return _refused_document(prepared, media_type)
        if prepared.operation_type is not OperationType.QUERY:
            _check_is_served(prepared.operation_type, request.method)
        executed = self.execute(prepared, context_value)
        if not executed.has_run:
            return _request_errors(executed.errors, media_type)
        return _response(200, executed.response(), media_type)

    def prepare(self, parameters: Parameters) -> Prepared | Refusal:
        """Hold a request to all rules and limits: the one way in, over HTTP and over sockets."""
        chosen = self.trusted.choose(parameters.query, parameters.document_id)
        if isinstance(chosen, Refusal):
            return chosen
        rules = self._trusted_rules if chosen.is_trusted else self._rules
        document = self.documents.load(rules, chosen.source)
        if isinstance(document, Refusal):
            return document
        operation_type = document.operation_type(parameters.operation_name)
        if isinstance(operation_type, Refusal):
            return operation_type
        cost = document.cost(parameters.operation_name, parameters.variables)
        if self.limits.max_cost is not None and cost > self.limits.max_cost:
            return exceeded("max_cost", self.limits.max_cost, cost)
        return Prepared(
            document=document,
            operation_type=operation_type,
            operation_name=parameters.operation_name,
            variables=parameters.variables,
        )

    def execute(
        self, prepared: Prepared, context_value: object, root_value: object = None
    ) -> Executed:
        """Execute a request in this thread.

        Args:
            prepared: as `prepare` gave it.
            context_value: as for `respond`.
            root_value: what the resolvers of the operation itself are given; of a subscription,
                the event that it is executed for.
        """
        return run(
            prepared,
            context_value,
            root_value,
            limits=self.limits,
            reporter=self._reporter,
            hide_suggestions=not self.introspection,
        )

    def refused(self, refusal: Refusal) -> Executed:
        """What a client is told of a request that is not executed."""
        errors = [shown(error, refusal.code) for error in refusal.errors]
        return Executed(data=None, errors=errors, has_run=False)

    def faulted(self, error: Exception) -> Executed:
        """What a client is told of an error outside of any field; a fault is logged."""
        return Executed(data=None, errors=[self._reporter.fault(error)], has_run=False)

    def _posted(self, request: HttpRequest, media_type: str | None) -> Parameters:
        _check_acceptable(media_type)
        headers = request.headers
        if not is_json(headers.get("content-type")):
            problem = "The body must be application/json in UTF-8."
            raise NotServed(415, "UNSUPPORTED_MEDIA_TYPE", problem)
        if headers.get("content-encoding", "identity") != "identity":
            raise NotServed(415, "UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed.")
        if len(request.body) > self.limits.max_body_bytes:
            raise _too_large(self.limits.max_body_bytes)
        try:
            body = json_text.decode(request.body)
        except ValueError as error:
            raise NotServed(400, "BAD_REQUEST", f"The body is not JSON: {error}.") from None
        if not isinstance(body, dict):
            bad_request("The body must be a JSON object; batches are not served.")
        return read_parameters(body)

    def _asked(self, request: HttpRequest, media_type: str | None) -> Parameters:
        _check_acceptable(media_type)
        if len(request.query_string) > self.limits.max_body_bytes:
            raise NotServed(
                414, "URI_TOO_LONG", f"The limit is {self.limits.max_body_bytes} bytes."
            )
        try:
            pairs = parse_qsl(
                request.query_string.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_QUERY_FIELDS,
            )
        except ValueError:
            bad_request("The query string is not form-encoded UTF-8, or has too many fields.")
        fields: dict[str, object] = dict(pairs)
        if not fields.keys() & {"query", "documentId", "extensions"}:
            bad_request(_how_to_ask(request.graphiql))
        if len(fields) != len(pairs):
            bad_request("A parameter is given twice.")
        for name in ("variables", "extensions"):
            text = fields.get(name)
            if isinstance(text, str):
                try:
                    fields[name] = json_text.decode(text.encode("utf-8"))
                except ValueError as error:
                    bad_request(f"The parameter {name} is not JSON: {error}.")
        return read_parameters(fields)

    def _fault(self, error: Exception, media_type: str | None) -> HttpResponse:
        return _response(500, {"errors": [self._reporter.fault(error)]}, media_type)


def _check_acceptable(media_type: str | None) -> None:
    if media_type is None:
        problem = f"The response is {GRAPHQL_RESPONSE} or {JSON}; the client accepts neither."
        raise NotServed(406, "NOT_ACCEPTABLE", problem)


def _check_is_served(operation_type: OperationType, method: str) -> None:
    if operation_type is OperationType.SUBSCRIPTION:
        bad_request("Subscriptions are served over graphql-transport-ws only.")
    if method != "POST":
        problem = "A mutation must be sent by POST."
        raise NotServed(405, "METHOD_NOT_ALLOWED", problem, "POST")


def _how_to_ask(graphiql: str | None) -> str:
    page = "" if graphiql is None else f", or open GraphiQL at {graphiql} in a browser"
    return f"There is no query: send one by POST as JSON in the parameter query{page}."


def _too_large(max_body_bytes: int) -> NotServed:
    return NotServed(413, "CONTENT_TOO_LARGE", f"The body may have {max_body_bytes} bytes.")


def _refused(refusal: NotServed, media_type: str | None) -> HttpResponse:
    error = {"message": refusal.message, "extensions": {"code": refusal.code}}
    response = _response(refusal.status, {"errors": [error]}, media_type)
    if refusal.allow is None:
        return response
    return evolve(response, headers={**response.headers, "allow": refusal.allow})


def _refused_document(refusal: Refusal, media_type: str | None) -> HttpResponse:
    return _request_errors([shown(error, refusal.code) for error in refusal.errors], media_type)


def _request_errors(errors: list[dict[str, object]], media_type: str | None) -> HttpResponse:
    # A client of application/json takes each status but 200 for a broken connection.
    status = 400 if media_type == GRAPHQL_RESPONSE else 200
    return _response(status, {"errors": errors}, media_type)


def _response(status: int, content: dict[str, object], media_type: str | None) -> HttpResponse:
    body = json_text.encode(content)
    return HttpResponse(
        status=status,
        headers={
            "content-type": f"{media_type or JSON}; charset=utf-8",
            "content-length": str(len(body)),
            "cache-control": "no-store",
        },
        body=body,
    )


def _without_body(response: HttpResponse) -> HttpResponse:
    return evolve(response, body=b"")
