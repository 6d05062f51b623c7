"""States and shards in memory."""

from collections.abc import Collection, Mapping, Sequence

import attrs
import numpy as np

from energycore.devices.base import DataSource
from energycore.devices.registry import device_kind
from energycore.devices.storage_device import capacity_mwh
from energycore.fleet.columns import DeviceState, Fleet, Member
from energycore.fleet.summary import SILENT_GAPS, StateTable
from energycore.protocols.records import DeviceFilter, DeviceRecord, ShardRecord, StateRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.quantities.units import MISSING
from energycore.quantities.zones import load_zone
from energycore.storage.memory.devices import matching
from energycore.storage.memory.tables import TenantTables, Work
from energycore.storage.rules import check_seed
from energycore.telemetry.readings import ReadingBatch

__all__ = ["MemoryFleet"]


@attrs.frozen
class MemoryFleet:
    """Keeps newest readings, internal states, and how far each shard has come."""

    _work: Work

    def shards(self, scope: Scope, *, hold: bool = False) -> Sequence[ShardRecord]:
        """The tenant's shards, ordered by identity; writers take turns, so all are held."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant) if hold else self._work.see(tenant)
        return [tables.shards[shard_id] for shard_id in sorted(tables.shards)]

    def add_shard(self, scope: Scope, *, step_us: int, seed: int) -> ShardRecord:
        """Give the tenant its shard unless it has one, which is then returned as it is."""
        tenant = tenant_of(scope)
        check_seed(seed)
        shards = self._work.own(tenant, "shards").shards
        for shard in shards.values():
            return shard
        shard_id = next(self._work.identities.shard)
        shards[shard_id] = ShardRecord(id=shard_id, step_us=step_us, seed=seed, last_tick_us=None)
        return shards[shard_id]

    def advance(
        self, scope: Scope, shard_id: int, *, expected_us: int | None, last_tick_us: int
    ) -> bool:
        """Move the watermark from `expected_us` to `last_tick_us`; False if it is elsewhere."""
        tenant = tenant_of(scope)
        shards = self._work.own(tenant, "shards").shards
        shard = shards.get(shard_id)
        if shard is None or shard.last_tick_us != expected_us:
            return False
        shards[shard_id] = attrs.evolve(shard, last_tick_us=last_tick_us)
        return True

    def load(self, scope: Scope, shard_id: int, *, at_us: int, default_zone: str) -> Fleet:
        """The active simulated devices of a shard that take part from `at_us` or before."""
        tenant = tenant_of(scope)
        tables = self._work.see(tenant)
        zone = load_zone(default_zone, "default_zone")
        return Fleet.of(
            Member(
                device_id=record.id,
                device=record.device,
                noise_key=record.noise_key,
                site=record.site_id,
                zone=zone if record.site_id is None else tables.sites[record.site_id].site.zone,
                state=tables.internal.get(record.id, {}),
                dispatch=record.dispatch,
            )
            for record in _simulated(tables, shard_id)
            if record.simulated_from_us <= at_us
        )

    def next_join_us(self, scope: Scope, shard_id: int, *, after_us: int) -> int | None:
        """The first `simulated_from_us` after this instant among active simulated devices."""
        tenant = tenant_of(scope)
        joins = (
            record.simulated_from_us for record in _simulated(self._work.see(tenant), shard_id)
        )
        return min((at_us for at_us in joins if at_us > after_us), default=None)

    def internal_states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceState]:
        """The internal simulation states of these devices; without one they are left out."""
        tenant = tenant_of(scope)
        internal = self._work.see(tenant).internal
        return {device_id: dict(internal[device_id]) for device_id in ids if device_id in internal}

    def save(self, scope: Scope, states: Mapping[int, DeviceState]) -> None:
        """Replace internal simulation states; integers and floats return as they were."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "internal")
        tables.check_devices(states)
        tables.internal.update({device_id: dict(state) for device_id, state in states.items()})

    def observe(self, scope: Scope, batch: ReadingBatch) -> None:
        """Let the newest reading of each device become its state; an older one never does."""
        tenant = tenant_of(scope)
        newest = batch.newest()
        ids = newest.device_id.tolist()
        tables = self._work.own(tenant, "states")
        tables.check_devices(dict.fromkeys(ids))
        columns = newest.at_us.tolist(), newest.power_mw.tolist(), newest.stored_or_none()
        for device_id, at_us, power_mw, stored_mwh in zip(ids, *columns, strict=True):
            known = tables.states.get(device_id)
            if known is None or known.at_us <= at_us:
                tables.states[device_id] = StateRecord(
                    device_id=device_id, at_us=at_us, power_mw=power_mw, stored_mwh=stored_mwh
                )

    def states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, StateRecord]:
        """The newest readings of these devices; without one they are left out."""
        tenant = tenant_of(scope)
        states = self._work.see(tenant).states
        return {device_id: states[device_id] for device_id in ids if device_id in states}

    def table(self, scope: Scope, filter_: DeviceFilter) -> StateTable:
        """The states of all active devices that match, ordered by identity."""
        tenant = tenant_of(scope)
        tables = self._work.see(tenant)
        records = [record for record in matching(tables, filter_) if record.is_active]
        kinds = tuple(sorted({record.device.kind for record in records}))
        rows = [_row(record, kinds, tables.states.get(record.id)) for record in records]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 8).T
        return StateTable(
            kinds=kinds,
            roles=tuple(device_kind(kind).role for kind in kinds),
            device_id=columns[0],
            site_id=columns[1],
            kind_index=columns[2],
            at_us=columns[3],
            power_mw=columns[4],
            stored_mwh=columns[5],
            capacity_mwh=columns[6],
            silent_after_us=columns[7],
        )

    def tagged(self, scope: Scope, filter_: DeviceFilter) -> Mapping[str, Sequence[int]]:
        """The identities of the active devices that match, by tag, in alphabetical order."""
        tenant = tenant_of(scope)
        by_tag: dict[str, list[int]] = {}
        for record in matching(self._work.see(tenant), filter_):
            for tag in record.tags if record.is_active else ():
                by_tag.setdefault(tag, []).append(record.id)
        return {tag: by_tag[tag] for tag in sorted(by_tag)}


def _simulated(tables: TenantTables, shard_id: int) -> list[DeviceRecord]:
    """The active simulated devices of a shard: all of the tenant's, who has one shard."""
    if shard_id not in tables.shards:
        return []
    return [
        record
        for record in tables.devices.values()
        if record.is_active and record.data_source is DataSource.SIMULATED
    ]


def _row(
    record: DeviceRecord, kinds: tuple[str, ...], state: StateRecord | None
) -> tuple[int, ...]:
    stored_mwh = None if state is None else state.stored_mwh
    capacity = capacity_mwh(record.device)
    return (
        record.id,
        MISSING if record.site_id is None else record.site_id,
        kinds.index(record.device.kind),
        MISSING if state is None else state.at_us,
        MISSING if state is None else state.power_mw,
        MISSING if stored_mwh is None else stored_mwh,
        MISSING if capacity is None else capacity,
        SILENT_GAPS * record.max_gap_us,
    )
