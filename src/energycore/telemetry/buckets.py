"""Buckets: exact totals of the readings of an interval, which merge to the same in any order."""

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from energycore.errors import InvalidValue
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.amounts import Amounts
from energycore.telemetry.groups import group_starts

__all__ = ["BUCKET_COLUMNS", "NOT_KEPT", "Buckets"]

NOT_KEPT: Final = int(np.iinfo(np.int64).max)
"""Stands for the greatest power of a bucket whose extremes nobody knows any more."""


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

    def by_time(self) -> "Buckets":
        """The same ordered by series and start."""
        return self.take(np.lexsort((self.start_us, self.series)))

    def merged(self, edges_us: IntArray) -> "Buckets":
        """Merge the buckets of each series into coarser ones.

        Args:
            edges_us: shape (m+1,), ascending.

        Returns:
            One bucket for each series and interval that has any, by series and start. It does not
            depend on the order of these buckets, nor on merges of any of them in between.

        Raises:
            InvalidValue: a bucket lies across or outside of the edges, or a total is too large.
        """
        if not len(self):
            return self
        ordered = self.by_time()
        # An end instead of a beginning finds another interval where a bucket does not fit into one.
        position = np.searchsorted(edges_us, ordered.start_us, side="right")
        fits = position == np.searchsorted(edges_us, ordered.end_us, side="left")
        fits &= (position > 0) & (position < len(edges_us))
        if not fits.all():
            start_us = int(ordered.start_us[np.argmin(fits)])
            raise InvalidValue("bucket", from_epoch_us(start_us), "between two neighbouring edges")
        starts = group_starts(ordered.series, position)
        merged = _merged_groups(ordered, starts)
        position = position[starts]
        return attrs.evolve(merged, start_us=edges_us[position - 1], end_us=edges_us[position])

    def summed(self, series: int = 0) -> "Buckets":
        """Add the buckets of all series that have the same start and end up to those of one.

        The extremes of a sum do not follow from those of its parts: they are not kept; neither
        are its first and last reading.

        Args:
            series: the identity of the sum.

        Returns:
            One bucket for each interval that has any, by start and end.

        Raises:
            InvalidValue: a total is too large.
        """
        if not len(self):
            return self
        ordered = self.take(np.lexsort((self.end_us, self.start_us)))
        result = _merged_groups(ordered, group_starts(ordered.start_us, ordered.end_us))
        nothing = np.full(len(result), MISSING, dtype=np.int64)
        return attrs.evolve(
            result,
            series=np.full(len(result), series, dtype=np.int64),
            min_mw=nothing,
            max_mw=np.full(len(result), NOT_KEPT, dtype=np.int64),
            **dict.fromkeys((*_FIRST, *_LAST), nothing),
        )

    def tiled(self, edges_us: IntArray) -> "Buckets":
        """One bucket for each interval, of merged ones of one series; some then cover nothing.

        Args:
            edges_us: shape (m+1,), ascending, of all these buckets.
        """
        place = np.searchsorted(edges_us, self.start_us)
        tiles = {}
        for name, column in self.columns().items():
            tile = np.full(len(edges_us) - 1, MISSING if name in _UNKNOWN else 0, dtype=np.int64)
            tile[place] = column
            tiles[name] = tile
        return Buckets(**tiles | {"start_us": edges_us[:-1], "end_us": edges_us[1:]})

    def with_extremes(self, min_mw: IntArray, max_mw: IntArray) -> "Buckets":
        """The same with other extremes."""
        return attrs.evolve(self, min_mw=min_mw, max_mw=max_mw)


BUCKET_COLUMNS: Final = tuple(field.name for field in attrs.fields(Buckets))
"""The columns in their order."""

_FIRST: Final = ("first_at_us", "first_mw", "first_mwh")
_LAST: Final = ("last_at_us", "last_mw", "last_mwh")
_UNKNOWN: Final = ("min_mw", "max_mw", *_FIRST, *_LAST)
_ADDED: Final = ("covered_ms", "reading_count", "stored_ms")
_AMOUNTS: Final = {
    "produced": ("produced_mwh", "produced_rest_mwms"),
    "consumed": ("consumed_mwh", "consumed_rest_mwms"),
    "stored": ("stored_mwh_h", "stored_rest_mwh_ms"),
    "room": ("room_mwh_h", "room_rest_mwh_ms"),
}


def _merged_groups(buckets: Buckets, starts: IntArray) -> Buckets:
    """Merge groups of consecutive rows; the edges are those of the first one."""
    columns = {name: getattr(buckets, name)[starts] for name in ("series", "start_us", "end_us")}
    for name in _ADDED:
        columns[name] = np.add.reduceat(getattr(buckets, name), starts)
    for name, (whole, rest) in _AMOUNTS.items():
        amounts: Amounts = getattr(buckets, name).sums(starts)
        columns[whole], columns[rest] = amounts.whole, amounts.rest
    # MISSING is the least number and NOT_KEPT the greatest: one gives way, the other stays.
    greatest = np.maximum.reduceat(buckets.max_mw, starts)
    least = np.where(buckets.min_mw == MISSING, NOT_KEPT, buckets.min_mw)
    least = np.minimum.reduceat(least, starts)
    unknown = (least == NOT_KEPT) | (greatest == NOT_KEPT)
    columns["min_mw"], columns["max_mw"] = np.where(unknown, MISSING, least), greatest
    # The opposite of MISSING is MISSING again, less than that of any instant.
    for names, at_us in ((_FIRST, -buckets.first_at_us), (_LAST, buckets.last_at_us)):
        rows = _rows_of_greatest(at_us, starts)
        columns |= {name: getattr(buckets, name)[rows] for name in names}
    return Buckets(**columns)


def _rows_of_greatest(values: IntArray, starts: IntArray) -> IntArray:
    """The first row of each group of consecutive rows that has the greatest value of its group."""
    greatest = np.maximum.reduceat(values, starts)
    rows = np.flatnonzero(values == np.repeat(greatest, np.diff(starts, append=len(values))))
    return rows[np.searchsorted(rows, starts)]
