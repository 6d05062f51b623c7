"""Instants as whole microseconds since 1970 in UTC, and back to aware datetimes."""

from datetime import UTC, datetime, timedelta

from energycore.errors import InstantOutOfRange, InstantWithoutZone, InvalidValue

__all__ = [
    "FIRST_US",
    "LAST_US",
    "MAX_STEP_US",
    "MIN_STEP_US",
    "US_PER_MS",
    "US_PER_SECOND",
    "duration_us",
    "floor_to",
    "from_epoch_us",
    "to_epoch_us",
]

US_PER_SECOND = 1_000_000
US_PER_MS = 1_000
US_PER_HOUR = 3_600 * US_PER_SECOND
MIN_STEP_US = US_PER_SECOND
MAX_STEP_US = 24 * US_PER_HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = datetime(2300, 1, 1, tzinfo=UTC)
FIRST_US = (_FIRST - _EPOCH) // _MICROSECOND
LAST_US = (_LAST - _EPOCH) // _MICROSECOND


def to_epoch_us(at: object, field: str = "at") -> int:
    """Count the microseconds from 1970 to an aware datetime, quantised to whole milliseconds.

    Raises:
        InvalidValue: it is no datetime.
        InstantWithoutZone: the datetime carries no offset.
        InstantOutOfRange: it lies before 1900 or after 2300.
    """
    if not isinstance(at, datetime):
        raise InvalidValue(field, at, "a datetime with an offset")
    if at.utcoffset() is None:
        raise InstantWithoutZone(field, at, "a datetime with an offset")
    if not _FIRST <= at < _LAST:
        raise InstantOutOfRange(field, at, "between the years 1900 and 2300")
    whole_us = (at - _EPOCH) // _MICROSECOND
    return _round_half_even(whole_us, US_PER_MS)


def from_epoch_us(at_us: int) -> datetime:
    """Turn epoch microseconds into an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=int(at_us))


def duration_us(duration: object, field: str = "step") -> int:
    """Count the microseconds of a step, which is whole milliseconds between 1 s and 24 h.

    Raises:
        InvalidValue: it is shorter, longer or finer than that.
    """
    whole_us = duration // _MICROSECOND if isinstance(duration, timedelta) else 0
    if not MIN_STEP_US <= whole_us <= MAX_STEP_US or whole_us % US_PER_MS:
        raise InvalidValue(field, duration, "a timedelta of whole milliseconds, 1 s to 24 h")
    return whole_us


def floor_to(at_us: int, step_us: int) -> int:
    """The newest multiple of the step that is not after the instant."""
    return at_us - at_us % step_us


def _round_half_even(value: int, unit: int) -> int:
    quotient, remainder = divmod(value, unit)
    if 2 * remainder > unit or (2 * remainder == unit and quotient % 2):
        quotient += 1
    return quotient * unit
