"""UTC offsets of a time zone for many instants at once, taken from the IANA database."""

from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from energycore.errors import UnknownTimeZone
from energycore.quantities.instants import US_PER_SECOND, from_epoch_us
from energycore.quantities.units import FloatArray, IntArray

__all__ = ["load_zone", "local_hours", "offset_changes", "utc_offsets_us"]

# Paths; copies that some systems keep beside the database, one of them with leap seconds; and the
# zone of the machine, which is another one elsewhere.
_NO_NAMES = (".", "/", "posix/", "right/", "posixrules", "localtime")
_PROBES = 1_461
_PROBE_US = 6 * 3_600 * US_PER_SECOND
_SPAN_US = _PROBES * _PROBE_US
"""What is looked up and remembered at once: 365.25 days."""
_US_PER_DAY = 86_400 * US_PER_SECOND


def load_zone(name: object, field: str = "time_zone") -> ZoneInfo:
    """Look a time zone up by its IANA name.

    Raises:
        UnknownTimeZone: the database does not know the name.
    """
    if isinstance(name, str) and name and not name.startswith(_NO_NAMES):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    raise UnknownTimeZone(field, name, "an IANA time zone name such as Europe/Berlin")


def utc_offsets_us(zone: ZoneInfo, at_us: IntArray) -> IntArray:
    """UTC offset in force at each instant.

    Args:
        zone: the time zone.
        at_us: shape (k,), ascending, epoch microseconds.

    Returns:
        Shape (k,), int64 microseconds to add to UTC for local wall time.
    """
    if len(at_us) <= 4:
        return np.array([_offset_us(zone, int(at)) for at in at_us], dtype=np.int64)
    starts_us, offsets_us = offset_changes(zone, int(at_us[0]), int(at_us[-1]))
    return offsets_us[np.searchsorted(starts_us, at_us, side="right") - 1]


def offset_changes(zone: ZoneInfo, first_us: int, last_us: int) -> tuple[IntArray, IntArray]:
    """UTC offsets in force from the first instant to the last, and since when each one is.

    What the database said is remembered, about a year at a time: asking again costs microseconds.

    Args:
        zone: the time zone.
        first_us: epoch microseconds.
        last_us: epoch microseconds, not before the first.

    Returns:
        Two arrays of shape (m,), m >= 1: the instants, strictly ascending, from which on an offset
        is in force, and the offsets [us]. Only the first instant is not after `first_us`; it need
        not be the change itself.
    """
    spans = range(first_us // _SPAN_US, last_us // _SPAN_US + 1)
    found = [change for span in spans for change in _changes_of_span(zone, span)]
    starts_us, offsets_us = np.array(found, dtype=np.int64).T
    is_change = np.append(True, offsets_us[1:] != offsets_us[:-1])
    starts_us, offsets_us = starts_us[is_change], offsets_us[is_change]
    low = np.searchsorted(starts_us, first_us, side="right") - 1
    high = np.searchsorted(starts_us, last_us, side="right")
    return starts_us[low:high], offsets_us[low:high]


def local_hours(zone: ZoneInfo, at_us: IntArray) -> FloatArray:
    """Local wall-clock time in decimal hours, 0 <= h < 24, at each of (k,) ascending instants."""
    local_us = (at_us + utc_offsets_us(zone, at_us)) % _US_PER_DAY
    hours: FloatArray = np.true_divide(local_us, 3_600 * US_PER_SECOND)
    return hours


def _offset_us(zone: ZoneInfo, at_us: int) -> int:
    offset = zone.utcoffset(from_epoch_us(at_us).astimezone(zone))
    return 0 if offset is None else offset // timedelta(microseconds=1)


@lru_cache(maxsize=4_096)
def _changes_of_span(zone: ZoneInfo, span: int) -> tuple[tuple[int, int], ...]:
    """The start of a span, then each change in it, with the offset in force from there on."""
    start_us = span * _SPAN_US
    start, step = from_epoch_us(start_us), timedelta(microseconds=_PROBE_US)
    probes = [(start + n * step).astimezone(zone).utcoffset() for n in range(_PROBES + 1)]
    changes = [(start_us, _offset_us(zone, start_us))]
    for n in range(1, len(probes)):
        if probes[n] != probes[n - 1]:
            after_us = start_us + n * _PROBE_US
            change_us = _change_us(zone, after_us - _PROBE_US, after_us)
            changes.append((change_us, _offset_us(zone, change_us)))
    return tuple(changes)


def _change_us(zone: ZoneInfo, before_us: int, after_us: int) -> int:
    """First instant, to the second, at which the later offset is in force."""
    later = _offset_us(zone, after_us)
    low, high = before_us // US_PER_SECOND, -(-after_us // US_PER_SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(zone, middle * US_PER_SECOND) == later:
            high = middle
        else:
            low = middle
    return high * US_PER_SECOND
