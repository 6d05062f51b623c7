"""Sockets of a Starlette application: who is at the other end, told as for requests."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from energycore.errors import NotAllowed, StorageUnavailable
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live import SocketApp, SocketLimits
from energycore_fastapi.scopes import solver
from energycore_fastapi.threads import RequestThreads

__all__ = ["CONNECTION_INIT", "socket_app", "socket_request"]

_UNAVAILABLE: Final = 503
CONNECTION_INIT: Final = "energycore.connection_init"
"""Where the scope of a request holds the payload of connection_init, if it is a socket's."""


def socket_app(
    engine: GraphQLEngine,
    context: Callable[[Any], object],
    threads: RequestThreads,
    limits: SocketLimits,
    *,
    scope_of: Callable[..., Any] | None = None,
) -> SocketApp:
    """An ASGI application of sockets.

    Args:
        engine: answers.
        context: makes the context value of a request, as over HTTP. A Starlette HTTPException of
            a status below 500 refuses the client.
        threads: where operations are executed.
        limits: of the sockets.
        scope_of: a FastAPI dependency; what it returns is given to `context` in the place of the
            request.
    """
    solve = None if scope_of is None else solver(scope_of)

    async def context_of(scope: Scope, payload: Mapping[str, Any]) -> object:
        request = socket_request(scope, payload)
        try:
            given = request if solve is None else await solve(request)
            return await threads.run(partial(context, given))
        except RequestValidationError as error:
            raise NotAllowed("the handshake lacks something, or has it in another form") from error
        except HTTPException as refusal:
            if refusal.status_code < 500:
                raise NotAllowed(str(refusal.detail)) from refusal
            if refusal.status_code == _UNAVAILABLE:
                raise StorageUnavailable(str(refusal.detail)) from refusal
            raise

    return SocketApp(engine, context_of, threads.run, limits)


def socket_request(scope: Scope, payload: Mapping[str, Any]) -> Request:
    """The handshake of a socket as a request, with what the client says of itself.

    A browser cannot send headers with a handshake: where there is no `Authorization`, the one of
    the payload takes its place.
    """
    headers = list(scope["headers"])
    given = [payload.get(name) for name in ("Authorization", "authorization")]
    token = next((value for value in given if isinstance(value, str)), None)
    is_given = any(name.lower() == b"authorization" for name, _ in headers)
    if token is not None and token.isascii() and not is_given:
        headers.append((b"authorization", token.encode("ascii")))
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    as_request = {"type": "http", "method": "GET", "scheme": scheme, "headers": headers}
    return Request({**scope, **as_request, CONNECTION_INIT: payload})
