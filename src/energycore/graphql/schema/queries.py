"""The fields of Query."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
)

from energycore.errors import PageTooLarge
from energycore.graphql.costs import charged
from energycore.graphql.schema.charges import (
    DEVICES,
    FILTER_HISTORY,
    GROUPS,
    NODE,
    NODES,
    SITES,
    SUMMARY,
)
from energycore.graphql.schema.connections import Connection, page_arguments, page_request
from energycore.graphql.schema.context import Info, Operation
from energycore.graphql.schema.cursors import Listing
from energycore.graphql.schema.enums import Enums
from energycore.graphql.schema.histories import (
    HistoryNode,
    history_arguments,
    history_of_filter,
    history_request,
)
from energycore.graphql.schema.ids import IdKind, identity
from energycore.graphql.schema.inputs import (
    Inputs,
    device_arguments,
    filter_argument,
    parse_filter,
    parse_order,
)
from energycore.graphql.schema.nodes import (
    DeviceBatch,
    DeviceNode,
    Lists,
    SiteBatch,
    SiteNode,
    SummaryNode,
    device_listing,
)
from energycore.graphql.schema.outputs import Outputs
from energycore.graphql.schema.summaries import GroupNode, group_connection
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import MAX_PAGE
from energycore.protocols.scope import tenant_of

__all__ = ["query_type"]

_SITES: Final = "sites"
_COSTS: Final = {
    "node": NODE,
    "nodes": NODES,
    "device": NODE,
    "devices": DEVICES,
    "site": NODE,
    "sites": SITES,
    "energySummary": SUMMARY,
    "energySummaries": GROUPS,
    "energyHistory": FILTER_HISTORY,
}
_ONE_ID: Final = "Null is the answer to an ID that nothing of this type has."


def query_type(
    outputs: Outputs, inputs: Inputs, enums: Enums, date_time: GraphQLScalarType
) -> GraphQLObjectType:
    """The type Query of a schema."""
    one = {"id": GraphQLArgument(GraphQLNonNull(GraphQLID), out_name="text", description=_ONE_ID)}
    ids = GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLID)))
    filter_ = filter_argument(inputs)
    fields = {
        "node": GraphQLField(outputs.node, one, _node, description="A site or a device."),
        "nodes": GraphQLField(
            GraphQLNonNull(GraphQLList(outputs.node)),
            {"ids": GraphQLArgument(ids, description=f"At most {MAX_PAGE}, in any order.")},
            _nodes,
            description="Sites and devices in the order of the IDs; null for each ID that "
            "nothing has.",
        ),
        "device": GraphQLField(outputs.device, one, _device, description="A device."),
        "devices": GraphQLField(
            GraphQLNonNull(outputs.device_connection),
            device_arguments(inputs),
            _devices,
            description="The devices that match, inactive ones too unless the filter says "
            "otherwise.",
        ),
        "site": GraphQLField(outputs.site, one, _site, description="A site."),
        "sites": GraphQLField(
            GraphQLNonNull(outputs.site_connection),
            page_arguments(),
            _sites,
            description="All sites, by registration.",
        ),
        "energySummary": GraphQLField(
            GraphQLNonNull(outputs.energy_summary),
            {"filter": filter_},
            _energy_summary,
            description="What the active devices that match do right now, together.",
        ),
        "energySummaries": GraphQLField(
            GraphQLNonNull(outputs.group_connection),
            {
                "groupBy": GraphQLArgument(
                    GraphQLNonNull(enums.summary_group),
                    out_name="group",
                    description="What makes the groups.",
                ),
                "filter": filter_,
                **page_arguments(backward=False),
            },
            _energy_summaries,
            description="The same in groups. Ordered by key, by code point; the null key is last.",
        ),
        "energyHistory": GraphQLField(
            GraphQLNonNull(outputs.energy_history),
            {"filter": filter_, **history_arguments(enums.interval, date_time)},
            _energy_history,
            description="What the devices that match now did together. A filter over sites in "
            "several time zones must name one: TIME_ZONE_REQUIRED.",
        ),
    }
    return GraphQLObjectType(
        "Query",
        {name: charged(field, _COSTS[name]) for name, field in fields.items()},
        description="What can be asked. All of one request is read from one state of the storage.",
    )


def _node(_root: object, info: Info, text: str) -> DeviceNode | SiteNode | None:
    return _found(info.context, [text])[0]


def _nodes(_root: object, info: Info, ids: Sequence[str]) -> list[DeviceNode | SiteNode | None]:
    if len(ids) > MAX_PAGE:
        raise PageTooLarge("ids", len(ids), f"at most {MAX_PAGE}")
    return _found(info.context, ids)


def _device(_root: object, info: Info, text: str) -> DeviceNode | None:
    node = _found(info.context, [text])[0]
    return node if isinstance(node, DeviceNode) else None


def _site(_root: object, info: Info, text: str) -> SiteNode | None:
    node = _found(info.context, [text])[0]
    return node if isinstance(node, SiteNode) else None


def _found(context: Operation, ids: Sequence[str]) -> list[DeviceNode | SiteNode | None]:
    """What each ID stands for, in their order; one call for all devices and one for all sites."""
    # IDs that nothing has ask for nothing, and no service would refuse them without a scope.
    tenant_of(context.scope)
    scope = context.scope
    asked = [identity(text) for text in ids]
    device_numbers = {found[1] for found in asked if found and found[0] is IdKind.DEVICE}
    site_numbers = {found[1] for found in asked if found and found[0] is IdKind.SITE}
    devices = context.insight.devices_by_id(scope, device_numbers) if device_numbers else {}
    sites = context.insight.sites_by_id(scope, site_numbers) if site_numbers else {}
    device_batch = DeviceBatch(context, devices.values())
    site_batch = SiteBatch(context, sites.values())
    nodes: dict[tuple[IdKind, int] | None, DeviceNode | SiteNode] = {}
    nodes |= {(IdKind.DEVICE, number): device_batch.node(r) for number, r in devices.items()}
    nodes |= {(IdKind.SITE, number): site_batch.node(r) for number, r in sites.items()}
    return [nodes.get(key) for key in asked]


def _devices(
    _root: object,
    info: Info,
    *,
    filter_: Mapping[str, Any] | None = None,
    order_by: Mapping[str, Any] | None = None,
    **given: Any,
) -> Connection[DeviceNode]:
    context: Operation = info.context
    chosen, order = parse_filter(filter_), parse_order(order_by)
    request = page_request(device_listing(context, order), given)
    return Lists(context).devices(chosen, order, request)


def _sites(_root: object, info: Info, **given: Any) -> Connection[SiteNode]:
    context: Operation = info.context
    listing = Listing(context.scope, _SITES)
    page = context.insight.sites(context.scope, page_request(listing, given))
    batch = SiteBatch(context, page.items)
    return Connection(
        nodes=[batch.node(record) for record in page.items],
        cursors=page.cursors,
        listing=listing,
        has_next=page.has_next,
        has_previous=page.has_previous,
        count=lambda: context.insight.site_count(context.scope),
    )


def _energy_summary(
    _root: object, info: Info, *, filter_: Mapping[str, Any] | None = None
) -> SummaryNode:
    context: Operation = info.context
    chosen = parse_filter(filter_)
    return SummaryNode(context.insight.summary(context.scope, chosen), Lists(context), chosen)


def _energy_summaries(
    _root: object,
    info: Info,
    *,
    group: SummaryGroup,
    filter_: Mapping[str, Any] | None = None,
    **given: Any,
) -> Connection[GroupNode]:
    return group_connection(info.context, group, parse_filter(filter_), given)


def _energy_history(
    _root: object, info: Info, *, filter_: Mapping[str, Any] | None = None, **given: Any
) -> HistoryNode:
    request = history_request(info.context, given)
    return history_of_filter(info.context, parse_filter(filter_), request)
