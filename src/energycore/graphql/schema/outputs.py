"""The object types of sites and devices; those of kinds are made from their classes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from energycore.devices.storage_device import StorageDevice
from energycore.encoding import encode_dispatch
from energycore.graphql import json_text
from energycore.graphql.costs import charged
from energycore.graphql.schema.charges import DEVICE_HISTORY, MODE, READINGS, SITE_OF_DEVICE, STATE
from energycore.graphql.schema.connections import (
    Connection,
    connection_type,
    page_info_type,
)
from energycore.graphql.schema.context import Info
from energycore.graphql.schema.enums import Enums, summary_of
from energycore.graphql.schema.histories import energy_history_type
from energycore.graphql.schema.ids import device_id
from energycore.graphql.schema.inputs import Inputs
from energycore.graphql.schema.kinds import KindShape, RatingShape, rating_shapes
from energycore.graphql.schema.names import ABOUT_ID
from energycore.graphql.schema.nodes import DeviceNode, SiteNode
from energycore.graphql.schema.readings import (
    ReadingNode,
    ReadingsRequest,
    reading_arguments,
    reading_connection_type,
)
from energycore.graphql.schema.resolving import field, required
from energycore.graphql.schema.sites import history_field, site_type
from energycore.graphql.schema.summaries import energy_summary_type, group_summary_type
from energycore.quantities.instants import US_PER_SECOND

__all__ = ["DEVICE_FIELDS", "Outputs", "make_outputs"]

DEVICE_FIELDS: Final = (
    "id",
    "name",
    "kind",
    "site",
    "tags",
    "externalId",
    "isActive",
    "dataSource",
    "maxGapSeconds",
    "gapPolicy",
    "registeredAt",
    "version",
    "state",
    "history",
    "readings",
    "mode",
    "dispatch",
    "dispatchParametersJson",
)
"""Fields of devices that are no ratings, those of storages included."""

_VERSION = (
    "Grows by one with each change of name, site, tags, activity, ratings, gaps or dispatch, never "
    "by ticks, readings or modes. Send it back with an update to detect a concurrent change; a "
    "conflict returns the current device."
)


@attrs.frozen(kw_only=True)
class Outputs:
    """The output types of one schema that root fields name, and those that nothing names."""

    node: GraphQLInterfaceType
    site: GraphQLObjectType
    device: GraphQLInterfaceType
    device_connection: GraphQLObjectType
    site_connection: GraphQLObjectType
    energy_summary: GraphQLObjectType
    energy_history: GraphQLObjectType
    group_connection: GraphQLObjectType
    kinds: tuple[GraphQLObjectType, ...]


def make_outputs(
    shapes: Sequence[KindShape], enums: Enums, inputs: Inputs, date_time: GraphQLScalarType
) -> Outputs:
    """Make the output types of a schema with these kinds."""
    node = _node_type()
    page_info = page_info_type()
    state = _state_type(enums, date_time)
    history = energy_history_type(enums.interval, date_time)
    past = _past_fields(enums, date_time, history, page_info)

    # A thunk, for sites lead back to their devices.
    def shared() -> dict[str, GraphQLField]:
        return {**_device_fields(enums, date_time, site, state), **past}

    def stored() -> dict[str, GraphQLField]:
        return {**shared(), **_ratings(rating_shapes(StorageDevice)), **_storage_fields(enums)}

    device = GraphQLInterfaceType(
        "Device",
        shared,
        interfaces=[node],
        resolve_type=_type_name,
        description="Anything registered that produces, consumes or stores energy.",
    )
    storage_device = GraphQLInterfaceType(
        "StorageDevice",
        stored,
        interfaces=[node, device],
        resolve_type=_type_name,
        description="A device that keeps energy.",
    )
    storages = [shape.kind.kind for shape in shapes if shape.is_storage]
    summary = energy_summary_type(
        date_time,
        connection_type(storage_device, "StorageDevice", page_info, "batteries and vehicles"),
        storages,
    )
    devices = connection_type(device, "Device", page_info, "devices")
    site = site_type(enums, date_time, node, devices, summary, history, inputs)

    def kind_type(shape: KindShape) -> GraphQLObjectType:
        extra = _storage_fields(enums) if shape.is_storage else {}
        return GraphQLObjectType(
            shape.type_name,
            lambda: {**shared(), **_ratings(shape.ratings), **extra},
            interfaces=[node, device, *([storage_device] if shape.is_storage else [])],
            description=summary_of(shape.kind),
        )

    groups = group_summary_type(summary)
    return Outputs(
        node=node,
        site=site,
        device=device,
        device_connection=devices,
        site_connection=connection_type(site, "Site", page_info, "sites"),
        energy_summary=summary,
        energy_history=history,
        group_connection=connection_type(
            groups, "GroupSummary", page_info, "groups", counted=False
        ),
        kinds=tuple(kind_type(shape) for shape in shapes),
    )


def _node_type() -> GraphQLInterfaceType:
    return GraphQLInterfaceType(
        "Node",
        {"id": GraphQLField(GraphQLNonNull(GraphQLID), description=ABOUT_ID)},
        resolve_type=_type_name,
        description="An object with a globally unique, opaque ID.",
    )


def _type_name(node: DeviceNode | SiteNode, _info: object, _type: object) -> str:
    return node.type_name


def _device_fields(
    enums: Enums,
    date_time: GraphQLScalarType,
    site: GraphQLObjectType,
    state: GraphQLObjectType,
) -> dict[str, GraphQLField]:
    return {
        "id": GraphQLField(
            GraphQLNonNull(GraphQLID),
            resolve=lambda node, _: device_id(node.record.id),
            description=ABOUT_ID,
        ),
        "name": required(GraphQLString, "record.device.name", "Unique within its site."),
        "kind": required(enums.device_kind, "record.device.kind", "What it is; never changes."),
        "site": charged(
            field(site, "site", "Where it stands; null if nowhere in particular."), SITE_OF_DEVICE
        ),
        "tags": required(
            _list(GraphQLString),
            "record.tags",
            "Words to find and group it by, in alphabetical order.",
        ),
        "externalId": field(
            GraphQLString,
            "record.external_id",
            "The caller's own key, unique within the tenant; null if none was given.",
        ),
        "isActive": required(
            GraphQLBoolean,
            "record.is_active",
            "Whether it takes part in ticks, totals and readings; its history stays either way.",
        ),
        "dataSource": required(
            enums.data_source, "record.data_source", "Whether ticks or readings say what it does."
        ),
        "maxGapSeconds": GraphQLField(
            GraphQLNonNull(GraphQLFloat),
            resolve=lambda node, _: node.record.max_gap_us / US_PER_SECOND,
            description="How long one reading's power holds [seconds].",
        ),
        "gapPolicy": required(
            enums.gap_policy,
            "record.gap_policy",
            "What is known of the time between two of its readings.",
        ),
        "registeredAt": required(date_time, "record.registered_at_us", "When it was registered."),
        "version": required(GraphQLInt, "record.version", _VERSION),
        "state": charged(
            field(
                state,
                "state",
                "The latest known state; null until the device has reported or been simulated "
                "once.",
            ),
            STATE,
        ),
    }


def _storage_fields(enums: Enums) -> dict[str, GraphQLField]:
    return {
        "mode": charged(
            required(
                enums.storage_mode,
                "mode",
                "What it does now: by its last tick or a newer command; of a reported one by the "
                "sign of its newest power.",
            ),
            MODE,
        ),
        "dispatch": required(
            GraphQLString,
            "record.dispatch.name",
            "The strategy that steers it: manual, self_consumption, ...",
        ),
        "dispatchParametersJson": GraphQLField(
            GraphQLNonNull(GraphQLString),
            resolve=_dispatch_parameters,
            description="The strategy's typed parameters as a JSON object.",
        ),
    }


def _dispatch_parameters(node: DeviceNode, _info: Info) -> str:
    dispatch = node.record.dispatch
    assert dispatch is not None, "storage always has a strategy"
    return json_text.encode(encode_dispatch(dispatch)[1]).decode("utf-8")


def _ratings(ratings: Sequence[RatingShape]) -> dict[str, GraphQLField]:
    return {
        rating.name: required(
            rating.scalar, f"record.device.{rating.attribute}", rating.description
        )
        for rating in ratings
    }


def _state_type(enums: Enums, date_time: GraphQLScalarType) -> GraphQLObjectType:
    return GraphQLObjectType(
        "DeviceState",
        {
            "at": required(date_time, "at_us", "From when on the power holds."),
            "powerW": required(
                GraphQLFloat,
                "power_w",
                "Signed [watts]: positive produces, negative consumes.",
            ),
            "storedWh": field(
                GraphQLFloat,
                "stored_wh",
                "Energy inside at that instant [watt-hours]. Null for a device without storage.",
            ),
            "stateOfCharge": field(
                GraphQLFloat,
                "state_of_charge",
                "Stored energy as a fraction of capacity, 0 to 1. Null for a device without "
                "storage.",
            ),
            "mode": field(
                enums.storage_mode,
                "mode",
                "What it did by the sign of its power. Null for a device without storage.",
            ),
            "isStale": required(
                GraphQLBoolean,
                "is_stale",
                "True when the newest reading is older than the silence limit (twice the step of a "
                "simulated device, twice the max_gap of a reported one): it is then counted in no "
                "total.",
            ),
        },
        description="What a device did from an instant on.",
    )


def _past_fields(
    enums: Enums,
    date_time: GraphQLScalarType,
    history: GraphQLObjectType,
    page_info: GraphQLObjectType,
) -> dict[str, GraphQLField]:
    return {
        "history": history_field(
            enums, date_time, history, "Times in timeZone, by default the site's.", DEVICE_HISTORY
        ),
        "readings": charged(
            GraphQLField(
                GraphQLNonNull(reading_connection_type(date_time, page_info)),
                reading_arguments(date_time),
                _readings,
                description="The raw readings still kept, oldest first.",
            ),
            READINGS,
        ),
    }


def _readings(
    node: DeviceNode, info: Info, *, start: datetime, end: datetime, **given: Any
) -> Connection[ReadingNode]:
    request = ReadingsRequest.of(info.context, start, end, given)
    return node.batch.readings(request)[node.record.id]


def _list(item: Any) -> GraphQLList[Any]:
    return GraphQLList(GraphQLNonNull(item))
