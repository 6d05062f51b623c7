"""Memory of sockets: 1,000 that are idle, 100 that listen, and some that do not read.

The server is a process of its own; the clients are all in this one.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.measure import Line
from benchmarks.sockets_worker import DEVICES

__all__ = ["lines"]

_IDLE: Final = 1_000
_ACTIVE: Final = 100
_SLOW: Final = 20
_ROUNDS: Final = 100
_KIB: Final = 1_024
_MIB: Final = 1_024 * _KIB
_STATES: Final = """subscription { deviceStates {
  id name kind isActive version tags dataSource registeredAt state { at powerW isStale } } }"""
_SUMMARY: Final = "subscription { energySummary { at netPowerW deviceCount silentCount } }"


class _Server:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sockets_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, command: str) -> Any:
        """What the server answers to a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def lines() -> Iterator[Line]:
    """The lines of this benchmark."""
    # Each in a process of its own: memory that one has given back would be the other's.
    with _served() as server:
        bare = asyncio.run(_idle(server, "/bare/graphql"))
    with _served() as server:
        ours = asyncio.run(_idle(server, "/graphql"))
        yield Line(
            name="sockets-idle",
            figure=f"{ours / _KIB:.1f} KiB a socket, {_IDLE} of them ({bare / _KIB:.1f} bare)",
            ratio=ours / bare,
            limit=2.0,
            note="memory of an idle socket, against one of Starlette with nothing behind it",
        )
        yield from asyncio.run(_active(server))
        yield asyncio.run(_slow(server))


@contextmanager
def _served() -> Iterator[_Server]:
    server = _Server()
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def _open(server: _Server, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
    url = f"ws://127.0.0.1:{server.port}{path}"
    given = {"subprotocols": ["graphql-transport-ws"], "proxy": None, "max_size": None}
    async with connect(url, **given | options) as client:
        await client.send('{"type":"connection_init"}')
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        yield client


async def _many(
    stack: AsyncExitStack, server: _Server, path: str, count: int
) -> list[ClientConnection]:
    return [await stack.enter_async_context(_open(server, path)) for _ in range(count)]


async def _idle(server: _Server, path: str) -> float:
    async with AsyncExitStack() as stack:
        # The first ones pay for what all share.
        await _many(stack, server, path, 50)
        before = await asyncio.to_thread(server.ask, "memory")
        await _many(stack, server, path, _IDLE)
        after = await asyncio.to_thread(server.ask, "memory")
        return float(after - before) / _IDLE


async def _subscribe(client: ClientConnection, query: str) -> None:
    payload = {"query": query}
    await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


async def _active(server: _Server) -> list[Line]:
    async with AsyncExitStack() as stack:
        clients = await _many(stack, server, "/graphql", _ACTIVE)
        for client in clients:
            await _subscribe(client, _STATES)
            await client.recv()
        await _told(server, clients, 2)
        before = await asyncio.to_thread(server.ask, "memory")
        cpu_s = await asyncio.to_thread(server.ask, "report 0")
        messages, size = await _told(server, clients, 20)
        cpu_s = await asyncio.to_thread(server.ask, "report 0") - cpu_s
        after = await asyncio.to_thread(server.ask, "memory")
        growth = max(0, after - before)
        return [
            Line(
                name="sockets-active",
                figure=f"{growth / _MIB:.1f} MiB more after {messages} messages of "
                f"{size / _KIB:.0f} KiB at {_ACTIVE} sockets",
                ratio=growth / (_ACTIVE * size),
                limit=2.0,
                note="memory that stays, against one message for each socket",
            ),
            Line(
                name="sockets-message",
                figure=f"{1e3 * cpu_s / max(1, messages):.2f} ms of CPU a message of "
                f"{DEVICES} devices",
                ratio=1e6 * cpu_s / max(1, messages) / DEVICES,
                limit=None,
                note="microseconds of CPU for each device that is told",
            ),
        ]


async def _told(server: _Server, clients: list[ClientConnection], rounds: int) -> tuple[int, int]:
    """Let the devices report; how many messages came until all had the newest, and their size."""
    messages = size = 0

    async def read(client: ClientConnection) -> None:
        nonlocal messages, size
        while True:
            text = await client.recv()
            messages, size = messages + 1, len(text)
            if f'"powerW":{rounds - 1}.0' in text:
                return

    readers = asyncio.gather(*(read(client) for client in clients))
    await asyncio.to_thread(server.ask, f"report {rounds}")
    await asyncio.wait_for(readers, 120)
    return messages, size


async def _slow(server: _Server) -> Line:
    async with AsyncExitStack() as stack:
        clients, size = [], 0
        for _ in range(_SLOW):
            # Little is kept for them on the way, so that the server soon has to wait.
            plain = socket.create_connection(("127.0.0.1", server.port))
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * _KIB)
            client = await stack.enter_async_context(
                _open(server, "/graphql", sock=plain, max_queue=1)
            )
            await _subscribe(client, _STATES)
            size = len(await client.recv())
            client.transport.pause_reading()
            clients.append(client)
        before = await asyncio.to_thread(server.ask, "memory")
        for _ in range(_ROUNDS):
            await asyncio.to_thread(server.ask, "report 1")
        after = await asyncio.to_thread(server.ask, "memory")
        growth = max(0, after - before)
        for client in clients:
            client.transport.resume_reading()
        begin_s = time.monotonic()
        await asyncio.to_thread(server.ask, "report 7")
        messages = await asyncio.gather(*(_until_newest(client) for client in clients))
        queued = _SLOW * _ROUNDS * size
        return Line(
            name="sockets-slow",
            figure=f"{growth / _SLOW / _KIB:.0f} KiB for each of {_SLOW} that read nothing while "
            f"{_ROUNDS} times {size / _KIB:.0f} KiB changed; then {max(messages)} messages and "
            f"{time.monotonic() - begin_s:.1f} s to the newest",
            ratio=growth / queued,
            limit=0.1,
            note="memory, against a queue of all that was not read",
        )


async def _until_newest(client: ClientConnection) -> int:
    count = 0
    while True:
        count += 1
        text = await asyncio.wait_for(client.recv(), 60)
        if '"powerW":6.0' in text:
            return count
