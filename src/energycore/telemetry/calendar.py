"""Calendar buckets of a time zone: which instants belong to one local hour, day, week or month.

An instant belongs to the earliest local date that the zone's clocks show then or later on. So
buckets follow each other without a gap, every one of them holds some time, and days stay in order:

- A day whose midnight is skipped begins with the first instant after the jump, at 01:00 or so. A
  date that the zone left out, as Apia did 2011-12-30, has no bucket.
- Clocks that go back from 01:00 to 00:00 show midnight twice; the day begins with the first one.
- Clocks that go back over midnight, from 00:01 to 23:01, show an hour of the old date again. All of
  it is the old day's, with the minute before it that was already dated anew.

Weeks begin on Monday as in ISO 8601. A week or month begins with its first day, or with the next
one if the zone left that out. Hours and quarter-hours are counted by the time elapsed since the day
began: the two hours that an autumn night calls 02:00 are two buckets, and where clocks change by
half an hour (Australia/Lord_Howe) such a day ends with a bucket of half an hour. From 1973 on all
offsets are whole quarters of an hour (in Pacific/Kiritimati from October 1979 on), so that
quarter-hours are those of UTC in every zone.
"""

from enum import Enum
from zoneinfo import ZoneInfo

import numpy as np

from energycore.errors import InvalidValue
from energycore.quantities.instants import US_PER_SECOND, from_epoch_us
from energycore.quantities.units import IntArray
from energycore.quantities.zones import offset_changes

__all__ = [
    "Interval",
    "bucket_starts",
    "calendar_edges",
    "interval_of",
    "most_buckets",
    "range_edges",
]

_US_PER_HOUR = 3_600 * US_PER_SECOND
_US_PER_DAY = 24 * _US_PER_HOUR
# 1970-01-01 was a Thursday, and weeks begin on Monday.
_EPOCH_WEEKDAY = 3


class Interval(Enum):
    """A kind of bucket, from fine to coarse."""

    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def nominal_us(self) -> int:
        """Length [us] if no clock changes, of the shortest month; the coarser the longer."""
        return _NOMINAL_US[self]


_NOMINAL_US = {
    Interval.QUARTER_HOUR: _US_PER_HOUR // 4,
    Interval.HOUR: _US_PER_HOUR,
    Interval.DAY: _US_PER_DAY,
    Interval.WEEK: 7 * _US_PER_DAY,
    Interval.MONTH: 28 * _US_PER_DAY,
}
_WITHIN_DAY = (Interval.QUARTER_HOUR, Interval.HOUR)


def interval_of(given: Interval | str) -> Interval:
    """Look an interval up by its name.

    Raises:
        InvalidValue: there is none of that name.
    """
    try:
        return Interval(given)
    except ValueError:
        names = ", ".join(interval.value for interval in Interval)
        raise InvalidValue("interval", given, f"one of {names}") from None


def calendar_edges(zone: ZoneInfo, start_us: int, end_us: int, interval: Interval) -> IntArray:
    """Edges of the whole buckets that enclose a range.

    Args:
        zone: the time zone whose calendar counts.
        start_us: start of the range, epoch microseconds.
        end_us: end of the range, after its start.
        interval: the kind of bucket.

    Returns:
        Shape (n + 1,), n >= 1, strictly ascending: bucket i is [edges[i], edges[i + 1]). The first
        edge is the last one not after the start, the last edge the first one not before the end.

    Raises:
        InvalidValue: the end is not after the start.
    """
    if end_us <= start_us:
        raise InvalidValue("end", from_epoch_us(end_us), f"after {from_epoch_us(start_us)}")
    is_within_day = interval in _WITHIN_DAY
    edges = _day_starts(zone, _dates(start_us, end_us, Interval.DAY if is_within_day else interval))
    edges = _enclosing(edges, start_us, end_us)
    if is_within_day:
        edges = _enclosing(_divided(edges, interval.nominal_us), start_us, end_us)
    return edges


def range_edges(zone: ZoneInfo, start_us: int, end_us: int, interval: Interval) -> IntArray:
    """Edges of the buckets of a range, the first and the last one cut where the range is.

    Args:
        zone: the time zone whose calendar counts.
        start_us: start of the range, epoch microseconds.
        end_us: end of the range, after its start.
        interval: the kind of bucket.

    Returns:
        Shape (n + 1,), n >= 1, strictly ascending, from `start_us` to `end_us`.

    Raises:
        InvalidValue: the end is not after the start.
    """
    edges = calendar_edges(zone, start_us, end_us, interval)
    edges[0], edges[-1] = start_us, end_us
    return edges


def bucket_starts(zone: ZoneInfo, at_us: IntArray, interval: Interval) -> IntArray:
    """Start of the bucket that each instant lies in.

    Args:
        zone: the time zone whose calendar counts.
        at_us: shape (k,), ascending, epoch microseconds.
        interval: the kind of bucket.

    Returns:
        Shape (k,), ascending, epoch microseconds.
    """
    if not len(at_us):
        return np.empty(0, dtype=np.int64)
    if interval in _WITHIN_DAY:
        days = bucket_starts(zone, at_us, Interval.DAY)
        return at_us - (at_us - days) % interval.nominal_us
    edges = calendar_edges(zone, int(at_us[0]), int(at_us[-1]) + 1, interval)
    return np.repeat(edges[:-1], np.diff(np.searchsorted(at_us, edges)))


def most_buckets(start_us: int, end_us: int, interval: Interval) -> int:
    """How many buckets a range has at most, in any zone, without making their edges.

    Clocks change less than once in four weeks on average; each change may add a bucket, and each
    end of the range may cut one.

    Args:
        start_us: start of the range, epoch microseconds.
        end_us: end of the range, not before its start.
        interval: the kind of bucket.
    """
    length_us = end_us - start_us
    return length_us // interval.nominal_us + length_us // (28 * _US_PER_DAY) + 4


def _dates(start_us: int, end_us: int, interval: Interval) -> IntArray:
    """First dates, in days since 1970, of the days, weeks or months around a range."""
    # No offset is as long as a day: any zone's dates lie between these.
    first, last = start_us // _US_PER_DAY - 1, end_us // _US_PER_DAY + 2
    if interval is Interval.DAY:
        return np.arange(first, last + 1, dtype=np.int64)
    if interval is Interval.WEEK:
        first_week, last_week = (first + _EPOCH_WEEKDAY) // 7, (last + _EPOCH_WEEKDAY) // 7
        return np.arange(first_week, last_week + 2, dtype=np.int64) * 7 - _EPOCH_WEEKDAY
    days = np.array([first, last], dtype="datetime64[D]")
    months = days.astype("datetime64[M]").astype(np.int64)
    firsts = np.arange(months[0], months[1] + 2).astype("datetime64[M]").astype("datetime64[D]")
    return firsts.astype(np.int64)


def _day_starts(zone: ZoneInfo, dates: IntArray) -> IntArray:
    """Instant at which each of some ascending dates begins, once where dates were left out."""
    midnights_us = dates * _US_PER_DAY
    starts_us, offsets_us = offset_changes(
        zone, int(midnights_us[0]) - 2 * _US_PER_DAY, int(midnights_us[-1]) + 2 * _US_PER_DAY
    )
    # A day begins when local time has been before its midnight for the last time. That is under
    # the last offset that began before it: at midnight, or at the next change if that skips it.
    # Local times at the changes ascend: clocks never moved back over two changes.
    last = np.searchsorted(starts_us + offsets_us, midnights_us) - 1
    next_change_us = np.append(starts_us[1:], np.iinfo(np.int64).max)
    begins_us = np.minimum(midnights_us - offsets_us[last], next_change_us[last])
    distinct_us: IntArray = begins_us[np.append(True, begins_us[1:] > begins_us[:-1])]
    return distinct_us


def _divided(edges: IntArray, unit_us: int) -> IntArray:
    """The edges with one after each further unit since the edge before, as far as one fits."""
    parts = -(-np.diff(edges) // unit_us)
    starts = np.repeat(edges[:-1], parts)
    since_start = np.arange(len(starts)) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(starts + since_start * unit_us, edges[-1])


def _enclosing(edges: IntArray, start_us: int, end_us: int) -> IntArray:
    """The edges from the last one not after the start to the first one not before the end."""
    low = np.searchsorted(edges, start_us, side="right") - 1
    high = np.searchsorted(edges, end_us, side="left")
    return edges[low : high + 1]
