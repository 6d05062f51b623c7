"""The endpoint that carries bytes between a server and the GraphQL engine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from energycore.graphql.graphiql import located
from energycore.graphql.http import GraphQLEngine, HttpRequest, HttpResponse
from energycore_fastapi.threads import RequestThreads

__all__ = ["GraphQLEndpoint"]

_READ = (b"accept", b"content-type", b"content-encoding")


class GraphQLEndpoint:
    """An ASGI application for one path; one hop to a thread for each request.

    Args:
        engine: answers the requests.
        context: makes the context value of a request, or of what a dependency gave for it; runs
            in the thread of the resolvers. A Starlette HTTPException that it raises is the
            application's to answer.
        threads: where requests are answered.
        graphiql: where GraphiQL is, as seen from here; None for nowhere.
    """

    def __init__(
        self,
        engine: GraphQLEngine,
        context: Callable[[Any], object],
        threads: RequestThreads,
        *,
        graphiql: str | None = None,
    ) -> None:
        self._engine = engine
        self._context = context
        self._threads = threads
        self._graphiql = graphiql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        make = partial(self._context, Request(scope))
        response = await self._respond(scope, receive, make)
        if response is not None:
            await _send(response, send)

    async def answer(self, request: Request, given: object) -> Response:
        """Answer one request by what a dependency gave for it."""
        make = partial(self._context, given)
        if hasattr(request, "_body"):
            # The dependency has read it, such as to check a signature.
            response = await self._respond(request.scope, _again(await request.body()), make)
        else:
            response = await self._respond(request.scope, request.receive, make)
        if response is None:
            return Response(status_code=400)  # to nobody: the client went away
        return Response(response.body, response.status, dict(response.headers))

    async def _respond(
        self, scope: Scope, receive: Receive, make: Callable[[], object]
    ) -> HttpResponse | None:
        """The response; None if the client goes away before it has sent its request."""
        try:
            body = await _read_body(scope, receive, self._engine.limits.max_body_bytes)
        except ClientDisconnect:
            return None
        request = HttpRequest(
            method=scope["method"],
            headers=_headers(scope),
            query_string=scope["query_string"],
            body=body or b"",
            graphiql=located(scope["path"], self._graphiql) if scope["method"] == "GET" else None,
        )
        if body is None:
            return self._engine.too_large(request)
        return await self._threads.run(lambda: self._answer(request, make))

    def _answer(self, request: HttpRequest, make: Callable[[], object]) -> HttpResponse:
        try:
            context_value = make()
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - the engine masks and logs it
            return self._engine.fail(request, error)
        return self._engine.respond(request, context_value)


def _again(body: bytes) -> Receive:
    """Receive a body that was received before."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            text = value.decode("latin-1")
            key = name.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """Read the body, or stop and return None as soon as it is known to exceed the limit."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            return None
    body = bytearray()
    more = True
    while more and len(body) <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            # What came so far may look like a whole request, but it is none.
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body) if len(body) <= limit else None


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
