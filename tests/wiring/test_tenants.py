"""`Energy` by tenant: each with its own clock and archive, bounded, and never out of date for long."""

from collections import Counter
from datetime import UTC, datetime

import pytest

import energycore as ec
from energycore import errors
from energycore.protocols.scope import Scope
from energycore.wiring.clocks import AcceleratedClock, SystemClock, TickClock
from energycore.wiring.tenants import RECHECK_S, Tenants

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACME, BETA = Scope("acme"), Scope("beta")


class Seconds:
    """A count of seconds that goes on when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def energy(tmp_path):
    with ec.connect(f"sqlite:///{tmp_path / 'home.db'}") as opened:
        yield opened


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def made():
    return Counter()


@pytest.fixture
def tenants(energy, seconds, made):
    def make(scope):
        made[scope.tenant] += 1
        return energy.for_tenant(scope.tenant)

    return Tenants(make, max_tenants=2, monotonic=seconds)


def test_each_tenant_is_answered_by_its_own_clock(energy, tenants):
    energy.for_tenant("acme").accelerate(60)
    assert isinstance(tenants.of(ACME).clock, TickClock)
    assert isinstance(tenants.of(BETA).clock, SystemClock)
    assert tenants.of(BETA).scope == BETA


def test_each_tenant_has_the_archive_that_the_database_remembers_for_it(energy, tenants, tmp_path):
    url = str(energy.services.storage.engine.url)
    with ec.connect(url, tenant="acme", archive=str(tmp_path / "cold")):
        pass
    assert tenants.of(ACME).services.histories.archive is not None
    assert tenants.of(BETA).services.histories.archive is None


def test_a_tenant_is_made_once_and_the_ones_used_last_are_kept(tenants, made):
    for scope in (ACME, BETA, ACME, Scope("gamma"), ACME, BETA):
        assert tenants.of(scope).scope == scope
    assert made == {"acme": 1, "beta": 2, "gamma": 1}


def test_a_clock_that_another_process_has_set_is_seen_within_the_time(energy, tenants, seconds):
    assert isinstance(tenants.of(ACME).clock, SystemClock)
    energy.for_tenant("acme").accelerate(60)
    seconds.now = RECHECK_S - 1
    assert isinstance(tenants.of(ACME).clock, SystemClock)
    seconds.now = RECHECK_S
    assert isinstance(tenants.of(ACME).clock, TickClock)


def test_a_clock_whose_setting_was_rolled_back_is_left_again(energy, tenants, seconds):
    energy.for_tenant("acme").accelerate(60)
    assert isinstance(tenants.of(ACME).clock, TickClock)
    with energy.services.storage.transaction(write=True) as work:
        assert work.settings.remove(ACME, "clock", "60.0")
    seconds.now = RECHECK_S
    assert isinstance(tenants.of(ACME).clock, SystemClock)


def test_what_has_not_changed_stays_the_same_object(tenants, seconds, made):
    first = tenants.of(ACME)
    seconds.now = RECHECK_S
    assert tenants.of(ACME) is first
    assert made == {"acme": 1}


def test_the_running_clock_of_a_server_is_kept(energy):
    energy.accelerate(60)
    running = energy.by_running_clock()
    tenants = Tenants.over(running)
    assert tenants.of(running.scope) is running
    assert isinstance(tenants.of(running.scope).clock, AcceleratedClock)
    assert isinstance(tenants.of(ACME).clock, SystemClock)


def test_after_all_was_forgotten_it_is_made_anew(tenants, made):
    tenants.of(ACME)
    tenants.forget()
    tenants.of(ACME)
    assert made == {"acme": 2}


@pytest.mark.parametrize("wrong", [None, "acme"])
def test_without_a_scope_nothing_is_made(tenants, made, wrong):
    with pytest.raises(errors.ScopeRequired):
        tenants.of(wrong)
    assert not made
