"""Rounds of jobs: every tenant when it is due, whatever happens to the others."""

import logging
from datetime import timedelta

import pytest

import energycore as ec
from energycore.errors import StorageUnavailable
from energycore.jobs.rounds import Tenancy
from energycore.jobs.ticks import run_ticks_of
from energycore.jobs.upkeep import run_upkeep_of
from energycore.protocols.scope import Scope
from tests.jobs.conftest import START, HandClock, Waits
from tests.jobs.test_ticks import faulty, instants

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
ACME, OTHER = Scope("acme"), Scope("other")


@pytest.fixture
def roofs(services):
    """A roof of each tenant."""
    return {scope: services.registration.register_device(scope, ROOF) for scope in (ACME, OTHER)}


@pytest.fixture
def ticks_of(services, roofs):
    """Where the readings of a tenant's roof stand, in seconds after noon."""
    return lambda scope: instants(services, scope, roofs[scope])


def tenancy(services, scope, **options):
    return Tenancy(services=services, scope=scope, **options)


def test_each_tenant_ticks_at_each_step(services, clock, ticks_of):
    both = [tenancy(services, scope) for scope in (ACME, OTHER)]
    waits = Waits(clock, 16)
    run_ticks_of(lambda: both, waits)
    assert ticks_of(ACME) == ticks_of(OTHER) == [0, 60, 120]
    assert waits.lengths_s[:5] == [10, 10, 10, 10, 10]


def test_a_tenant_that_is_new_ticks_with_the_next_round_and_one_that_left_no_more(
    services, clock, ticks_of
):
    rounds = iter([[ACME], [ACME, OTHER], [OTHER]])
    run_ticks_of(lambda: (tenancy(services, s) for s in next(rounds)), Waits(clock, 15))
    assert ticks_of(ACME) == [0, 60]
    assert ticks_of(OTHER) == [60, 120]


def test_where_there_is_no_tenant_the_next_is_looked_for_soon(services, clock, ticks_of):
    rounds = iter([[], [ACME]])
    waits = Waits(clock, 2)
    run_ticks_of(lambda: (tenancy(services, s) for s in next(rounds)), waits)
    assert waits.lengths_s == [10, 10]
    assert ticks_of(ACME) == [0]


@pytest.mark.parametrize(
    ("fault", "level"),
    [(StorageUnavailable("away"), logging.WARNING), (ZeroDivisionError("oops"), logging.ERROR)],
)
def test_where_the_tenants_cannot_be_told_those_that_are_known_tick(
    services, clock, ticks_of, caplog, fault, level
):
    calls: list[None] = []

    def tenants():
        calls.append(None)
        yield tenancy(services, ACME)
        if len(calls) == 2:
            raise fault

    run_ticks_of(tenants, Waits(clock, 16))
    assert ticks_of(ACME) == [0, 60, 120]
    (record,) = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith("the tenants cannot be told")


def test_a_tenant_whose_tick_fails_holds_up_nobody(services, clock, ticks_of, caplog):
    broken = faulty(services, ZeroDivisionError("oops"), range(1_000))
    both = [tenancy(broken, ACME), tenancy(services, OTHER)]
    run_ticks_of(lambda: both, Waits(clock, 16))
    assert (ticks_of(ACME), ticks_of(OTHER)) == ([], [0, 60, 120])
    assert {record.getMessage() for record in caplog.records} == {"tenant 'acme': a tick failed"}


def test_each_tenant_is_waited_for_by_the_speed_of_its_clock(services, clock, ticks_of):
    slow = HandClock()

    class Both(Waits):
        def wait(self, timeout=None):
            slow.at += timedelta(seconds=timeout)
            return super().wait(timeout)

    both = [
        tenancy(services, ACME, speed=60.0),
        tenancy(services.with_clock(slow), OTHER),
    ]
    waits = Both(clock, 4, speed=60)
    run_ticks_of(lambda: both, waits)
    assert waits.lengths_s == pytest.approx([40 / 60, 1, 1, 1])
    assert (ticks_of(ACME), ticks_of(OTHER)) == ([0, 60, 120, 180], [0])


def test_a_stop_ends_the_round_before_the_next_tenant(services, clock, ticks_of):
    waits = Waits(clock, 1)

    class Stops:
        def __getattr__(self, name):
            waits.set()
            return getattr(services, name)

    both = [tenancy(Stops(), ACME), tenancy(services, OTHER)]
    run_ticks_of(lambda: both, waits)
    assert ticks_of(OTHER) == []
    assert waits.lengths_s == []


def test_totals_are_rolled_up_for_each_tenant(services, clock, roofs):
    for scope in roofs:
        services.ticking.tick(scope, since=START.replace(second=0) - timedelta(hours=1))
    run_upkeep_of(lambda: [tenancy(services, scope) for scope in roofs], Waits(clock, 1))
    with services.storage.transaction(write=False) as work:
        rolled = [work.rollups.state(scope).rolled_us for scope in roofs]
    assert None not in rolled
