"""Histories of devices, sites and filters: buckets with their energy, power and coverage."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from energycore.errors import InvalidValue, TooManyBuckets
from energycore.graphql.costs import charged
from energycore.graphql.schema.answers import Answers
from energycore.graphql.schema.charges import BUCKET_VALUE
from energycore.graphql.schema.context import Operation
from energycore.graphql.schema.names import ABOUT_ZONE, camel
from energycore.graphql.schema.ranges import range_arguments, range_us
from energycore.graphql.schema.resolving import field, required
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import to_epoch_us
from energycore.services.histories import HistoryRequest
from energycore.telemetry.calendar import most_buckets
from energycore.telemetry.history import EnergyBucket, EnergyHistory

__all__ = [
    "MAX_HISTORIES",
    "HistoryNode",
    "device_histories",
    "energy_history_type",
    "history_arguments",
    "history_of_filter",
    "history_request",
    "site_histories",
]

MAX_HISTORIES: Final = 10
"""A request may have the buckets of so many histories that are as long as one may be."""

_MAX_INT: Final = (1 << 31) - 1


@attrs.define(eq=False)
class HistoryNode:
    """A history, and where the least and greatest power of its buckets are looked up.

    Args:
        history: what was found at once.
        whole: gives the same buckets with least and greatest power, where the history lacks them.
    """

    history: EnergyHistory
    _whole: Callable[[], EnergyHistory] | None = None

    @property
    def buckets(self) -> "list[_BucketNode]":
        """Each bucket, which knows its place."""
        return [_BucketNode(bucket, self, i) for i, bucket in enumerate(self.history.buckets)]

    def extremes(self, position: int) -> EnergyBucket:
        """The bucket at a position, with least and greatest power."""
        whole = self.history if self._whole is None else self._whole()
        return whole.buckets[position]


@attrs.define(eq=False)
class _BucketNode:
    bucket: EnergyBucket
    node: HistoryNode
    position: int

    @property
    def start_us(self) -> int:
        return to_epoch_us(self.bucket.start)

    @property
    def end_us(self) -> int:
        return to_epoch_us(self.bucket.end)

    @property
    def min_power_w(self) -> float | None:
        return self.node.extremes(self.position).min_power_w

    @property
    def max_power_w(self) -> float | None:
        return self.node.extremes(self.position).max_power_w

    @property
    def reading_count(self) -> int:
        count = self.bucket.reading_count
        if count > _MAX_INT:
            limit = (
                f"at most {_MAX_INT}, the largest Int: ask for shorter intervals or leave it out"
            )
            raise InvalidValue("readingCount", count, limit)
        return count


def history_arguments(
    interval: GraphQLEnumType, date_time: GraphQLScalarType
) -> dict[str, GraphQLArgument]:
    """The arguments of a history."""
    return {
        **range_arguments(date_time),
        "interval": GraphQLArgument(
            GraphQLNonNull(interval), description="The length of the buckets."
        ),
        "timeZone": GraphQLArgument(
            GraphQLString,
            out_name="time_zone",
            description=f"{ABOUT_ZONE} The site's unless given.",
        ),
    }


def history_request(context: Operation, given: Mapping[str, Any]) -> HistoryRequest:
    """Read the arguments of a history.

    Raises:
        InvalidValue: it is no range.
        InstantWithoutZone, InstantOutOfRange: an instant cannot be meant.
        UnknownTimeZone: there is no such zone.
        TooManyBuckets: the range has more of these intervals than one history may.
    """
    range_us(given["start"], given["end"])
    with _words_of_the_schema():
        return context.services.histories.request(**given)


def device_histories(
    context: Operation, ids: Collection[int], request: HistoryRequest
) -> Mapping[int, EnergyHistory]:
    """The history of each of these devices, all at once.

    Raises:
        TooManyBuckets: the histories of the request hold more than one may.
        ResolutionNotKept: only totals of another calendar are left.
    """
    _spend(context, request, len(ids))
    return context.histories.of_devices(context.scope, ids, request)


def site_histories(
    context: Operation, ids: Collection[int], request: HistoryRequest
) -> Mapping[int, EnergyHistory]:
    """The history of each of these sites, all at once.

    Raises:
        TooManyBuckets: the histories of the request hold more than one may.
        ResolutionNotKept: only totals of another calendar are left.
    """
    _spend(context, request, len(ids))
    return context.histories.of_sites(context.scope, ids, request)


def history_of_filter(
    context: Operation, filter_: DeviceFilter, request: HistoryRequest
) -> HistoryNode:
    """The history of all devices that match.

    Least and greatest power need all their readings, and are looked up where they are asked for.

    Raises:
        TooManyBuckets: the histories of the request hold more than one may.
        TimeZoneRequired: no zone is named, and the devices are in several.
        ResolutionNotKept: only totals of another calendar are left.
    """
    _spend(context, request, 1)
    histories, scope = context.histories, context.scope
    # Of all devices together they are kept.
    is_whole = filter_ == DeviceFilter()
    with _words_of_the_schema():
        found = histories.of_filter(scope, filter_, request, extremes=is_whole)
    if is_whole:
        return HistoryNode(found)
    whole: Answers[None, EnergyHistory] = Answers(
        lambda _: histories.of_filter(scope, filter_, request, extremes=True)
    )
    return HistoryNode(found, lambda: whole(None))


def _spend(context: Operation, request: HistoryRequest, count: int) -> None:
    """Count the buckets of some histories among those of the request, before they are made."""
    each = most_buckets(request.start_us, request.end_us, request.interval)
    most = MAX_HISTORIES * context.services.histories.max_buckets
    context.bucket_count += count * each
    if context.bucket_count > most:
        limit = (
            f"of at most {most} buckets in all histories of a request: ask for a shorter range, "
            "longer intervals or fewer histories"
        )
        raise TooManyBuckets("range", f"{context.bucket_count} {request.interval.value}s", limit)


@contextmanager
def _words_of_the_schema() -> Iterator[None]:
    """Let refused arguments be called what the client calls them."""
    try:
        yield
    except InvalidValue as error:
        raise type(error)(camel(error.field), error.value, error.limit) from error


def energy_history_type(
    interval: GraphQLEnumType, date_time: GraphQLScalarType
) -> GraphQLObjectType:
    """The type EnergyHistory."""
    bucket = _bucket_type(interval, date_time)
    return GraphQLObjectType(
        "EnergyHistory",
        {
            "requestedInterval": required(
                interval, "history.requested_interval", "What was asked for."
            ),
            "interval": required(
                interval,
                "history.interval",
                "The coarsest interval in the answer: coarser than requested where no finer one is "
                "kept.",
            ),
            "timeZone": required(
                GraphQLString, "history.time_zone", "The zone whose calendar the buckets follow."
            ),
            "buckets": required(
                GraphQLList(GraphQLNonNull(bucket)), "buckets", "In the order of time, no gaps."
            ),
        },
        description="Buckets that tile [from, to) along the calendar of timeZone. Where only "
        "coarser ones are kept, the first may begin before it and the last end after it.",
    )


def _bucket_type(interval: GraphQLEnumType, date_time: GraphQLScalarType) -> GraphQLObjectType:
    def maybe(path: str, description: str | None = None) -> GraphQLField:
        return field(GraphQLFloat, path, description)

    type_ = GraphQLObjectType(
        "EnergyBucket",
        {
            "interval": required(interval, "bucket.interval", "Its length along the calendar."),
            "startAt": required(date_time, "start_us", "Its first instant."),
            "endAt": required(date_time, "end_us", "The first instant after it."),
            "coverage": required(
                GraphQLFloat,
                "bucket.coverage",
                "Covered device-time / expected device-time of the active devices, 0 to 1. Where "
                "it is 0 the values are null, never zero.",
            ),
            "readingCount": required(
                GraphQLInt, "reading_count", "How many readings the values are of."
            ),
            "meanPowerW": maybe(
                "bucket.mean_power_w", "Time-weighted mean over the covered time [watts], signed."
            ),
            "minPowerW": maybe(
                "min_power_w",
                "Least power [watts] of all devices together while all are covered; null where the "
                "readings that tell it are gone.",
            ),
            "maxPowerW": maybe("max_power_w", "Greatest power [watts], known as minPowerW is."),
            "producedWh": maybe(
                "bucket.produced_wh",
                "Sum over the devices of the energy of their positive power [watt-hours].",
            ),
            "consumedWh": maybe(
                "bucket.consumed_wh",
                "Sum over the devices of the energy of their negative power, as a positive number "
                "[watt-hours].",
            ),
            "netWh": maybe("bucket.net_wh", "producedWh - consumedWh [watt-hours]."),
            "meanStateOfCharge": maybe(
                "bucket.mean_state_of_charge",
                "Time-weighted mean of stored energy as a fraction of capacity, 0 to 1; null "
                "without storage.",
            ),
        },
        description="What one or more devices did from startAt until endAt.",
    )
    for value in type_.fields.values():
        charged(value, BUCKET_VALUE)
    return type_
