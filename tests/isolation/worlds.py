"""Two tenants with recognisable data in one storage, and what there is to ask about them."""

import itertools
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

import energycore as ec
from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest, HttpResponse
from energycore.graphql.schema.ids import device_id, site_id
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.services.ingestion import NewReading
from energycore.services.suite import Services

__all__ = ["ALDER", "BIRCH", "Mark", "Place", "World"]

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@attrs.frozen
class Mark:
    """What the data of one tenant is known by.

    Args:
        tenant: its name, which is never shown.
        word: is in every text.
        number: every quantity begins with its digits.
        zone: of its site.
    """

    tenant: str
    word: str
    number: int
    zone: str

    def watts(self, factor: int) -> float:
        """A quantity that only this tenant has."""
        return self.number * factor / 1_000


ALDER = Mark("tenant-of-alder", "ALDER", 417_713, "Europe/Berlin")
BIRCH = Mark("tenant-of-birch", "BIRCH", 938_839, "Asia/Kathmandu")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Counting:
    """Counts how often a storage is asked for a transaction: without one nothing is sent."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.transactions = 0

    def transaction(self, *, write: bool) -> AbstractContextManager[UnitOfWork]:
        self.transactions += 1
        return self._storage.transaction(write=write)

    def close(self) -> None:
        self._storage.close()


@attrs.frozen
class World:
    """The variables of questions about a tenant: its ids, its words and its cursors."""

    mark: Mark
    values: Mapping[str, Any]

    def canaries(self) -> set[str]:
        """What no answer to somebody else may hold: words, digits, ids and cursors."""
        found = {value for value in self.values.values() if isinstance(value, str)}
        return found | {self.mark.word, self.mark.tenant, str(self.mark.number)[:5]}

    def given(self, query: str) -> dict[str, Any]:
        """The variables that a question declares."""
        return {name: value for name, value in self.values.items() if f"${name}:" in query}


_KINDS = ("panel", "battery", "vehicle", "appliance")
_IDS = ("site", *_KINDS)


class Place:
    """A storage with an engine before it."""

    def __init__(self, storage: Storage, engine: GraphQLEngine) -> None:
        keys = itertools.count(1_000)
        self.clock = Clock()
        self.storage = Counting(storage)
        self.services = Services.over(
            self.storage, self.clock, draw_noise_key=lambda: next(keys), seed=7
        )
        self.engine = engine

    def build(self, mark: Mark) -> World:
        """Give a tenant a home with one device of each kind, readings, ticks and totals."""
        services, scope = self.services, Scope(mark.tenant)
        registration = services.registration
        self.clock.at = NOON
        site = registration.register_site(
            scope,
            ec.Site(
                name=f"{mark.word} home",
                time_zone=mark.zone,
                latitude=mark.number / 1e5,
                longitude=mark.number / 1e4,
            ),
            external_id=f"{mark.word}-site",
        )
        storage: dict[str, Any] = {
            "capacity_wh": mark.watts(20),
            "max_charge_w": mark.watts(3),
            "max_discharge_w": mark.watts(2),
            "charge_efficiency": mark.number / 1e6,
            "discharge_efficiency": mark.number / 1.1e6,
            "min_state_of_charge": mark.number / 1e7,
            "max_state_of_charge": mark.number / 1e6,
        }
        devices = {
            "panel": ec.SolarPanel(name=f"{mark.word} panel", rated_power_w=mark.watts(5)),
            "battery": ec.Battery(name=f"{mark.word} battery", **storage),
            "vehicle": ec.ElectricVehicle(name=f"{mark.word} vehicle", **storage),
            "appliance": ec.Appliance(
                name=f"{mark.word} appliance",
                average_power_w=mark.watts(1),
                duty_cycle=0.3 + mark.number / 1e7,
                mean_on_time_s=mark.watts(2),
            ),
        }
        ids = {}
        for name, device in devices.items():
            is_reported = name in ("panel", "vehicle")
            ids[name] = registration.register_device(
                scope,
                device,
                site_id=site.id,
                tags=(f"{mark.word}-tag", f"{mark.word}-{name}"),
                external_id=f"{mark.word}-{name}",
                data_source=ec.DataSource.REPORTED if is_reported else ec.DataSource.SIMULATED,
                max_gap=timedelta(seconds=int(mark.watts(2))) if is_reported else None,
            ).id
        services.control.set_mode(scope, ids["battery"], "discharging", mark.watts(1))
        for minute in range(3):
            at = self.clock.at = NOON + timedelta(minutes=minute)
            services.ticking.tick(scope, at)
            stored_wh = mark.watts(7) - minute
            result = services.ingestion.record(
                scope,
                [
                    NewReading(device_id=ids["panel"], at=at, power_w=mark.watts(4) + minute),
                    NewReading(
                        device_id=ids["vehicle"],
                        at=at,
                        power_w=-mark.watts(1) - minute,
                        stored_wh=stored_wh,
                    ),
                ],
            )
            assert not result.rejected
        self.clock.at = NOON + timedelta(minutes=3)
        values = {
            "site": site_id(site.id),
            **{name: device_id(number) for name, number in ids.items()},
            "tag": f"{mark.word}-tag",
            "name": f"{mark.word} panel",
            "siteName": f"{mark.word} home",
            "deviceKey": f"{mark.word}-panel",
            "siteKey": f"{mark.word}-site",
        }
        world = World(mark, values)
        return attrs.evolve(world, values={**values, **self._cursors(world)})

    def ask(self, mark: Mark | None, query: str, variables: Mapping[str, Any]) -> HttpResponse:
        """The whole answer to a question of a tenant, or of somebody who has no scope."""
        request = HttpRequest(
            method="POST",
            headers={"content-type": "application/json", "accept": "application/json"},
            body=json.dumps({"query": query, "variables": dict(variables)}).encode(),
        )
        scope: Any = None if mark is None else Scope(mark.tenant)
        return self.engine.respond(request, GraphQLContext(services=self.services, scope=scope))

    def _cursors(self, world: World) -> dict[str, str]:
        asked = """query ($panel: ID!) {
          devices(first: 1) { pageInfo { endCursor } }
          sites(first: 1) { pageInfo { endCursor } }
          energySummary { storageDevices(first: 1) { pageInfo { endCursor } } }
          energySummaries(groupBy: TAG, first: 1) { pageInfo { endCursor } }
          device(id: $panel) { readings(from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z",
                                        first: 1) { pageInfo { endCursor } } }
        }"""
        answer = json.loads(self.ask(world.mark, asked, {"panel": world.values["panel"]}).body)
        data = answer["data"]
        return {
            "deviceCursor": data["devices"]["pageInfo"]["endCursor"],
            "siteCursor": data["sites"]["pageInfo"]["endCursor"],
            "storageCursor": data["energySummary"]["storageDevices"]["pageInfo"]["endCursor"],
            "groupCursor": data["energySummaries"]["pageInfo"]["endCursor"],
            "readingCursor": data["device"]["readings"]["pageInfo"]["endCursor"],
        }
