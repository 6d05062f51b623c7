"""Instants as people and tables write them: dates, ISO 8601 text, local times without an offset."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energycore.errors import InvalidValue
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.units import IntArray
from energycore.quantities.zones import offset_changes
from energycore.telemetry.calendar import Interval, calendar_edges

__all__ = ["Spelling", "has_zone", "instant_in", "local_offsets_us", "read_instant"]

Spelling = str | date | datetime
"""A date, an instant, or either as ISO 8601 text."""

_LIMIT: Final = "a date such as 2026-06-01 or an instant such as 2026-06-01T12:00+02:00"


def read_instant(given: object, field: str) -> date | datetime:
    """Take text for what it says; a date stays a date, a local time stays without an offset.

    Raises:
        InvalidValue: it is neither a date nor an instant.
    """
    if isinstance(given, str):
        # No date is longer, and instants are read by the million.
        kinds = (date, datetime) if len(given) <= len("2026-06-01") else (datetime,)
        for kind in kinds:
            try:
                return kind.fromisoformat(given)
            except ValueError:
                continue
    # The missing instant of pandas is a datetime, and equals nothing.
    elif isinstance(given, date) and given == given:
        return given
    raise InvalidValue(field, given, _LIMIT)


def has_zone(given: Spelling, field: str) -> bool:
    """Whether it says by itself which instant is meant.

    Raises:
        InvalidValue: it is neither a date nor an instant.
    """
    value = read_instant(given, field)
    return isinstance(value, datetime) and value.tzinfo is not None


def instant_in(zone: ZoneInfo, given: Spelling, field: str) -> datetime:
    """The instant that is meant in a time zone.

    A date is the beginning of its day. Of a local time that the clocks show twice the first is
    meant, or the one that its `fold` says, and one that they skip is as far after the change as
    it would have been without it.

    Args:
        zone: whose calendar and clocks count where there is no offset.
        given: a date, an instant, or either as ISO 8601 text.
        field: what it is called in a refusal.

    Raises:
        InvalidValue: it is neither a date nor an instant.
        InstantOutOfRange: it is a date before 1900 or after 2300.
    """
    value = read_instant(given, field)
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone) if value.tzinfo is None else value
    midnight_us = to_epoch_us(datetime.combine(value, time(), zone), field)
    # Where clocks go back over midnight, the day begins with the second one.
    day_us = calendar_edges(zone, midnight_us, midnight_us + 1, Interval.DAY)
    return from_epoch_us(int(day_us[day_us >= midnight_us][0])).astimezone(zone)


def local_offsets_us(zone: ZoneInfo, local_us: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """The UTC offset at local times that come without one, and whether it is the only one.

    Args:
        zone: the time zone.
        local_us: shape (n,), n > 0, in any order: microseconds from 1970-01-01 on the clock there.

    Returns:
        Offsets to take away for UTC, shape (n,) [us], and whether the clocks showed each time
        exactly once: it was neither skipped nor repeated.
    """
    day_us = 86_400_000_000
    starts_us, offsets_us = offset_changes(
        zone, int(local_us.min()) - day_us, int(local_us.max()) + day_us
    )
    # Local times at which an offset begins and ends, both ascending: clocks never moved back over
    # two changes.
    begins_us, ends_us = starts_us + offsets_us, starts_us[1:] + offsets_us[:-1]
    first = np.searchsorted(ends_us, local_us, side="right")
    last = np.searchsorted(begins_us, local_us, side="right") - 1
    return offsets_us[first], first == last
