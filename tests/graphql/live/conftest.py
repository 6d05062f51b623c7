"""An engine over a database in memory, with a channel."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from energycore.devices.base import DataSource
from energycore.graphql import GraphQLEngine, build_engine
from energycore.services.ingestion import NewReading
from energycore.testing.contract import new_device, panel
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Home:
    """A tenant with reported panels, whose readings a test makes."""

    def __init__(self, energy: Energy, clock: HandClock) -> None:
        self.energy = energy
        self.clock = clock
        self.services = energy.services
        self.ids: list[int] = []

    def many(self, count: int) -> None:
        """Store very many panels at once, of which nobody is told."""
        with self.services.storage.transaction(write=True) as work:
            for number in range(count):
                new = new_device(panel(f"Panel {number}"), data_source=DataSource.REPORTED)
                self.ids.append(work.devices.add(self.energy.scope, new).id)

    def panels(self, count: int) -> None:
        """Register panels, one by one."""
        for number in range(len(self.ids), len(self.ids) + count):
            device = panel(f"Panel {number}")
            record = self.energy.register(device, data_source=DataSource.REPORTED)
            self.ids.append(record.id)

    def report(self, power_w: float, *numbers: int) -> None:
        """Let these panels, or all of them, report a power, a second later."""
        self.clock.move(seconds=1)
        chosen = [self.ids[number] for number in numbers] if numbers else self.ids
        readings = [NewReading(device_id=i, at=self.clock.at, power_w=power_w) for i in chosen]
        result = self.energy.record(readings)
        assert result.accepted == len(chosen)


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    return build_engine()


@pytest.fixture
def home() -> Iterator[Home]:
    clock = HandClock()
    with connect("memory://", tenant="acme", clock=clock) as energy:
        yield Home(energy, clock)
