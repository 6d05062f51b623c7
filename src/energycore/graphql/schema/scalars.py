"""The DateTime scalar: RFC 3339 with an offset in, UTC with milliseconds and a Z out."""

import re
from datetime import datetime, timedelta
from typing import Final

from graphql import GraphQLScalarType

from energycore.errors import InstantWithoutZone, InvalidValue

__all__ = ["date_time_type", "format_instant", "parse_instant"]

_FORM: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?", re.ASCII
)
_LIMIT: Final = "an RFC 3339 date and time with an offset, such as 2026-06-01T12:00:00Z"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive, because only its text is used


def parse_instant(value: object) -> datetime:
    """Read an instant.

    Raises:
        InstantWithoutZone: it has no offset.
        InvalidValue: it is not in the format, or there is no such date or time.
    """
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    # An offset of -00:00 says that the offset is not known.
    if found is None or found[1] == "-00:00":
        raise InvalidValue("DateTime", value, _LIMIT)
    if found[1] is None:
        raise InstantWithoutZone("DateTime", value, _LIMIT)
    try:
        return datetime.fromisoformat(found[0])
    except ValueError:
        raise InvalidValue("DateTime", value, _LIMIT) from None


def format_instant(at_us: int) -> str:
    """Write an instant, given in epoch microseconds, in UTC with three decimals."""
    return (_EPOCH + timedelta(0, 0, at_us)).isoformat("T", "milliseconds") + "Z"


def date_time_type() -> GraphQLScalarType:
    """The scalar; resolvers give it epoch microseconds and get aware datetimes."""
    return GraphQLScalarType(
        "DateTime",
        serialize=format_instant,
        parse_value=parse_instant,
        description="An instant, RFC 3339 with an offset.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    )
