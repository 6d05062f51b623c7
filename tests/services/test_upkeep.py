"""Upkeep under what goes wrong: clocks that differ, rules that change, days that are gone."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest

import energycore as ec
from energycore.services.upkeep import Upkeep
from energycore.storage.sql import open_sql_storage
from energycore.telemetry.buckets import BUCKET_COLUMNS
from energycore.telemetry.tiers import SeriesKind, Tier

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def meter(services, scope, name="Meter", **more):
    return services.registration.register_device(
        scope,
        ec.Appliance(name=name, average_power_w=1_000),
        data_source=ec.DataSource.REPORTED,
        **{"max_gap": timedelta(minutes=30), **more},
    )


def record(services, scope, device, *instants, power_w=-1_000.0):
    readings = [ec.NewReading(device_id=device.id, at=at, power_w=power_w) for at in instants]
    return services.ingestion.record(scope, readings)


def history(services, scope, device, start, end, interval="day"):
    request = services.histories.request(start, end, interval, "UTC")
    return services.histories.of_devices(scope, [device.id], request)[device.id].buckets


def consumed(buckets):
    return [bucket.consumed_wh for bucket in buckets]


def test_a_run_whose_clock_is_behind_the_watermark_keeps_whole_totals(services, scope, clock):
    """Another process has moved the watermark: this one's own now cuts nothing off."""
    device = meter(services, scope)
    clock.at = MIDNIGHT + timedelta(hours=6)
    behind = attrs.evolve(services.upkeep, clock=type(clock)(MIDNIGHT + timedelta(hours=3)))
    record(services, scope, device, MIDNIGHT + timedelta(hours=5))
    with services.storage.transaction(write=True) as work:
        work.rollups.advance(scope, rolled_us=int(clock.at.timestamp()) * 1_000_000)
    behind.run(scope)
    assert consumed(history(services, scope, device, MIDNIGHT, clock.at)) == [500.0]


def test_a_late_reading_marks_by_the_rule_that_held_when_it_was_taken(services, scope, clock):
    """Its power reached into the next day then, and it still does."""
    device = meter(services, scope, max_gap=timedelta(hours=1))
    clock.at = MIDNIGHT + 2 * DAY
    record(services, scope, device, MIDNIGHT + timedelta(hours=1))
    record(services, scope, device, MIDNIGHT + DAY + timedelta(hours=9))
    services.registration.update_device(scope, device.id, max_gap=timedelta(minutes=1))
    services.upkeep.run(scope)
    record(services, scope, device, MIDNIGHT + DAY - timedelta(minutes=10))
    services.upkeep.run(scope)
    assert consumed(history(services, scope, device, MIDNIGHT, clock.at)) == pytest.approx(
        [1_000 + 1_000 / 6, 1_000 + 5_000 / 6]
    )


def test_a_reading_of_a_month_of_which_a_day_is_gone_is_refused(services, scope, clock):
    """Its month could only be computed again without that day."""
    device = meter(services, scope)
    clock.at = MIDNIGHT
    old = datetime(2020, 1, 5, 12, tzinfo=UTC)
    assert record(services, scope, device, old).accepted == 1
    for _ in range(2):
        services.upkeep.run(scope)
    result = record(services, scope, device, old + 15 * DAY)
    assert [rejection.error.code for rejection in result.rejected] == ["READING_TOO_OLD"]
    january = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)
    assert consumed(history(services, scope, device, *january, "month")) == [500.0]
    # A month that nobody knows anything of is free.
    assert record(services, scope, device, old - 60 * DAY).accepted == 1


def test_ticks_pass_over_days_whose_readings_are_gone(services, scope, clock):
    """What others did on such a day stays in the totals of all."""
    clock.at = MIDNIGHT
    services.registration.register_device(scope, ec.Appliance(name="Tea", average_power_w=100))
    device = meter(services, scope)
    services.ticking.tick(scope, MIDNIGHT)
    record(services, scope, device, MIDNIGHT + timedelta(minutes=1 - 60))
    clock.at = MIDNIGHT + 20 * DAY
    services.upkeep.run(scope)
    request = services.histories.request(MIDNIGHT - DAY, MIDNIGHT + DAY, "day", "UTC")
    before = services.histories.of_filter(scope, ec.DeviceFilter(), request)
    result = services.ticking.tick(scope, max_catch_up=30 * DAY)
    assert result.skipped > 0
    services.upkeep.run(scope)
    after = services.histories.of_filter(scope, ec.DeviceFilter(), request)
    assert consumed(after.buckets) == consumed(before.buckets)


def test_an_older_reading_of_a_device_changes_what_is_expected_of_all(services, scope, clock):
    """The extremes of a fleet are those of the time in which all expected devices are covered."""
    first, late = meter(services, scope, "A"), meter(services, scope, "B")
    noon = MIDNIGHT + timedelta(hours=12)
    clock.at = MIDNIGHT + 3 * DAY
    record(services, scope, first, noon, noon + DAY)
    record(services, scope, late, noon + 2 * DAY)
    services.upkeep.run(scope)
    record(services, scope, late, noon - timedelta(hours=1))
    services.upkeep.run(scope)
    request = services.histories.request(MIDNIGHT, MIDNIGHT + 2 * DAY, "day", "UTC")
    kept = services.histories.of_filter(scope, ec.DeviceFilter(), request)
    # On the first day there is half an hour with the late one alone; on the second it is missing.
    assert [bucket.min_power_w for bucket in kept.buckets] == [-1_000.0, None]


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_new_gap_policy_leaves_the_extremes_of_the_past(services, scope, clock, is_kept):
    """They are not computed again: whoever reads the readings instead has to find the same."""
    device = meter(services, scope)
    record(services, scope, device, MIDNIGHT, power_w=-5.0)
    clock.at = MIDNIGHT + DAY
    if is_kept:
        services.upkeep.run(scope)
    services.registration.update_device(scope, device.id, gap_policy="linear")
    clock.move(hours=1)
    record(services, scope, device, clock.at - timedelta(minutes=20), clock.at)
    request = services.histories.request(MIDNIGHT, MIDNIGHT + 2 * DAY, "day", "UTC")
    told = services.histories.of_filter(scope, ec.DeviceFilter(), request)
    # The power of the second day is interpolated.
    assert [bucket.min_power_w for bucket in told.buckets] == [-5.0, None]
    assert [bucket.coverage > 0 for bucket in told.buckets] == [True, True]


def test_a_forecast_says_what_the_run_then_does(services, scope, clock):
    device = meter(services, scope)
    clock.at = MIDNIGHT + 200 * DAY
    record(services, scope, device, MIDNIGHT, MIDNIGHT + 3 * DAY)
    for _ in range(3):
        told = services.upkeep.run(scope, dry_run=True)
        assert services.upkeep.run(scope, dry_run=True) == told
        done = services.upkeep.run(scope)
        assert attrs.evolve(told, dropped_buckets=0) == attrs.evolve(done, dropped_buckets=0)
        clock.move(days=1)


def test_two_runs_at_once_leave_the_totals_of_one(postgresql_url, clock, scope):
    """Each computes other days of one month, which neither takes from the other."""
    clock.at = MIDNIGHT + 40 * DAY
    with closing(open_sql_storage(postgresql_url)) as storage:
        services = ec.connect(postgresql_url, clock=clock, tenant=scope.tenant).services
        devices = [meter(services, scope, f"Meter {n}") for n in range(3)]
        for device in devices:
            record(services, scope, device, *(MIDNIGHT + n * DAY for n in range(28)))
        runs = [Upkeep(storage=storage, clock=clock) for _ in range(2)]
        failed = []

        def go(run):
            try:
                run.run(scope, retain=False)
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                failed.append(error)

        threads = [threading.Thread(target=go, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        ids = [device.id for device in devices]
        with storage.transaction(write=False) as work:
            days, months = (
                work.rollups.read(scope, tier, SeriesKind.DEVICE, ids, start_us=0, end_us=2**62)
                for tier in (Tier.DAY, Tier.MONTH)
            )
        month = int(MIDNIGHT.timestamp()) * 1_000_000
        merged = days.merged(np.array([month, month + 40 * 86_400_000_000]))
        assert months.start_us.tolist() == [month] * 3
        for name in set(BUCKET_COLUMNS) - {"end_us"}:
            assert getattr(merged, name).tolist() == getattr(months, name).tolist(), name
        services.storage.close()
