"""One home with four devices through a year of minutes, against a plain loop per device."""

from collections.abc import Iterator
from typing import Final

import numpy as np

import energycore as ec
from benchmarks.loop import OnOffLoad, Panel, Store, follow_balance, tick_key
from benchmarks.measure import Line, interleaved
from energycore.simulation.noise import noise_key_of

__all__ = ["lines"]

_SEED: Final = 7
_ROUNDS: Final = 3
_START: Final = "2026-01-01"
_DAYS: Final = 365
_STEP_US: Final = 60_000_000
_SITE: Final = ec.Site(name="Home", time_zone="Europe/Berlin")
_ROOF: Final = ec.SolarPanel(name="Roof", rated_power_w=5_000)
_WALL: Final = ec.Battery(
    name="Wall", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000
)
_CAR: Final = ec.ElectricVehicle(
    name="Car", capacity_wh=60_000, max_charge_w=11_000, max_discharge_w=11_000
)
_COOLER: Final = ec.Appliance(name="AC", average_power_w=600)


def lines() -> Iterator[Line]:
    """The year's line, after both have given the same readings."""
    run = _columns()
    np.testing.assert_allclose(_loop(run), run.power_w, rtol=0, atol=0.002)
    seconds = interleaved({"columns": _columns, "loop": lambda: _loop(run)}, rounds=_ROUNDS)
    yield Line(
        name="year",
        figure=f"{seconds['columns']:.2f} s (guide 3 s)",
        ratio=seconds["loop"] / seconds["columns"],
        limit=3.0,
        at_most=False,
        note=f"times faster than a plain loop per device ({seconds['loop']:.1f} s)",
    )


def _columns() -> ec.Run:
    devices = (_ROOF, _WALL, _CAR, _COOLER)
    return ec.simulate(devices, site=_SITE, start=_START, days=_DAYS, seed=_SEED)


def _loop(run: ec.Run) -> list[tuple[float, ...]]:
    roof = Panel(zone=_SITE.zone, noise_key=_key(_ROOF), rated_power_w=_ROOF.rated_power_w)
    cooler = OnOffLoad(
        noise_key=_key(_COOLER),
        average_power_w=_COOLER.average_power_w,
        duty_cycle=_COOLER.duty_cycle,
        mean_on_time_s=_COOLER.mean_on_time_s,
    )
    wall, car = _store(_WALL), _store(_CAR)
    powers: list[tuple[float, ...]] = []
    for at_us in run.at_us.tolist():
        key = tick_key(_SEED, at_us)
        follow_balance((roof, cooler), (wall, car), at_us, _STEP_US, key)
        powers.append((roof.power_w, wall.power_w, car.power_w, cooler.power_w))
    return powers


def _key(device: ec.Device) -> int:
    return noise_key_of(_SITE.name, device.name)


def _store(device: ec.StorageDevice) -> Store:
    return Store(
        max_charge_w=device.max_charge_w,
        max_discharge_w=device.max_discharge_w,
        charge_efficiency=device.charge_efficiency,
        discharge_efficiency=device.discharge_efficiency,
        lower_nwh=device.lower_nwh,
        upper_nwh=device.upper_nwh,
        stored_nwh=round(device.capacity_wh * 1e9 / 2),
    )
