"""The enumerations of the schema; resolvers give and take the members of Python's."""

from collections.abc import Iterable
from enum import Enum

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
        storage_mode=_of_members("StorageMode", StorageMode, "What a storage does right now."),
        data_source=_of_members(
            "DataSource",
            DataSource,
            "SIMULATED: a tick moves the device and readings for it are refused. "
            "REPORTED: only its readings change it.",
        ),
        gap_policy=_of_members(
            "GapPolicy",
            GapPolicy,
            "What is known of the time between two readings that are at most maxGapSeconds apart. "
            "HOLD: the power of a reading holds until the next one, and of the newest until now. "
            "LINEAR: it changes evenly from one reading to the next. NONE: nothing; a reading is "
            "a sample without energy.",
        ),
        conflict_policy=_of_members(
            "ConflictPolicy",
            ConflictPolicy,
            "What happens to a reading whose device and instant are taken by other values. "
            "REJECT: it is rejected. FIRST: what came first stays, and the reading is only "
            "counted. LAST: it takes the place of what was stored.",
        ),
        interval=_of_members(
            "Interval", Interval, "The length of buckets along a calendar; weeks begin on Monday."
        ),
        # The value tells whether the order is descending.
        order_direction=GraphQLEnumType(
            "OrderDirection",
            {"ASC": GraphQLEnumValue(False), "DESC": GraphQLEnumValue(True)},
        ),
        device_order_field=_of_members(
            "DeviceOrderField",
            DeviceOrderField,
            "RATED_POWER: the largest power that a device can produce or draw, declared by each "
            "kind.",
        ),
        summary_group=_of_members("SummaryGroup", SummaryGroup, "What totals are grouped by."),
    )


def summary_of(kind: type[Device]) -> str:
    """The first line of a docstring."""
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]


def _of_members(name: str, enum: type[Enum], description: str) -> GraphQLEnumType:
    values = {member.name: GraphQLEnumValue(member) for member in enum}
    return GraphQLEnumType(name, values, description=description)
