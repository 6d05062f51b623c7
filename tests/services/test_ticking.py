"""Ticks over storage: once, in order, caught up with, and equal to a simulation."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import attrs
import numpy as np
import pytest

import energycore as ec
from energycore import errors
from energycore.simulation.noise import noise_key_of

HOME = ec.Site(name="Home", time_zone="Europe/Berlin")
DEVICES = [
    ec.SolarPanel(name="Roof", rated_power_w=5_000),
    ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=4_000),
    ec.ElectricVehicle(name="Car", capacity_wh=60_000, max_charge_w=9_000, max_discharge_w=9_000),
    ec.Appliance(name="Pump", average_power_w=600),
]


def register_home(services, scope, dispatch=None):
    site = services.registration.register_site(scope, HOME)
    records = []
    for device in DEVICES:
        keyed = attrs.evolve(device, noise_key=noise_key_of(HOME.name, device.name))
        storage = isinstance(device, ec.StorageDevice)
        records.append(
            services.registration.register_device(
                scope, keyed, site_id=site.id, dispatch=dispatch if storage else None
            )
        )
    return records


def test_a_tick_stores_one_reading_for_each_simulated_device(services, scope, clock):
    records = register_home(services, scope)
    result = services.ticking.tick(scope)
    assert (result.ticks, result.readings, result.skipped) == (1, 4, 0)
    assert result.at == clock.now()
    states = services.insight.states(scope, records)
    assert [states[record.id].at_us for record in records] == [1_780_315_200_000_000] * 4


def test_a_repeated_tick_changes_nothing(services, scope):
    records = register_home(services, scope)
    services.ticking.tick(scope)
    before = services.insight.states(scope, records)
    again = services.ticking.tick(scope)
    assert (again.ticks, again.readings) == (0, 0)
    assert services.insight.states(scope, records) == before


def test_a_tick_of_the_past_changes_nothing(services, scope, clock):
    register_home(services, scope)
    services.ticking.tick(scope)
    assert services.ticking.tick(scope, clock.now() - timedelta(minutes=5)).ticks == 0


def test_a_skipped_tick_is_caught_up_with(services, scope, clock):
    records = register_home(services, scope)
    services.ticking.tick(scope)
    clock.move(minutes=7)
    result = services.ticking.tick(scope)
    assert (result.ticks, result.readings, result.skipped) == (7, 28, 0)
    stored = services.histories.readings(scope, [records[0].id], start_us=0, end_us=2**62)
    assert np.diff(stored.at_us).tolist() == [60_000_000] * 7


def test_ticks_beyond_the_catch_up_limit_are_skipped_and_counted(services, scope, clock):
    register_home(services, scope)
    services.ticking.tick(scope)
    clock.move(hours=3)
    result = services.ticking.tick(scope, max_catch_up=timedelta(hours=1))
    assert (result.ticks, result.skipped) == (61, 119)
    assert services.ticking.tick(scope).ticks == 0


def test_an_instant_between_two_ticks_is_refused(services, scope, clock):
    with pytest.raises(errors.TickMisaligned):
        services.ticking.tick(scope, clock.now() + timedelta(seconds=1))
    with pytest.raises(errors.InstantWithoutZone):
        services.ticking.tick(scope, datetime(2026, 6, 1))  # noqa: DTZ001 - what is refused


def test_of_many_at_once_each_tick_runs_exactly_once(services, scope, clock):
    records = register_home(services, scope)
    services.ticking.tick(scope)
    ticks = 0
    for _ in range(5):
        clock.move(minutes=1)

        def attempt(_: int) -> int:
            try:
                return int(services.ticking.tick(scope).ticks)
            except errors.StorageUnavailable:
                return 0

        with ThreadPoolExecutor(4) as pool:
            ticks += sum(pool.map(attempt, range(4)))
    assert ticks == 5
    stored = services.histories.readings(
        scope, [record.id for record in records], start_us=0, end_us=2**62
    )
    assert len(stored) == 4 * 6


@pytest.mark.parametrize("dispatch", [None, ec.SelfConsumption()])
def test_ticks_and_a_simulation_give_the_same_readings_to_the_last_bit(
    services, scope, clock, dispatch
):
    records = register_home(services, scope, dispatch)
    start = clock.now()
    services.ticking.tick(scope, since=start)
    for minutes in (1, 2, 31, 86):
        clock.move(minutes=minutes)
        services.ticking.tick(scope)
    run = ec.simulate(
        DEVICES,
        site=HOME,
        start=start,
        end=clock.now() + timedelta(minutes=1),
        seed=7,
        dispatch=dispatch or ec.Manual(),
    )
    for position, record in enumerate(records):
        stored = services.histories.readings(scope, [record.id], start_us=0, end_us=2**62)
        assert stored.at_us.tolist() == run.at_us.tolist()
        assert stored.power_mw.tolist() == run.power_mw[:, position].tolist()
        assert stored.stored_mwh.tolist() == run.stored_mwh[:, position].tolist()


def test_a_first_start_fills_the_past_and_tells_its_progress(services, scope, clock):
    register_home(services, scope)
    seen: list[tuple[int, int]] = []
    week = timedelta(days=7)
    result = services.ticking.tick(
        scope,
        since=clock.now() - week,
        max_catch_up=week,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert result.ticks == 7 * 1_440 + 1
    assert result.readings == 4 * result.ticks
    assert seen[-1] == (result.ticks, result.ticks)
    assert len(seen) > 1


def test_a_tick_of_another_tenant_moves_nothing_here(services, scope):
    register_home(services, scope)
    assert services.ticking.tick(ec.Scope("other")).readings == 0
    assert services.insight.summary(scope).silent_count == 4


def test_every_service_call_without_a_scope_is_refused_before_storage_is_touched(services):
    closed = services.storage
    closed.close()
    for part in ("registration", "control", "ticking", "ingestion", "insight"):
        service = getattr(services, part)
        for name, method in inspect.getmembers(service, inspect.ismethod):
            parameters = list(inspect.signature(method).parameters.values())
            if name.startswith("_") or not parameters or parameters[0].name != "scope":
                continue
            required = [
                p for p in parameters[1:] if p.default is p.empty and p.kind is not p.KEYWORD_ONLY
            ]
            keywords = {
                p.name: 0 for p in parameters if p.default is p.empty and p.kind is p.KEYWORD_ONLY
            }
            with pytest.raises(errors.ScopeRequired):
                method(None, *[DEVICES[0]] * len(required), **keywords)


def test_a_tick_ahead_of_the_clock_is_refused_and_changes_nothing(services, scope, clock):
    register_home(services, scope)
    with pytest.raises(errors.InstantOutOfRange):
        services.ticking.tick(scope, clock.now() + timedelta(minutes=2))
    with pytest.raises(errors.InstantOutOfRange):
        services.ticking.tick(scope, since=clock.now() + timedelta(minutes=1))
    assert services.ticking.tick(scope, clock.now() + timedelta(minutes=1)).ticks == 1


def test_a_tenant_without_devices_has_no_first_tick_yet(services, scope, clock):
    """So the past can still be filled when its first device arrives."""
    assert services.ticking.tick(scope).ticks == 0
    register_home(services, scope)
    since = clock.now() - timedelta(hours=1)
    assert services.ticking.tick(scope, since=since).readings == 61 * 4


@pytest.mark.parametrize("wrong", ["2026-06-01", 5, None])
def test_an_instant_of_a_wrong_type_is_refused_by_name(services, scope, wrong):
    options = {"since": wrong} if wrong is not None else {"at": 1.5}
    with pytest.raises(errors.InvalidValue):
        services.ticking.tick(scope, **options)
