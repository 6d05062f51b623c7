"""What a storage backend promises: one unit of work at a time over small repositories.

Every method takes the scope first and raises `ScopeRequired` without one, before it does anything
else. Rows of other tenants behave as if they were not there. Errors of the database arrive as
`StorageUnavailable` or one of the errors named here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from energycore.fleet.columns import DeviceState, Fleet
from energycore.protocols.groups import GroupKey, SummaryGroup
from energycore.protocols.histories import HistoryStore
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    NewDevice,
    NewSite,
    Page,
    PageRequest,
    ShardRecord,
    SiteRecord,
    StateRecord,
    StateTable,
)
from energycore.protocols.scope import Scope
from energycore.protocols.telemetry import RollupStore, SeriesStore, TelemetryStore
from energycore.telemetry.readings import ReadingBatch

__all__ = [
    "DeviceRepository",
    "FleetStore",
    "SettingStore",
    "SiteRepository",
    "Storage",
    "UnitOfWork",
]


class SiteRepository(Protocol):
    """Keeps sites."""

    def add(self, scope: Scope, new: NewSite) -> SiteRecord:
        """Store a site under a new identity.

        Raises:
            NameTaken: its external id is taken; `current` is the site that has it.
        """
        ...

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, SiteRecord]:
        """The sites of these identities; missing ones are left out."""
        ...

    def by_external_id(self, scope: Scope, external_id: str) -> SiteRecord | None:
        """The site that was registered under the caller's own key."""
        ...

    def update(self, scope: Scope, changed: SiteRecord) -> SiteRecord:
        """Replace a site whose stored version is `changed.version`; the version grows by one.

        Raises:
            NotFound: there is no such site.
            VersionConflict: its version is another; `current` is the site as stored.
        """
        ...

    def page(self, scope: Scope, request: PageRequest) -> Page[SiteRecord]:
        """A page of sites ordered by identity (cursor key: the identity)."""
        ...

    def count(self, scope: Scope) -> int:
        """How many sites there are."""
        ...


class DeviceRepository(Protocol):
    """Keeps devices."""

    def add(self, scope: Scope, new: NewDevice) -> DeviceRecord:
        """Store a device under a new identity.

        Raises:
            NotFound: its site is not there.
            NameTaken: its name is taken within its site, or its external id within the tenant;
                `current` is the device that has it.
        """
        ...

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceRecord]:
        """The devices of these identities; missing ones are left out."""
        ...

    def by_external_id(self, scope: Scope, external_id: str) -> DeviceRecord | None:
        """The device that was registered under the caller's own key."""
        ...

    def update(self, scope: Scope, changed: DeviceRecord) -> DeviceRecord:
        """Replace a device whose stored version is `changed.version`; the version grows by one.

        Raises:
            NotFound: there is no such device, or no such site.
            VersionConflict: its version is another; `current` is the device as stored.
            NameTaken: its new name is taken within its site.
        """
        ...

    def page(
        self, scope: Scope, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Page[DeviceRecord]:
        """A page of the devices that match, in this order.

        The cursor key is the case-folded name, the registration in epoch microseconds, or the
        largest power [W] of the device. Places between items are valid: a cursor whose item has
        gone still continues where it stood.
        """
        ...

    def count(self, scope: Scope, filter_: DeviceFilter) -> int:
        """How many devices match."""
        ...

    def ids(self, scope: Scope, filter_: DeviceFilter) -> Sequence[int]:
        """The identities of the devices that match, in order."""
        ...

    def pages(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter,
        order: DeviceOrder,
        request: PageRequest,
    ) -> Mapping[GroupKey, Page[DeviceRecord]]:
        """The same page of each of these groups, of the devices in it that match.

        A group that no device belongs to has an empty page. It costs no more statements for many
        groups than for one.
        """
        ...

    def counts(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter,
    ) -> Mapping[GroupKey, int]:
        """How many devices of each of these groups match; 0 where there are none."""
        ...


class FleetStore(Protocol):
    """Keeps what changes: newest readings, internal states, and how far each shard has come."""

    def shards(self, scope: Scope, *, hold: bool = False) -> Sequence[ShardRecord]:
        """The tenant's shards, ordered by identity.

        With `hold`, in a writing transaction, no other unit of work can hold or advance them
        until this one ends: so ticks and commands take turns.
        """
        ...

    def add_shard(self, scope: Scope, *, step_us: int, seed: int) -> ShardRecord:
        """Give the tenant its shard unless it has one, which is then returned as it is."""
        ...

    def advance(
        self, scope: Scope, shard_id: int, *, expected_us: int | None, last_tick_us: int
    ) -> bool:
        """Move the watermark from `expected_us` to `last_tick_us`.

        Returns False, and changes nothing, if the watermark stands elsewhere. Of several units of
        work that try the same move at most one commits.
        """
        ...

    def load(self, scope: Scope, shard_id: int, *, at_us: int, default_zone: str) -> Fleet:
        """The active simulated devices of a shard whose `simulated_from_us` is not after `at_us`.

        `default_zone` is the IANA time zone of devices that belong to no site.
        """
        ...

    def next_join_us(self, scope: Scope, shard_id: int, *, after_us: int) -> int | None:
        """The first `simulated_from_us` after this instant among active simulated devices."""
        ...

    def internal_states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceState]:
        """The internal simulation states of these devices; without one they are left out."""
        ...

    def save(self, scope: Scope, states: Mapping[int, DeviceState]) -> None:
        """Replace internal simulation states; integers and floats return as they were."""
        ...

    def observe(self, scope: Scope, batch: ReadingBatch) -> None:
        """Let the newest reading of each device become its state; an older one never does.

        One of the same instant takes its place, as where the last of several counts.
        """
        ...

    def states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, StateRecord]:
        """The newest readings of these devices; without one they are left out."""
        ...

    def table(self, scope: Scope, filter_: DeviceFilter) -> StateTable:
        """The states of all active devices that match, ordered by identity.

        `silent_after_us` is twice the device's `max_gap_us`.
        """
        ...

    def tagged(self, scope: Scope, filter_: DeviceFilter) -> Mapping[str, Sequence[int]]:
        """The identities of the active devices that match, by tag, in alphabetical order."""
        ...


class SettingStore(Protocol):
    """Keeps a tenant's few settings as short texts by name."""

    def get(self, scope: Scope, name: str) -> str | None:
        """The text that was put under this name."""
        ...

    def put(self, scope: Scope, name: str, value: str) -> None:
        """Replace the text under this name."""
        ...

    def items(self, scope: Scope, prefix: str) -> Mapping[str, str]:
        """The texts whose names begin so, by name."""
        ...

    def remove(self, scope: Scope, name: str, value: str) -> bool:
        """Forget the text under this name if it is this one; whether it was.

        Of several units of work that remove the same text at most one is told so.
        """
        ...


class UnitOfWork(Protocol):
    """The repositories within one transaction."""

    @property
    def sites(self) -> SiteRepository:
        """Sites."""
        ...

    @property
    def devices(self) -> DeviceRepository:
        """Devices."""
        ...

    @property
    def fleet(self) -> FleetStore:
        """What changes: states and watermarks."""
        ...

    @property
    def telemetry(self) -> TelemetryStore:
        """Readings."""
        ...

    @property
    def series(self) -> SeriesStore:
        """The versions of series."""
        ...

    @property
    def rollups(self) -> RollupStore:
        """Kept totals."""
        ...

    @property
    def settings(self) -> SettingStore:
        """Settings."""
        ...

    @property
    def histories(self) -> HistoryStore:
        """What histories are made of."""
        ...

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call this when everybody can see what was written, and never if it is rolled back.

        Callbacks run in order, in the thread of the transaction, which holds nothing any more:
        they may begin another one. What they raise is logged and reaches nobody. Where the unit
        of work is a part of a larger transaction, they wait for the end of that.
        """
        ...


class Storage(Protocol):
    """A place where everything is kept."""

    def transaction(self, *, write: bool) -> AbstractContextManager[UnitOfWork]:
        """All or nothing: commits when the block ends, rolls back when it raises.

        A reading transaction sees one state of the database and may refuse to write.

        Raises:
            StorageUnavailable: the database cannot be reached, or stays busy for too long.
        """
        ...

    def close(self) -> None:
        """Give connections back; the storage cannot be used afterwards."""
        ...
