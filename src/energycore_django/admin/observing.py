"""The newest reading of a device that was fetched as a model, as the services would tell it."""

from zoneinfo import ZoneInfo

from energycore.errors import EnergycoreError
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.zones import load_zone
from energycore.services.insight import SILENT_GAPS, ObservedState
from energycore_django.access import energy
from energycore_django.conf import current
from energycore_django.models import Device, Site

__all__ = ["now_us", "observed", "zone_of", "zone_of_site"]


def now_us() -> int:
    """This instant by the clock of the tenant [us]."""
    return to_epoch_us(energy().clock.now(), "clock")


def observed(device: Device, at_us: int) -> ObservedState | None:
    """The newest reading of a device as it is known at an instant; None while there is none.

    It asks the database for nothing where `newest` was fetched with the device.
    """
    newest = getattr(device, "newest", None)
    if newest is None:
        return None
    return ObservedState(
        at_us=newest.at_us,
        power_mw=newest.power_mw,
        stored_mwh=newest.stored_mwh,
        capacity_mwh=device.capacity_mwh,
        is_stale=at_us - newest.at_us > SILENT_GAPS * device.max_gap_us,
    )


def zone_of(device: Device) -> ZoneInfo:
    """The time zone that a device lives in."""
    return zone_of_site(device.site)


def zone_of_site(site: Site | None) -> ZoneInfo:
    """The time zone of a site, or that of devices without one."""
    name = current().default_time_zone if site is None else site.time_zone
    try:
        return load_zone(name)
    except EnergycoreError:
        return ZoneInfo("UTC")
