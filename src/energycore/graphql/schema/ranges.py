"""The arguments `from` and `to` of fields that answer about a range of time."""

from datetime import datetime

from graphql import GraphQLArgument, GraphQLNonNull, GraphQLScalarType

from energycore.errors import InvalidValue
from energycore.quantities.instants import to_epoch_us

__all__ = ["range_arguments", "range_us"]


def range_arguments(date_time: GraphQLScalarType) -> dict[str, GraphQLArgument]:
    """The arguments of a range."""
    return {
        "from": GraphQLArgument(
            GraphQLNonNull(date_time), out_name="start", description="The beginning of the range."
        ),
        "to": GraphQLArgument(
            GraphQLNonNull(date_time),
            out_name="end",
            description="The end of the range, not in it itself.",
        ),
    }


def range_us(start: datetime, end: datetime) -> tuple[int, int]:
    """A range in epoch microseconds.

    Raises:
        InvalidValue: one of them is no instant, or the end is not after the start.
        InstantWithoutZone: one has no offset.
        InstantOutOfRange: one cannot be meant.
    """
    start_us, end_us = to_epoch_us(start, "from"), to_epoch_us(end, "to")
    if end_us <= start_us:
        raise InvalidValue("to", end, f"after from ({start.isoformat()})")
    return start_us, end_us
