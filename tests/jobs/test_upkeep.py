"""The roll-up job: every quarter-hour, in spite of faults, removing nothing, and gone when told."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest

import energycore as ec
from energycore.errors import StorageUnavailable
from energycore.jobs.upkeep import run_upkeep
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import from_epoch_us
from tests.jobs.conftest import START, Waits

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
QUARTER = timedelta(minutes=15)
QUARTERS_WAITS = 90
"""How often a quarter-hour is waited for in turns of ten seconds."""


def simulated(services, scope, clock, length):
    """A roof with readings from so long ago up to now."""
    clock.at = START.replace(second=0)
    services.registration.register_device(scope, ROOF)
    services.ticking.tick(
        scope, clock.at, since=clock.at - length, max_catch_up=length + timedelta(days=1)
    )


def rolled_to(services, scope):
    """How far totals are kept."""
    with services.storage.transaction(write=False) as work:
        rolled_us = work.rollups.state(scope).rolled_us
    return None if rolled_us is None else from_epoch_us(rolled_us)


def test_it_rolls_up_at_once_and_then_at_each_quarter_hour(services, scope, clock):
    begin = START.replace(minute=0, second=0)
    clock.at = begin + timedelta(minutes=7)
    waits = Waits(clock, 8 * 6)
    run_upkeep(services, scope, waits)
    assert clock.at == begin + QUARTER
    assert rolled_to(services, scope) == begin - QUARTER
    run_upkeep(services, scope, Waits(clock, 2 * QUARTERS_WAITS))
    assert clock.at == begin + 3 * QUARTER
    assert rolled_to(services, scope) == begin + QUARTER


def test_what_it_rolls_up_is_what_readings_give_and_nothing_is_removed(services, scope, clock):
    length = timedelta(days=120)
    clock.at = START.replace(second=0)
    services.registration.register_device(scope, ROOF)
    for day in range(-120, 1, 30):
        at = clock.at + timedelta(days=day)
        services.ticking.tick(scope, at, since=at - timedelta(hours=3), max_catch_up=length)
    request = services.histories.request(clock.at - length, clock.at, "day")
    before = services.histories.of_filter(scope, DeviceFilter(), request)
    run_upkeep(services, scope, Waits(clock, 1))
    assert services.histories.of_filter(scope, DeviceFilter(), request) == before
    with services.storage.transaction(write=False) as work:
        days = work.telemetry.days(scope, start_day=0, end_day=1 << 20)
        assert not work.rollups.marks(scope, start_day=0, end_day=1 << 20)
        assert not work.rollups.state(scope).kept_from_us
    assert all(day.has_rows for day in days)


def test_by_a_racing_clock_it_rests_between_two_runs(services, scope, clock):
    waits = Waits(clock, 3, speed=3_600)
    run_upkeep(services, scope, waits, speed=3_600)
    assert waits.lengths_s == pytest.approx([10, 10, 10])


class Faulty:
    """A storage that fails the first so many times."""

    def __init__(self, storage, fault, times):
        self.storage = storage
        self.fault = fault
        self.left = times

    @contextmanager
    def transaction(self, *, write):
        self.left -= 1
        if self.left >= 0:
            raise self.fault
        with self.storage.transaction(write=write) as work:
            yield work


def faulty(services, fault, times=1):
    storage = Faulty(services.storage, fault, times)
    return attrs.evolve(services, upkeep=attrs.evolve(services.upkeep, storage=storage))


def test_a_database_that_is_away_is_logged_and_rolled_up_later(services, scope, clock, caplog):
    away = faulty(services, StorageUnavailable("the database is away"), times=2)
    run_upkeep(away, scope, Waits(clock, QUARTERS_WAITS))
    assert rolled_to(services, scope) is None
    run_upkeep(away, scope, Waits(clock, QUARTERS_WAITS + 1))
    assert rolled_to(services, scope) is not None
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "the database is away" in caplog.text


def test_a_fault_is_logged_with_its_trace_and_does_not_end_the_job(services, scope, clock, caplog):
    run_upkeep(faulty(services, ZeroDivisionError("oops")), scope, Waits(clock, QUARTERS_WAITS + 1))
    assert rolled_to(services, scope) is not None
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError


class StopsAfter:
    """A storage that sets an event while the transaction of that number runs."""

    def __init__(self, storage, event, number):
        self.storage = storage
        self.event = event
        self.left = number

    @contextmanager
    def transaction(self, *, write):
        with self.storage.transaction(write=write) as work:
            self.left -= 1
            if self.left == 0:
                self.event.set()
            yield work


def test_a_stop_ends_it_between_two_days_and_the_next_run_does_the_rest(services, scope, clock):
    simulated(services, scope, clock, timedelta(days=5))
    waits = Waits(clock, 1)
    # One that prepares, one that looks for marked days, two days.
    stopping = StopsAfter(services.storage, waits, 4)
    upkeep = attrs.evolve(services.upkeep, storage=stopping)
    run_upkeep(attrs.evolve(services, upkeep=upkeep), scope, waits)
    assert waits.lengths_s == []
    assert services.upkeep.run(scope, retain=False).recomputed_days == 4


def test_it_does_nothing_where_it_was_stopped_before(services, scope, clock):
    waits = Waits(clock, 1)
    waits.set()
    run_upkeep(services, scope, waits)
    assert rolled_to(services, scope) is None
