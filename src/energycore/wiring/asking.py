"""What callers may mean: a device by its record or id, a day by its date, a history of anything."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from energycore.errors import InvalidValue, TimeZoneRequired
from energycore.notebook.instants import Spelling, has_zone, instant_in
from energycore.protocols.records import DeviceFilter, DeviceRecord, SiteRecord
from energycore.protocols.scope import Scope
from energycore.quantities.instants import LAST_US, from_epoch_us
from energycore.quantities.zones import load_zone
from energycore.services.histories import Histories, HistoryRequest
from energycore.telemetry.history import EnergyHistory

__all__ = ["Ask", "Subject", "asking", "common_zone", "identity", "name_of", "range_of"]

Subject = DeviceRecord | SiteRecord | DeviceFilter | None
"""What a history may be of; None is everything."""
Ask = Callable[[HistoryRequest], EnergyHistory]

_RECORDS: Final = {"device": DeviceRecord, "site": SiteRecord}
_SECOND: Final = timedelta(seconds=1)
_NEVER: Final = HistoryRequest.of(
    from_epoch_us(LAST_US) - 2 * _SECOND, from_epoch_us(LAST_US) - _SECOND, "month"
)
"""A time without readings: a history of it costs little, and says whose calendar it follows."""


def identity(given: object, noun: str = "device") -> int:
    """The identity of what was given as a record or as its identity.

    Raises:
        InvalidValue: it is neither.
    """
    if isinstance(given, DeviceRecord | SiteRecord) and isinstance(given, _RECORDS[noun]):
        return given.id
    if not isinstance(given, int) or isinstance(given, bool):
        raise InvalidValue(noun, given, f"the record or the id of a {noun} that is registered")
    return given


def asking(histories: Histories, scope: Scope, of: Subject, *, extremes: bool) -> Ask:
    """How to ask for a history.

    Args:
        histories: the service.
        scope: the tenant.
        of: the subject.
        extremes: of a filter, whether least and greatest power are wanted.

    Raises:
        InvalidValue: there are no histories of such a thing.
    """
    if isinstance(of, DeviceRecord):
        device_id = of.id
        return lambda request: histories.of_devices(scope, [device_id], request)[device_id]
    if isinstance(of, SiteRecord):
        site_id = of.id
        return lambda request: histories.of_sites(scope, [site_id], request)[site_id]
    if of is not None and not isinstance(of, DeviceFilter):
        raise InvalidValue("of", of, "a device or its id, a site, a DeviceFilter, or absent")
    filter_ = DeviceFilter() if of is None else of
    return lambda request: histories.of_filter(scope, filter_, request, extremes=extremes)


def name_of(of: Subject) -> str:
    """What a subject is called, as far as it has a name."""
    if isinstance(of, DeviceRecord):
        return of.device.name
    if isinstance(of, SiteRecord):
        return of.site.name
    return ""


def range_of(
    start: Spelling,
    end: Spelling,
    time_zone: str | None,
    calendar: Callable[[HistoryRequest], str],
) -> tuple[datetime, datetime]:
    """The instants that are meant by a start and an end.

    Args:
        start: a date, an instant, or either as ISO 8601 text.
        end: likewise.
        time_zone: the zone of what has no offset.
        calendar: says in which zone a history is, if none is named and it must be known.

    Raises:
        InvalidValue: one of them is neither.
        UnknownTimeZone: there is no such zone.
    """
    if time_zone is None and not (has_zone(start, "start") and has_zone(end, "end")):
        time_zone = calendar(_NEVER)
    zone = load_zone("UTC" if time_zone is None else time_zone)
    return instant_in(zone, start, "start"), instant_in(zone, end, "end")


def common_zone(
    histories: Histories, scope: Scope, ids: Collection[int], request: HistoryRequest
) -> str:
    """The zone in which the histories of some devices are.

    Raises:
        NotFound: there is no such device.
        TimeZoneRequired: they are in several.
    """
    found = histories.of_devices(scope, ids, request).values()
    zones = {history.time_zone for history in found} or {histories.default_zone}
    if len(zones) > 1:
        raise TimeZoneRequired("time_zone", None, "named: the devices are in several time zones")
    return zones.pop()
