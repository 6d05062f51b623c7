"""What the page of a device and the page of a site show beside their forms."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from energycore.errors import EnergycoreError
from energycore.notebook.instants import instant_in
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import from_epoch_us
from energycore.services.histories import HistoryRequest
from energycore.telemetry.history import EnergyBucket, EnergyHistory
from energycore.wiring.energy import Energy
from energycore_django.access import energy
from energycore_django.admin.cells import (
    UNKNOWN,
    charge_bar,
    joined,
    local_time,
    percent,
    power,
    quantity,
)
from energycore_django.admin.charts import Chart, charge_of_day, energy_by_day, power_of_day
from energycore_django.admin.newest import MOST_READINGS, newest_readings
from energycore_django.admin.observing import now_us, observed, zone_of, zone_of_site

__all__ = ["device_page", "site_page"]

_DAYS: Final = 30

Ask = Callable[[HistoryRequest], EnergyHistory]


def device_page(device: Any) -> dict[str, Any]:
    """What is known of a device: its state, its day, its last 30 days, its newest readings."""
    own, at_us, zone = energy(), now_us(), zone_of(device)
    state = observed(device, at_us)
    facts: list[tuple[str, object]] = [
        ("Power", _power_fact(device, state)),
        ("Last seen", local_time(None if state is None else state.at, zone, seconds=True)),
    ]
    if device.capacity_mwh is not None:
        charge = None if state is None else state.state_of_charge
        facts.insert(1, ("Charge", charge_bar(charge)))
        stored = None if state is None else state.stored_wh
        facts.insert(2, ("Stored energy", quantity(stored, "Wh")))
        facts.insert(3, ("Capacity", quantity(device.capacity_wh, "Wh")))

    def ask(request: HistoryRequest) -> EnergyHistory:
        return own.services.histories.of_devices(own.scope, [device.pk], request)[device.pk]

    def tell() -> dict[str, Any]:
        newest_us = None if state is None else state.at_us
        return {"readings": _reading_rows(own, device, newest_us, zone)}

    return {
        "facts": facts,
        "zone": zone.key,
        "most_readings": MOST_READINGS,
        **_charts(own, ask, at_us, zone, is_storage=device.capacity_mwh is not None),
        **_or_problem(tell, "readings_problem"),
    }


def site_page(site: Any) -> dict[str, Any]:
    """What is known of a site: what its devices do now, its day, its last 30 days."""
    own, at_us, zone = energy(), now_us(), zone_of_site(site)

    def ask(request: HistoryRequest) -> EnergyHistory:
        return own.services.histories.of_sites(own.scope, [site.pk], request)[site.pk]

    def tell() -> dict[str, Any]:
        return {"facts": _summary_facts(own, site, zone)}

    return {
        "zone": zone.key,
        **_charts(own, ask, at_us, zone, is_storage=True, parts=True),
        **_or_problem(tell, "summary_problem"),
    }


def _power_fact(device: Any, state: Any) -> object:
    if state is None:
        return joined(("quiet", "no reading yet"))
    mode = "" if state.mode is None else state.mode.value
    shown = [("number", power(state.power_w)), ("quiet", mode)]
    if not device.is_active:
        return joined(("quiet", "inactive, before:"), *shown)
    if state.is_stale:
        return joined(("silent", "silent"), ("quiet", "before:"), *shown)
    return joined(*shown)


def _summary_facts(own: Energy, site: Any, zone: ZoneInfo) -> list[tuple[str, object]]:
    summary = own.summary(DeviceFilter(site_ids=(site.pk,)))
    speaks = summary.device_count > summary.silent_count
    storage = summary.storage

    def known(value_w: float) -> str:
        return quantity(value_w if speaks else None, "W")

    silent = f"{summary.silent_count} of {summary.device_count}"
    facts: list[tuple[str, object]] = [
        ("Production", known(summary.production_w)),
        ("Consumption", known(summary.consumption_w)),
        ("Net", power(summary.net_power_w if speaks else None)),
        ("Active devices", str(summary.device_count)),
        ("Silent", joined(("silent", silent)) if summary.silent_count else "none"),
    ]
    if storage.device_count:
        text = f"{quantity(storage.stored_wh, 'Wh')} of {quantity(storage.capacity_wh, 'Wh')}"
        facts += [("Charge", charge_bar(storage.state_of_charge)), ("Stored energy", text)]
    return [*facts, ("At", local_time(summary.at, zone, seconds=True))]


def _charts(
    own: Energy, ask: Ask, at_us: int, zone: ZoneInfo, *, is_storage: bool, parts: bool = False
) -> dict[str, Any]:
    """The charts, and the days as a table for those who read rather than look."""
    today = from_epoch_us(at_us).astimezone(zone).date()

    def tell() -> dict[str, Any]:
        day = ask(_request(own, zone, today, 1, "quarter_hour"))
        days = ask(_request(own, zone, today - timedelta(days=_DAYS - 1), _DAYS, "day"))
        charts: list[Chart] = [power_of_day(day, f"Today, {today}", at_us, parts=parts)]
        if is_storage and any(b.mean_state_of_charge is not None for b in day.buckets):
            charts.append(charge_of_day(day, "Charge today", at_us))
        charts.append(energy_by_day(days, f"Last {_DAYS} days"))
        return {"charts": charts, "days": _day_rows(days.buckets)}

    return _or_problem(tell, "charts_problem")


def _or_problem(tell: Callable[[], dict[str, Any]], key: str) -> dict[str, Any]:
    """What can be told; or why it cannot be, which does not keep anybody from the form."""
    try:
        return tell()
    except EnergycoreError as error:
        return {key: error.message}


def _request(own: Energy, zone: ZoneInfo, first: date, days: int, interval: str) -> HistoryRequest:
    start = instant_in(zone, first, "start")
    end = instant_in(zone, first + timedelta(days=days), "end")
    return own.services.histories.request(start, end, interval, zone.key)


def _day_rows(buckets: Sequence[EnergyBucket]) -> list[tuple[str, ...]]:
    return [
        (
            f"{bucket.start:%Y-%m-%d}",
            quantity(bucket.produced_wh, "Wh"),
            quantity(bucket.consumed_wh, "Wh"),
            percent(bucket.coverage) if bucket.expected_ms else UNKNOWN,
        )
        for bucket in reversed(buckets)
    ]


def _reading_rows(
    own: Energy, device: Any, newest_us: int | None, zone: ZoneInfo
) -> list[tuple[str, ...]]:
    return [
        (
            local_time(row.at, zone, seconds=True),
            power(row.power_w, digits=3),
            quantity(row.stored_wh, "Wh", digits=3),
        )
        for row in newest_readings(own, device, newest_us)
    ]
