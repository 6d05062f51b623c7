"""Sockets beside Django: graphql-transport-ws for the project's asgi.py.

from django.core.asgi import get_asgi_application
from energycore_django.asgi import websockets

application = websockets(get_asgi_application())
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from io import BytesIO
from typing import Any, Final, TypeAlias, TypeVar

import attrs
from django.core.exceptions import (
    BadRequest,
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousOperation,
)
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from energycore.errors import NotAllowed
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live import SocketApp, SocketLimits
from energycore_django.conf import current
from energycore_django.routes import project_authorize, project_context, project_engine

__all__ = ["CONNECTION_INIT", "graphql_sockets", "websockets"]

Result = TypeVar("Result")
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

CONNECTION_INIT: Final = "energycore.connection_init"
"""Where `request.META` holds the payload of connection_init, if the request is a socket's."""

_OUTCOME: Final = "energycore.outcome"
_REFUSALS: Final = (BadRequest, PermissionDenied, SuspiciousOperation)


def websockets(
    application: Application, *, path: str | None = None, max_threads: int = 8
) -> Application:
    """Put the project's sockets beside an ASGI application, which keeps all that is no socket.

    Who a client is is told as over HTTP: its handshake passes the project's middleware, so that
    sessions and users are known, then AUTHORIZE and the tenant's hook are asked.

    Args:
        application: as `get_asgi_application()` gave it.
        path: where the sockets are, such as `/energy/graphql`; by default where
            `energycore_django.urls` puts GraphQL.
        max_threads: the most operations that are executed at one time; further ones wait.
    """
    served: list[Application] = []

    async def beside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await application(scope, receive, send)
            return
        limits = current().sockets
        if limits is None or _path_of(scope) != (path or _path_of_urls()):
            await _not_here(receive, send)
            return
        if not served:
            engine = project_engine()
            served.append(
                graphql_sockets(
                    engine,
                    project_context,
                    authorize=project_authorize,
                    limits=limits,
                    max_threads=max_threads,
                )
            )
        await served[0](scope, receive, send)

    return beside


def graphql_sockets(
    engine: GraphQLEngine,
    context: Callable[[HttpRequest], object],
    *,
    authorize: Callable[[HttpRequest], None] | None = None,
    limits: SocketLimits | None = None,
    max_threads: int = 8,
) -> SocketApp:
    """An ASGI application of sockets alone, for one engine.

    Args:
        engine: answers.
        context: makes the context value of a request, as over HTTP.
        authorize: raises PermissionDenied to refuse a client.
        limits: of the sockets.
        max_threads: the most operations that are executed at one time; further ones wait.
    """
    threads = ThreadPoolExecutor(max_threads, "energycore-sockets")

    def make(request: HttpRequest) -> object:
        if authorize is not None:
            authorize(request)
        return context(request)

    handshakes = _Handshakes(make)

    async def run(work: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        of_caller = copy_context()
        return await loop.run_in_executor(threads, partial(of_caller.run, _by_itself, work))

    async def context_of(scope: Scope, payload: Mapping[str, Any]) -> object:
        return await run(partial(handshakes.told, _request(scope, payload)))

    return SocketApp(engine, context_of, run, limits)


def _by_itself(work: Callable[[], Result]) -> Result:
    """Do some work as if it were a request: over no connection that is too old or broken."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


@attrs.define
class _Outcome:
    """What became of a handshake."""

    made: object = None
    error: Exception | None = None
    has_arrived: bool = False


class _Handshakes(BaseHandler):
    """The project's middleware around a view that only looks at who asks."""

    def __init__(self, make: Callable[[HttpRequest], object]) -> None:
        self._make = make
        self._loading = threading.Lock()
        self._is_loaded = False

    def told(self, request: HttpRequest) -> object:
        """The context value of a request.

        Raises:
            NotAllowed: it is refused, by the middleware or by whoever makes the context value.
        """
        with self._loading:
            if not self._is_loaded:
                self.load_middleware()
                self._is_loaded = True
        outcome = request.META[_OUTCOME] = _Outcome()
        self.get_response(request).close()
        error = outcome.error
        if isinstance(error, _REFUSALS):
            raise NotAllowed(str(error) or "permission denied") from error
        if error is not None:
            raise error
        if not outcome.has_arrived:
            # The middleware has answered by itself, with a redirection for example.
            raise NotAllowed("permission denied")
        return outcome.made

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        outcome: _Outcome = request.META[_OUTCOME]
        outcome.has_arrived = True
        try:
            request.get_host()  # refuses a host that is not in ALLOWED_HOSTS
            outcome.made = self._make(request)
        except Exception as error:  # noqa: BLE001 - the socket tells it, not an error page
            outcome.error = error
        return HttpResponse()


def _request(scope: Scope, payload: Mapping[str, Any]) -> HttpRequest:
    """The handshake of a socket as a request, with what the client says of itself.

    A browser cannot send headers with a handshake: where there is no `Authorization`, the one of
    the payload takes its place.
    """
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    request = ASGIRequest({**scope, "type": "http", "method": "GET", "scheme": scheme}, BytesIO())
    given = [payload.get(name) for name in ("Authorization", "authorization")]
    token = next((value for value in given if isinstance(value, str)), None)
    if token is not None:
        request.META.setdefault("HTTP_AUTHORIZATION", token)
    request.META[CONNECTION_INIT] = payload
    return request


def _path_of(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path") or "")


def _path_of_urls() -> str:
    try:
        return reverse("energycore-graphql")
    except NoReverseMatch:
        raise ImproperlyConfigured(
            "the URLs do not include energycore_django.urls: give websockets() a path"
        ) from None


async def _not_here(receive: Receive, send: Send) -> None:
    await receive()
    # Before it is accepted this is answered with status 403.
    await send({"type": "websocket.close", "code": 4404})
