"""The whole way of a request, from the engine to storage, over memory and SQLite."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest, Limits, build_engine
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.services.suite import Services
from energycore.wiring.connect import open_storage

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)

SPECS: dict[str, Any] = {
    "solarPanel": {"ratedPowerW": 5_000},
    "battery": {"capacityWh": 13_500, "maxChargeW": 5_000, "maxDischargeW": 4_000},
    "electricVehicle": {
        "capacityWh": 60_000,
        "maxChargeW": 11_000,
        "maxDischargeW": 7_000,
        "storedWh": 20_000,
    },
    "appliance": {"averagePowerW": 600},
}


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Client:
    """Asks an engine on behalf of one tenant."""

    def __init__(self, engine: GraphQLEngine, services: Services, scope: Scope) -> None:
        self.engine = engine
        self.services = services
        self.scope = scope

    def of(self, tenant: str) -> "Client":
        return Client(self.engine, self.services, Scope(tenant))

    def respond(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole response."""
        request = HttpRequest(
            method="POST",
            headers={"content-type": "application/json"},
            body=json.dumps({"query": query, "variables": variables}).encode(),
        )
        context = GraphQLContext(services=self.services, scope=self.scope)
        answer: dict[str, Any] = json.loads(self.engine.respond(request, context).body)
        return answer

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a response without errors."""
        response = self.respond(query, **variables)
        assert "errors" not in response, response["errors"]
        return response["data"]

    def refused(self, query: str, **variables: Any) -> str:
        """The code of the one error of a response."""
        (error,) = self.respond(query, **variables)["errors"]
        code: str = error["extensions"]["code"]
        return code

    def change(self, mutation: str, /, answer: str = "", **given: Any) -> Any:
        """The payload of a mutation that takes one input."""
        input_type = mutation[0].upper() + mutation[1:] + "Input"
        if mutation in ("deactivateDevice", "reactivateDevice"):
            input_type = "DeviceIdInput"
        errors = "userErrors { code message path }"
        query = (
            f"mutation ($given: {input_type}!) "
            f"{{ {mutation}(input: $given) {{ {answer} {errors} }} }}"
        )
        return self.ask(query, given=given)[mutation]

    def site(self, **given: Any) -> Any:
        """Register a site and return it."""
        given = {"name": "Home", "timeZone": "Europe/Berlin", **given}
        payload = self.change("registerSite", "site { id name timeZone version }", **given)
        assert payload["userErrors"] == []
        return payload["site"]

    def register(self, name: str, kind: str = "solarPanel", **given: Any) -> Any:
        """Register a device and return its id and version."""
        given = {"name": name, "spec": {kind: SPECS[kind]}, **given}
        payload = self.change("registerDevice", "device { id version }", **given)
        assert payload["userErrors"] == [], payload["userErrors"]
        return payload["device"]

    def home(self) -> dict[str, str]:
        """Register a site with one device of each kind; their ids by name."""
        site = self.site()["id"]
        ids = {kind: self.register(kind, kind, siteId=site)["id"] for kind in SPECS}
        return {"site": site, **ids}


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    # These tests ask for more in one request than clients may; those of limits have their own.
    return build_engine(limits=Limits(max_cost=None, max_statements=None, max_repeats=None))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'test.db'}"}
    opened = open_storage(urls[request.param])
    yield opened
    opened.close()


@pytest.fixture
def services(storage: Storage, clock: HandClock) -> Services:
    keys = iter(range(1_000, 9_000))
    return Services.over(storage, clock, draw_noise_key=lambda: next(keys), seed=7)


@pytest.fixture
def client(engine: GraphQLEngine, services: Services) -> Client:
    return Client(engine, services, Scope("acme"))
