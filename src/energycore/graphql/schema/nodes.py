"""Objects as resolvers pass them on: each knows its siblings, and loads for all of them at once.

A list of devices is one batch. The first of them that is asked for its state loads the states of
all, so that a request costs as many calls for a long list as for a short one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Protocol

import attrs

from energycore.devices.base import StorageMode
from energycore.fleet.summary import EnergySummary
from energycore.graphql.schema.answers import Answers
from energycore.graphql.schema.connections import Connection
from energycore.graphql.schema.context import Operation
from energycore.graphql.schema.cursors import Listing
from energycore.graphql.schema.histories import device_histories, site_histories
from energycore.graphql.schema.readings import reading_pages
from energycore.protocols.groups import GroupKey, SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    Page,
    PageRequest,
    SiteRecord,
)
from energycore.services.insight import ObservedState

__all__ = [
    "DeviceBatch",
    "DeviceLists",
    "DeviceNode",
    "GroupedLists",
    "Lists",
    "SiteBatch",
    "SiteNode",
    "SummaryNode",
    "device_listing",
]


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
    """Totals, and where the devices that they are the totals of are listed."""

    totals: EnergySummary
    lists: "DeviceLists"
    filter_: DeviceFilter
    key: GroupKey = None
    """The group of the totals, where there are several of them."""


class DeviceBatch:
    """Devices whose nested objects are loaded together."""

    def __init__(self, context: Operation, records: Iterable[DeviceRecord]) -> None:
        self._context = context
        self._records = {record.id: record for record in records}
        self.histories = Answers(partial(device_histories, context, self._records))
        """The history of each device, by what is asked for."""
        self.readings = Answers(partial(reading_pages, context, self._records))
        """A page of the readings of each device, by what is asked for."""
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
            self._states = context.insight.states(context.scope, records)
        return self._states

    def modes(self) -> Mapping[int, StorageMode]:
        """The modes of the storages by device."""
        if self._modes is None:
            context = self._context
            records = self._records.values()
            self._modes = context.insight.modes(context.scope, records, self._states)
        return self._modes

    def sites(self) -> Mapping[int, SiteNode]:
        """The sites of the devices."""
        if self._sites is None:
            numbers = {r.site_id for r in self._records.values() if r.site_id is not None}
            context = self._context
            found = context.insight.sites_by_id(context.scope, numbers) if numbers else {}
            batch = SiteBatch(context, found.values())
            self._sites = {number: batch.node(record) for number, record in found.items()}
        return self._sites


class SiteBatch:
    """Sites whose nested objects are loaded together."""

    def __init__(self, context: Operation, records: Iterable[SiteRecord]) -> None:
        self._context = context
        self._numbers = tuple(record.id for record in records)
        self.histories = Answers(partial(site_histories, context, self._numbers))
        """The history of each site, by what is asked for."""
        self._summaries: dict[int, SummaryNode] = {}
        self._lists = GroupedLists(context, SummaryGroup.SITE, self._numbers)

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
        return self._lists.devices(filter_, order, request, number)

    def _load_summaries(self) -> dict[int, SummaryNode]:
        insight, scope = self._context.insight, self._context.scope
        filter_ = DeviceFilter(site_ids=self._numbers)
        found = dict(insight.summaries(scope, SummaryGroup.SITE, filter_))
        if len(found) < len(self._numbers):
            nothing = insight.nothing()
            found = {**dict.fromkeys(self._numbers, nothing), **found}
        return {
            number: SummaryNode(found[number], self._lists, DeviceFilter(), number)
            for number in self._numbers
        }


class DeviceLists(Protocol):
    """Where pages of devices come from."""

    def devices(
        self, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest, key: GroupKey = None
    ) -> Connection[DeviceNode]:
        """A page of the devices that match; of those of one group, where there are groups."""
        ...


@attrs.frozen
class Lists:
    """Pages of all devices."""

    _context: Operation

    def devices(
        self, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest, _key: GroupKey = None
    ) -> Connection[DeviceNode]:
        """A page of the devices that match."""
        context = self._context
        page = context.insight.find(context.scope, filter_, order, request)
        return _connection(
            page,
            device_listing(context, order),
            DeviceBatch(context, page.items),
            lambda: context.insight.count(context.scope, filter_),
        )


class GroupedLists:
    """Pages of the devices of several groups, loaded for all of them at once.

    Args:
        context: the operation that asks.
        group: what the devices are grouped by.
        keys: the groups.
    """

    def __init__(self, context: Operation, group: SummaryGroup, keys: Collection[GroupKey]) -> None:
        self._context = context
        self._group = group
        self._keys = keys
        self._connections: dict[object, Mapping[GroupKey, Connection[DeviceNode]]] = {}
        self._counts: dict[DeviceFilter, Mapping[GroupKey, int]] = {}

    def devices(
        self, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest, key: GroupKey = None
    ) -> Connection[DeviceNode]:
        """A page of the devices of a group that match."""
        asked = filter_, order, request
        if asked not in self._connections:
            self._connections[asked] = self._load(filter_, order, request)
        return self._connections[asked][key]

    def _load(
        self, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Mapping[GroupKey, Connection[DeviceNode]]:
        context = self._context
        pages = context.insight.find_grouped(
            context.scope, self._group, self._keys, filter_, order, request
        )
        batch = DeviceBatch(context, (record for page in pages.values() for record in page.items))
        listing = device_listing(context, order)
        return {
            key: _connection(page, listing, batch, partial(self._count, filter_, key, page.total))
            for key, page in pages.items()
        }

    def _count(self, filter_: DeviceFilter, key: GroupKey, total: int | None) -> int:
        if total is not None:
            return total
        if filter_ not in self._counts:
            context = self._context
            self._counts[filter_] = context.insight.count_grouped(
                context.scope, self._group, self._keys, filter_
            )
        return self._counts[filter_][key]


def device_listing(context: Operation, order: DeviceOrder) -> Listing:
    """What binds a cursor to an order of devices."""
    direction = "desc" if order.descending else "asc"
    return Listing(context.scope, f"devices:{order.field.value}:{direction}")


def _connection(
    page: Page[DeviceRecord], listing: Listing, batch: DeviceBatch, count: Callable[[], int]
) -> Connection[DeviceNode]:
    return Connection(
        nodes=[batch.node(record) for record in page.items],
        cursors=page.cursors,
        listing=listing,
        has_next=page.has_next,
        has_previous=page.has_previous,
        count=count,
    )
