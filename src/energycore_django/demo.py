"""Homes to look at: in many time zones, each with sun, storage, a car and appliances."""

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final, NamedTuple

import attrs

from energycore.devices.base import Device
from energycore.devices.kinds.appliance import Appliance
from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.electric_vehicle import ElectricVehicle
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice
from energycore.encoding.home import Home, HomeDevice
from energycore.simulation.dispatch import SelfConsumption
from energycore.simulation.noise import noise_key_of

__all__ = ["MOST_SITES", "demo_homes"]

MOST_SITES: Final = 1_000


class _Place(NamedTuple):
    city: str
    time_zone: str
    latitude: float
    longitude: float


_PLACES: Final = (
    _Place("Berlin", "Europe/Berlin", 52.52, 13.41),
    _Place("Phoenix", "America/Phoenix", 33.45, -112.07),
    _Place("Sydney", "Australia/Sydney", -33.87, 151.21),
    _Place("Kolkata", "Asia/Kolkata", 22.57, 88.36),
    _Place("Lisbon", "Europe/Lisbon", 38.72, -9.14),
    _Place("Tokyo", "Asia/Tokyo", 35.68, 139.69),
    _Place("New York", "America/New_York", 40.71, -74.01),
    _Place("Cape Town", "Africa/Johannesburg", -33.92, 18.42),
    _Place("São Paulo", "America/Sao_Paulo", -23.55, -46.63),
    _Place("Auckland", "Pacific/Auckland", -36.85, 174.76),
    _Place("Honolulu", "Pacific/Honolulu", 21.31, -157.86),
    _Place("Kathmandu", "Asia/Kathmandu", 27.72, 85.32),
)


class _Entry(NamedTuple):
    device: Device
    tags: tuple[str, ...]
    priority: int = 0
    """Of a storage: the lowest fills first."""


def _house(*, roof_w: float, battery_wh: float, battery_w: float, car: Device) -> Iterator[_Entry]:
    """What every home has; each number is a common one of such a product."""
    yield _Entry(SolarPanel(name="Roof", rated_power_w=roof_w), ("solar", "roof"))
    battery = Battery(
        name="Battery",
        capacity_wh=battery_wh,
        max_charge_w=battery_w,
        max_discharge_w=battery_w,
        min_state_of_charge=0.05,
    )
    yield _Entry(battery, ("storage", "garage"))
    yield _Entry(car, ("storage", "garage"), 10)
    # 110 and 240 kWh a year; the dishwasher runs two hours a day with 0.64 kWh.
    yield _Entry(_appliance("Refrigerator", 27, duty=0.35, on_min=20), ("kitchen",))
    yield _Entry(_appliance("Dishwasher", 27, duty=0.083, on_min=120), ("kitchen",))
    yield _Entry(_appliance("Base load", 180, duty=1.0, on_min=60), ())


def _car(name: str, capacity_wh: float, charger_w: float) -> Device:
    """A car whose lower half is kept for driving, at a charger that works both ways."""
    return ElectricVehicle(
        name=name,
        capacity_wh=capacity_wh,
        max_charge_w=charger_w,
        max_discharge_w=charger_w,
        min_state_of_charge=0.5,
        max_state_of_charge=0.9,
    )


def _appliance(name: str, mean_w: float, *, duty: float, on_min: float) -> Device:
    return Appliance(name=name, average_power_w=mean_w, duty_cycle=duty, mean_on_time_s=on_min * 60)


def _households() -> tuple[tuple[_Entry, ...], ...]:
    """A family, a couple, and a large house."""
    return (
        (
            *_house(
                roof_w=5_000,
                battery_wh=10_000,
                battery_w=5_000,
                car=_car("Compact car", 40_000, 7_400),
            ),
            _Entry(_appliance("Washing machine", 20, duty=0.06, on_min=90), ("laundry",)),
            _Entry(_appliance("Air conditioner", 300, duty=0.4, on_min=30), ("climate",)),
        ),
        (
            *_house(
                roof_w=3_300,
                battery_wh=5_000,
                battery_w=2_500,
                car=_car("City car", 27_000, 7_400),
            ),
            _Entry(_appliance("Water heater", 150, duty=0.075, on_min=25), ("bathroom",)),
        ),
        (
            *_house(
                roof_w=9_900,
                battery_wh=13_500,
                battery_w=5_000,
                car=_car("Family car", 77_000, 11_000),
            ),
            _Entry(_appliance("Heat pump", 900, duty=0.45, on_min=40), ("climate",)),
            _Entry(_appliance("Pool pump", 350, duty=0.33, on_min=240), ("garden",)),
            _Entry(_appliance("Tumble dryer", 55, duty=0.06, on_min=80), ("laundry",)),
        ),
    )


def demo_homes(count: int) -> Iterator[Home]:
    """The first homes of the demo; the same ones, and under the same external ids, every time.

    Args:
        count: how many, from 1 to `MOST_SITES`.
    """
    pairs = zip(cycle(_PLACES), cycle(_households()), strict=False)
    for number, (place, household) in enumerate(islice(pairs, count)):
        round_ = number // len(_PLACES) + 1
        name = f"{place.city} home" if round_ == 1 else f"{place.city} home {round_}"
        site = Site(
            name=name,
            time_zone=place.time_zone,
            latitude=place.latitude,
            longitude=place.longitude,
        )
        site_id = f"demo/{number + 1}"
        yield Home(
            site=site,
            site_external_id=site_id,
            devices=tuple(_in_home(entry, site, site_id) for entry in household),
        )


def _in_home(entry: _Entry, site: Site, site_id: str) -> HomeDevice:
    device = attrs.evolve(entry.device, noise_key=noise_key_of(site.name, entry.device.name))
    return HomeDevice(
        device=device,
        external_id=f"{site_id}/{device.name.casefold().replace(' ', '-')}",
        tags=("demo", *entry.tags),
        dispatch=(
            SelfConsumption(priority=entry.priority) if isinstance(device, StorageDevice) else None
        ),
    )
