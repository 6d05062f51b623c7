"""Buckets: exact totals of the readings of an interval, which merge to the same in any order."""

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.amounts import Amounts
from energycore.telemetry.groups import group_starts

__all__ = ["BUCKET_COLUMNS", "NOT_KEPT", "Buckets"]

_LAST: Final = np.iinfo(np.int64).max
NOT_KEPT: Final = int(_LAST)
"""Stands for the greatest power of a bucket whose extremes nobody knows any more."""
_ADDED: Final = ("covered_ms", "reading_count", "stored_ms")
_AMOUNTS: Final = ("produced", "consumed", "stored", "room")


@attrs.frozen(kw_only=True, eq=False)
class Buckets:
    """n buckets of any series; arrays of shape (n,), int64.

    A bucket that covers nothing and has no reading need not be there: absence is not zero.
    """

    series: IntArray
    """Whose bucket it is: the identity of a device, or of what devices are added up to."""
    start_us: IntArray
    end_us: IntArray
    covered_ms: IntArray
    """Time in which the power is known; for several devices the sum of theirs."""
    reading_count: IntArray
    """Readings whose instant lies in the bucket."""
    produced_mwh: IntArray
    """Energy of positive power, whole milliwatt-hours."""
    produced_rest_mwms: IntArray
    """And the milliwatt-milliseconds beyond them, 3,600,000 to a milliwatt-hour."""
    consumed_mwh: IntArray
    """Energy of negative power, as a positive number."""
    consumed_rest_mwms: IntArray
    min_mw: IntArray
    """Least power of the covered time, of several devices of that in which all are covered;
    `MISSING` where there is no such time, or it is not known."""
    max_mw: IntArray
    """Greatest power likewise; `NOT_KEPT` where the extremes are not known."""
    first_at_us: IntArray
    """The first reading; `MISSING` without one, and for sums of several devices."""
    first_mw: IntArray
    first_mwh: IntArray
    """Its stored energy; `MISSING` without storage."""
    last_at_us: IntArray
    last_mw: IntArray
    last_mwh: IntArray
    stored_ms: IntArray
    """The part of the covered time in which the stored energy is known."""
    stored_mwh_h: IntArray
    """Stored energy times that time: whole milliwatt-hours times hours."""
    stored_rest_mwh_ms: IntArray
    room_mwh_h: IntArray
    """Capacity times that time; stored / room is the mean state of charge."""
    room_rest_mwh_ms: IntArray

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def empty(cls) -> "Buckets":
        """No buckets."""
        return cls(**{name: np.empty(0, dtype=np.int64) for name in BUCKET_COLUMNS})

    @classmethod
    def concatenate(cls, parts: Sequence["Buckets"]) -> "Buckets":
        """All buckets of several parts, one part after the other."""
        if not parts:
            return cls.empty()
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in BUCKET_COLUMNS
            }
        )

    @property
    def produced(self) -> Amounts:
        """Energy of positive power [mW ms]."""
        return Amounts(self.produced_mwh, self.produced_rest_mwms)

    @property
    def consumed(self) -> Amounts:
        """Energy of negative power, as positive numbers [mW ms]."""
        return Amounts(self.consumed_mwh, self.consumed_rest_mwms)

    @property
    def stored(self) -> Amounts:
        """Stored energy times time [mWh ms]."""
        return Amounts(self.stored_mwh_h, self.stored_rest_mwh_ms)

    @property
    def room(self) -> Amounts:
        """Capacity times the same time [mWh ms]."""
        return Amounts(self.room_mwh_h, self.room_rest_mwh_ms)

    def columns(self) -> dict[str, IntArray]:
        """The columns by name, as `BUCKET_COLUMNS` orders them."""
        return {name: getattr(self, name) for name in BUCKET_COLUMNS}

    def take(self, rows: IntArray) -> "Buckets":
        """The buckets at these positions, in this order."""
        return Buckets(**{name: column[rows] for name, column in self.columns().items()})

    def between(self, start_us: int, end_us: int) -> "Buckets":
        """The buckets that lie within [start, end)."""
        inside = (self.start_us >= start_us) & (self.end_us <= end_us)
        return self.take(np.flatnonzero(inside))

    def by_time(self) -> "Buckets":
        """The same ordered by series and start."""
        return self.take(np.lexsort((self.start_us, self.series)))

    def merged(self, edges_us: IntArray) -> "Buckets":
        """Merge the buckets of each series into coarser ones.

        Args:
            edges_us: shape (m+1,), ascending; none of the buckets lies across or outside of them.

        Returns:
            One bucket for each series and interval that has any, by series and start. The result
            does not depend on the order of these buckets, nor on merges in between.
        """
        if not len(self):
            return self
        ordered = self.by_time()
        position = np.searchsorted(edges_us, ordered.start_us, side="right") - 1
        return _merged_groups(
            ordered,
            group_starts(ordered.series, position),
            edges_us[position],
            edges_us[position + 1],
        )

    def summed(self, series: int = 0) -> "Buckets":
        """Add the buckets of all series up to those of one, by start; all tile time alike.

        The extremes of a sum do not follow from those of its parts: they are not kept; neither
        are its first and last reading.
        """
        if not len(self):
            return self
        ordered = self.take(np.argsort(self.start_us, kind="stable"))
        starts = group_starts(ordered.start_us)
        result = _merged_groups(ordered, starts, ordered.start_us, ordered.end_us)
        nothing = np.full(len(result), MISSING, dtype=np.int64)
        names = ("min_mw", *_READING_COLUMNS)
        return attrs.evolve(
            result,
            series=np.full(len(result), series, dtype=np.int64),
            max_mw=np.full(len(result), NOT_KEPT, dtype=np.int64),
            **dict.fromkeys(names, nothing),
        )

    def with_extremes(self, min_mw: IntArray, max_mw: IntArray) -> "Buckets":
        """The same with other extremes."""
        return attrs.evolve(self, min_mw=min_mw, max_mw=max_mw)


BUCKET_COLUMNS: Final = tuple(field.name for field in attrs.fields(Buckets))
"""The columns in their order."""

_READING_COLUMNS: Final = (
    "first_at_us",
    "first_mw",
    "first_mwh",
    "last_at_us",
    "last_mw",
    "last_mwh",
)
_LIMBS: Final = {
    "produced": ("produced_mwh", "produced_rest_mwms"),
    "consumed": ("consumed_mwh", "consumed_rest_mwms"),
    "stored": ("stored_mwh_h", "stored_rest_mwh_ms"),
    "room": ("room_mwh_h", "room_rest_mwh_ms"),
}


def _merged_groups(
    buckets: Buckets, starts: IntArray, start_us: IntArray, end_us: IntArray
) -> Buckets:
    """Merge groups of consecutive rows, ordered by time within each."""
    columns = {
        "series": buckets.series[starts],
        "start_us": start_us[starts],
        "end_us": end_us[starts],
    }
    for name in _ADDED:
        columns[name] = np.add.reduceat(getattr(buckets, name), starts)
    for name in _AMOUNTS:
        amounts: Amounts = getattr(buckets, name).sums(starts)
        whole, rest = _LIMBS[name]
        columns[whole], columns[rest] = amounts.whole, amounts.rest
    least = np.where(buckets.min_mw == MISSING, _LAST, buckets.min_mw)
    least = np.minimum.reduceat(least, starts)
    # MISSING is the least number and NOT_KEPT the greatest: one gives way, the other stays.
    greatest = np.maximum.reduceat(buckets.max_mw, starts)
    unknown = (least == _LAST) | (greatest == NOT_KEPT)
    columns["min_mw"] = np.where(unknown, MISSING, least)
    columns["max_mw"] = greatest
    rows = np.arange(len(buckets))
    has = buckets.reading_count > 0
    first = np.minimum.reduceat(np.where(has, rows, _LAST), starts)
    last = np.maximum.reduceat(np.where(has, rows, -1), starts)
    # A group without readings takes them, absent as they are, from any of its rows.
    first = np.where(last < 0, starts, first)
    last = np.where(last < 0, starts, last)
    for name in _READING_COLUMNS:
        columns[name] = getattr(buckets, name)[first if name.startswith("first") else last]
    return Buckets(**columns)
