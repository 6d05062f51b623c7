"""Accelerated clocks: set once, kept in the database, and never going back."""

from datetime import UTC, datetime, timedelta

import pytest

import energycore as ec
from energycore import errors
from energycore.wiring.clocks import AcceleratedClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
METER = ec.Appliance(name="Meter", average_power_w=100)


def test_a_database_runs_in_real_time_unless_it_was_accelerated():
    with ec.connect("memory://") as energy:
        assert energy.speed is None
        assert energy.by_running_clock() is energy


def test_the_speed_is_kept_in_the_database_and_may_be_changed(tmp_path):
    url = f"sqlite:///{tmp_path / 'home.db'}"
    with ec.connect(url) as energy:
        energy.accelerate(60)
    with ec.connect(url) as energy:
        assert energy.speed == 60
        energy.accelerate(0.1)
        assert energy.speed == 0.1


def test_the_running_clock_starts_where_the_newest_tick_ends_for_every_service(tmp_path):
    with ec.connect("memory://") as energy:
        energy.register(ROOF)
        energy.accelerate(60)
        energy.tick(NOON)
        running = energy.by_running_clock()
    clock = running.clock
    assert isinstance(clock, AcceleratedClock)
    assert (clock.start, clock.speed) == (NOON + timedelta(minutes=1), 60)
    assert clock.now() >= clock.start
    services = running.services
    for service in (services.registration, services.ticking, services.ingestion, services.insight):
        assert service.clock is clock


def test_what_runs_by_the_running_clock_goes_on_from_the_newest_tick():
    with ec.connect("memory://") as energy:
        roof = energy.register(ROOF)
        energy.accelerate(1e-3)
        energy.tick(NOON)
        running = energy.by_running_clock()
        assert running.tick().at == NOON + timedelta(minutes=1)
        state = running.state(roof.id)
        assert state is not None
        assert not state.is_stale


def test_reported_devices_and_an_accelerated_clock_exclude_each_other():
    with ec.connect("memory://") as energy:
        energy.register(METER, data_source=ec.DataSource.REPORTED)
        with pytest.raises(errors.ClockIsSimulated, match="has reported devices"):
            energy.accelerate(60)
        assert energy.speed is None
    with ec.connect("memory://") as energy:
        energy.accelerate(60)
        with pytest.raises(errors.ClockIsSimulated, match="takes no reported devices"):
            energy.register(METER, data_source=ec.DataSource.REPORTED)


def test_another_tenant_keeps_its_own_clock():
    with ec.connect("memory://") as energy:
        energy.accelerate(60)
        assert energy.for_tenant("acme").speed is None


@pytest.mark.parametrize("speed", [0, -1, 86_401, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    with ec.connect("memory://") as energy:
        with pytest.raises(errors.InvalidValue, match="speed must be above 0"):
            energy.accelerate(speed)
        assert energy.speed is None
