"""Totals: their types, groups of them, and the storages behind them."""

from bisect import bisect_right
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

from energycore.graphql.costs import charged
from energycore.graphql.schema.charges import GROUPED_DEVICES
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
            "at": required(date_time, "totals.at_us", "The instant that is called now."),
            "productionW": watts(
                "production_w",
                "Sum of all positive device power [watts]: generationW + dischargeW.",
            ),
            "consumptionW": watts(
                "consumption_w",
                "Sum of all negative device power, as a positive number [watts]: loadW + chargeW.",
            ),
            "netPowerW": watts(
                "net_power_w",
                "productionW - consumptionW [watts]: positive exports to the grid, negative "
                "imports.",
            ),
            "generationW": watts("generation_w", "What devices without storage produce [watts]."),
            "dischargeW": watts("discharge_w", "What storages give [watts]."),
            "loadW": watts("load_w", "What devices without storage consume [watts]."),
            "chargeW": watts("charge_w", "What storages take [watts]."),
            "deviceCount": required(
                GraphQLInt,
                "totals.device_count",
                "Active devices of counted roles, the silent ones included; totals of power and "
                "storage leave silent ones out.",
            ),
            "silentCount": required(
                GraphQLInt,
                "totals.silent_count",
                "Those among them that have no newest reading, or one that is stale.",
            ),
            "storage": required(
                _storage_summary_type(), "totals.storage", "What the storages hold together."
            ),
            "storageDevices": charged(
                GraphQLField(
                    GraphQLNonNull(storage_connection),
                    page_arguments(),
                    _resolve_storages(storage_kinds),
                    description="Capacity and charge of each battery and vehicle.",
                ),
                GROUPED_DEVICES,
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
            "summary": required(summary, "summary", "What the devices of the group do right now."),
        },
        description="A group of devices and its totals.",
    )


def group_connection(
    context: Operation,
    group: SummaryGroup,
    filter_: DeviceFilter,
    given: Mapping[str, Any],
) -> Connection[GroupNode]:
    """A page of groups with their totals, by the key as it is shown; the null key is last.

    Raises:
        InvalidValue, PageTooLarge, InvalidCursor: the page is not asked for as it must be.
    """
    listing = Listing(context.scope, f"groups:{group.value}")
    key_type = int if group is SummaryGroup.SITE else str
    size = PageRequest(first=given.get("first")).size
    after = given.get("after")
    found = context.insight.summaries(context.scope, group, filter_)
    rest = groups = sorted(found, key=lambda entry: _rank(group, entry[0]))
    if after is not None:
        last = decode_key(listing, "after", after, key_type)
        begin = bisect_right(groups, _rank(group, last), key=lambda entry: _rank(group, entry[0]))
        rest = groups[begin:]
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


def _rank(group: SummaryGroup, key: GroupKey) -> tuple[bool, str]:
    shown = _shown(group, key)
    return (True, "") if shown is None else (False, shown)


def _shown(group: SummaryGroup, key: GroupKey) -> str | None:
    if isinstance(key, int):
        return site_id(key)
    return key.upper() if key is not None and group is SummaryGroup.KIND else key


def _storage_summary_type() -> GraphQLObjectType:
    return GraphQLObjectType(
        "StorageSummary",
        {
            "capacityWh": required(
                GraphQLFloat, "capacity_wh", "What fits into all of them [watt-hours]."
            ),
            "storedWh": required(
                GraphQLFloat, "stored_wh", "Energy inside all of them [watt-hours]."
            ),
            "stateOfCharge": field(
                GraphQLFloat,
                "state_of_charge",
                "storedWh / capacityWh, 0 to 1. Null where there is no storage.",
            ),
            "deviceCount": required(GraphQLInt, "device_count", "How many they are."),
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
