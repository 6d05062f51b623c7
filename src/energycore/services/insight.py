"""Questions: which devices there are, what they do right now, and what they add up to."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import attrs
import numpy as np

from energycore.devices.base import DataSource, StorageMode
from energycore.devices.storage_device import StorageDevice, capacity_mwh
from energycore.errors import NotFound
from energycore.fleet.summary import SILENT_GAPS, EnergySummary, StateTable, grouped, summarise
from energycore.protocols.clock import Clock
from energycore.protocols.groups import GroupKey, SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    Page,
    PageRequest,
    SiteRecord,
    StateRecord,
)
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT, MISSING
from energycore.services.moments import HeldStorage, StoppedClock
from energycore.simulation.storage import ModeCode

__all__ = ["ALL_DEVICES", "SILENT_GAPS", "Insight", "ObservedState", "SummaryGroup"]

ALL_DEVICES = DeviceFilter()

_MODES = {
    ModeCode.CHARGING: StorageMode.CHARGING,
    ModeCode.IDLE: StorageMode.IDLE,
    ModeCode.DISCHARGING: StorageMode.DISCHARGING,
}


@attrs.frozen(kw_only=True)
class ObservedState:
    """The newest reading of a device, as its owner sees it."""

    at_us: int
    power_mw: int
    stored_mwh: int | None
    capacity_mwh: int | None
    is_stale: bool
    """Older than the silence limit: counted in no total of power or storage."""

    def __repr__(self) -> str:
        stored = "" if self.stored_mwh is None else f", stored_wh={self.stored_wh}"
        mode = "" if self.mode is None else f", mode={self.mode.value}"
        stale = ", is_stale=True" if self.is_stale else ""
        return f"ObservedState(at={self.at}, power_w={self.power_w}{stored}{mode}{stale})"

    @property
    def at(self) -> datetime:
        """From when on it holds, in UTC."""
        return from_epoch_us(self.at_us)

    @property
    def power_w(self) -> float:
        """Signed power [W]: + produces, - consumes."""
        return self.power_mw / MILLI_PER_UNIT

    @property
    def stored_wh(self) -> float | None:
        """Stored energy [Wh]; None without storage."""
        return None if self.stored_mwh is None else self.stored_mwh / MILLI_PER_UNIT

    @property
    def state_of_charge(self) -> float | None:
        """Stored energy as a fraction of capacity, 0 to 1.

        None without storage, and where more is stored than fits: the reading is older than a
        change of the capacity.
        """
        if self.stored_mwh is None or not self.capacity_mwh:
            return None
        if self.stored_mwh > self.capacity_mwh:
            return None
        return self.stored_mwh / self.capacity_mwh

    @property
    def mode(self) -> StorageMode | None:
        """What a storage did from `at_us` on, by the sign of its power; None without storage."""
        return None if self.capacity_mwh is None else _mode_of(self.power_mw)


@attrs.frozen(kw_only=True)
class Insight:
    """Answers questions; changes nothing."""

    storage: Storage
    clock: Clock

    def snapshot(self, scope: Scope) -> AbstractContextManager["Insight"]:
        """Answers that fit together: by one state of the storage, at one instant.

        The transaction stays open as long as the block.
        """
        tenant_of(scope)
        return self._snapshot()

    @contextmanager
    def _snapshot(self) -> Iterator["Insight"]:
        # First the clock: one that follows the ticks asks the same storage, which in memory may
        # have one connection only.
        clock = StoppedClock(self.clock.now())
        with self.storage.transaction(write=False) as work:
            yield Insight(storage=HeldStorage(work), clock=clock)

    def device(self, scope: Scope, device_id: int) -> DeviceRecord:
        """One device.

        Raises:
            NotFound: there is none of that identity in the scope.
        """
        found = self.devices_by_id(scope, [device_id])
        if device_id not in found:
            raise NotFound("device", device_id)
        return found[device_id]

    def devices_by_id(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceRecord]:
        """The devices of these identities; missing ones are left out."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.devices.get_many(scope, ids)

    def find(
        self,
        scope: Scope,
        filter_: DeviceFilter = ALL_DEVICES,
        order: DeviceOrder | None = None,
        page: PageRequest | None = None,
    ) -> Page[DeviceRecord]:
        """A page of the devices that match; by registration unless ordered otherwise."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.devices.page(scope, filter_, order or DeviceOrder(), page or PageRequest())

    def count(self, scope: Scope, filter_: DeviceFilter = ALL_DEVICES) -> int:
        """How many devices match."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.devices.count(scope, filter_)

    def find_grouped(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter = ALL_DEVICES,
        order: DeviceOrder | None = None,
        page: PageRequest | None = None,
    ) -> Mapping[GroupKey, Page[DeviceRecord]]:
        """For each of these groups a page of its devices that match, all at once."""
        tenant_of(scope)
        ordered, asked = order or DeviceOrder(), page or PageRequest()
        with self.storage.transaction(write=False) as work:
            return work.devices.pages(scope, group, keys, filter_, ordered, asked)

    def count_grouped(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter = ALL_DEVICES,
    ) -> Mapping[GroupKey, int]:
        """How many devices of each of these groups match."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.devices.counts(scope, group, keys, filter_)

    def sites_by_id(self, scope: Scope, ids: Collection[int]) -> Mapping[int, SiteRecord]:
        """The sites of these identities; missing ones are left out."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.sites.get_many(scope, ids)

    def sites(self, scope: Scope, page: PageRequest | None = None) -> Page[SiteRecord]:
        """A page of sites in the order of their registration."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.sites.page(scope, page or PageRequest())

    def site_count(self, scope: Scope) -> int:
        """How many sites there are."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return work.sites.count(scope)

    def states(
        self, scope: Scope, devices: Collection[DeviceRecord]
    ) -> Mapping[int, ObservedState]:
        """The newest reading of each of these devices; one that has none is left out."""
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=False) as work:
            found = work.fleet.states(scope, [record.id for record in devices])
        return {
            record.id: _observed(record, found[record.id], now_us)
            for record in devices
            if record.id in found
        }

    def modes(
        self,
        scope: Scope,
        devices: Collection[DeviceRecord],
        states: Mapping[int, ObservedState] | None = None,
    ) -> Mapping[int, StorageMode]:
        """What each storage among these devices does now.

        A simulated one does what its last tick or a newer command says; a reported one what the
        sign of its newest power says, IDLE while there is none.

        Args:
            scope: the tenant.
            devices: the devices.
            states: their newest readings, if they are known.
        """
        tenant_of(scope)
        storages = [record for record in devices if isinstance(record.device, StorageDevice)]
        simulated = [r.id for r in storages if r.data_source is DataSource.SIMULATED]
        reported = [r for r in storages if r.data_source is DataSource.REPORTED]
        modes = {record.id: StorageMode.IDLE for record in storages}
        if simulated:
            with self.storage.transaction(write=False) as work:
                internal = work.fleet.internal_states(scope, simulated)
            modes |= {device_id: _mode(state["mode"]) for device_id, state in internal.items()}
        if reported:
            known = self.states(scope, reported) if states is None else states
            modes |= {r.id: _mode_of(known[r.id].power_mw) for r in reported if r.id in known}
        return modes

    def nothing(self) -> EnergySummary:
        """What no devices add up to right now."""
        return summarise(StateTable.empty(), self._now_us())

    def summary(self, scope: Scope, filter_: DeviceFilter = ALL_DEVICES) -> EnergySummary:
        """What the active devices that match add up to right now."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            table = work.fleet.table(scope, filter_)
        return summarise(table, self._now_us())

    def summaries(
        self, scope: Scope, group: SummaryGroup, filter_: DeviceFilter = ALL_DEVICES
    ) -> Sequence[tuple[GroupKey, EnergySummary]]:
        """The same for each group, ordered by key; None, for no site or no tag, comes last.

        The key is the site's identity, the kind's name or the tag. A device with two tags counts
        in both.
        """
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=False) as work:
            table = work.fleet.table(scope, filter_)
            tags = work.fleet.tagged(scope, filter_) if group is SummaryGroup.TAG else {}
        if group is SummaryGroup.TAG:
            tagged = {device_id for ids in tags.values() for device_id in ids}
            untagged = [i for i in table.device_id.tolist() if i not in tagged]
            parts: list[tuple[GroupKey, Sequence[int]]] = [*tags.items()]
            parts += [(None, untagged)] if untagged else []
            return [
                (tag, summarise(table.select(np.isin(table.device_id, ids)), now_us))
                for tag, ids in parts
            ]
        keys = table.site_id if group is SummaryGroup.SITE else table.kind_index
        answers: list[tuple[GroupKey, EnergySummary]] = []
        for key, part in grouped(table, keys):
            label = table.kinds[key] if group is SummaryGroup.KIND else key
            answers.append((None if label == MISSING else label, summarise(part, now_us)))
        return sorted(answers, key=lambda a: (a[0] is None, a[0] if a[0] is not None else 0))

    def _now_us(self) -> int:
        return to_epoch_us(self.clock.now(), "clock")


def _mode_of(power_mw: int) -> StorageMode:
    if power_mw == 0:
        return StorageMode.IDLE
    return StorageMode.CHARGING if power_mw < 0 else StorageMode.DISCHARGING


def _mode(code: int | float) -> StorageMode:
    return _MODES[ModeCode(int(code))]


def _observed(record: DeviceRecord, state: StateRecord, now_us: int) -> ObservedState:
    return ObservedState(
        at_us=state.at_us,
        power_mw=state.power_mw,
        stored_mwh=state.stored_mwh,
        capacity_mwh=capacity_mwh(record.device),
        is_stale=now_us - state.at_us > SILENT_GAPS * record.max_gap_us,
    )
