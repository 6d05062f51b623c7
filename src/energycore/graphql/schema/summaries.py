"""Totals: their types, groups of them, and the storages behind them."""

from collections.abc import Mapping, Sequence
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

from energycore.graphql.schema.connections import Connection, page_arguments, page_request
from energycore.graphql.schema.context import Info, Operation
from energycore.graphql.schema.cursors import Listing, decode_key, encode_key
from energycore.graphql.schema.ids import site_id
from energycore.graphql.schema.nodes import (
    DeviceNode,
    GroupedLists,
    SummaryNode,
    device_listing,
)
from energycore.graphql.schema.resolving import Resolver, field, required
from energycore.protocols.groups import GroupKey, SummaryGroup
from energycore.protocols.records import DeviceFilter, DeviceOrder, PageRequest

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
    context: Operation,
    group: SummaryGroup,
    filter_: DeviceFilter,
    given: Mapping[str, Any],
) -> Connection[GroupNode]:
    """A page of groups with their totals, by key; sites by registration; the null key is last.

    Raises:
        InvalidValue, PageTooLarge, InvalidCursor: the page is not asked for as it must be.
    """
    listing = Listing(context.scope, f"groups:{group.value}")
    key_type = int if group is SummaryGroup.SITE else str
    size = PageRequest(first=given.get("first")).size
    after = given.get("after")
    rest = groups = context.insight.summaries(context.scope, group, filter_)
    if after is not None:
        last = decode_key(listing, "after", after, key_type)
        rest = [(key, totals) for key, totals in groups if _rank(key) > _rank(last)]
    page = rest[:size]
    lists = GroupedLists(context, group, [key for key, _ in page])
    return Connection(
        nodes=[
            GroupNode(_shown(group, key), SummaryNode(totals, lists, filter_, key))
            for key, totals in page
        ],
        cursors=[key for key, _ in page],
        listing=listing,
        has_next=len(rest) > size,
        has_previous=len(rest) < len(groups),
        encode=encode_key,
    )


def _rank(key: GroupKey) -> tuple[bool, str | int]:
    return (True, 0) if key is None else (False, key)


def _shown(group: SummaryGroup, key: GroupKey) -> str | None:
    if isinstance(key, int):
        return site_id(key)
    return key.upper() if key is not None and group is SummaryGroup.KIND else key


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

    def resolve(node: SummaryNode, info: Info, **given: Any) -> Connection[DeviceNode]:
        request = page_request(device_listing(info.context, _ORDER), given)
        filter_ = _active_storages(node.filter_, kinds)
        return node.lists.devices(filter_, _ORDER, request, node.key)

    return resolve


def _active_storages(filter_: DeviceFilter, kinds: tuple[str, ...]) -> DeviceFilter:
    if filter_.kinds is not None:
        kinds = tuple(kind for kind in kinds if kind in filter_.kinds)
    # Totals are of active devices; a filter for the others matches none of them.
    ids = () if filter_.is_active is False else filter_.ids
    return attrs.evolve(filter_, kinds=kinds, is_active=True, ids=ids)
