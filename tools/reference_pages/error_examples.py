"""Examples of refusals: answers to real requests, and exceptions as Python prints them."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import attrs

import energycore as ec
from energycore.errors import EnergycoreError
from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest, build_schema
from energycore.graphql.schema.ids import device_id, site_id
from tools.reference_pages.devices import shipped_kinds

__all__ = ["BATTERY", "HOME", "METER", "ROOF", "Asked", "Example", "Raised", "Sent", "Told"]

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOME: Final = site_id(1)
ROOF, BATTERY, METER = (device_id(number) for number in (1, 2, 3))


class _Clock:
    def now(self) -> datetime:
        return NOON


class Example(Protocol):
    """What an error looks like, as Markdown."""

    def shown(self) -> str:
        """The request and its answer, or what Python prints."""
        ...


@attrs.frozen
class Sent:
    """A request of HTTP to a server, and its answer.

    Args:
        method: the HTTP method.
        body: what is posted.
        target: the path with its query string.
        headers: by name in lower case.
        options: of the engine.
        broken: what makes the context of the request fail.
    """

    method: str
    body: str = ""
    target: str = "/graphql"
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"content-type": "application/json"})
    options: Mapping[str, Any] = attrs.field(factory=dict)
    broken: Exception | None = None

    def answer(self) -> tuple[int, Any]:
        """The status and the answer."""
        engine = GraphQLEngine(
            build_schema(shipped_kinds()), new_error_id=lambda: "5f0c2a", **self.options
        )
        engine.logger.disabled = True
        request = HttpRequest(
            method=self.method,
            headers=self.headers,
            query_string=self.target.partition("?")[2].encode(),
            body=self.body.encode(),
        )
        with home() as energy:
            context: object = GraphQLContext(services=energy.services, scope=energy.scope)
            if self.broken is not None:
                response = engine.fail(request, self.broken)
            else:
                response = engine.respond(request, context)
        engine.logger.disabled = False
        return response.status, json.loads(response.body)

    def shown(self) -> str:
        """The request and its answer."""
        status, answer = self.answer()
        lines = [f"{self.method} {self.target}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["", self.body] if self.body else []
        request = "\n".join(lines)
        return f"```text\n{request}\n```\n\nanswers with status {status}:\n\n{_json(answer)}"


@attrs.frozen
class Asked:
    """A GraphQL document that is posted, and its answer."""

    query: str
    options: Mapping[str, Any] = attrs.field(factory=dict)

    def answer(self) -> tuple[int, Any]:
        """The status and the answer."""
        body = json.dumps({"query": self.query})
        return Sent("POST", body, options=self.options).answer()

    def shown(self) -> str:
        """The document and its answer."""
        return f"```graphql\n{self.query.strip()}\n```\n\n{_json(self.answer()[1])}"


@attrs.frozen
class Raised:
    """An exception as Python prints it."""

    make: Callable[[], EnergycoreError]

    def shown(self) -> str:
        """The class and its message."""
        error = self.make()
        return f"```text\n{type(error).__module__}.{type(error).__name__}: {error}\n```"


@attrs.frozen
class Told:
    """A message of a socket."""

    message: str

    def shown(self) -> str:
        """The message."""
        return _json(json.loads(self.message))


def home() -> AbstractContextManager[ec.Energy]:
    """A site with a simulated roof and battery and a reported meter; an office in another zone."""
    energy = ec.connect("memory://", clock=_Clock())
    site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
    office = energy.register_site(ec.Site(name="Office", time_zone="America/New_York"))
    roof = ec.SolarPanel(name="Roof", rated_power_w=5_000)
    energy.register(roof, site=site)
    battery = ec.Battery(name="Wall", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000)
    energy.register(battery, site=site)
    meter = ec.SolarPanel(name="Shed", rated_power_w=900)
    energy.register(meter, site=site, data_source=ec.DataSource.REPORTED)
    energy.register(roof, site=office)
    return energy


def _json(answer: object) -> str:
    return f"```json\n{json.dumps(answer, indent=2, ensure_ascii=False)}\n```"
