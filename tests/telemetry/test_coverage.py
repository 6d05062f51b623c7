"""Buckets of readings hold exactly what is known, whatever the question and the way there."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import energycore as ec
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.units import MISSING
from energycore.telemetry.calendar import Interval, calendar_edges
from energycore.telemetry.coverage import cover
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion
from tests.telemetry.oracle import (
    LAST,
    Reading,
    batch_of,
    bucket_rows,
    histories,
    rows_of,
)

START_US = 1_780_272_000_000_000
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
BERLIN = ZoneInfo("Europe/Berlin")


def coverage_of(history, until_us=None):
    until_us = history.until_us if until_us is None else until_us
    return cover(history.batch, history.table, until_us)


def series(max_gap_us, **changes):
    known = {
        "device_id": 1,
        "valid_from_us": START_US,
        "site_id": 1,
        "is_active": True,
        "gap_policy": GapPolicy.HOLD,
        "max_gap_us": max_gap_us,
        "capacity_mwh": None,
    }
    return SeriesVersion(**{**known, **changes})


def held(rows, max_gap_us, edges_us):
    """Buckets of a held power that is told at some minutes, each with its watts."""
    readings = batch_of(
        Reading(1, START_US + int(minute * MINUTE_US), watts * 1_000) for minute, watts in rows
    )
    return cover(readings, SeriesTable.of([series(max_gap_us)]), int(edges_us[-1])).buckets(
        edges_us
    )


def hours(*edges):
    return np.array([START_US + edge * HOUR_US for edge in edges], dtype=np.int64)


def watt_hours(buckets):
    return [mwms / 3_600_000_000 for mwms in buckets.produced.exact()]


def mean_watts(buckets):
    """Means of what is produced over the covered time."""
    rows = zip(buckets.produced.exact(), buckets.covered_ms.tolist(), strict=True)
    return [mwms / covered_ms / 1_000 for mwms, covered_ms in rows]


@settings(max_examples=1_000)
@given(histories())
def test_buckets_hold_what_is_known_of_every_instant(history):
    assert rows_of(coverage_of(history).buckets(history.edges_us)) == bucket_rows(history)


@settings(max_examples=1_000)
@given(histories())
def test_buckets_of_parts_merge_to_those_of_the_whole_in_every_column(history):
    coverage = coverage_of(history)
    fine = coverage.buckets(history.finer_edges_us)
    assert rows_of(fine.merged(history.edges_us)) == rows_of(coverage.buckets(history.edges_us))


@settings(max_examples=1_000)
@given(histories(), st.integers(0, 1_000_000), st.integers(1, 5))
def test_buckets_do_not_depend_on_the_order_or_the_batches_in_which_readings_arrive(
    history, seed, count
):
    readings = [reading for device in history.devices for reading in device.readings]
    Random(seed).shuffle(readings)
    batches = [batch_of(readings[first::count]) for first in range(count)]
    arrived = ReadingBatch.concatenate(batches).by_time()
    buckets = cover(arrived, history.table, history.until_us).buckets(history.edges_us)
    assert rows_of(buckets) == rows_of(coverage_of(history).buckets(history.edges_us))


@settings(max_examples=300)
@given(histories(), st.integers(0, LAST + 20))
def test_what_is_told_of_the_time_before_now_does_not_change_later_on(history, later):
    before = history.edges_us[history.edges_us <= history.until_us]
    if len(before) > 1:
        now = coverage_of(history).buckets(before)
        later_us = history.until_us + later * history.unit_us
        assert rows_of(coverage_of(history, later_us).buckets(before)) == rows_of(now)


@settings(max_examples=300)
@given(histories())
def test_devices_do_not_change_each_other(history):
    coverage = coverage_of(history)
    every = rows_of(coverage.buckets(history.edges_us))
    for device in history.devices:
        own = coverage.of_devices([device.id]).buckets(history.edges_us)
        assert rows_of(own) == [row for row in every if row[0] == device.id]


@settings(max_examples=300)
@given(histories())
def test_energy_is_never_negative_and_no_device_is_known_for_longer_than_it_is_expected(history):
    buckets = coverage_of(history).buckets(history.edges_us)
    assert all(mwms >= 0 for mwms in buckets.produced.exact() + buckets.consumed.exact())
    spans = zip(buckets.series, buckets.start_us, buckets.end_us, strict=True)
    for (device_id, start_us, end_us), covered_ms in zip(spans, buckets.covered_ms, strict=True):
        expected = history.table.spans(int(device_id))
        within_us = [max(0, min(end_us, to) - max(start_us, begin)) for begin, to in expected]
        assert 0 <= 1_000 * covered_ms <= sum(within_us) <= end_us - start_us


@settings(max_examples=300)
@given(histories())
def test_nothing_is_known_beyond_now_nor_long_after_a_reading(history):
    coverage = coverage_of(history)
    pieces = coverage.pieces(history.edges_us)
    assert (pieces.end_ms <= history.until_us // 1_000).all()
    longest_ms = history.table.longest_gap_us() // 1_000
    assert (pieces.end_ms <= coverage.at_ms[pieces.reading] + longest_ms).all()


@settings(max_examples=300)
@given(histories())
def test_pieces_are_the_covered_time_cut_at_the_edges(history):
    edges_us = history.finer_edges_us
    coverage = coverage_of(history)
    pieces = coverage.pieces(edges_us)
    device_id = coverage.readings.device_id[pieces.reading]
    start_us, end_us = 1_000 * pieces.start_ms, 1_000 * pieces.end_ms
    assert (edges_us[pieces.bucket - 1] <= start_us).all()
    assert (start_us < end_us).all()
    assert (end_us <= edges_us[pieces.bucket]).all()
    found = Counter[tuple[int, int]]()
    for device, bucket, length_us in zip(device_id, pieces.bucket, end_us - start_us, strict=True):
        found[int(device), int(edges_us[bucket - 1])] += int(length_us) // 1_000
    buckets = coverage.buckets(edges_us)
    keys = zip(buckets.series.tolist(), buckets.start_us.tolist(), strict=True)
    covered = dict(zip(keys, buckets.covered_ms.tolist(), strict=True))
    assert found == {key: covered_ms for key, covered_ms in covered.items() if covered_ms}


@given(histories(), st.data())
def test_pieces_are_taken_by_position(history, data):
    coverage = coverage_of(history)
    pieces = coverage.pieces(history.edges_us)
    count = len(pieces.start_ms)
    chosen = data.draw(st.lists(st.integers(0, count - 1)) if count else st.just([]))
    taken = pieces.take(np.array(chosen, dtype=np.int64))
    reading = np.arange(len(coverage.at_ms))[pieces.reading]
    assert taken.reading.tolist() == reading[chosen].tolist()
    for name in ("bucket", "start_ms", "end_ms"):
        assert getattr(taken, name).tolist() == getattr(pieces, name)[chosen].tolist()


def test_a_run_of_a_quarter_hour_is_known_throughout_and_nothing_is_told_of_the_time_after_it():
    cooler = ec.Appliance(name="AC", average_power_w=600)
    run = ec.simulate([cooler], start="2026-06-01", days=1 / 96, seed=3)
    end_us = to_epoch_us(run.end)
    readings = ReadingBatch(
        device_id=np.ones(15, dtype=np.int64),
        at_us=run.at_us,
        power_mw=run.power_mw[:, 0],
        stored_mwh=run.stored_mwh[:, 0],
    )
    start_us = int(run.at_us[0])
    table = SeriesTable.of([series(run.step_us, valid_from_us=start_us)])
    edges_us = np.arange(start_us, start_us + HOUR_US, 15 * MINUTE_US)
    buckets = cover(readings, table, end_us).buckets(edges_us)
    assert buckets.end_us.tolist() == [end_us]
    assert buckets.covered_ms.tolist() == [15 * 60_000]
    assert buckets.consumed.exact() == [-int(run.power_mw.sum()) * 60_000]


def test_the_hours_of_a_day_of_25_hours_are_that_day_to_the_last_unit():
    noon_us = to_epoch_us(datetime(2026, 10, 25, 12, tzinfo=BERLIN))
    day = calendar_edges(BERLIN, noon_us, noon_us + 1, Interval.DAY)
    parts = calendar_edges(BERLIN, int(day[0]), int(day[1]), Interval.HOUR)
    rng = Random(1)
    at_us = sorted(rng.sample(range(int(day[0]) - HOUR_US, int(day[1]), 1_000), 2_000))
    readings = batch_of(Reading(1, at, rng.randrange(-(10**7), 10**7)) for at in at_us)
    for policy in GapPolicy:
        table = SeriesTable.of([series(HOUR_US, gap_policy=policy, valid_from_us=0)])
        coverage = cover(readings, table, int(day[1]))
        fine = coverage.buckets(parts)
        assert len(fine) == 25
        assert rows_of(fine.merged(day)) == rows_of(coverage.buckets(day))


def test_a_device_without_readings_has_no_buckets():
    coverage = cover(ReadingBatch.empty(), SeriesTable.of([series(MINUTE_US)]), START_US)
    assert len(coverage.buckets(hours(0, 1))) == 0


def test_a_bucket_without_readings_has_no_value():
    buckets = held([(0, 100), (180, 100)], 5 * MINUTE_US, hours(0, 1, 2, 3, 4))
    assert buckets.start_us.tolist() == hours(0, 3).tolist()


def test_a_reading_that_is_only_true_of_its_instant_counts_but_covers_nothing():
    table = SeriesTable.of([series(HOUR_US, gap_policy=GapPolicy.NONE)])
    readings = batch_of([Reading(1, START_US, 100_000)])
    buckets = cover(readings, table, START_US + HOUR_US).buckets(hours(0, 1))
    assert buckets.reading_count.tolist() == [1]
    assert buckets.last_mw.tolist() == [100_000]
    assert buckets.covered_ms.tolist() == [0]
    assert buckets.min_mw.tolist() == buckets.max_mw.tolist() == [MISSING]


def test_the_time_out_of_service_is_not_covered_not_even_by_readings_of_it():
    table = SeriesTable.of(
        [
            series(HOUR_US),
            series(HOUR_US, valid_from_us=START_US + 10 * MINUTE_US, is_active=False),
            series(HOUR_US, valid_from_us=START_US + 20 * MINUTE_US, is_active=False, site_id=2),
            series(HOUR_US, valid_from_us=START_US + 30 * MINUTE_US),
        ]
    )
    readings = batch_of(Reading(1, START_US + at * MINUTE_US, 60_000) for at in (0, 15, 40))
    buckets = cover(readings, table, START_US + HOUR_US).buckets(hours(0, 1))
    assert buckets.reading_count.tolist() == [3]
    assert buckets.covered_ms.tolist() == [(10 + 20) * 60_000]


@pytest.mark.parametrize("policy", [GapPolicy.HOLD, GapPolicy.LINEAR])
@pytest.mark.parametrize("power_mw", [10**11, -(10**11)])
def test_the_largest_power_is_exact_through_a_day_of_25_hours(policy, power_mw):
    readings = batch_of(Reading(1, START_US + hour * HOUR_US, power_mw) for hour in (0, 24, 25))
    table = SeriesTable.of([series(24 * HOUR_US, gap_policy=policy)])
    buckets = cover(readings, table, START_US + 25 * HOUR_US).buckets(hours(0, 25))
    energy = buckets.produced if power_mw > 0 else buckets.consumed
    assert energy.exact() == [10**11 * 25 * 3_600_000]


def test_the_largest_storage_is_exact_through_a_century():
    century_us = 100 * 8_766 * HOUR_US
    table = SeriesTable.of([series(century_us, capacity_mwh=10**12)])
    edges_us = np.array([START_US, START_US + century_us])
    coverage = cover(batch_of([Reading(1, START_US, 0, 10**12)]), table, int(edges_us[1]))
    buckets = coverage.buckets(edges_us)
    assert buckets.stored.exact() == buckets.room.exact() == [10**12 * century_us // 1_000]


def test_a_mean_is_weighted_by_time_and_no_average_of_averages():
    """OpenEMS 2920: 6.67 where 8.33 is right."""
    rows = [(0, 10), (5, 10), (12.5, 0)]
    by_five_minutes = [[10], [10], [0]]
    averages = [sum(values) / len(values) for values in by_five_minutes]
    assert round(sum(averages) / len(averages), 2) == 6.67
    quarter = np.array([START_US, START_US + 15 * MINUTE_US])
    (mean,) = mean_watts(held(rows, 10 * MINUTE_US, quarter))
    assert round(mean, 2) == 8.33


def test_a_gap_is_not_the_last_value_for_ever():
    """emoncms 1795: 2.6 kWh that nobody measured."""
    rows = [(0, 260), (600, 0)]
    assert sum(watts * (end - at) / 60 for (at, watts), (end, _) in pairwise(rows)) == 2_600
    buckets = held(rows, 5 * MINUTE_US, hours(0, 11))
    assert watt_hours(buckets) == [260 * 5 / 60]
    assert buckets.covered_ms.tolist() == [10 * 60_000]


def test_readings_at_changes_only_are_weighted_by_how_long_they_hold():
    rows = [(0, 0), (50, 6_000), (51, 6_600), (52, 0)]
    assert sum(watts for _, watts in rows) / len(rows) == 3_150
    assert mean_watts(held(rows, HOUR_US, hours(0, 1))) == [210]
