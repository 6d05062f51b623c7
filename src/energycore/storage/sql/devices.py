"""The tables of devices and of their tags."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
from sqlalchemy import Column, ColumnElement, FromClause, Text, delete, func, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from energycore.errors import Conflict, NameTaken, NotFound, VersionConflict
from energycore.protocols.groups import GroupKey, SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceOrderField,
    DeviceRecord,
    NewDevice,
    Page,
    PageRequest,
)
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.versions import series_version
from energycore.storage.rules import check_cursors, check_text, is_storable
from energycore.storage.sql.filters import conditions_of
from energycore.storage.sql.paging import KeysetPager
from energycore.storage.sql.rows import device_of, device_values, series_values
from energycore.storage.sql.session import AnyRow, Session
from energycore.storage.sql.tables import device, device_tag, series, site

__all__ = ["SqlDevices"]

_TAGS: Final = "tag_texts"
_KEYS = {
    DeviceOrderField.NAME: device.c.name_key,
    DeviceOrderField.REGISTERED_AT: device.c.registered_at_us,
    DeviceOrderField.RATED_POWER: device.c.largest_power_w,
}


class _TextsAsJson(FunctionElement[str]):
    """The texts of many rows as an array of JSON; NULL or an empty one of none."""

    type = Text()
    inherit_cache = True


@compiles(_TextsAsJson, "sqlite")
def _of_sqlite(element: _TextsAsJson, compiler: SQLCompiler, **given: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **given)})"


@compiles(_TextsAsJson, "postgresql")
def _of_postgresql(element: _TextsAsJson, compiler: SQLCompiler, **given: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **given)}) AS TEXT)"


_TAGGED = device.outerjoin(
    device_tag,
    (device_tag.c.tenant_id == device.c.tenant_id) & (device_tag.c.device_id == device.c.id),
)


@attrs.frozen
class SqlDevices:
    """Keeps devices."""

    _session: Session

    def add(self, scope: Scope, new: NewDevice) -> DeviceRecord:
        """Store a device under a new identity."""
        tenant = tenant_of(scope)
        self._check(tenant, new)
        row = {**device_values(tenant, new), "version": 1}
        insert = self._session.insert(device).values(row).on_conflict_do_nothing()
        device_id = self._session.change(insert.returning(device.c.id)).scalar_one_or_none()
        if device_id is None:
            raise self._taken(tenant, new)
        self._put_tags(tenant, device_id, new.tags)
        given = {field.name: getattr(new, field.name) for field in attrs.fields(NewDevice)}
        record = DeviceRecord(id=device_id, **given)
        first = series_version(record, record.registered_at_us)
        self._session.change(self._session.insert(series).values(series_values(tenant, first)))
        return record

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceRecord]:
        """The devices of these identities; missing ones are left out."""
        tenant = tenant_of(scope)
        found = self._find(tenant, self._session.is_among(device.c.id, ids))
        return {record.id: record for record in found}

    def by_external_id(self, scope: Scope, external_id: str) -> DeviceRecord | None:
        """The device that was registered under the caller's own key."""
        tenant = tenant_of(scope)
        if not is_storable(external_id):
            return None
        return next(iter(self._find(tenant, device.c.external_id == external_id)), None)

    def update(self, scope: Scope, changed: DeviceRecord) -> DeviceRecord:
        """Replace a device whose stored version is `changed.version`; it grows by one."""
        tenant = tenant_of(scope)
        self._check(tenant, changed)
        record = attrs.evolve(changed, version=changed.version + 1)
        statement = (
            update(device)
            .where(device.c.tenant_id == tenant, device.c.id == changed.id)
            .where(device.c.version == changed.version)
            .values({**device_values(tenant, record), "version": record.version})
        )
        try:
            done = self._session.attempt(statement).rowcount
        except Conflict:
            raise self._taken(tenant, changed) from None
        if not done:
            raise self._refused(scope, changed)
        of_device = device_tag.c.tenant_id == tenant, device_tag.c.device_id == changed.id
        self._session.change(delete(device_tag).where(*of_device))
        self._put_tags(tenant, changed.id, changed.tags)
        return record

    def page(
        self, scope: Scope, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Page[DeviceRecord]:
        """A page of the devices that match, in this order."""
        tenant = tenant_of(scope)
        check_cursors(request, order.field)
        conditions = conditions_of(self._session, tenant, filter_)
        pager = self._pager(tenant, conditions, order)
        return pager.page(request, _records)

    def count(self, scope: Scope, filter_: DeviceFilter) -> int:
        """How many devices match."""
        tenant = tenant_of(scope)
        conditions = conditions_of(self._session, tenant, filter_)
        statement = select(func.count()).select_from(device).where(*conditions)
        return int(self._session.read(statement).scalar_one())

    def ids(self, scope: Scope, filter_: DeviceFilter) -> Sequence[int]:
        """The identities of the devices that match, in order."""
        tenant = tenant_of(scope)
        conditions = conditions_of(self._session, tenant, filter_)
        found = self._session.read(select(device.c.id).where(*conditions).order_by(device.c.id))
        return list(found.scalars())

    def pages(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter,
        order: DeviceOrder,
        request: PageRequest,
    ) -> Mapping[GroupKey, Page[DeviceRecord]]:
        """The same page of each of these groups, of the devices in it that match."""
        tenant = tenant_of(scope)
        check_cursors(request, order.field)
        part, source = _part(group)
        pager = self._pager(tenant, self._in_groups(tenant, part, keys, filter_), order)
        return pager.pages(part, source, keys, request, _records)

    def counts(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter,
    ) -> Mapping[GroupKey, int]:
        """How many devices of each of these groups match; 0 where there are none."""
        tenant = tenant_of(scope)
        part, source = _part(group)
        conditions = self._in_groups(tenant, part, keys, filter_)
        pager = self._pager(tenant, conditions, DeviceOrder())
        return {**dict.fromkeys(keys, 0), **pager.counts(part, source)}

    def _pager(
        self, tenant: str, conditions: Sequence[ColumnElement[bool]], order: DeviceOrder
    ) -> KeysetPager:
        return KeysetPager(
            session=self._session,
            table=device,
            key=_KEYS[order.field],
            conditions=conditions,
            descending=order.descending,
            details=partial(_tags, tenant),
        )

    def _in_groups(
        self, tenant: str, part: Column[Any], keys: Collection[GroupKey], filter_: DeviceFilter
    ) -> list[ColumnElement[bool]]:
        wanted = self._session.is_among(part, [key for key in keys if key is not None])
        among = wanted | part.is_(None) if None in keys else wanted
        return [*conditions_of(self._session, tenant, filter_), among]

    def _find(self, tenant: str, condition: ColumnElement[bool]) -> list[DeviceRecord]:
        found = select(device, _tags(tenant, device))
        statement = found.where(device.c.tenant_id == tenant, condition)
        return _records(self._session.read(statement).all())

    def _check(self, tenant: str, new: NewDevice) -> None:
        """Refuse what cannot be stored, and a site that is not there; no site ever goes."""
        check_text("external_id", new.external_id)
        for tag in new.tags:
            check_text("tags", tag)
        if new.site_id is not None:
            here = self._session.is_among(site.c.id, [new.site_id])
            known = select(site.c.id).where(site.c.tenant_id == tenant, here)
            if self._session.read(known).one_or_none() is None:
                raise NotFound("site", new.site_id)

    def _put_tags(self, tenant: str, device_id: int, tags: Sequence[str]) -> None:
        if tags:
            rows = [{"tenant_id": tenant, "device_id": device_id, "tag": tag} for tag in tags]
            self._session.change(self._session.insert(device_tag), rows)

    def _taken(self, tenant: str, new: NewDevice) -> NameTaken:
        own_id = new.id if isinstance(new, DeviceRecord) else None
        same_name = (
            device.c.name == new.device.name,
            device.c.site_id.is_not_distinct_from(new.site_id),
        )
        for holder in self._find(tenant, same_name[0] & same_name[1]):
            if holder.id != own_id:
                message = f"the name {new.device.name!r} is taken by another device of the site"
                return NameTaken(message, holder)
        holders = self._find(tenant, device.c.external_id == new.external_id)
        message = f"the external id {new.external_id!r} is taken by another device"
        return NameTaken(message, next(iter(holders), None))

    def _refused(self, scope: Scope, changed: DeviceRecord) -> NotFound | VersionConflict:
        stored = self.get_many(scope, [changed.id]).get(changed.id)
        if stored is None:
            return NotFound("device", changed.id)
        return VersionConflict(
            f"the device is at version {stored.version}, not {changed.version}", stored
        )


def _part(group: SummaryGroup) -> tuple[Column[Any], FromClause]:
    """The column that holds a device's group, and where it is read from."""
    if group is SummaryGroup.TAG:
        return device_tag.c.tag, _TAGGED
    return (device.c.site_id if group is SummaryGroup.SITE else device.c.kind), device


def _tags(tenant: str, devices: FromClause) -> ColumnElement[str]:
    """The tags of each device as a text, in the same statement."""
    of_device = select(_TextsAsJson(device_tag.c.tag))
    return (
        of_device.where(device_tag.c.tenant_id == tenant, device_tag.c.device_id == devices.c.id)
        .correlate(devices)
        .scalar_subquery()
        .label(_TAGS)
    )


def _records(rows: Sequence[AnyRow]) -> list[DeviceRecord]:
    return [device_of(row, json.loads(getattr(row, _TAGS) or "[]")) for row in rows]
