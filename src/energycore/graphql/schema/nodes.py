"""Objects as resolvers pass them on: each knows its siblings, and loads for all of them at once.

A list of devices is one batch. The first of them that is asked for its state loads the states of
all, so that a request costs as many calls for a long list as for a short one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from energycore.devices.base import StorageMode
from energycore.fleet.summary import EnergySummary
from energycore.graphql.schema.connections import Connection
from energycore.graphql.schema.context import GraphQLContext
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    Page,
    PageRequest,
    SiteRecord,
)
from energycore.services.insight import ObservedState, SummaryGroup

__all__ = [
    "DeviceBatch",
    "DeviceNode",
    "SiteBatch",
    "SiteNode",
    "SummaryNode",
    "device_connection",
    "device_order_name",
]

_NO_DEVICES = DeviceFilter(ids=())


# Not frozen: a frozen class takes three times as long to make, and lists make hundreds.
@attrs.define(eq=False)
class DeviceNode:
    """A device of a batch."""

    record: DeviceRecord
    batch: "DeviceBatch"
    type_name: str

    @property
    def state(self) -> ObservedState | None:
        """Its newest reading."""
        return self.batch.states().get(self.record.id)

    @property
    def mode(self) -> StorageMode:
        """What a storage does now."""
        return self.batch.modes()[self.record.id]

    @property
    def site(self) -> "SiteNode | None":
        """Where it stands."""
        number = self.record.site_id
        return None if number is None else self.batch.sites().get(number)


@attrs.define(eq=False)
class SiteNode:
    """A site of a batch."""

    record: SiteRecord
    batch: "SiteBatch"
    type_name: str = "Site"


@attrs.define(eq=False)
class SummaryNode:
    """Totals, and the devices that they are the totals of.

    `belongs` tells them apart where `filter_` cannot say it all.
    """

    totals: EnergySummary
    context: GraphQLContext
    filter_: DeviceFilter
    belongs: Callable[[DeviceRecord], bool] | None = None


class DeviceBatch:
    """Devices whose nested objects are loaded together."""

    def __init__(self, context: GraphQLContext, records: Iterable[DeviceRecord]) -> None:
        self._context = context
        self._records = {record.id: record for record in records}
        self._states: Mapping[int, ObservedState] | None = None
        self._modes: Mapping[int, StorageMode] | None = None
        self._sites: Mapping[int, SiteNode] | None = None

    def node(self, record: DeviceRecord) -> DeviceNode:
        """The node of one of the devices."""
        return DeviceNode(record, self, type(record.device).__name__)

    def states(self) -> Mapping[int, ObservedState]:
        """The newest readings by device."""
        if self._states is None:
            context = self._context
            records = self._records.values()
            self._states = context.services.insight.states(context.scope, records)
        return self._states

    def modes(self) -> Mapping[int, StorageMode]:
        """The modes of the storages by device."""
        if self._modes is None:
            context = self._context
            records = self._records.values()
            self._modes = context.services.insight.modes(context.scope, records)
        return self._modes

    def sites(self) -> Mapping[int, SiteNode]:
        """The sites of the devices."""
        if self._sites is None:
            numbers = {r.site_id for r in self._records.values() if r.site_id is not None}
            context = self._context
            found = context.services.insight.sites_by_id(context.scope, numbers) if numbers else {}
            batch = SiteBatch(context, found.values())
            self._sites = {number: batch.node(record) for number, record in found.items()}
        return self._sites


class SiteBatch:
    """Sites whose nested objects are loaded together."""

    def __init__(self, context: GraphQLContext, records: Iterable[SiteRecord]) -> None:
        self._context = context
        self._numbers = tuple(record.id for record in records)
        self._summaries: dict[int, SummaryNode] = {}
        self._connections: dict[object, Mapping[int, Connection[DeviceNode]]] = {}

    def node(self, record: SiteRecord) -> SiteNode:
        """The node of one of the sites."""
        return SiteNode(record, self)

    def summary(self, number: int) -> SummaryNode:
        """The totals of one of the sites."""
        if not self._summaries:
            self._summaries = self._load_summaries()
        return self._summaries[number]

    def devices(
        self, number: int, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Connection[DeviceNode]:
        """A page of the devices of one of the sites."""
        asked = filter_, order, request
        if asked not in self._connections:
            self._connections[asked] = self._load_devices(filter_, order, request)
        return self._connections[asked][number]

    def _load_summaries(self) -> dict[int, SummaryNode]:
        insight, scope = self._context.services.insight, self._context.scope
        filter_ = DeviceFilter(site_ids=self._numbers)
        found = dict(insight.summaries(scope, SummaryGroup.SITE, filter_))
        if len(found) < len(self._numbers):
            nothing = insight.summary(scope, _NO_DEVICES)
            found = {**dict.fromkeys(self._numbers, nothing), **found}
        return {
            number: SummaryNode(found[number], self._context, DeviceFilter(site_ids=(number,)))
            for number in self._numbers
        }

    def _load_devices(
        self, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Mapping[int, Connection[DeviceNode]]:
        insight, scope = self._context.services.insight, self._context.scope
        wanted = {number: _within_site(filter_, number) for number in self._numbers}
        pages = {
            number: insight.find(scope, own_filter, order, request)
            for number, own_filter in wanted.items()
        }
        batch = DeviceBatch(self._context, (r for page in pages.values() for r in page.items))
        return {
            number: device_connection(self._context, page, order, wanted[number], batch)
            for number, page in pages.items()
        }


def device_connection(
    context: GraphQLContext,
    page: Page[DeviceRecord],
    order: DeviceOrder,
    filter_: DeviceFilter,
    batch: DeviceBatch | None = None,
) -> Connection[DeviceNode]:
    """A page of devices as the resolvers of a connection take it."""
    shared = DeviceBatch(context, page.items) if batch is None else batch
    return Connection(
        nodes=[shared.node(record) for record in page.items],
        cursors=page.cursors,
        order=device_order_name(order),
        has_next=page.has_next,
        has_previous=page.has_previous,
        count=lambda: context.services.insight.count(context.scope, filter_),
    )


def device_order_name(order: DeviceOrder) -> str:
    """What binds a cursor to an order of devices."""
    return f"devices:{order.field.value}:{'desc' if order.descending else 'asc'}"


def _within_site(filter_: DeviceFilter, number: int) -> DeviceFilter:
    numbers: Sequence[int] = (number,)
    if filter_.site_ids is not None and number not in filter_.site_ids:
        numbers = ()
    return attrs.evolve(filter_, site_ids=tuple(numbers))
