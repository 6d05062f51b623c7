"""The tables of states and shards."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from sqlalchemy import ColumnElement, bindparam, func, select, update

from energycore.devices.base import DataSource
from energycore.devices.registry import device_kind
from energycore.encoding import decode_device, decode_dispatch, decode_state, encode_state
from energycore.fleet.columns import DeviceState, Fleet, Member
from energycore.fleet.summary import SILENT_GAPS, StateTable
from energycore.protocols.records import DeviceFilter, ShardRecord, StateRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.quantities.units import MISSING
from energycore.quantities.zones import load_zone
from energycore.storage.rules import check_seed
from energycore.storage.sql.filters import conditions_of
from energycore.storage.sql.rows import from_signed, shard_of
from energycore.storage.sql.session import AnyRow, Session
from energycore.storage.sql.tables import (
    device,
    device_state,
    device_tag,
    shard,
    simulation_state,
    site,
)
from energycore.telemetry.readings import ReadingBatch

__all__ = ["SqlFleet"]


@attrs.frozen
class SqlFleet:
    """Keeps newest readings, internal states, and how far each shard has come."""

    _session: Session

    def shards(self, scope: Scope, *, hold: bool = False) -> Sequence[ShardRecord]:
        """The tenant's shards, ordered by identity; `hold` locks their rows."""
        tenant = tenant_of(scope)
        statement = select(shard).where(shard.c.tenant_id == tenant).order_by(shard.c.id)
        if hold:
            self._session.check_writable()
            statement = statement.with_for_update()
        return [shard_of(row) for row in self._session.read(statement)]

    def add_shard(self, scope: Scope, *, step_us: int, seed: int) -> ShardRecord:
        """Give the tenant its shard unless it has one, which is then returned as it is."""
        tenant = tenant_of(scope)
        check_seed(seed)
        self._session.check_writable()
        for known in self.shards(scope):
            return known
        insert = self._session.insert(shard).values(tenant_id=tenant, step_us=step_us, seed=seed)
        self._session.change(insert.on_conflict_do_nothing())
        return self.shards(scope)[0]

    def advance(
        self, scope: Scope, shard_id: int, *, expected_us: int | None, last_tick_us: int
    ) -> bool:
        """Move the watermark from `expected_us` to `last_tick_us`; False if it is elsewhere."""
        tenant = tenant_of(scope)
        statement = (
            update(shard)
            .where(shard.c.tenant_id == tenant, self._session.is_among(shard.c.id, [shard_id]))
            .where(shard.c.last_tick_us.is_not_distinct_from(expected_us))
            .values(last_tick_us=last_tick_us)
        )
        return self._session.change(statement).rowcount == 1

    def load(self, scope: Scope, shard_id: int, *, at_us: int, default_zone: str) -> Fleet:
        """The active simulated devices of a shard that take part from `at_us` or before."""
        tenant = tenant_of(scope)
        zones = {None: load_zone(default_zone, "default_zone")}
        internal = simulation_state.c
        statement = (
            select(device, site.c.time_zone, internal.state)
            .outerjoin(site, (site.c.tenant_id == tenant) & (site.c.id == device.c.site_id))
            .outerjoin(
                simulation_state,
                (internal.tenant_id == tenant) & (internal.device_id == device.c.id),
            )
            .where(*self._simulated(tenant, shard_id), device.c.simulated_from_us <= at_us)
        )
        return Fleet.of(
            _member(row, zones.get(row.time_zone) or load_zone(row.time_zone))
            for row in self._session.read(statement)
        )

    def next_join_us(self, scope: Scope, shard_id: int, *, after_us: int) -> int | None:
        """The first `simulated_from_us` after this instant among active simulated devices."""
        tenant = tenant_of(scope)
        joins = device.c.simulated_from_us
        statement = select(func.min(joins)).where(
            *self._simulated(tenant, shard_id), joins > after_us
        )
        first: int | None = self._session.read(statement).scalar_one()
        return first

    def internal_states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceState]:
        """The internal simulation states of these devices; without one they are left out."""
        tenant = tenant_of(scope)
        internal = simulation_state.c
        statement = select(internal.device_id, internal.state).where(
            internal.tenant_id == tenant, self._session.is_among(internal.device_id, ids)
        )
        return {row.device_id: decode_state(row.state) for row in self._session.read(statement)}

    def save(self, scope: Scope, states: Mapping[int, DeviceState]) -> None:
        """Replace internal simulation states; integers and floats return as they were."""
        tenant = tenant_of(scope)
        self._session.check_writable()
        if not states:
            return
        self._session.check_devices(tenant, states)
        insert = self._session.insert(simulation_state)
        statement = insert.on_conflict_do_update(
            index_elements=[simulation_state.c.tenant_id, simulation_state.c.device_id],
            set_={"state": insert.excluded.state},
        )
        rows = [
            {"tenant_id": tenant, "device_id": key, "state": encode_state(states[key])}
            for key in sorted(states)
        ]
        self._session.change(statement, rows)

    def observe(self, scope: Scope, batch: ReadingBatch) -> None:
        """Let the newest reading of each device become its state; an older one never does."""
        tenant = tenant_of(scope)
        self._session.check_writable()
        newest = batch.newest()
        if not len(newest):
            return
        ids = newest.device_id.tolist()
        self._session.check_devices(tenant, ids)
        insert = self._session.insert(device_state)
        statement = insert.on_conflict_do_update(
            index_elements=[device_state.c.tenant_id, device_state.c.device_id],
            set_={
                "at_us": insert.excluded.at_us,
                "power_mw": insert.excluded.power_mw,
                "stored_mwh": insert.excluded.stored_mwh,
            },
            where=device_state.c.at_us <= insert.excluded.at_us,
        )
        names = "device_id", "at_us", "power_mw", "stored_mwh"
        columns = ids, newest.at_us.tolist(), newest.power_mw.tolist(), newest.stored_or_none()
        rows = [
            {"tenant_id": tenant, **dict(zip(names, row, strict=True))}
            for row in zip(*columns, strict=True)
        ]
        self._session.change(statement, rows)

    def states(self, scope: Scope, ids: Collection[int]) -> Mapping[int, StateRecord]:
        """The newest readings of these devices; without one they are left out."""
        tenant = tenant_of(scope)
        state = device_state.c
        statement = select(state.device_id, state.at_us, state.power_mw, state.stored_mwh).where(
            state.tenant_id == tenant, self._session.is_among(state.device_id, ids)
        )
        return {
            device_id: StateRecord(
                device_id=device_id, at_us=at_us, power_mw=power_mw, stored_mwh=stored_mwh
            )
            for device_id, at_us, power_mw, stored_mwh in self._session.read(statement)
        }

    def table(self, scope: Scope, filter_: DeviceFilter) -> StateTable:
        """The states of all active devices that match, ordered by identity."""
        tenant = tenant_of(scope)
        if filter_ == _ALL:
            # The most frequent question: made once, a statement is found again by its identity.
            return _table(self._session.plain(_ACTIVE_OF_TENANT, {"tenant": tenant}))
        conditions = conditions_of(self._session, tenant, filter_)
        return _table(self._session.plain(_ACTIVE.where(*conditions)))

    def tagged(self, scope: Scope, filter_: DeviceFilter) -> Mapping[str, Sequence[int]]:
        """The identities of the active devices that match, by tag, in alphabetical order."""
        tenant = tenant_of(scope)
        statement = (
            select(device_tag.c.tag, device.c.id)
            .join_from(device_tag, device, device_tag.c.device_id == device.c.id)
            .where(device_tag.c.tenant_id == tenant, device.c.is_active)
            .where(*conditions_of(self._session, tenant, filter_))
            .order_by(device.c.id)
        )
        by_tag: dict[str, list[int]] = {}
        for tag, device_id in self._session.read(statement):
            by_tag.setdefault(tag, []).append(device_id)
        return {tag: by_tag[tag] for tag in sorted(by_tag)}

    def _simulated(self, tenant: str, shard_id: int) -> list[ColumnElement[bool]]:
        """What makes a device one of a shard's: the tenant has one shard, which has them all."""
        own = select(shard.c.id).where(
            shard.c.tenant_id == tenant, self._session.is_among(shard.c.id, [shard_id])
        )
        return [
            device.c.tenant_id == tenant,
            device.c.is_active,
            device.c.data_source == DataSource.SIMULATED.value,
            own.exists(),
        ]


_ACTIVE: Final = (
    select(
        device.c.kind,
        device.c.id,
        device.c.site_id,
        device_state.c.at_us,
        device_state.c.power_mw,
        device_state.c.stored_mwh,
        device.c.capacity_mwh,
        device.c.max_gap_us,
    )
    .outerjoin(
        device_state,
        (device_state.c.tenant_id == device.c.tenant_id)
        & (device_state.c.device_id == device.c.id),
    )
    .where(device.c.is_active)
    .order_by(device.c.id)
)


_ACTIVE_OF_TENANT: Final = _ACTIVE.where(device.c.tenant_id == bindparam("tenant"))
_ALL: Final = DeviceFilter()


def _member(row: AnyRow, zone: Any) -> Member:
    return Member(
        device_id=row.id,
        device=decode_device(row.kind, name=row.name, ratings=row.ratings),
        noise_key=from_signed(row.noise_key),
        site=row.site_id,
        zone=zone,
        state={} if row.state is None else decode_state(row.state),
        dispatch=None
        if row.dispatch is None
        else decode_dispatch(row.dispatch, row.dispatch_parameters),
    )


def _table(rows: Sequence[tuple[Any, ...]]) -> StateTable:
    of_rows, *columns = zip(*rows, strict=True) if rows else [()] * 8
    kinds = tuple(sorted(set(of_rows)))
    position = {kind: index for index, kind in enumerate(kinds)}
    # One pass over all numbers, most of which may be absent.
    flat = np.array([MISSING if n is None else n for column in columns for n in column], np.int64)
    device_id, site_id, at_us, power_mw, stored_mwh, capacity_mwh, max_gap_us = flat.reshape(7, -1)
    return StateTable(
        kinds=kinds,
        roles=tuple(device_kind(kind).role for kind in kinds),
        device_id=device_id,
        site_id=site_id,
        kind_index=np.array([position[kind] for kind in of_rows], dtype=np.int64),
        at_us=at_us,
        power_mw=power_mw,
        stored_mwh=stored_mwh,
        capacity_mwh=capacity_mwh,
        silent_after_us=SILENT_GAPS * max_gap_us,
    )
