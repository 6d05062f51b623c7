"""The official JavaScript client, and one that writes each message itself."""

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

__all__ = ["PROTOCOL", "Node", "Raw", "node", "raw"]

PROTOCOL: Final = "graphql-transport-ws"
_PATIENCE_S: Final = 60.0
_PROGRAM: Final = Path(__file__).with_name("client.mjs")


class Node:
    """npm's graphql-ws in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._happened: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.next("ready")

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._happened.put(json.loads(line))

    def _do(self, command: str, **given: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **given}) + "\n")
        self._process.stdin.flush()

    def subscribe(self, query: str, *, id: str = "one", **variables: Any) -> None:  # noqa: A002 - its name
        """Begin an operation of any type."""
        self._do("subscribe", id=id, query=query, variables=variables)

    def end(self, id: str = "one") -> None:  # noqa: A002 - its name
        """End an operation."""
        self._do("end", id=id)

    def cut(self) -> None:
        """Break the connection without a word."""
        self._do("cut")

    def reconnect(self) -> None:
        """Connect again after a cut, which waits for this."""
        self._do("reconnect")

    def next(self, event: str, **more: Any) -> dict[str, Any]:
        """Wait for something to happen; what happens before it is left out."""
        wanted = {"event": event, **more}
        while True:
            happened = self._happened.get(timeout=_PATIENCE_S)
            if wanted.items() <= happened.items():
                return happened

    def data(self, id: str = "one") -> Any:  # noqa: A002 - its name
        """The data of the next message of an operation."""
        value = self.next("next", id=id)["value"]
        assert "errors" not in value, value
        return value["data"]


@contextlib.contextmanager
def node(installed: Path, url: str, **options: Any) -> Iterator[Node]:
    """Start the client; it connects with its first operation."""
    given = json.dumps({"url": url, **options})
    process = subprocess.Popen(
        ["node", str(_PROGRAM), given],
        cwd=installed,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Node(process)
    finally:
        process.kill()
        process.communicate()


class Raw:
    """Writes and reads messages as they are."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, kind: str, **more: Any) -> None:
        """Send one message."""
        self.connection.send(json.dumps({"type": kind, **more}))

    def init(self, **payload: Any) -> "Raw":
        """Begin, as every client must."""
        self.send("connection_init", payload=payload)
        assert self.next() == {"type": "connection_ack"}
        return self

    def subscribe(self, query: str, *, id: str = "one", **variables: Any) -> None:  # noqa: A002 - its name
        """Begin an operation of any type."""
        self.send("subscribe", id=id, payload={"query": query, "variables": variables})

    def next(self) -> Any:
        """The next message."""
        return json.loads(self.connection.recv(timeout=_PATIENCE_S))

    def closed(self) -> tuple[int, str]:
        """Wait for the end of the socket: code and reason."""
        with contextlib.suppress(Exception):
            while True:
                self.connection.recv(timeout=_PATIENCE_S)
        close = self.connection.protocol.close_rcvd
        assert close is not None
        return close.code, close.reason


@contextlib.contextmanager
def raw(url: str, *, protocols: tuple[str, ...] = (PROTOCOL,), **options: Any) -> Iterator[Raw]:
    """Connect."""
    offered = [Subprotocol(name) for name in protocols] or None
    with connect(url, subprotocols=offered, proxy=None, max_size=None, **options) as connection:
        yield Raw(connection)
