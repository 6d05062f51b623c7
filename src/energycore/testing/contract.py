"""What the parts of the contract share: fixtures, and values to store."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Final, TypedDict
from uuid import uuid4

import hypothesis
import numpy as np
import pytest

from energycore.devices.base import DataSource, Device
from energycore.devices.kinds.appliance import Appliance
from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.devices.site import Site
from energycore.protocols.records import DeviceRecord, NewDevice, NewSite, SiteRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.quantities.units import MISSING
from energycore.simulation.dispatch import Manual
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore.telemetry.buckets import BUCKET_COLUMNS, Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_QUARTER

__all__ = [
    "ALL_DAYS",
    "ALWAYS",
    "LAW",
    "MINUTE_US",
    "Contract",
    "Days",
    "Span",
    "add_device",
    "add_site",
    "at_the_same_time",
    "battery",
    "buckets",
    "columns_of",
    "new_device",
    "new_scope",
    "new_site",
    "panel",
    "readings",
    "rows_of",
]

MINUTE_US: Final = 60_000_000


class Days(TypedDict):
    """The days in [start, end), counted from 1970."""

    start_day: int
    end_day: int


class Span(TypedDict):
    """The instants in [start, end), epoch microseconds."""

    start_us: int
    end_us: int


ALL_DAYS: Final[Days] = {"start_day": -(2**40), "end_day": 2**40}
ALWAYS: Final[Span] = {"start_us": -(2**63), "end_us": 2**63 - 1}

# A law is tried on one storage, each example in a tenant of its own.
LAW: Final = hypothesis.settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[
        hypothesis.HealthCheck.differing_executors,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)


class Contract:
    """Base of all parts: a subclass supplies the `storage` that is held to the contract."""

    @pytest.fixture
    def storage(self) -> Storage:
        """The storage under test; it may hold data of other tenants."""
        raise NotImplementedError("give the class a fixture that is called storage")

    @pytest.fixture
    def scope(self) -> Scope:
        """A tenant that has nothing yet."""
        return new_scope()


def new_scope() -> Scope:
    """A tenant that nobody else uses."""
    return Scope(f"tenant-{uuid4().hex}")


def panel(name: str = "Roof", rated_power_w: float = 5_000.0) -> SolarPanel:
    """A solar panel."""
    return SolarPanel(name=name, rated_power_w=rated_power_w)


def battery(name: str = "Wall", capacity_wh: float = 13_500.0) -> Battery:
    """A battery."""
    return Battery(
        name=name, capacity_wh=capacity_wh, max_charge_w=5_000.0, max_discharge_w=4_600.0
    )


def appliance(name: str = "Kettle") -> Appliance:
    """An appliance."""
    return Appliance(name=name, average_power_w=100.0)


def new_site(name: str = "Home", **more: Any) -> NewSite:
    """A site that is about to be stored."""
    site = Site(name=name, time_zone="Europe/Berlin", latitude=52.5, longitude=13.4)
    return NewSite(**{"site": site, "registered_at_us": 1_000, **more})


def new_device(device: Device | None = None, **more: Any) -> NewDevice:
    """A device that is about to be stored."""
    device = device or panel()
    usual: dict[str, Any] = {
        "device": device,
        "noise_key": 17,
        "max_gap_us": MINUTE_US,
        "registered_at_us": 2_000,
        "simulated_from_us": 0,
        "dispatch": Manual() if isinstance(device, Battery) else None,
    }
    return NewDevice(**usual | more)


def add_site(storage: Storage, scope: Scope, new: NewSite | None = None) -> SiteRecord:
    """Store a site in a transaction of its own."""
    with storage.transaction(write=True) as work:
        return work.sites.add(scope, new or new_site())


def add_device(
    storage: Storage, scope: Scope, device: Device | None = None, **more: Any
) -> DeviceRecord:
    """Store a device in a transaction of its own."""
    with storage.transaction(write=True) as work:
        return work.devices.add(scope, new_device(device, **more))


def at_the_same_time(
    storage: Storage, first: Callable[[UnitOfWork], object], then: Callable[[UnitOfWork], object]
) -> None:
    """Do two things, the second one while the first is not committed yet.

    A backend may make the second wait for the first: it is not waited for.
    """
    done, may_end = Event(), Event()

    def begin() -> None:
        with storage.transaction(write=True) as work:
            first(work)
            done.set()
            may_end.wait(timeout=0.3)

    with ThreadPoolExecutor() as threads:
        begun = threads.submit(begin)
        done.wait(timeout=10)
        with storage.transaction(write=True) as work:
            then(work)
        may_end.set()
        begun.result()


def readings(*rows: Sequence[int | None]) -> ReadingBatch:
    """A batch of rows of device, instant [us], power [mW] and stored energy [mWh] or None."""
    columns = np.array(
        [[MISSING if value is None else value for value in row] for row in rows], dtype=np.int64
    ).reshape(-1, 4)
    return ReadingBatch(
        device_id=columns[:, 0],
        at_us=columns[:, 1],
        power_mw=columns[:, 2],
        stored_mwh=columns[:, 3],
    )


def rows_of(batch: ReadingBatch) -> list[tuple[int, int, int, int | None]]:
    """A batch as rows again."""
    return list(
        zip(
            batch.device_id.tolist(),
            batch.at_us.tolist(),
            batch.power_mw.tolist(),
            batch.stored_or_none(),
            strict=True,
        )
    )


def buckets(*rows: tuple[int, int, int]) -> Buckets:
    """Quarter hours of a series, by the number of the quarter since 1970, with made-up values.

    Args:
        rows: series, quarter, and a number that the values are made from; where it is a multiple
            of three, those that may be missing are.
    """
    columns: dict[str, list[int]] = {name: [] for name in BUCKET_COLUMNS}
    for series, quarter, number in rows:
        values = {"series": series, "start_us": quarter * US_PER_QUARTER}
        values["end_us"] = values["start_us"] + US_PER_QUARTER
        for place, name in enumerate(BUCKET_COLUMNS[3:], start=1):
            if name.startswith(("min_", "max_", "first_", "last_")):
                values[name] = MISSING if number % 3 == 0 else number * place - 1_000
            else:
                values[name] = number * place * 7_919
            if "_rest_" in name:
                values[name] %= MS_PER_HOUR
        for name, value in values.items():
            columns[name].append(value)
    return Buckets(**{name: np.array(column, dtype=np.int64) for name, column in columns.items()})


def columns_of(found: Buckets) -> dict[str, list[int]]:
    """Buckets as plain lists, which compare."""
    return {name: column.tolist() for name, column in found.columns().items()}


def reported(work: UnitOfWork, scope: Scope, name: str) -> int:
    """Store a reported device; its identity."""
    new = new_device(panel(name), data_source=DataSource.REPORTED)
    return work.devices.add(scope, new).id
