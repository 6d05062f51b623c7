"""The object types of sites and devices; those of kinds are made from their classes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from graphql import (
    GraphQLArgument,
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
from energycore.graphql.schema.connections import (
    Connection,
    connection_type,
    page_arguments,
    page_info_type,
    page_request,
)
from energycore.graphql.schema.context import Info
from energycore.graphql.schema.enums import Enums, summary_of
from energycore.graphql.schema.histories import (
    HistoryNode,
    energy_history_type,
    history_arguments,
    history_request,
)
from energycore.graphql.schema.ids import device_id, site_id
from energycore.graphql.schema.inputs import Inputs, parse_filter, parse_order
from energycore.graphql.schema.kinds import KindShape, RatingShape, rating_shapes
from energycore.graphql.schema.nodes import DeviceNode, SiteNode, device_listing
from energycore.graphql.schema.readings import (
    ReadingNode,
    ReadingsRequest,
    reading_arguments,
    reading_connection_type,
)
from energycore.graphql.schema.resolving import field, required
from energycore.graphql.schema.summaries import energy_summary_type, group_summary_type
from energycore.quantities.instants import US_PER_SECOND

__all__ = ["DEVICE_FIELDS", "Outputs", "device_arguments", "make_outputs"]

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


def device_arguments(inputs: Inputs) -> dict[str, GraphQLArgument]:
    """The arguments of a list of devices."""
    return {
        "filter": GraphQLArgument(inputs.device_filter, out_name="filter_"),
        "orderBy": GraphQLArgument(inputs.device_order, out_name="order_by"),
        **page_arguments(),
    }


def make_outputs(
    shapes: Sequence[KindShape], enums: Enums, inputs: Inputs, date_time: GraphQLScalarType
) -> Outputs:
    """Make the output types of a schema with these kinds."""
    node = GraphQLInterfaceType(
        "Node",
        {"id": GraphQLField(GraphQLNonNull(GraphQLID))},
        resolve_type=_type_name,
        description="An object with a globally unique, opaque ID.",
    )
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
        date_time, connection_type(storage_device, "StorageDevice", page_info), storages
    )
    devices = connection_type(device, "Device", page_info)
    site = _site_type(enums, date_time, node, devices, summary, history, inputs)

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
        site_connection=connection_type(site, "Site", page_info),
        energy_summary=summary,
        energy_history=history,
        group_connection=connection_type(groups, "GroupSummary", page_info, counted=False),
        kinds=tuple(kind_type(shape) for shape in shapes),
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
            GraphQLNonNull(GraphQLID), resolve=lambda node, _: device_id(node.record.id)
        ),
        "name": required(GraphQLString, "record.device.name"),
        "kind": required(enums.device_kind, "record.device.kind"),
        "site": field(site, "site"),
        "tags": required(_list(GraphQLString), "record.tags"),
        "externalId": field(GraphQLString, "record.external_id", "The caller's own key."),
        "isActive": required(GraphQLBoolean, "record.is_active"),
        "dataSource": required(enums.data_source, "record.data_source"),
        "maxGapSeconds": GraphQLField(
            GraphQLNonNull(GraphQLFloat),
            resolve=lambda node, _: node.record.max_gap_us / US_PER_SECOND,
            description="How long one reading's power holds [seconds].",
        ),
        "gapPolicy": required(enums.gap_policy, "record.gap_policy"),
        "registeredAt": required(date_time, "record.registered_at_us"),
        "version": required(GraphQLInt, "record.version", _VERSION),
        "state": field(
            state,
            "state",
            "The latest known state; null until the device has reported or been simulated once.",
        ),
    }


def _storage_fields(enums: Enums) -> dict[str, GraphQLField]:
    return {
        "mode": required(enums.storage_mode, "mode"),
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
            "at": required(date_time, "at_us"),
            "powerW": required(
                GraphQLFloat, "power_w", "Signed: positive produces, negative consumes."
            ),
            "storedWh": field(GraphQLFloat, "stored_wh", "Null for a device without storage."),
            "stateOfCharge": field(
                GraphQLFloat,
                "state_of_charge",
                "Stored energy as a fraction of capacity, 0 to 1.",
            ),
            "mode": field(enums.storage_mode, "mode"),
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


def _site_type(
    enums: Enums,
    date_time: GraphQLScalarType,
    node: GraphQLInterfaceType,
    devices: GraphQLObjectType,
    summary: GraphQLObjectType,
    history: GraphQLObjectType,
    inputs: Inputs,
) -> GraphQLObjectType:
    return GraphQLObjectType(
        "Site",
        {
            "id": GraphQLField(
                GraphQLNonNull(GraphQLID), resolve=lambda node, _: site_id(node.record.id)
            ),
            "name": required(GraphQLString, "record.site.name"),
            "timeZone": required(
                GraphQLString, "record.site.time_zone", "IANA name, such as Europe/Berlin."
            ),
            "latitude": field(GraphQLFloat, "record.site.latitude", "Degrees, + north."),
            "longitude": field(GraphQLFloat, "record.site.longitude", "Degrees, + east."),
            "externalId": field(GraphQLString, "record.external_id", "The caller's own key."),
            "registeredAt": required(date_time, "record.registered_at_us"),
            "version": required(GraphQLInt, "record.version", "Grows by one with each change."),
            "devices": GraphQLField(
                GraphQLNonNull(devices), device_arguments(inputs), _site_devices
            ),
            "summary": GraphQLField(
                GraphQLNonNull(summary), resolve=lambda node, _: node.batch.summary(node.record.id)
            ),
            "history": _history_field(
                enums,
                date_time,
                history,
                "What its devices did while they were here. Times in timeZone, by default its own.",
            ),
        },
        interfaces=[node],
        description="A home or building: a place, a time zone, and the devices in it.",
    )


def _site_devices(
    node: SiteNode,
    info: Info,
    *,
    filter_: Mapping[str, Any] | None = None,
    order_by: Mapping[str, Any] | None = None,
    **given: Any,
) -> Connection[DeviceNode]:
    order = parse_order(order_by)
    request = page_request(device_listing(info.context, order), given)
    return node.batch.devices(node.record.id, parse_filter(filter_), order, request)


def _past_fields(
    enums: Enums,
    date_time: GraphQLScalarType,
    history: GraphQLObjectType,
    page_info: GraphQLObjectType,
) -> dict[str, GraphQLField]:
    return {
        "history": _history_field(
            enums, date_time, history, "Times in timeZone, by default the site's."
        ),
        "readings": GraphQLField(
            GraphQLNonNull(reading_connection_type(date_time, page_info)),
            reading_arguments(date_time),
            _readings,
            description="The raw readings still kept, oldest first.",
        ),
    }


def _history_field(
    enums: Enums, date_time: GraphQLScalarType, history: GraphQLObjectType, description: str
) -> GraphQLField:
    return GraphQLField(
        GraphQLNonNull(history),
        history_arguments(enums.interval, date_time),
        _history,
        description=description,
    )


def _history(node: DeviceNode | SiteNode, info: Info, **given: Any) -> HistoryNode:
    request = history_request(info.context, given)
    return HistoryNode(node.batch.histories(request)[node.record.id])


def _readings(
    node: DeviceNode, info: Info, *, start: datetime, end: datetime, **given: Any
) -> Connection[ReadingNode]:
    request = ReadingsRequest.of(info.context, start, end, given)
    return node.batch.readings(request)[node.record.id]


def _list(item: Any) -> GraphQLList[Any]:
    return GraphQLList(GraphQLNonNull(item))
