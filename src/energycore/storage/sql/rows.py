"""Rows of the tables as records, and back."""

from collections.abc import Sequence
from typing import Any, Final

from energycore.devices.base import DataSource
from energycore.devices.site import Site
from energycore.devices.storage_device import capacity_mwh
from energycore.encoding import decode_device, decode_dispatch, encode_dispatch, encode_ratings
from energycore.protocols.records import DeviceRecord, NewDevice, NewSite, ShardRecord, SiteRecord
from energycore.storage.rules import MAX_INT64, name_key
from energycore.storage.sql.session import AnyRow
from energycore.storage.sql.tables import device
from energycore.telemetry.series import GapPolicy, SeriesVersion

__all__ = [
    "device_of",
    "device_values",
    "from_signed",
    "series_of",
    "series_values",
    "shard_of",
    "site_of",
    "site_values",
]

_TWO_TO_64: Final = 1 << 64
_DEVICE: Final = tuple(device.c.keys())
_SOURCES: Final = {source.value: source for source in DataSource}
_POLICIES: Final = {policy.value: policy for policy in GapPolicy}


def site_values(tenant: str, new: NewSite) -> dict[str, Any]:
    """The columns of a site but its identity and version."""
    return {
        "tenant_id": tenant,
        "external_id": new.external_id,
        "name": new.site.name,
        "time_zone": new.site.time_zone,
        "latitude": new.site.latitude,
        "longitude": new.site.longitude,
        "registered_at_us": new.registered_at_us,
    }


def site_of(row: AnyRow) -> SiteRecord:
    """The record of a row of the table of sites."""
    return SiteRecord(
        id=row.id,
        version=row.version,
        external_id=row.external_id,
        registered_at_us=row.registered_at_us,
        site=Site(
            name=row.name,
            time_zone=row.time_zone,
            latitude=row.latitude,
            longitude=row.longitude,
        ),
    )


def device_values(tenant: str, new: NewDevice) -> dict[str, Any]:
    """The columns of a device but its identity and version; tags have a table of their own."""
    strategy, parameters = (None, None) if new.dispatch is None else encode_dispatch(new.dispatch)
    return {
        "tenant_id": tenant,
        "site_id": new.site_id,
        "external_id": new.external_id,
        "name": new.device.name,
        "name_key": name_key(new.device.name),
        "kind": new.device.kind,
        "ratings": encode_ratings(new.device),
        "largest_power_w": new.device.largest_power_w,
        "capacity_mwh": capacity_mwh(new.device),
        "noise_key": _to_signed(new.noise_key),
        "has_own_noise_key": new.device.noise_key is not None,
        "is_active": new.is_active,
        "data_source": new.data_source.value,
        "max_gap_us": new.max_gap_us,
        "gap_policy": new.gap_policy.value,
        "registered_at_us": new.registered_at_us,
        "simulated_from_us": new.simulated_from_us,
        "dispatch": strategy,
        "dispatch_parameters": parameters,
    }


def device_of(row: AnyRow, tags: Sequence[str]) -> DeviceRecord:
    """The record of a row that begins with the columns of the table of devices."""
    # Reading a row's attributes one by one takes five times as long, and lists have many rows.
    at = dict(zip(_DEVICE, row, strict=False))
    noise_key = from_signed(at["noise_key"])
    dispatch, parameters = at["dispatch"], at["dispatch_parameters"] or {}
    return DeviceRecord(
        id=at["id"],
        version=at["version"],
        device=decode_device(
            at["kind"],
            name=at["name"],
            ratings=at["ratings"],
            noise_key=noise_key if at["has_own_noise_key"] else None,
        ),
        noise_key=noise_key,
        site_id=at["site_id"],
        tags=tuple(sorted(tags)),
        external_id=at["external_id"],
        is_active=at["is_active"],
        data_source=_SOURCES[at["data_source"]],
        max_gap_us=at["max_gap_us"],
        gap_policy=_POLICIES[at["gap_policy"]],
        registered_at_us=at["registered_at_us"],
        simulated_from_us=at["simulated_from_us"],
        dispatch=None if dispatch is None else decode_dispatch(dispatch, parameters),
    )


def series_values(tenant: str, version: SeriesVersion) -> dict[str, Any]:
    """The columns of a version of a device's series."""
    return {
        "tenant_id": tenant,
        "device_id": version.device_id,
        "valid_from_us": version.valid_from_us,
        "site_id": version.site_id,
        "is_active": version.is_active,
        "gap_policy": version.gap_policy.value,
        "max_gap_us": version.max_gap_us,
        "capacity_mwh": version.capacity_mwh,
    }


def series_of(row: AnyRow) -> SeriesVersion:
    """The version of a row of the table of series."""
    return SeriesVersion(
        device_id=row.device_id,
        valid_from_us=row.valid_from_us,
        site_id=row.site_id,
        is_active=row.is_active,
        gap_policy=GapPolicy(row.gap_policy),
        max_gap_us=row.max_gap_us,
        capacity_mwh=row.capacity_mwh,
    )


def shard_of(row: AnyRow) -> ShardRecord:
    """The record of a row of the table of shards."""
    return ShardRecord(id=row.id, step_us=row.step_us, seed=row.seed, last_tick_us=row.last_tick_us)


def from_signed(stored: int) -> int:
    """A noise key, 0 to 2**64 - 1, from the signed number that databases have."""
    return stored % _TWO_TO_64


def _to_signed(noise_key: int) -> int:
    return noise_key - _TWO_TO_64 if noise_key > MAX_INT64 else noise_key
