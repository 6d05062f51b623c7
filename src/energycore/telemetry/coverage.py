"""From readings to buckets: which time each reading covers, and exact totals of any intervals."""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import pairwise
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
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion

__all__ = ["Coverage", "Pieces", "cover"]


@attrs.frozen(kw_only=True, eq=False)
class Pieces:
    """n stretches of time, each within one bucket and covered by one reading; shape (n,)."""

    reading: IntArray | slice
    """Position of the reading in its coverage; a slice where all between two have one stretch."""
    bucket: IntArray
    """Number of the bucket, that from the first edge to the second being 1."""
    start_ms: IntArray
    end_ms: IntArray

    def take(self, rows: IntArray) -> "Pieces":
        """The stretches at these positions."""
        return Pieces(
            reading=_positions(self.reading, rows),
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
    """Where the time of the reading ends; not after `at_ms` if it covers none."""
    is_line: NDArray[np.bool_] | None
    """Whether the power changes evenly until the next reading; None where no power does."""
    capacity_mwh: IntArray | None
    """What the storage could hold then, `MISSING` without one; None where no charge is known."""

    def of_devices(self, ids: Collection[int]) -> "Coverage":
        """The readings of these devices only, each covering the same time as before."""
        wanted = np.isin(self.readings.device_id, np.array(list(ids), dtype=np.int64))
        if wanted.all():
            return self
        rows = np.flatnonzero(wanted)
        return Coverage(
            readings=self.readings.take(rows),
            at_ms=self.at_ms[rows],
            end_ms=self.end_ms[rows],
            is_line=None if self.is_line is None else self.is_line[rows],
            capacity_mwh=None if self.capacity_mwh is None else self.capacity_mwh[rows],
        )

    def pieces(self, edges_us: IntArray) -> Pieces:
        """Cut the covered time at the edges of intervals; what lies outside is left out.

        Args:
            edges_us: shape (m+1,), strictly ascending, epoch microseconds in whole milliseconds.
        """
        edges_ms = edges_us // US_PER_MS
        return self._pieces(edges_ms, _bucket_numbers(self.at_ms, edges_ms))

    def buckets(self, edges_us: IntArray) -> Buckets:
        """Exact totals of intervals, one for each device and interval that has any.

        Args:
            edges_us: shape (m+1,), strictly ascending, epoch microseconds in whole milliseconds.

        Returns:
            Buckets by device and start. Totals of parts of an interval add up to its own.
        """
        edges_ms = edges_us // US_PER_MS
        number = _bucket_numbers(self.at_ms, edges_ms)
        pieces = self._pieces(edges_ms, number)
        device_id = self.readings.device_id
        devices = group_starts(device_id)
        # A cell is a bucket of a device. Numbers 0 and the last one lie outside of the edges.
        stride = len(edges_ms) + 1
        read_starts = group_starts(device_id, number)
        read_counts = np.diff(read_starts, append=len(number))
        is_inside = (number[read_starts] > 0) & (number[read_starts] < stride - 1)
        read_starts, read_counts = read_starts[is_inside], read_counts[is_inside]
        read = _group_of(devices, read_starts) * stride + number[read_starts]
        covered_starts = group_starts(device_id[pieces.reading], pieces.bucket)
        reading = _positions(pieces.reading, covered_starts)
        covered = _group_of(devices, reading) * stride + pieces.bucket[covered_starts]
        cells = np.union1d(covered, read)
        columns = {
            name: np.full(len(cells), MISSING if name in _ABSENT else 0, dtype=np.int64)
            for name in BUCKET_COLUMNS
        }
        columns["series"] = device_id[devices][cells // stride]
        columns["start_us"] = edges_us[cells % stride - 1]
        columns["end_us"] = edges_us[cells % stride]
        if len(covered):
            rows = np.searchsorted(cells, covered)
            for name, values in self._covered_totals(pieces, covered_starts).items():
                columns[name][rows] = values
        rows = np.searchsorted(cells, read)
        for name, values in self._reading_columns(read_starts, read_counts).items():
            columns[name][rows] = values
        return Buckets(**columns)

    def _pieces(self, edges_ms: IntArray, number: IntArray) -> Pieces:
        start_ms, bucket = self.at_ms, number
        if not number.all():
            start_ms, bucket = np.maximum(start_ms, edges_ms[0]), np.maximum(bucket, 1)
        end_ms = np.minimum(self.end_ms, edges_ms[-1])
        reading = _rows(end_ms > start_ms)
        bucket, start_ms, end_ms = bucket[reading], start_ms[reading], end_ms[reading]
        torn = np.flatnonzero(end_ms > edges_ms[bucket])
        if len(torn):
            counts = np.ones(len(bucket), dtype=np.int64)
            counts[torn] += np.searchsorted(edges_ms, end_ms[torn]) - bucket[torn]
            rows = np.repeat(np.arange(len(bucket)), counts)
            # Each stretch of a reading lies in the bucket after that of the one before.
            before = np.cumsum(counts) - counts
            bucket = (bucket - before)[rows] + np.arange(len(rows))
            start_ms = np.maximum(start_ms[rows], edges_ms[bucket - 1])
            end_ms = np.minimum(end_ms[rows], edges_ms[bucket])
            reading = _positions(reading, rows)
        return Pieces(reading=reading, bucket=bucket, start_ms=start_ms, end_ms=end_ms)

    def _covered_totals(self, pieces: Pieces, starts: IntArray) -> dict[str, IntArray]:
        length_ms = pieces.end_ms - pieces.start_ms
        least_mw = greatest_mw = power_mw = self.readings.power_mw[pieces.reading]
        if self.is_line is None:
            produced, consumed = Amounts.halves_of_products(power_mw, length_ms, starts)
        else:
            produced, consumed, least_mw, greatest_mw = self._linear_totals(
                pieces, self.is_line, starts
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
        if not known.all():
            stored_mwh, capacity_mwh = stored_mwh * known, capacity_mwh * known
            length_ms = length_ms * known
        stored = Amounts.sums_of_products(stored_mwh, length_ms, starts)
        room = Amounts.sums_of_products(capacity_mwh, length_ms, starts)
        return {
            "stored_ms": np.add.reduceat(length_ms, starts),
            "stored_mwh_h": stored.whole,
            "stored_rest_mwh_ms": stored.rest,
            "room_mwh_h": room.whole,
            "room_rest_mwh_ms": room.rest,
        }

    def _linear_totals(
        self, pieces: Pieces, is_line: NDArray[np.bool_], starts: IntArray
    ) -> tuple[Amounts, Amounts, IntArray, IntArray]:
        """Energy and extremes where the power of some pieces changes evenly."""
        power_mw = self.readings.power_mw[pieces.reading]
        length_ms = pieces.end_ms - pieces.start_ms
        produced = np.maximum(power_mw, 0) * length_ms
        consumed = np.maximum(-power_mw, 0) * length_ms
        least_mw, greatest_mw = power_mw.copy(), power_mw.copy()
        rows = np.flatnonzero(is_line[pieces.reading])
        first = np.arange(len(is_line))[pieces.reading][rows]
        at_ms = self.at_ms[first]
        line = power_mw[rows], self.readings.power_mw[first + 1], self.at_ms[first + 1] - at_ms
        begin_ms, end_ms = pieces.start_ms[rows] - at_ms, pieces.end_ms[rows] - at_ms
        produced[rows], consumed[rows] = linear_energy(*line, begin_ms, end_ms)
        ends_mw = linear_power(*line, begin_ms), linear_power(*line, end_ms)
        least_mw[rows] = np.minimum(*ends_mw)
        greatest_mw[rows] = np.maximum(*ends_mw)
        return (
            Amounts.of(produced).sums(starts),
            Amounts.of(consumed).sums(starts),
            least_mw,
            greatest_mw,
        )

    def _reading_columns(self, starts: IntArray, counts: IntArray) -> dict[str, IntArray]:
        columns = {"reading_count": counts}
        for prefix, rows in (("first", starts), ("last", starts + counts - 1)):
            columns[f"{prefix}_at_us"] = self.readings.at_us[rows]
            columns[f"{prefix}_mw"] = self.readings.power_mw[rows]
            columns[f"{prefix}_mwh"] = self.readings.stored_mwh[rows]
        return columns


def cover(readings: ReadingBatch, table: SeriesTable, until_us: int) -> Coverage:
    """Say which time each reading covers.

    A held power lasts until the next reading, for `max_gap` at most, and never beyond `until_us`.
    Power that changes evenly is known from one reading to the next if they are at most `max_gap`
    apart, and before `until_us`. No time in which a device is out of service is covered, nor what
    comes after it until the next reading.

    Args:
        readings: by device and instant, without repetition; all of each device that reach into
            the time of interest, and the next one after it where power changes evenly.
        table: the versions of the devices; that in force at a reading is what counts for it.
        until_us: now, or the end of a run.
    """
    versions, stops_us, counts = _in_force(readings, table)
    at_ms, until_ms = readings.at_us // US_PER_MS, until_us // US_PER_MS
    newest = np.roll(group_starts(readings.device_id), -1) - 1  # the last row of all as -1
    next_ms = np.roll(at_ms, -1)
    next_ms[newest] = until_ms
    reach_ms = np.repeat(_column(v.max_gap_us // US_PER_MS for v in versions), counts)
    reach_ms += at_ms
    is_line = None
    if any(version.gap_policy is not GapPolicy.HOLD for version in versions):
        holds = np.repeat([v.gap_policy is GapPolicy.HOLD for v in versions], counts)
        is_line = np.repeat([v.gap_policy is GapPolicy.LINEAR for v in versions], counts)
        is_line &= next_ms <= reach_ms
        is_line[newest] = False
        np.copyto(reach_ms, at_ms, where=~(holds | is_line))
    stops_ms = _column(min(stop_us // US_PER_MS, until_ms) for stop_us in stops_us)
    end_ms = np.minimum(next_ms, np.repeat(stops_ms, counts), out=next_ms)
    np.minimum(end_ms, reach_ms, out=end_ms)
    capacity_mwh = None
    if (readings.stored_mwh != MISSING).any():
        capacities = (v.capacity_mwh for v in versions)
        known = _column(MISSING if capacity is None else capacity for capacity in capacities)
        capacity_mwh = np.repeat(known, counts)
    return Coverage(
        readings=readings,
        at_ms=at_ms,
        end_ms=end_ms,
        is_line=is_line,
        capacity_mwh=capacity_mwh,
    )


def _in_force(
    readings: ReadingBatch, table: SeriesTable
) -> tuple[list[SeriesVersion], list[int], IntArray]:
    """The versions in force one after the other, their stops, and how many readings each is for."""
    versions: list[SeriesVersion] = []
    stops_us: list[int] = []
    counts: list[int] = []
    starts = group_starts(readings.device_id)
    ends = np.append(starts[1:], len(readings))
    device_ids = readings.device_id[starts].tolist()
    for device_id, start, end in zip(device_ids, starts.tolist(), ends.tolist(), strict=False):
        first, *later = table.with_stops(device_id)
        begins_us = [version.valid_from_us for version, _ in later]
        rows = [bisect_left(readings.at_us, begin_us, start, end) for begin_us in begins_us]
        counts += [high - low for low, high in pairwise([start, *rows, end])]
        for version, stop_us in (first, *later):
            versions.append(version)
            stops_us.append(stop_us)
    return versions, stops_us, _column(counts)


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


def _column(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, dtype=np.int64)


def _rows(chosen: NDArray[np.bool_]) -> IntArray | slice:
    """Where it is true; as a slice, which costs no copies, if that is one stretch."""
    count = int(np.count_nonzero(chosen))
    start = int(np.argmax(chosen)) if count else 0
    if chosen[start : start + count].all():
        return slice(start, start + count)
    return np.flatnonzero(chosen)


def _positions(chosen: IntArray | slice, rows: IntArray) -> IntArray:
    """Some of the chosen rows, by their positions among them."""
    return chosen.start + rows if isinstance(chosen, slice) else chosen[rows]


def _group_of(starts: IntArray, rows: IntArray) -> IntArray:
    """The group of consecutive rows that each row belongs to."""
    return np.searchsorted(starts, rows, side="right") - 1


def _bucket_numbers(at_ms: IntArray, edges_ms: IntArray) -> IntArray:
    """Number of the bucket of each instant: 0 before the first edge, m + 1 from the last one on."""
    if (at_ms[1:] >= at_ms[:-1]).all():
        # The other way round: few edges among many instants in order.
        counts = np.diff(np.searchsorted(at_ms, edges_ms), prepend=0, append=len(at_ms))
        return np.repeat(np.arange(len(edges_ms) + 1), counts)
    return np.searchsorted(edges_ms, at_ms, side="right")
