"""A year of a battery's minutes in the local days of Berlin: to find them, and all their totals."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.measure import Line, interleaved
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.units import IntArray
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.calendar import Interval, bucket_starts, calendar_edges
from energycore.telemetry.coverage import cover
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion

__all__ = ["lines"]

_ROUNDS: Final = 25
_ZONE: Final = ZoneInfo("Europe/Berlin")
_START_US: Final = to_epoch_us(datetime(2026, 1, 1, tzinfo=_ZONE))
_MINUTES: Final = 525_600
_MINUTE_US: Final = 60_000_000
_END_US: Final = _START_US + _MINUTES * _MINUTE_US
_CAPACITY_MWH: Final = 13_500_000
_DEVICE_ID: Final = 1


def lines() -> Iterator[Line]:
    """Both lines, after they have given what plain sums give."""
    readings, table = _readings(), _table()
    edges_us = calendar_edges(_ZONE, _START_US, _END_US, Interval.DAY)

    def days() -> IntArray:
        return bucket_starts(_ZONE, readings.at_us, Interval.DAY)

    def totals() -> Buckets:
        return cover(readings, table, _END_US).buckets(edges_us)

    _check(readings, days(), totals())
    seconds = interleaved({"days": days, "totals": totals}, rounds=_ROUNDS)
    for name, limit_ms, note in (
        ("days", 5.0, "milliseconds to assign 525,600 instants to local days"),
        ("totals", 40.0, "milliseconds for coverage, energy, extremes and charge of those days"),
    ):
        yield Line(
            name=f"buckets: {name}",
            figure=f"{seconds[name] / _MINUTES * 1e9:.1f} ns per reading",
            ratio=seconds[name] * 1e3,
            limit=limit_ms,
            note=note,
        )


def _readings() -> ReadingBatch:
    minute = np.arange(_MINUTES, dtype=np.int64)
    return ReadingBatch(
        device_id=np.full(_MINUTES, _DEVICE_ID, dtype=np.int64),
        at_us=_START_US + minute * _MINUTE_US,
        power_mw=minute * 7_919_000 % 10_000_001 - 5_000_000,
        stored_mwh=minute * 104_729_000 % (_CAPACITY_MWH + 1),
    )


def _table() -> SeriesTable:
    version = SeriesVersion(
        device_id=_DEVICE_ID,
        valid_from_us=_START_US,
        site_id=None,
        is_active=True,
        gap_policy=GapPolicy.HOLD,
        max_gap_us=_MINUTE_US,
        capacity_mwh=_CAPACITY_MWH,
    )
    return SeriesTable.of([version])


def _check(readings: ReadingBatch, days: IntArray, totals: Buckets) -> None:
    starts = totals.start_us.tolist()
    assert sorted(set(days.tolist())) == starts
    minute_ms = _MINUTE_US // 1_000
    produced = dict.fromkeys(starts, 0)
    stored = dict.fromkeys(starts, 0)
    rows = zip(days.tolist(), readings.power_mw.tolist(), readings.stored_mwh.tolist(), strict=True)
    for day, power_mw, stored_mwh in rows:
        produced[day] += max(power_mw, 0) * minute_ms
        stored[day] += stored_mwh * minute_ms
    assert totals.produced.exact() == list(produced.values())
    assert totals.stored.exact() == list(stored.values())
