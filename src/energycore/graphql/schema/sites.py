"""The type Site, and the field `history` that sites share with devices."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from energycore.graphql.costs import FieldCost, charged
from energycore.graphql.schema.charges import GROUPED_DEVICES, SITE_HISTORY, SUMMARY_OF_SITE
from energycore.graphql.schema.connections import Connection, page_request
from energycore.graphql.schema.context import Info
from energycore.graphql.schema.enums import Enums
from energycore.graphql.schema.histories import HistoryNode, history_arguments, history_request
from energycore.graphql.schema.ids import site_id
from energycore.graphql.schema.inputs import Inputs, device_arguments, parse_filter, parse_order
from energycore.graphql.schema.names import ABOUT_ID, ABOUT_ZONE
from energycore.graphql.schema.nodes import DeviceNode, SiteNode, device_listing
from energycore.graphql.schema.resolving import field, required

__all__ = ["history_field", "site_type"]


def site_type(
    enums: Enums,
    date_time: GraphQLScalarType,
    node: GraphQLInterfaceType,
    devices: GraphQLObjectType,
    summary: GraphQLObjectType,
    history: GraphQLObjectType,
    inputs: Inputs,
) -> GraphQLObjectType:
    """The type Site of a schema, which leads to lists, totals and histories of its other types."""
    return GraphQLObjectType(
        "Site",
        {
            "id": GraphQLField(
                GraphQLNonNull(GraphQLID),
                resolve=lambda node, _: site_id(node.record.id),
                description=ABOUT_ID,
            ),
            "name": required(GraphQLString, "record.site.name", "What people call it."),
            "timeZone": required(
                GraphQLString,
                "record.site.time_zone",
                f"Where its days begin and end: {ABOUT_ZONE}",
            ),
            "latitude": field(
                GraphQLFloat, "record.site.latitude", "Degrees, + north; null if not known."
            ),
            "longitude": field(
                GraphQLFloat, "record.site.longitude", "Degrees, + east; null if not known."
            ),
            "externalId": field(
                GraphQLString,
                "record.external_id",
                "The caller's own key, unique within the tenant; null if none was given.",
            ),
            "registeredAt": required(
                date_time, "record.registered_at_us", "When it was registered."
            ),
            "version": required(GraphQLInt, "record.version", "Grows by one with each change."),
            "devices": charged(
                GraphQLField(
                    GraphQLNonNull(devices),
                    device_arguments(inputs),
                    _site_devices,
                    description="Its devices that match, inactive ones too unless the filter says "
                    "otherwise.",
                ),
                GROUPED_DEVICES,
            ),
            "summary": charged(
                GraphQLField(
                    GraphQLNonNull(summary),
                    resolve=lambda node, _: node.batch.summary(node.record.id),
                    description="What its active devices do right now, together.",
                ),
                SUMMARY_OF_SITE,
            ),
            "history": history_field(
                enums,
                date_time,
                history,
                "What its devices did while they were here. Times in timeZone, by default its own.",
                SITE_HISTORY,
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


def history_field(
    enums: Enums,
    date_time: GraphQLScalarType,
    history: GraphQLObjectType,
    description: str,
    cost: FieldCost,
) -> GraphQLField:
    """The field `history` of sites and devices, whose batches look it up."""
    return charged(
        GraphQLField(
            GraphQLNonNull(history),
            history_arguments(enums.interval, date_time),
            _history,
            description=description,
        ),
        cost,
    )


def _history(node: DeviceNode | SiteNode, info: Info, **given: Any) -> HistoryNode:
    request = history_request(info.context, given)
    return HistoryNode(node.batch.histories(request)[node.record.id])
