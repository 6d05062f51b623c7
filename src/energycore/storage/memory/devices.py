"""Devices in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from energycore.errors import NameTaken, NotFound, VersionConflict
from energycore.protocols.groups import GroupKey, SummaryGroup, group_keys
from energycore.protocols.records import (
    Cursor,
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    NewDevice,
    Page,
    PageRequest,
)
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.versions import series_version
from energycore.storage.memory.paging import page_of
from energycore.storage.memory.tables import TenantTables, Work
from energycore.storage.rules import check_cursors, check_text, name_key, order_key

__all__ = ["MemoryDevices", "matching"]

_TABLES = "devices", "device_of_key", "device_of_place"


@attrs.frozen
class MemoryDevices:
    """Keeps devices."""

    _work: Work

    def add(self, scope: Scope, new: NewDevice) -> DeviceRecord:
        """Store a device under a new identity."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, *_TABLES, "series")
        _check_place(tables, new, None)
        given = {field.name: getattr(new, field.name) for field in attrs.fields(NewDevice)}
        record = DeviceRecord(id=next(self._work.identities.device), **given)
        _put(tables, record)
        tables.series[record.id] = (series_version(record, record.registered_at_us),)
        return record

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, DeviceRecord]:
        """The devices of these identities; missing ones are left out."""
        tenant = tenant_of(scope)
        devices = self._work.see(tenant).devices
        return {device_id: devices[device_id] for device_id in ids if device_id in devices}

    def by_external_id(self, scope: Scope, external_id: str) -> DeviceRecord | None:
        """The device that was registered under the caller's own key."""
        tenant = tenant_of(scope)
        tables = self._work.see(tenant)
        device_id = tables.device_of_key.get(external_id)
        return None if device_id is None else tables.devices[device_id]

    def update(self, scope: Scope, changed: DeviceRecord) -> DeviceRecord:
        """Replace a device whose stored version is `changed.version`; it grows by one."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, *_TABLES)
        stored = tables.devices.get(changed.id)
        if stored is None:
            raise NotFound("device", changed.id)
        if stored.version != changed.version:
            raise VersionConflict(
                f"the device is at version {stored.version}, not {changed.version}", stored
            )
        _check_place(tables, changed, changed.id)
        record = attrs.evolve(changed, version=stored.version + 1)
        del tables.device_of_place[stored.site_id, stored.device.name]
        if stored.external_id is not None:
            del tables.device_of_key[stored.external_id]
        _put(tables, record)
        return record

    def page(
        self, scope: Scope, filter_: DeviceFilter, order: DeviceOrder, request: PageRequest
    ) -> Page[DeviceRecord]:
        """A page of the devices that match, in this order."""
        tenant = tenant_of(scope)
        check_cursors(request, order.field)
        return _page(list(matching(self._work.see(tenant), filter_)), order, request)

    def count(self, scope: Scope, filter_: DeviceFilter) -> int:
        """How many devices match."""
        tenant = tenant_of(scope)
        return sum(1 for _ in matching(self._work.see(tenant), filter_))

    def ids(self, scope: Scope, filter_: DeviceFilter) -> Sequence[int]:
        """The identities of the devices that match, in order."""
        tenant = tenant_of(scope)
        return [record.id for record in matching(self._work.see(tenant), filter_)]

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
        groups = _grouped(self._work.see(tenant), group, keys, filter_)
        return {key: _page(records, order, request) for key, records in groups.items()}

    def counts(
        self,
        scope: Scope,
        group: SummaryGroup,
        keys: Collection[GroupKey],
        filter_: DeviceFilter,
    ) -> Mapping[GroupKey, int]:
        """How many devices of each of these groups match; 0 where there are none."""
        tenant = tenant_of(scope)
        groups = _grouped(self._work.see(tenant), group, keys, filter_)
        return {key: len(records) for key, records in groups.items()}


def matching(tables: TenantTables, filter_: DeviceFilter) -> Iterator[DeviceRecord]:
    """The devices that match a filter, ordered by identity."""
    needle = None if filter_.name_contains is None else name_key(filter_.name_contains)
    for device_id in sorted(tables.devices):
        record = tables.devices[device_id]
        if (
            _among(record.id, filter_.ids)
            and _among(record.device.kind, filter_.kinds)
            and _among(record.site_id, filter_.site_ids)
            and (filter_.tags is None or not set(filter_.tags).isdisjoint(record.tags))
            and (needle is None or needle in name_key(record.device.name))
            and (filter_.is_active is None or record.is_active is filter_.is_active)
            and _among(record.data_source, filter_.data_sources)
        ):
            yield record


def _page(
    records: Sequence[DeviceRecord], order: DeviceOrder, request: PageRequest
) -> Page[DeviceRecord]:
    return page_of(
        records,
        lambda record: Cursor(order_key(record, order.field), record.id),
        request,
        descending=order.descending,
    )


def _grouped(
    tables: TenantTables, group: SummaryGroup, keys: Collection[GroupKey], filter_: DeviceFilter
) -> dict[GroupKey, list[DeviceRecord]]:
    groups: dict[GroupKey, list[DeviceRecord]] = {key: [] for key in keys}
    for record in matching(tables, filter_):
        for key in group_keys(record, group):
            if key in groups:
                groups[key].append(record)
    return groups


def _among(value: object, wanted: Collection[object] | None) -> bool:
    return wanted is None or value in wanted


def _check_place(tables: TenantTables, new: NewDevice, own_id: int | None) -> None:
    check_text("external_id", new.external_id)
    for tag in new.tags:
        check_text("tags", tag)
    if new.site_id is not None and new.site_id not in tables.sites:
        raise NotFound("site", new.site_id)
    holder = tables.device_of_place.get((new.site_id, new.device.name))
    if holder is not None and holder != own_id:
        message = f"the name {new.device.name!r} is taken by another device of the site"
        raise NameTaken(message, tables.devices[holder])
    holder = None if new.external_id is None else tables.device_of_key.get(new.external_id)
    if holder is not None and holder != own_id:
        message = f"the external id {new.external_id!r} is taken by another device"
        raise NameTaken(message, tables.devices[holder])


def _put(tables: TenantTables, record: DeviceRecord) -> None:
    tables.devices[record.id] = record
    tables.device_of_place[record.site_id, record.device.name] = record.id
    if record.external_id is not None:
        tables.device_of_key[record.external_id] = record.id
