"""A socket without a server: what the application sends is looked at message by message."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from energycore.graphql import GraphQLContext, GraphQLEngine
from energycore.graphql.live import SocketApp, SocketLimits
from energycore.protocols.scope import Scope
from energycore.services.suite import Services

__all__ = ["PROTOCOL", "Socket", "serving"]

PROTOCOL: Final = "graphql-transport-ws"
_PATIENCE_S: Final = 30


class Socket:
    """One client of an application."""

    def __init__(self, app: SocketApp, **scope: Any) -> None:
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.has_gone = False
        """Whether sending fails, as where the client has gone."""
        self.writing = asyncio.Event()
        """Set while the application waits for the client to read."""
        given = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/graphql",
            "headers": [(b"host", b"testserver")],
            "subprotocols": [PROTOCOL],
            **scope,
        }
        self._events.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app(given, self._events.get, self._send))

    async def _send(self, event: Any) -> None:
        self.writing.set()
        await self.reads.wait()
        if self.has_gone:
            raise OSError("the client has gone")
        self.writing.clear()
        self._sent.put_nowait(dict(event))

    async def event(self) -> dict[str, Any]:
        """The next event that the application sends."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self._sent.get()

    async def next(self) -> Any:
        """The next message."""
        event = await self.event()
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def closed(self) -> int:
        """Wait for the application to close the socket, leaving out messages: the code."""
        while (event := await self.event())["type"] != "websocket.close":
            pass
        await self.gone()
        code: int = event["code"]
        return code

    async def gone(self) -> None:
        """Say that the socket has ended, and wait until the application has."""
        self._events.put_nowait({"type": "websocket.disconnect", "code": 1005})
        async with asyncio.timeout(_PATIENCE_S):
            await self.task

    def none(self) -> bool:
        """Whether nothing has been sent that was not looked at."""
        return self._sent.empty()

    def put(self, **event: Any) -> None:
        """Send an event as it is."""
        self._events.put_nowait({"type": "websocket.receive", **event})

    def send(self, kind: str, **more: Any) -> None:
        """Send a message."""
        self.put(text=json.dumps({"type": kind, **more}))

    def subscribe(self, query: str, *, id: str = "one", **variables: Any) -> None:  # noqa: A002 - its name
        """Begin an operation."""
        self.send("subscribe", id=id, payload={"query": query, "variables": variables})

    async def opened(self) -> "Socket":
        """Take the acceptance and say hello."""
        assert (await self.event())["type"] == "websocket.accept"
        self.send("connection_init")
        assert await self.next() == {"type": "connection_ack"}
        return self


def serving(
    engine: GraphQLEngine,
    services: Services,
    context: Callable[[Any, Any], object] | None = None,
    **limits: Any,
) -> SocketApp:
    """An application for one tenant."""

    def own(_scope: Any, _payload: Any) -> object:
        return GraphQLContext(services=services, scope=Scope("acme"))

    def run(work: Callable[[], Any]) -> Awaitable[Any]:
        return asyncio.to_thread(work)

    async def told(scope: Any, payload: Any) -> object:
        return (context or own)(scope, payload)

    return SocketApp(engine, told, run, SocketLimits(**limits))
