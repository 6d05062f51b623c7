"""Filters of devices as conditions of a statement."""

from sqlalchemy import ColumnElement, select

from energycore.protocols.records import DeviceFilter
from energycore.storage.rules import is_storable, name_key
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import device, device_tag

__all__ = ["conditions_of"]


def conditions_of(
    session: Session, tenant: str, filter_: DeviceFilter
) -> list[ColumnElement[bool]]:
    """What a device's row must fulfil to match; belonging to the tenant is always part of it."""
    found: list[ColumnElement[bool]] = [device.c.tenant_id == tenant]
    if filter_.ids is not None:
        found.append(session.is_among(device.c.id, filter_.ids))
    if filter_.kinds is not None:
        found.append(session.is_among(device.c.kind, filter_.kinds))
    if filter_.site_ids is not None:
        found.append(session.is_among(device.c.site_id, filter_.site_ids))
    if filter_.tags is not None:
        tagged = select(device_tag.c.device_id).where(
            device_tag.c.tenant_id == tenant, session.is_among(device_tag.c.tag, filter_.tags)
        )
        found.append(device.c.id.in_(tagged))
    if filter_.name_contains is not None:
        needle = name_key(filter_.name_contains)
        # Nothing matches what cannot be stored. A plain false would take the place of the whole
        # condition, and with it that of the tenant.
        nothing = session.is_among(device.c.id, ())
        found.append(session.has(device.c.name_key, needle) if is_storable(needle) else nothing)
    if filter_.is_active is not None:
        found.append(device.c.is_active.is_(filter_.is_active))
    if filter_.data_sources is not None:
        sources = [source.value for source in filter_.data_sources]
        found.append(session.is_among(device.c.data_source, sources))
    return found
