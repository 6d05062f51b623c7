"""The enumerations of the schema; resolvers give and take the members of Python's."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

import attrs
from graphql import GraphQLEnumType, GraphQLEnumValue

from energycore.devices.base import DataSource, Device, StorageMode
from energycore.graphql.schema.kinds import KindShape
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import DeviceOrderField
from energycore.protocols.telemetry import ConflictPolicy
from energycore.telemetry.calendar import Interval
from energycore.telemetry.series import GapPolicy

__all__ = ["Enums", "make_enums", "summary_of"]


_MODES: Final[Mapping[Enum, str]] = {
    StorageMode.CHARGING: "Takes energy in: its power is negative.",
    StorageMode.DISCHARGING: "Gives energy: its power is positive.",
    StorageMode.IDLE: "Neither; by itself once it is full or empty.",
}
_SOURCES: Final[Mapping[Enum, str]] = {
    DataSource.SIMULATED: "A tick moves the device; readings for it are refused.",
    DataSource.REPORTED: "Only its readings change it.",
}
_GAP_POLICIES: Final[Mapping[Enum, str]] = {
    GapPolicy.HOLD: "The power of a reading holds until the next one, and of the newest until now.",
    GapPolicy.LINEAR: "It changes evenly from one reading to the next.",
    GapPolicy.NONE: "Nothing; a reading is a sample without energy.",
}
_CONFLICT_POLICIES: Final[Mapping[Enum, str]] = {
    ConflictPolicy.REJECT: "The reading is rejected.",
    ConflictPolicy.FIRST: "What came first stays, and the reading is only counted.",
    ConflictPolicy.LAST: "The reading takes the place of what was stored.",
}
_INTERVALS: Final[Mapping[Enum, str]] = {
    Interval.QUARTER_HOUR: "15 minutes.",
    Interval.HOUR: "60 minutes of elapsed time, counted from midnight.",
    Interval.DAY: "From midnight to midnight.",
    Interval.WEEK: "From Monday to Monday.",
    Interval.MONTH: "From the first of a month to the first of the next.",
}
_ORDER_FIELDS: Final[Mapping[Enum, str]] = {
    DeviceOrderField.NAME: "By name; letter case does not matter.",
    DeviceOrderField.REGISTERED_AT: "By the time of registration.",
    DeviceOrderField.RATED_POWER: "By the largest power that a device can produce or "
    "draw, declared by each kind.",
}
_GROUPS: Final[Mapping[Enum, str]] = {
    SummaryGroup.SITE: "One group for each site, one for devices without a site.",
    SummaryGroup.KIND: "One group for each kind.",
    SummaryGroup.TAG: "One group for each tag, one for devices without a tag.",
}


@attrs.frozen(kw_only=True)
class Enums:
    """The enumerations of one schema."""

    device_kind: GraphQLEnumType
    storage_mode: GraphQLEnumType
    data_source: GraphQLEnumType
    gap_policy: GraphQLEnumType
    conflict_policy: GraphQLEnumType
    interval: GraphQLEnumType
    order_direction: GraphQLEnumType
    device_order_field: GraphQLEnumType
    summary_group: GraphQLEnumType


def make_enums(shapes: Iterable[KindShape]) -> Enums:
    """Make the enumerations of a schema with these kinds."""
    return Enums(
        device_kind=GraphQLEnumType(
            "DeviceKind",
            {
                shape.enum_value: GraphQLEnumValue(
                    shape.kind.kind, description=summary_of(shape.kind)
                )
                for shape in shapes
            },
            description="What a device is; packages can add kinds.",
        ),
        storage_mode=_of_members(
            "StorageMode",
            _MODES,
            "What a storage does right now.",
        ),
        data_source=_of_members(
            "DataSource",
            _SOURCES,
            "Who says what a device does.",
        ),
        gap_policy=_of_members(
            "GapPolicy",
            _GAP_POLICIES,
            "What is known of the time between two readings that are at most maxGapSeconds apart.",
        ),
        conflict_policy=_of_members(
            "ConflictPolicy",
            _CONFLICT_POLICIES,
            "What happens to a reading whose device and instant are taken by other values.",
        ),
        interval=_of_members(
            "Interval",
            _INTERVALS,
            "The length of buckets along the calendar of a time zone.",
        ),
        order_direction=GraphQLEnumType(
            "OrderDirection",
            # The value tells whether the order is descending.
            {
                "ASC": GraphQLEnumValue(False, description="The least first."),
                "DESC": GraphQLEnumValue(True, description="The greatest first."),
            },
            description="Which end of an order comes first; DESC is the exact reverse of ASC.",
        ),
        device_order_field=_of_members(
            "DeviceOrderField",
            _ORDER_FIELDS,
            "What devices are ordered by; equal ones by registration.",
        ),
        summary_group=_of_members(
            "SummaryGroup",
            _GROUPS,
            "What totals are grouped by.",
        ),
    )


def summary_of(kind: type[Device]) -> str:
    """The first line of a docstring."""
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]


def _of_members(name: str, meanings: Mapping[Enum, str], description: str) -> GraphQLEnumType:
    values = {
        member.name: GraphQLEnumValue(member, description=meaning)
        for member, meaning in meanings.items()
    }
    return GraphQLEnumType(name, values, description=description)
