"""Totals: their types, groups of them, and the storages behind them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from graphql import (
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from energycore.fleet.summary import EnergySummary
from energycore.graphql.schema.connections import Connection, page_arguments, page_request
from energycore.graphql.schema.context import GraphQLContext, Info
from energycore.graphql.schema.cursors import decode_key, encode_key
from energycore.graphql.schema.ids import site_id
from energycore.graphql.schema.nodes import (
    DeviceBatch,
    DeviceNode,
    SummaryNode,
    device_connection,
    device_order_name,
)
from energycore.graphql.schema.resolving import Resolver, field, required
from energycore.protocols.records import (
    MAX_PAGE,
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    Page,
    PageRequest,
)
from energycore.services.insight import Insight, SummaryGroup

__all__ = ["GroupNode", "energy_summary_type", "group_connection", "group_summary_type"]

_ORDER: Final = DeviceOrder()


@attrs.define(eq=False)
class GroupNode:
    """The totals of one group."""

    key: str | None
    summary: SummaryNode


def energy_summary_type(
    date_time: GraphQLScalarType,
    storage_connection: GraphQLObjectType,
    storage_kinds: Sequence[str],
) -> GraphQLObjectType:
    """The type EnergySummary; `storage_kinds` are the names of the kinds that keep energy."""

    def watts(name: str, description: str | None = None) -> GraphQLField:
        return required(GraphQLFloat, f"totals.{name}", description)

    return GraphQLObjectType(
        "EnergySummary",
        {
            "at": required(date_time, "totals.at_us"),
            "productionW": watts(
                "production_w", "Sum of all positive device power: generationW + dischargeW."
            ),
            "consumptionW": watts(
                "consumption_w",
                "Sum of all negative device power, as a positive number: loadW + chargeW.",
            ),
            "netPowerW": watts(
                "net_power_w",
                "productionW - consumptionW: positive exports to the grid, negative imports.",
            ),
            "generationW": watts("generation_w", "What devices without storage produce."),
            "dischargeW": watts("discharge_w", "What storages give."),
            "loadW": watts("load_w", "What devices without storage consume."),
            "chargeW": watts("charge_w", "What storages take."),
            "deviceCount": required(
                GraphQLInt,
                "totals.device_count",
                "Active devices of counted roles, the silent ones included; totals of power and "
                "storage leave silent ones out.",
            ),
            "silentCount": required(GraphQLInt, "totals.silent_count"),
            "storage": required(_storage_summary_type(), "totals.storage"),
            "storageDevices": GraphQLField(
                GraphQLNonNull(storage_connection),
                page_arguments(),
                _resolve_storages(storage_kinds),
                description="Capacity and charge of each battery and vehicle.",
            ),
        },
        description="What the chosen active devices do right now. A silent device is never counted "
        "as zero watts: it is counted in silentCount.",
    )


def group_summary_type(summary: GraphQLObjectType) -> GraphQLObjectType:
    """The type GroupSummary."""
    return GraphQLObjectType(
        "GroupSummary",
        {
            "key": field(
                GraphQLString,
                "key",
                "The site's ID, the kind or the tag; null for devices without site or tag. "
                "A device with two tags counts in both.",
            ),
            "summary": required(summary, "summary"),
        },
    )


def group_connection(
    context: GraphQLContext,
    group: SummaryGroup,
    filter_: DeviceFilter,
    given: Mapping[str, Any],
) -> Connection[GroupNode]:
    """A page of groups with their totals, by key; sites by registration; the null key is last.

    Raises:
        InvalidValue, PageTooLarge, InvalidCursor: the page is not asked for as it must be.
    """
    order = f"groups:{group.value}"
    key_type = int if group is SummaryGroup.SITE else str
    size = PageRequest(first=given.get("first")).size
    after = given.get("after")
    rest = groups = context.services.insight.summaries(context.scope, group, filter_)
    if after is not None:
        last = decode_key(order, "after", after, key_type)
        rest = [(key, totals) for key, totals in groups if _rank(key) > _rank(last)]
    page = rest[:size]
    return Connection(
        nodes=[_group_node(context, group, filter_, key, totals) for key, totals in page],
        cursors=[key for key, _ in page],
        order=order,
        has_next=len(rest) > size,
        has_previous=len(rest) < len(groups),
        encode=encode_key,
    )


def _rank(key: str | int | None) -> tuple[bool, str | int]:
    return (True, 0) if key is None else (False, key)


def _group_node(
    context: GraphQLContext,
    group: SummaryGroup,
    filter_: DeviceFilter,
    key: str | int | None,
    totals: EnergySummary,
) -> GroupNode:
    if group is SummaryGroup.KIND:
        own = attrs.evolve(filter_, kinds=(str(key),))
        return GroupNode(str(key).upper(), SummaryNode(totals, context, own))
    if group is SummaryGroup.SITE:
        if key is not None:
            own = attrs.evolve(filter_, site_ids=(int(key),))
            return GroupNode(site_id(int(key)), SummaryNode(totals, context, own))
        return GroupNode(
            None, SummaryNode(totals, context, filter_, lambda record: record.site_id is None)
        )
    if key is None:
        return GroupNode(None, SummaryNode(totals, context, filter_, lambda r: not r.tags))
    tag = str(key)
    if filter_.tags is None or tag in filter_.tags:
        # Who carries the tag carries one of those that are asked for.
        own = attrs.evolve(filter_, tags=(tag,))
        return GroupNode(tag, SummaryNode(totals, context, own))
    return GroupNode(tag, SummaryNode(totals, context, filter_, lambda r: tag in r.tags))


def _storage_summary_type() -> GraphQLObjectType:
    return GraphQLObjectType(
        "StorageSummary",
        {
            "capacityWh": required(GraphQLFloat, "capacity_wh"),
            "storedWh": required(GraphQLFloat, "stored_wh"),
            "stateOfCharge": field(
                GraphQLFloat, "state_of_charge", "Null where there is no storage."
            ),
            "deviceCount": required(GraphQLInt, "device_count"),
        },
        description="The storages whose charge is known and that are not silent.",
    )


def _resolve_storages(storage_kinds: Sequence[str]) -> Resolver:
    kinds = tuple(storage_kinds)

    def resolve(node: SummaryNode, _info: Info, **given: Any) -> Connection[DeviceNode]:
        request = page_request(device_order_name(_ORDER), given)
        filter_ = _active_storages(node.filter_, kinds)
        if node.belongs is not None:
            return _sift(node, filter_, request)
        page = node.context.services.insight.find(node.context.scope, filter_, _ORDER, request)
        return device_connection(node.context, page, _ORDER, filter_)

    return resolve


def _active_storages(filter_: DeviceFilter, kinds: tuple[str, ...]) -> DeviceFilter:
    if filter_.kinds is not None:
        kinds = tuple(kind for kind in kinds if kind in filter_.kinds)
    # Totals are of active devices; a filter for the others matches none of them.
    ids = () if filter_.is_active is False else filter_.ids
    return attrs.evolve(filter_, kinds=kinds, is_active=True, ids=ids)


def _sift(node: SummaryNode, filter_: DeviceFilter, request: PageRequest) -> Connection[DeviceNode]:
    """A page of a group that no filter describes: go through the list and pick."""
    assert node.belongs is not None
    belongs, context = node.belongs, node.context
    found: list[Any] = []
    for page in _pages(context, filter_, request):
        chosen = [pair for pair in zip(page.items, page.cursors, strict=True) if belongs(pair[0])]
        found = chosen + found if request.from_end else found + chosen
        if len(found) > request.size:
            break
    more = len(found) > request.size
    found = found[-request.size or len(found) :] if request.from_end else found[: request.size]
    batch = DeviceBatch(context, (record for record, _ in found))
    return Connection(
        nodes=[batch.node(record) for record, _ in found],
        cursors=[place for _, place in found],
        order=device_order_name(_ORDER),
        has_next=request.before is not None if request.from_end else more,
        has_previous=more if request.from_end else request.after is not None,
        count=lambda: sum(
            belongs(record) for record in _all(_pages(context, filter_, PageRequest()))
        ),
    )


def _all(pages: Iterable[Page[DeviceRecord]]) -> Iterable[DeviceRecord]:
    return (record for page in pages for record in page.items)


def _pages(
    context: GraphQLContext, filter_: DeviceFilter, request: PageRequest
) -> Iterable[Page[DeviceRecord]]:
    insight: Insight = context.services.insight
    after, before = request.after, request.before
    while True:
        if request.from_end:
            step = PageRequest(last=MAX_PAGE, after=after, before=before)
        else:
            step = PageRequest(first=MAX_PAGE, after=after, before=before)
        page = insight.find(context.scope, filter_, _ORDER, step)
        yield page
        if not page.cursors or not (page.has_previous if request.from_end else page.has_next):
            return
        if request.from_end:
            before = page.cursors[0]
        else:
            after = page.cursors[-1]
