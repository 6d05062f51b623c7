"""A history: buckets in a row with what they say, and how much of their time is known.

Of any set of devices: produced and consumed energy are sums over the devices and net is their
difference. Coverage is the device-time in which the power is known over the device-time in which
readings are expected of active devices. The mean power is net energy / (coverage x length), with
the length of the time in which any of the devices is expected; of one device that is net energy /
covered time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from energycore.quantities.instants import US_PER_MS, from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT, MISSING, IntArray
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.calendar import Interval
from energycore.telemetry.spans import Spans

__all__ = ["EnergyBucket", "EnergyHistory", "history_of"]

_MWMS_PER_WH: Final = MS_PER_HOUR * MILLI_PER_UNIT


@attrs.frozen(kw_only=True)
class EnergyBucket:
    """What one or more devices did in an interval; energy in whole milliwatt-milliseconds."""

    interval: Interval
    """Coarser than asked for where nothing finer is kept."""
    start: datetime
    """In the time zone of the history."""
    end: datetime
    covered_ms: int
    """Device-time in which the power is known."""
    expected_ms: int
    """Device-time in which readings are expected, up to now."""
    spanned_ms: int
    """Time in which readings of any device are expected."""
    reading_count: int
    produced_mwms: int
    consumed_mwms: int
    min_mw: int | None
    """Of the sum of all devices while all are covered; None where that is not known."""
    max_mw: int | None
    stored_mwh_ms: int
    """Stored energy times the time in which it is known."""
    room_mwh_ms: int
    """Capacity times that time."""

    def __repr__(self) -> str:
        power = "" if self.mean_power_w is None else f", mean_power_w={self.mean_power_w:.3f}"
        net = "" if self.net_wh is None else f", net_wh={self.net_wh:.3f}"
        return f"EnergyBucket({self.start.isoformat()}, coverage={self.coverage:.3f}{power}{net})"

    @property
    def coverage(self) -> float:
        """Share of the expected device-time in which the power is known, 0 to 1."""
        return self.covered_ms / self.expected_ms if self.expected_ms else 0.0

    @property
    def is_covered(self) -> bool:
        """Whether anything is known; without that there are no values."""
        return self.covered_ms > 0

    @property
    def mean_power_w(self) -> float | None:
        """Mean power over the covered time, signed [W]."""
        if not self.covered_ms:
            return None
        net = (self.produced_mwms - self.consumed_mwms) * self.expected_ms
        return net / (self.covered_ms * self.spanned_ms * MILLI_PER_UNIT)

    @property
    def min_power_w(self) -> float | None:
        """Least power [W]."""
        return None if self.min_mw is None else self.min_mw / MILLI_PER_UNIT

    @property
    def max_power_w(self) -> float | None:
        """Greatest power [W]."""
        return None if self.max_mw is None else self.max_mw / MILLI_PER_UNIT

    @property
    def produced_wh(self) -> float | None:
        """Energy of positive power [Wh]."""
        return self.produced_mwms / _MWMS_PER_WH if self.covered_ms else None

    @property
    def consumed_wh(self) -> float | None:
        """Energy of negative power, as a positive number [Wh]."""
        return self.consumed_mwms / _MWMS_PER_WH if self.covered_ms else None

    @property
    def net_wh(self) -> float | None:
        """Produced - consumed [Wh]."""
        net_mwms = self.produced_mwms - self.consumed_mwms
        return net_mwms / _MWMS_PER_WH if self.covered_ms else None

    @property
    def mean_state_of_charge(self) -> float | None:
        """Mean stored energy as a fraction of capacity; None without storage."""
        return self.stored_mwh_ms / self.room_mwh_ms if self.room_mwh_ms else None


@attrs.frozen(kw_only=True)
class EnergyHistory:
    """Buckets that tile a range along the calendar of a time zone."""

    requested_interval: Interval
    time_zone: str
    buckets: tuple[EnergyBucket, ...]

    @property
    def interval(self) -> Interval:
        """The coarsest interval in the answer."""
        given = [bucket.interval for bucket in self.buckets]
        return max([self.requested_interval, *given], key=lambda interval: interval.nominal_us)

    @property
    def produced_wh(self) -> float:
        """Energy of positive power in all buckets [Wh]."""
        return sum(bucket.produced_mwms for bucket in self.buckets) / _MWMS_PER_WH

    @property
    def consumed_wh(self) -> float:
        """Energy of negative power in all buckets, as a positive number [Wh]."""
        return sum(bucket.consumed_mwms for bucket in self.buckets) / _MWMS_PER_WH


def history_of(
    totals: Buckets,
    *,
    edges_us: IntArray,
    intervals: Sequence[Interval],
    expected: Sequence[tuple[int, int]],
    zone: ZoneInfo,
    requested: Interval,
    now_us: int,
) -> EnergyHistory:
    """Put a history together.

    Args:
        totals: merged to the edges; of one series.
        edges_us: shape (n+1,), ascending.
        intervals: the kind of each of the n buckets.
        expected: when each device is expected to have readings, [from, to) in epoch microseconds.
        zone: of the calendar.
        requested: the kind of bucket that was asked for.
        now_us: nothing is expected after it.
    """
    totals = totals.tiled(edges_us)
    # What is covered beyond what is expected was expected after all.
    covered_ms = totals.covered_ms
    expected_ms = _time_in(expected, edges_us, now_us)
    spanned_ms = _time_in(Spans.of(expected).stretches(), edges_us, now_us)
    reached_ms = np.maximum(spanned_ms, np.minimum(covered_ms, np.diff(edges_us) // US_PER_MS))
    spanned_ms = np.where(covered_ms > expected_ms, reached_ms, spanned_ms)
    expected_ms = np.maximum(covered_ms, expected_ms)
    instants = [from_epoch_us(edge).astimezone(zone) for edge in edges_us.tolist()]
    columns = (covered_ms, expected_ms, spanned_ms, totals.reading_count)
    amounts = (totals.produced, totals.consumed, totals.stored, totals.room)
    rows = zip(
        intervals,
        pairwise(instants),
        zip(*(column.tolist() for column in columns), strict=True),
        zip(*(amount.exact() for amount in amounts), strict=True),
        zip(totals.min_mw.tolist(), totals.max_mw.tolist(), strict=True),
        strict=True,
    )
    buckets = tuple(
        EnergyBucket(
            interval=interval,
            start=start,
            end=end,
            covered_ms=covered,
            expected_ms=wanted,
            spanned_ms=spanned,
            reading_count=count,
            min_mw=None if least == MISSING else least,
            max_mw=None if least == MISSING else greatest,
            produced_mwms=produced,
            consumed_mwms=consumed,
            stored_mwh_ms=stored,
            room_mwh_ms=room,
        )
        for (
            interval,
            (start, end),
            (covered, wanted, spanned, count),
            (produced, consumed, stored, room),
            (least, greatest),
        ) in rows
    )
    return EnergyHistory(requested_interval=requested, time_zone=zone.key, buckets=buckets)


def _time_in(spans: Iterable[tuple[int, int]], edges_us: IntArray, now_us: int) -> IntArray:
    """How much of some spans, which may overlap, lies in each bucket and before now [ms]."""
    rows = np.array(list(spans), dtype=np.int64).reshape(-1, 2)
    first, last = int(edges_us[0]), max(int(edges_us[0]), min(int(edges_us[-1]), now_us))
    rows = np.clip(rows, first, last) - first
    edges_ms = (np.clip(edges_us, first, last) - first) // US_PER_MS
    return np.diff(_before(rows[:, 1], edges_ms) - _before(rows[:, 0], edges_ms))


def _before(begins_us: IntArray, edges_ms: IntArray) -> IntArray:
    """For each edge, minus the sum over all begins before it of the time since then [ms]."""
    begins_ms = np.sort(begins_us // US_PER_MS)
    counts = np.searchsorted(begins_ms, edges_ms, side="left")
    sums = np.concatenate(([0], np.cumsum(begins_ms)))
    return np.asarray(sums[counts] - counts * edges_ms)
