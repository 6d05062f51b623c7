"""The DateTime scalar: RFC 3339 with an offset in, UTC with milliseconds and a Z out."""

import re
from datetime import datetime, timedelta
from typing import Final

from graphql import GraphQLScalarType

from energycore.errors import InvalidValue

__all__ = ["date_time_type", "format_instant", "parse_instant"]

_FORM: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?"
    r"(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_LIMIT: Final = "an RFC 3339 date and time with an offset, such as 2026-06-01T12:00:00Z"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive, because only its text is used


def parse_instant(value: object) -> datetime | str:
    """Read an instant.

    A text that is none comes back as it is, and one without an offset as a naive datetime: whoever
    takes it knows what it is for, and refuses just that, such as one reading of many.

    Raises:
        InvalidValue: it is no text.
    """
    if not isinstance(value, str):
        raise InvalidValue("DateTime", value, _LIMIT)
    found = _FORM.fullmatch(value)
    # An offset of -00:00 says that the offset is not known.
    if found is None or found[1] == "-00:00":
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


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
