"""The raw readings of devices, in pages of which each device of a list has one."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import attrs
from graphql import (
    GraphQLArgument,
    GraphQLFloat,
    GraphQLObjectType,
    GraphQLScalarType,
)

from energycore.graphql.schema.answers import Answers
from energycore.graphql.schema.connections import Connection, connection_type, page_arguments
from energycore.graphql.schema.context import Operation
from energycore.graphql.schema.cursors import Listing, decode_instant, encode_key
from energycore.graphql.schema.ranges import range_arguments, range_us
from energycore.graphql.schema.resolving import field, required
from energycore.protocols.records import PageRequest
from energycore.quantities.units import MILLI_PER_UNIT
from energycore.telemetry.groups import group_starts
from energycore.telemetry.readings import ReadingBatch

__all__ = [
    "ReadingNode",
    "ReadingsRequest",
    "reading_arguments",
    "reading_connection_type",
    "reading_pages",
]

_ORDER: Final = "readings"


@attrs.define(eq=False)
class ReadingNode:
    """One reading."""

    at_us: int
    power_w: float
    stored_wh: float | None


@attrs.frozen(kw_only=True)
class ReadingsRequest:
    """A page of readings: which range, after which instant, and how many."""

    start_us: int
    end_us: int
    after_us: int | None
    size: int

    @classmethod
    def of(
        cls, context: Operation, start: datetime, end: datetime, given: Mapping[str, Any]
    ) -> "ReadingsRequest":
        """Check what is asked for.

        Raises:
            InvalidValue: it is no range, or the count is negative.
            InstantWithoutZone, InstantOutOfRange: an instant cannot be meant.
            PageTooLarge: the count is too large.
            InvalidCursor: the cursor is none of a list of readings.
        """
        start_us, end_us = range_us(start, end)
        text = given.get("after")
        listing = Listing(context.scope, _ORDER)
        return cls(
            start_us=start_us,
            end_us=end_us,
            after_us=None if text is None else decode_instant(listing, "after", text),
            size=PageRequest(first=given.get("first")).size,
        )


def reading_arguments(date_time: GraphQLScalarType) -> dict[str, GraphQLArgument]:
    """The arguments of a list of readings."""
    return {**range_arguments(date_time), **page_arguments(backward=False)}


def reading_connection_type(
    date_time: GraphQLScalarType, page_info: GraphQLObjectType
) -> GraphQLObjectType:
    """The type ReadingConnection."""
    reading = GraphQLObjectType(
        "Reading",
        {
            "at": required(date_time, "at_us", "From when on the power holds."),
            "powerW": required(
                GraphQLFloat,
                "power_w",
                "Holds from this instant on [watts]: positive produces, negative consumes.",
            ),
            "storedWh": field(
                GraphQLFloat,
                "stored_wh",
                "Energy inside at this instant [watt-hours]; null without storage.",
            ),
        },
        description="What a device did from an instant on, as it was recorded.",
    )
    return connection_type(reading, "Reading", page_info, "readings", counted=False)


def reading_pages(
    context: Operation, ids: Collection[int], request: ReadingsRequest
) -> Mapping[int, Connection[ReadingNode]]:
    """For each of these devices the same page of its readings, oldest first, all at once."""
    histories, scope = context.histories, context.scope
    start_us, after_us = request.start_us, request.after_us
    begin_us = start_us if after_us is None else max(start_us, after_us + 1)

    def passed(_: None) -> frozenset[int]:
        """The devices that have readings before the page."""
        before = histories.first_readings(
            scope, ids, start_us=start_us, end_us=min(begin_us, request.end_us), count=1
        )
        return frozenset(before.device_id.tolist())

    is_passed = Answers(passed)
    found = histories.first_readings(
        scope, ids, start_us=begin_us, end_us=request.end_us, count=request.size + 1
    )
    nodes = _by_device(found)
    listing = Listing(scope, _ORDER)

    def page(device_id: int) -> Connection[ReadingNode]:
        mine = nodes.get(device_id, [])
        shown = mine[: request.size]
        return Connection(
            nodes=shown,
            cursors=[node.at_us for node in shown],
            listing=listing,
            has_next=len(mine) > request.size,
            has_previous=lambda: begin_us > start_us and device_id in is_passed(None),
            encode=encode_key,
        )

    return {device_id: page(device_id) for device_id in ids}


def _by_device(readings: ReadingBatch) -> dict[int, list[ReadingNode]]:
    stored = [None if mwh is None else mwh / MILLI_PER_UNIT for mwh in readings.stored_or_none()]
    columns = readings.at_us.tolist(), readings.power_w.tolist(), stored
    nodes = [ReadingNode(*values) for values in zip(*columns, strict=True)]
    starts = group_starts(readings.device_id).tolist()
    ends = [*starts[1:], len(readings)]
    return {
        int(readings.device_id[start]): nodes[start:end]
        for start, end in zip(starts, ends, strict=False)
    }
