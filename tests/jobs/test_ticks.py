"""The tick job: in time, once, in spite of faults, and gone when it is told to go."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest

import energycore as ec
from energycore.errors import StorageUnavailable
from energycore.jobs.ticks import run_ticks
from energycore.services.suite import Services
from tests.jobs.conftest import START, Waits

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)


def instants(services, scope, record):
    """Where the readings of a device stand, in seconds after noon."""
    noon_us = round(START.replace(second=0).timestamp() * 1e6)
    day_us = 86_400_000_000
    batch = services.histories.readings(
        scope, [record.id], start_us=noon_us - day_us, end_us=noon_us + day_us
    )
    return [(at - noon_us) / 1e6 for at in batch.at_us.tolist()]


def faulty(services, fault, calls):
    """The services over a storage that fails on these calls, counted from 0."""
    storage = _Faulty(services.storage, fault, set(calls))
    return attrs.evolve(services, ticking=attrs.evolve(services.ticking, storage=storage))


class _Faulty:
    def __init__(self, storage, fault, calls):
        self.storage = storage
        self.fault = fault
        self.calls = calls
        self.count = -1

    @contextmanager
    def transaction(self, *, write):
        self.count += 1
        if self.count in self.calls:
            raise self.fault
        with self.storage.transaction(write=write) as work:
            yield work


def test_it_ticks_at_once_and_then_at_each_step_of_the_clock(services, scope, clock):
    roof = services.registration.register_device(scope, ROOF)
    waits = Waits(clock, 16)
    run_ticks(services, scope, waits)
    assert instants(services, scope, roof) == [0, 60, 120]
    assert waits.lengths_s[:5] == [10, 10, 10, 10, 10]
    assert clock.now() == START.replace(second=0) + timedelta(minutes=3)


def test_the_wait_ends_where_the_next_step_begins(services, scope, clock):
    services.registration.register_device(scope, ROOF)
    clock.at += timedelta(seconds=35.5)
    waits = Waits(clock, 1)
    run_ticks(services, scope, waits)
    assert waits.lengths_s == [4.5]


def test_an_accelerated_clock_is_waited_for_by_its_speed(services, scope, clock):
    roof = services.registration.register_device(scope, ROOF)
    waits = Waits(clock, 3, speed=60)
    run_ticks(services, scope, waits, speed=60)
    assert waits.lengths_s == pytest.approx([40 / 60, 1, 1])
    assert instants(services, scope, roof) == [0, 60, 120]


def test_an_empty_database_waits_for_its_first_device_with_the_first_tick(services, scope, clock):
    run_ticks(services, scope, Waits(clock, 4))
    clock.at += timedelta(seconds=5)
    roof = services.registration.register_device(scope, ROOF)
    run_ticks(services, scope, Waits(clock, 7))
    assert instants(services, scope, roof) == [60, 120]


def test_a_database_that_is_away_is_logged_and_made_up_for(services, scope, clock, caplog):
    roof = services.registration.register_device(scope, ROOF)
    # The first tick takes two transactions, the next two fail in their first.
    away = faulty(services, StorageUnavailable("the database is away"), {2, 3})
    run_ticks(away, scope, Waits(clock, 16))
    assert instants(services, scope, roof) == [0]
    run_ticks(away, scope, Waits(clock, 1))
    assert instants(services, scope, roof) == [0, 60, 120, 180]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "the database is away" in caplog.text


def test_a_fault_is_logged_with_its_trace_and_does_not_end_the_job(services, scope, clock, caplog):
    roof = services.registration.register_device(scope, ROOF)
    run_ticks(faulty(services, ZeroDivisionError("oops"), {0}), scope, Waits(clock, 16))
    assert instants(services, scope, roof) == [60, 120]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError


def test_a_stop_ends_it_between_two_transactions_of_a_long_catching_up(services, scope, clock):
    roof = services.registration.register_device(scope, ROOF)
    services.ticking.tick(scope)
    clock.at += timedelta(days=5)
    waits = Waits(clock, 1)
    stopping = _StopsAfterTwo(services, waits)
    run_ticks(stopping.services, scope, waits, max_catch_up=timedelta(days=6))
    assert waits.lengths_s == []
    with services.storage.transaction(write=False) as work:
        (shard,) = work.fleet.shards(scope)
    day_us = 86_400_000_000
    assert shard.last_tick_us == round(START.replace(second=0).timestamp() * 1e6) + day_us
    later = services.ticking.tick(scope, max_catch_up=timedelta(days=6))
    assert (later.ticks, later.skipped) == (4 * 1_440, 0)
    assert len(instants(services, scope, roof)) == 1_440


class _StopsAfterTwo:
    """Sets the event while the second transaction runs: that of the first day."""

    def __init__(self, services, event):
        self.event = event
        self.storage = services.storage
        self.count = 0
        ticking = attrs.evolve(services.ticking, storage=self)
        self.services: Services = attrs.evolve(services, ticking=ticking)

    @contextmanager
    def transaction(self, *, write):
        with self.storage.transaction(write=write) as work:
            self.count += 1
            if self.count == 2:
                self.event.set()
            yield work


def test_ticks_too_long_ago_are_told(services, scope, clock, caplog):
    services.registration.register_device(scope, ROOF)
    services.ticking.tick(scope)
    clock.at += timedelta(hours=2)
    run_ticks(services, scope, Waits(clock, 1), max_catch_up=timedelta(hours=1))
    assert "59 ticks are too long ago" in caplog.text


def test_it_does_nothing_where_it_was_stopped_before(services, scope, clock):
    roof = services.registration.register_device(scope, ROOF)
    waits = Waits(clock, 1)
    waits.set()
    run_ticks(services, scope, waits)
    assert instants(services, scope, roof) == []
