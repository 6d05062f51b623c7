"""`python -m benchmarks.sockets_worker`: a server of sockets, led by its standard input.

It prints its port first. Then each line is a command, answered by one line of JSON: `memory` gives
what the process holds [bytes], `report N` lets all devices report so often and gives the CPU time
of the process until then [s].
"""

import gc
import json
import socket
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from energycore.devices.base import DataSource
from energycore.graphql.live import SocketLimits
from energycore.services.ingestion import NewReading
from energycore.testing.contract import new_device, panel
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy
from energycore_fastapi import create_app

__all__ = ["DEVICES", "main"]

DEVICES: Final = 500
_START: Final = datetime.fromisoformat("2026-06-01T12:00:00+00:00")


class _Clock:
    def __init__(self) -> None:
        self.at = _START

    def now(self) -> datetime:
        return self.at


async def _echo(websocket: WebSocket) -> None:
    """What a socket costs without anything behind it."""
    await websocket.accept(subprotocol="graphql-transport-ws")
    async for text in websocket.iter_text():
        kind = json.loads(text)["type"]
        await websocket.send_text('{"type":"connection_ack"}' if kind == "connection_init" else "")


def main() -> None:
    """Serve until the standard input ends."""
    clock = _Clock()
    with connect("memory://", clock=clock) as energy:
        ids = _devices(energy)
        ours = create_app(energy, sockets=SocketLimits(max_sockets=5_000))
        ours.mount("/bare", Starlette(routes=[WebSocketRoute("/graphql", _echo)]))
        with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listener:
            config = uvicorn.Config(ours, log_level="error", ws="websockets-sansio")
            server = uvicorn.Server(config)
            threading.Thread(target=server.run, args=([listener],), daemon=True).start()
            _say(listener.getsockname()[1])
            for line in sys.stdin:
                command, *arguments = line.split()
                if command == "memory":
                    gc.collect()
                    _say(_resident())
                elif command == "report":
                    for number in range(int(arguments[0])):
                        clock.at += timedelta(seconds=1)
                        _report(energy, ids, clock.at, float(number))
                    _say(time.process_time())
            server.should_exit = True


def _devices(energy: Energy) -> list[int]:
    with energy.services.storage.transaction(write=True) as work:
        return [
            work.devices.add(
                energy.scope,
                new_device(panel(f"Panel {number}"), data_source=DataSource.REPORTED),
            ).id
            for number in range(DEVICES)
        ]


def _report(energy: Energy, ids: list[int], at: datetime, power_w: float) -> None:
    energy.record([NewReading(device_id=one, at=at, power_w=power_w) for one in ids])


def _resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1_024


def _say(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
