"""From a stored device to what holds of its series."""

from energycore.devices.storage_device import capacity_mwh
from energycore.protocols.records import DeviceRecord
from energycore.telemetry.series import SeriesVersion

__all__ = ["series_version"]


def series_version(record: DeviceRecord, valid_from_us: int) -> SeriesVersion:
    """What holds of a device's series from an instant on, with the device as it is stored."""
    return SeriesVersion(
        device_id=record.id,
        valid_from_us=valid_from_us,
        site_id=record.site_id,
        is_active=record.is_active,
        gap_policy=record.gap_policy,
        max_gap_us=record.max_gap_us,
        capacity_mwh=capacity_mwh(record.device),
    )
