"""The fields of Subscription: each answers for one event, which says what it is about.

An event is the root value of one execution. What its resolver finds out for whoever made the event
is written back into it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
)

from energycore.graphql.costs import charged
from energycore.graphql.schema.charges import STATES, SUMMARY
from energycore.graphql.schema.context import Info, Operation
from energycore.graphql.schema.inputs import Inputs, filter_argument, parse_filter
from energycore.graphql.schema.nodes import DeviceBatch, DeviceNode, Lists, SummaryNode
from energycore.graphql.schema.outputs import Outputs
from energycore.protocols.records import MAX_PAGE, Cursor, DeviceFilter, DeviceOrder, PageRequest

__all__ = ["DeviceStatesEvent", "SummaryEvent", "subscription_type"]

_ORDER: Final = DeviceOrder()


@attrs.define(eq=False)
class DeviceStatesEvent:
    """Some of the devices that are selected are to be told.

    Args:
        device_ids: those that changed, at most 500; None for all that are selected, page by page.
        after: of all, those behind this place.
    """

    device_ids: Sequence[int] | None = None
    after: Cursor | None = None
    filter_: DeviceFilter | None = attrs.field(default=None, init=False)
    """What is selected."""
    next_after: Cursor | None = attrs.field(default=None, init=False)
    """Behind this place there are more; None where there are not."""


@attrs.define(eq=False)
class SummaryEvent:
    """The totals are to be told."""

    filter_: DeviceFilter | None = attrs.field(default=None, init=False)
    """What they are the totals of."""
    at_us: int = attrs.field(default=0, init=False)
    """When they were that."""


def subscription_type(outputs: Outputs, inputs: Inputs) -> GraphQLObjectType:
    """The type Subscription of a schema."""
    filter_ = {"filter": filter_argument(inputs)}
    devices = GraphQLNonNull(GraphQLList(GraphQLNonNull(outputs.device)))
    return GraphQLObjectType(
        "Subscription",
        {
            "deviceStates": charged(
                GraphQLField(
                    devices,
                    filter_,
                    _device_states,
                    description="The states that changed, batch by batch, as they are recorded or "
                    f"simulated. First come all that are selected; a batch has at most {MAX_PAGE} "
                    "devices, and a slow client gets the newest states, not each of them.",
                ),
                STATES,
            ),
            "energySummary": charged(
                GraphQLField(
                    GraphQLNonNull(outputs.energy_summary),
                    filter_,
                    _energy_summary,
                    description="The summary whenever it changes, at most once a second; repeated "
                    "at least every 30 seconds as a heartbeat.",
                ),
                SUMMARY,
            ),
        },
        description="What is told again and again, over graphql-transport-ws. Each begins with how "
        "things stand.",
    )


def _device_states(
    event: DeviceStatesEvent, info: Info, *, filter_: Mapping[str, Any] | None = None
) -> list[DeviceNode]:
    context: Operation = info.context
    chosen = event.filter_ = parse_filter(filter_)
    if event.device_ids is not None:
        wanted = event.device_ids
        if chosen.ids is not None:
            wanted = sorted(set(chosen.ids).intersection(wanted))
        chosen = attrs.evolve(chosen, ids=tuple(wanted))
    request = PageRequest(first=MAX_PAGE, after=event.after)
    page = context.insight.find(context.scope, chosen, _ORDER, request)
    event.next_after = page.cursors[-1] if page.has_next else None
    batch = DeviceBatch(context, page.items)
    return [batch.node(record) for record in page.items]


def _energy_summary(
    event: SummaryEvent, info: Info, *, filter_: Mapping[str, Any] | None = None
) -> SummaryNode:
    context: Operation = info.context
    chosen = event.filter_ = parse_filter(filter_)
    totals = context.insight.summary(context.scope, chosen)
    event.at_us = totals.at_us
    return SummaryNode(totals, Lists(context), chosen)
