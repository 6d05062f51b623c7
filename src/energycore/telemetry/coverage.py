"""From readings to buckets: which time each reading covers, and exact totals of any intervals."""

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.amounts import Amounts
from energycore.telemetry.buckets import BUCKET_COLUMNS, Buckets
from energycore.telemetry.groups import group_starts
from energycore.telemetry.interpolation import linear_energy, linear_power
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable

__all__ = ["ALL", "Coverage", "Pieces", "cover"]

ALL: Final = slice(None)
"""Every reading, in order."""


@attrs.frozen(kw_only=True, eq=False)
class Pieces:
    """n stretches of time, each within one bucket and covered by one reading; shape (n,)."""

    reading: IntArray | slice
    """Position of the reading in its coverage; `ALL` where each reading has one stretch."""
    bucket: IntArray
    """Position of the bucket among the intervals."""
    start_ms: IntArray
    end_ms: IntArray

    def take(self, rows: IntArray) -> "Pieces":
        """The stretches at these positions."""
        reading = rows if isinstance(self.reading, slice) else self.reading[rows]
        return Pieces(
            reading=reading,
            bucket=self.bucket[rows],
            start_ms=self.start_ms[rows],
            end_ms=self.end_ms[rows],
        )


@attrs.frozen(kw_only=True, eq=False)
class Coverage:
    """n readings by device and instant, and the time that each covers; arrays of shape (n,)."""

    readings: ReadingBatch
    at_ms: IntArray
    end_ms: IntArray
    """Where the time of the reading ends; `at_ms` if it covers none."""
    next_ms: IntArray | None
    """The next reading's instant where the power changes evenly until then, else `MISSING`; None
    where no power does."""
    next_mw: IntArray | None
    """And that reading's power."""
    capacity_mwh: IntArray | None
    """What the storage could hold then, `MISSING` without storage; None where no charge is known."""

    def take(self, rows: IntArray) -> "Coverage":
        """The readings at these positions, each covering the same time as before."""
        return attrs.evolve(
            self,
            readings=self.readings.take(rows),
            at_ms=self.at_ms[rows],
            end_ms=self.end_ms[rows],
            next_ms=None if self.next_ms is None else self.next_ms[rows],
            next_mw=None if self.next_mw is None else self.next_mw[rows],
            capacity_mwh=None if self.capacity_mwh is None else self.capacity_mwh[rows],
        )

    def pieces(self, edges_us: IntArray) -> Pieces:
        """Cut the covered time at the edges of intervals; what lies outside is left out.

        Args:
            edges_us: shape (m+1,), strictly ascending.
        """
        edges_ms = edges_us // US_PER_MS
        start_ms = np.maximum(self.at_ms, edges_ms[0])
        end_ms = np.minimum(self.end_ms, edges_ms[-1])
        covers = end_ms > start_ms
        reading = ALL if covers.all() else np.flatnonzero(covers)
        start_ms, end_ms = start_ms[reading], end_ms[reading]
        first = _interval_of(start_ms, edges_ms)
        last = _interval_of(end_ms - 1, edges_ms)
        if (first != last).any():
            counts = last - first + 1
            rows = np.repeat(np.arange(len(first)), counts)
            begins = np.repeat(np.cumsum(counts) - counts, counts)
            first = first[rows] + np.arange(len(rows)) - begins
            start_ms = np.maximum(start_ms[rows], edges_ms[first])
            end_ms = np.minimum(end_ms[rows], edges_ms[first + 1])
            reading = rows if isinstance(reading, slice) else reading[rows]
        return Pieces(reading=reading, bucket=first, start_ms=start_ms, end_ms=end_ms)

    def buckets(self, edges_us: IntArray) -> Buckets:
        """Exact totals of intervals, one for each device and interval that has any.

        Args:
            edges_us: shape (m+1,), strictly ascending, epoch microseconds in whole milliseconds.

        Returns:
            Buckets by device and start. Totals of parts of an interval add up to its own.
        """
        devices = group_starts(self.readings.device_id)
        ids = self.readings.device_id[devices]
        lengths = np.diff(np.append(devices, len(self.at_ms)))
        index = np.repeat(np.arange(len(ids)), lengths)
        intervals = len(edges_us) - 1
        pieces = self.pieces(edges_us)
        covered = index[pieces.reading] * intervals + pieces.bucket
        covered_starts = group_starts(covered)
        inside, interval = self._instants(edges_us)
        counted = index[inside] * intervals + interval
        counted_starts = group_starts(counted)
        keys = np.union1d(covered[covered_starts], counted[counted_starts])
        columns = {
            name: np.full(len(keys), MISSING if name in _ABSENT else 0, dtype=np.int64)
            for name in BUCKET_COLUMNS
        }
        columns["series"] = ids[keys // intervals]
        columns["start_us"] = edges_us[keys % intervals]
        columns["end_us"] = edges_us[keys % intervals + 1]
        if len(covered_starts):
            rows = np.searchsorted(keys, covered[covered_starts])
            for name, values in self._covered_totals(pieces, covered_starts).items():
                columns[name][rows] = values
        if len(counted_starts):
            rows = np.searchsorted(keys, counted[counted_starts])
            for name, values in self._reading_columns(inside, counted_starts).items():
                columns[name][rows] = values
        return Buckets(**columns)

    def _instants(self, edges_us: IntArray) -> tuple[IntArray, IntArray]:
        """The readings whose instant lies in an interval, and that interval."""
        at_us = self.readings.at_us
        inside = np.flatnonzero((at_us >= edges_us[0]) & (at_us < edges_us[-1]))
        return inside, _interval_of(at_us[inside], edges_us)

    def _covered_totals(self, pieces: Pieces, starts: IntArray) -> dict[str, IntArray]:
        length_ms = pieces.end_ms - pieces.start_ms
        power_mw = self.readings.power_mw[pieces.reading]
        if self.next_ms is None or self.next_mw is None:
            produced = Amounts.sums_of_products(np.maximum(power_mw, 0), length_ms, starts)
            net = Amounts.sums_of_products(power_mw, length_ms, starts)
            consumed = produced.minus(net)
            least_mw = greatest_mw = power_mw
        else:
            produced, consumed, least_mw, greatest_mw = self._linear_totals(
                pieces, self.next_ms, self.next_mw, starts
            )
        return {
            "covered_ms": np.add.reduceat(length_ms, starts),
            "produced_mwh": produced.whole,
            "produced_rest_mwms": produced.rest,
            "consumed_mwh": consumed.whole,
            "consumed_rest_mwms": consumed.rest,
            "min_mw": np.minimum.reduceat(least_mw, starts),
            "max_mw": np.maximum.reduceat(greatest_mw, starts),
            **self._charge(pieces.reading, length_ms, starts),
        }

    def _charge(
        self, reading: IntArray | slice, length_ms: IntArray, starts: IntArray
    ) -> dict[str, IntArray]:
        if self.capacity_mwh is None:
            return {}
        stored_mwh, capacity_mwh = self.readings.stored_mwh[reading], self.capacity_mwh[reading]
        known = (stored_mwh != MISSING) & (capacity_mwh != MISSING)
        known_ms = np.where(known, length_ms, 0)
        stored = Amounts.sums_of_products(np.where(known, stored_mwh, 0), known_ms, starts)
        room = Amounts.sums_of_products(np.where(known, capacity_mwh, 0), known_ms, starts)
        return {
            "stored_ms": np.add.reduceat(known_ms, starts),
            "stored_mwh_h": stored.whole,
            "stored_rest_mwh_ms": stored.rest,
            "room_mwh_h": room.whole,
            "room_rest_mwh_ms": room.rest,
        }

    def _linear_totals(
        self, pieces: Pieces, next_ms: IntArray, next_mw: IntArray, starts: IntArray
    ) -> tuple[Amounts, Amounts, IntArray, IntArray]:
        """Energy and extremes where the power of some pieces changes evenly."""
        power_mw = self.readings.power_mw[pieces.reading]
        length_ms = pieces.end_ms - pieces.start_ms
        produced = np.maximum(power_mw, 0) * length_ms
        consumed = np.maximum(-power_mw, 0) * length_ms
        least_mw, greatest_mw = power_mw.copy(), power_mw.copy()
        at_ms, until_ms = self.at_ms[pieces.reading], next_ms[pieces.reading]
        rows = np.flatnonzero(until_ms != MISSING)
        at_ms = at_ms[rows]
        line = power_mw[rows], next_mw[pieces.reading][rows], until_ms[rows] - at_ms
        begin_ms, end_ms = pieces.start_ms[rows] - at_ms, pieces.end_ms[rows] - at_ms
        produced[rows], consumed[rows] = linear_energy(*line, begin_ms, end_ms)
        ends_mw = linear_power(*line, begin_ms), linear_power(*line, end_ms)
        least_mw[rows] = np.minimum(*ends_mw)
        greatest_mw[rows] = np.maximum(*ends_mw)
        return (
            Amounts.sums_of(produced, starts),
            Amounts.sums_of(consumed, starts),
            least_mw,
            greatest_mw,
        )

    def _reading_columns(self, inside: IntArray, starts: IntArray) -> dict[str, IntArray]:
        ends = np.append(starts[1:], len(inside))
        columns = {"reading_count": ends - starts}
        for prefix, rows in (("first", inside[starts]), ("last", inside[ends - 1])):
            columns[f"{prefix}_at_us"] = self.readings.at_us[rows]
            columns[f"{prefix}_mw"] = self.readings.power_mw[rows]
            columns[f"{prefix}_mwh"] = self.readings.stored_mwh[rows]
        return columns


def cover(readings: ReadingBatch, table: SeriesTable, until_us: int) -> Coverage:
    """Say which time each reading covers.

    A held power lasts until the next reading, for `max_gap` at most, and never beyond `until_us`
    or the time at which the device is taken out of service.

    Args:
        readings: by device and instant, without repetition; all of each device that reach into
            the time of interest, and the next one after it where power changes evenly.
        table: the versions of the devices.
        until_us: now, or the end of a run.
    """
    device_id, at_us = readings.device_id, readings.at_us
    at_ms = at_us // US_PER_MS
    count = len(at_ms)
    last = np.ones(count, dtype=np.bool_)
    np.not_equal(device_id[1:], device_id[:-1], out=last[:-1])
    next_ms = np.full(count, until_us // US_PER_MS, dtype=np.int64)
    next_ms[:-1] = np.where(last[:-1], next_ms[:-1], at_ms[1:])
    rules = _rules(readings, table)
    limit_ms = np.minimum(at_ms + rules.max_gap_ms, rules.stop_ms)
    end_ms = np.minimum(np.minimum(next_ms, limit_ms), until_us // US_PER_MS)
    line_ms = line_mw = None
    if not rules.holds.all():
        joined = rules.is_linear & ~last & (next_ms - at_ms <= rules.max_gap_ms)
        end_ms = np.where(rules.holds | joined, end_ms, at_ms)
        line_ms = np.where(joined, next_ms, MISSING)
        line_mw = np.append(readings.power_mw[1:], MISSING)
    return Coverage(
        readings=readings,
        at_ms=at_ms,
        end_ms=np.maximum(end_ms, at_ms),
        next_ms=line_ms,
        next_mw=line_mw,
        capacity_mwh=rules.capacity_mwh if (readings.stored_mwh != MISSING).any() else None,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Rules:
    """The version of its series in force at each reading; shape (n,)."""

    max_gap_ms: IntArray
    stop_ms: IntArray
    holds: NDArray[np.bool_]
    is_linear: NDArray[np.bool_]
    capacity_mwh: IntArray


def _rules(readings: ReadingBatch, table: SeriesTable) -> _Rules:
    count = len(readings)
    rules = _Rules(
        max_gap_ms=np.zeros(count, dtype=np.int64),
        stop_ms=np.zeros(count, dtype=np.int64),
        holds=np.zeros(count, dtype=np.bool_),
        is_linear=np.zeros(count, dtype=np.bool_),
        capacity_mwh=np.full(count, MISSING, dtype=np.int64),
    )
    if not count:
        return rules
    starts = group_starts(readings.device_id)
    for begin, end in zip(starts, np.append(starts[1:], count), strict=True):
        part = slice(begin, end)
        device_id = int(readings.device_id[begin])
        versions = table.versions(device_id)
        which, stop_us = table.at_readings(device_id, readings.at_us[part])
        rules.stop_ms[part] = stop_us // US_PER_MS
        rules.max_gap_ms[part] = _column([v.max_gap_us // US_PER_MS for v in versions])[which]
        rules.holds[part] = np.array([v.gap_policy is GapPolicy.HOLD for v in versions])[which]
        rules.is_linear[part] = np.array([v.gap_policy is GapPolicy.LINEAR for v in versions])[
            which
        ]
        rules.capacity_mwh[part] = _column(
            [MISSING if v.capacity_mwh is None else v.capacity_mwh for v in versions]
        )[which]
    return rules


_ABSENT: Final = frozenset(
    (
        "min_mw",
        "max_mw",
        "first_at_us",
        "first_mw",
        "first_mwh",
        "last_at_us",
        "last_mw",
        "last_mwh",
    )
)


def _column(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _interval_of(instants: IntArray, edges: IntArray) -> IntArray:
    """The interval of each instant, all of which lie within the edges."""
    if len(instants) > 64 and (instants[1:] >= instants[:-1]).all():
        # The other way round: few edges among many instants in order.
        bounds = np.searchsorted(instants, edges[1:-1], side="left")
        counts = np.diff(np.concatenate(([0], bounds, [len(instants)])))
        return np.repeat(np.arange(len(edges) - 1), counts)
    return np.searchsorted(edges, instants, side="right") - 1
