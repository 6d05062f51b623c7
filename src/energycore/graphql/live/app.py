"""The ASGI application of sockets: the handshake, and how many there are."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, TypeAlias

from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live.limits import SocketLimits
from energycore.graphql.live.messages import PROTOCOL, CloseCode
from energycore.graphql.live.operations import Run
from energycore.graphql.live.session import Session

__all__ = ["SocketApp"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class SocketApp:
    """Serves graphql-transport-ws for one path, whatever the framework around it.

    Args:
        engine: answers; the same as over HTTP, so that nothing else is answered here.
        context: makes the context value of a client from the scope of its socket and the payload
            of its connection_init. An error that is meant for clients, such as NotAllowed, closes
            the socket with 4403.
        run: runs something in a thread.
        limits: of the sockets.
    """

    def __init__(
        self,
        engine: GraphQLEngine,
        context: Callable[[Scope, Mapping[str, Any]], Awaitable[object]],
        run: Run,
        limits: SocketLimits | None = None,
    ) -> None:
        self._engine = engine
        self._context = context
        self._run = run
        self._limits = SocketLimits() if limits is None else limits
        self._open = 0

    @property
    def open_sockets(self) -> int:
        """How many sockets there are now."""
        return self._open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        event = await receive()
        if event["type"] != "websocket.connect":
            return
        headers = _headers(scope)
        is_secure = scope.get("scheme") == "wss"
        origin = headers.get("origin")
        if not self._limits.allows_origin(origin, headers.get("host"), is_secure=is_secure):
            # Before it is accepted this is answered with status 403.
            await send({"type": "websocket.close", "code": CloseCode.FORBIDDEN})
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await _refuse(send, CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        most = self._limits.max_sockets
        if most is not None and self._open >= most:
            await _refuse(send, CloseCode.TRY_AGAIN_LATER, "Too many sockets", PROTOCOL)
            return
        self._open += 1
        try:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            context_of = partial(self._context, scope)
            session = Session(self._engine, context_of, self._run, self._limits, receive, send)
            await session.serve()
        finally:
            self._open -= 1


async def _refuse(send: Send, code: CloseCode, reason: str, subprotocol: str | None = None) -> None:
    # Accepted first, for a browser cannot see why a handshake failed.
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    await send({"type": "websocket.close", "code": int(code), "reason": reason})


def _headers(scope: Scope) -> dict[str, str]:
    """The first of each header by name in lower case."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers
