"""UTC offsets of a time zone for many instants at once, taken from the IANA database."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energycore.errors import UnknownTimeZone
from energycore.quantities.instants import US_PER_SECOND, from_epoch_us
from energycore.quantities.units import FloatArray, IntArray

__all__ = ["load_zone", "local_hours", "utc_offsets_us"]

# Paths; copies that some systems keep beside the database, one of them with leap seconds; and the
# zone of the machine, which is another one elsewhere.
_NO_NAMES = (".", "/", "posix/", "right/", "posixrules", "localtime")
_PROBE_US = 6 * 3_600 * US_PER_SECOND
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
    first, last = int(at_us[0]), int(at_us[-1])
    probes = np.append(np.arange(first, last, _PROBE_US, dtype=np.int64), last)
    offsets = [_offset_us(zone, int(probe)) for probe in probes]
    starts, values = [first], [offsets[0]]
    for index in range(1, len(probes)):
        if offsets[index] != offsets[index - 1]:
            starts.append(_change_us(zone, int(probes[index - 1]), int(probes[index])))
            values.append(offsets[index])
    segment = np.searchsorted(np.array(starts, dtype=np.int64), at_us, side="right") - 1
    return np.array(values, dtype=np.int64)[segment]


def local_hours(zone: ZoneInfo, at_us: IntArray) -> FloatArray:
    """Local wall-clock time in decimal hours, 0 <= h < 24, at each of (k,) ascending instants."""
    local_us = (at_us + utc_offsets_us(zone, at_us)) % _US_PER_DAY
    hours: FloatArray = np.true_divide(local_us, 3_600 * US_PER_SECOND)
    return hours


def _offset_us(zone: ZoneInfo, at_us: int) -> int:
    offset = zone.utcoffset(from_epoch_us(at_us).astimezone(zone))
    return 0 if offset is None else offset // timedelta(microseconds=1)


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
