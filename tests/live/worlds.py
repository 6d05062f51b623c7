"""Each framework with one database behind it, as a real server that clients can connect to."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import attrs
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connections
from django.http import HttpRequest
from django.test import override_settings
from starlette.exceptions import HTTPException
from starlette.requests import Request

from energycore.devices.base import DataSource
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.graphql.live import SocketLimits
from energycore.protocols.scope import Scope
from energycore.services.ingestion import NewReading
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy
from energycore_django.access import energy as energy_of_project
from energycore_django.asgi import websockets
from energycore_fastapi import create_app
from tests.django.conftest import database
from tests.http.frameworks import asgi_server

__all__ = ["WORLDS", "Make", "World", "authorize", "django", "fastapi"]

_EVERYBODY: Final = "everybody"
_LET_IN: set[str] = set()


@attrs.define(eq=False)
class World:
    """A server, and its database as seen from within its process."""

    url: str
    energy: Energy
    let_in: set[str]
    """Tokens that are let in; none is needed while `everybody` is among them."""
    ids: list[int] = attrs.field(factory=list)
    _at: int = 0

    def panel(self, name: str) -> None:
        """Register a panel that reports."""
        device = SolarPanel(name=name, rated_power_w=5_000)
        self.ids.append(self.energy.register(device, data_source=DataSource.REPORTED).id)

    def report(self, power_w: float) -> None:
        """Let all panels report a power, at an instant after the last."""
        self._at += 1
        at = self.energy.clock.now()
        readings = [NewReading(device_id=i, at=at, power_w=power_w) for i in self.ids]
        assert self.energy.record(readings).accepted == len(self.ids)


Make = Callable[..., AbstractContextManager[World]]


def _may_come(token: str | None) -> bool:
    return _EVERYBODY in _LET_IN or (token or "").removeprefix("Bearer ") in _LET_IN


def authorize(request: HttpRequest) -> None:
    """What a project names as AUTHORIZE."""
    if not _may_come(request.headers.get("authorization")):
        raise PermissionDenied("who are you?")


@contextlib.contextmanager
def _doors() -> Iterator[set[str]]:
    _LET_IN.clear()
    _LET_IN.add(_EVERYBODY)
    yield _LET_IN


@contextlib.contextmanager
def fastapi(folder: Path, *, channel: str | None = None, **limits: Any) -> Iterator[World]:
    """FastAPI under uvicorn."""

    def scope_of(request: Request) -> Scope:
        if not _may_come(request.headers.get("authorization")):
            raise HTTPException(401, "who are you?")
        return Scope("default")

    with connect(f"sqlite:///{folder / 'energy.db'}", channel=channel) as energy, _doors() as doors:
        app = create_app(energy, scope_of=scope_of, sockets=SocketLimits(**limits))
        with asgi_server(app, ws="auto") as url:
            yield World(url.replace("http", "ws", 1) + "/graphql", energy, doors)


@contextlib.contextmanager
def django(folder: Path, *, channel: str | None = None, **limits: Any) -> Iterator[World]:
    """Django's ASGI under uvicorn, with the sockets beside it."""
    own = {
        "AUTHORIZE": authorize,
        "SOCKETS": {name.upper(): value for name, value in limits.items()},
        "CHANNEL": channel,
    }
    with database("default", NAME=str(folder / "project.db")), override_settings(ENERGYCORE=own):
        call_command("migrate", database="default", verbosity=0)
        app = websockets(get_asgi_application(), path="/energy/graphql")
        with _doors() as doors, asgi_server(app, ws="auto", lifespan="off") as url:
            yield World(
                url.replace("http", "ws", 1) + "/energy/graphql", energy_of_project(), doors
            )
        connections.close_all()


WORLDS: dict[str, Make] = {"fastapi": fastapi, "django": django}
