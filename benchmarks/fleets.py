"""Two million devices as columns, made by numpy directly, and the bytes that a tick touches."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energycore.devices.base import Device
from energycore.devices.kinds.appliance import Appliance
from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.electric_vehicle import ElectricVehicle
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.fleet.columns import Fleet, KindColumns
from energycore.fleet.tick import FleetStep
from energycore.quantities.units import FloatArray
from energycore.simulation.dispatch import Dispatch, Manual
from energycore.simulation.noise import tick_keys, uniforms

__all__ = ["KINDS", "ZONES", "bytes_of_tick", "columns_of_tick", "drawn", "fleet_of"]

ZONES: Final = ("Africa/Cairo", "America/New_York", "America/Sao_Paulo", "Europe/Berlin")
KINDS: Final[tuple[type[Device], ...]] = (Appliance, Battery, ElectricVehicle, SolarPanel)

# What the behaviours of our own kinds read and write; `power_w` is written by each.
_READS: Final = {
    "appliance": ("noise_key", "power_when_on_w", "duty_cycle", "mixing_rate_hz", "is_on"),
    "solar_panel": ("noise_key", "zone_index", "rated_power_w"),
}
_STORAGE_READS: Final = (
    "stored_nwh",
    "setpoint_w",
    "lower_nwh",
    "upper_nwh",
    "lowest_power_w",
    "highest_power_w",
    "stored_per_drawn",
    "stored_per_given",
)


def drawn(count: int, low: float, high: float, stream: int) -> FloatArray:
    """Shape (count,): fixed numbers spread evenly over [low, high)."""
    keys = np.arange(count, dtype=np.uint64)
    share = uniforms(keys, tick_keys(1, np.zeros(1, dtype=np.int64), stream))[0]
    result: FloatArray = low + (high - low) * share
    return result


def fleet_of(devices_per_kind: int, dispatch: Dispatch | None = None) -> Fleet:
    """A fleet with one device of each kind on each site, in several zones.

    Half of the storages charge, discharge or meet a bound; the other half idle.
    """
    return Fleet(
        kinds=tuple(_columns(kind, devices_per_kind, dispatch or Manual()) for kind in KINDS),
        zones=tuple(ZoneInfo(name) for name in ZONES),
        site_count=devices_per_kind,
    )


def _columns(kind: type[Device], count: int, dispatch: Dispatch) -> KindColumns:
    position = KINDS.index(kind)
    ids = np.arange(count, dtype=np.int64)
    ratings, state = _storage(count) if kind in (Battery, ElectricVehicle) else _simple(kind, count)
    is_storage = "stored_nwh" in state
    return KindColumns(
        kind=kind,
        device_id=ids + position * count,
        site_index=ids.astype(np.int32),
        zone_index=(ids % len(ZONES)).astype(np.int32),
        noise_key=drawn(count, 0, 2**53, 90 + position).astype(np.uint64),
        ratings=kind.behaviour.prepare(ratings),
        state=state,
        dispatches=(dispatch,) if is_storage else (),
        dispatch_index=np.zeros(count if is_storage else 0, dtype=np.int16),
    )


def _simple(
    kind: type[Device], count: int
) -> tuple[dict[str, FloatArray], dict[str, NDArray[Any]]]:
    if kind is SolarPanel:
        return {"rated_power_w": drawn(count, 1_000, 15_000, 1)}, {}
    ratings = {
        "average_power_w": drawn(count, 50, 1_500, 2),
        "duty_cycle": drawn(count, 0.1, 0.9, 3),
        "mean_on_time_s": drawn(count, 300, 7_200, 4),
    }
    return ratings, {"is_on": (drawn(count, 0, 1, 5) < 0.5).astype(np.int8)}


def _storage(count: int) -> tuple[dict[str, FloatArray], dict[str, NDArray[Any]]]:
    ratings = {
        "capacity_wh": drawn(count, 5_000, 80_000, 6),
        "max_charge_w": drawn(count, 2_000, 11_000, 7),
        "max_discharge_w": drawn(count, 2_000, 11_000, 8),
        "charge_efficiency": drawn(count, 0.9, 0.99, 9),
        "discharge_efficiency": drawn(count, 0.9, 0.99, 10),
        "min_state_of_charge": drawn(count, 0.0, 0.1, 11),
        "max_state_of_charge": drawn(count, 0.9, 1.0, 12),
    }
    share = drawn(count, 0.1, 0.9, 13)
    command = drawn(count, -1, 1, 14)
    setpoint_w = np.where(np.abs(command) > 0.5, command * np.minimum(*_limits(ratings)), 0.0)
    state = {
        "stored_nwh": (ratings["capacity_wh"] * share * 1e9).astype(np.int64),
        "setpoint_w": setpoint_w,
        "mode": np.sign(setpoint_w).astype(np.int8),
    }
    return ratings, state


def _limits(ratings: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    return ratings["max_charge_w"], ratings["max_discharge_w"]


def columns_of_tick(fleet: Fleet, step: FleetStep) -> list[NDArray[Any]]:
    """Every column that the tick reads, then every column that it writes."""
    arrays: list[NDArray[Any]] = []
    for before, done, after in zip(fleet.kinds, step.kinds, step.fleet.kinds, strict=True):
        own: dict[str, NDArray[Any]] = {
            "noise_key": before.noise_key,
            "zone_index": before.zone_index,
        }
        known = {**own, **before.ratings, **before.state}
        arrays += [known[name] for name in _READS.get(before.kind.kind, _STORAGE_READS)]
        arrays += [done.power_w[0], *after.state.values()]
    return arrays


def bytes_of_tick(arrays: list[NDArray[Any]]) -> int:
    """Bytes of these columns."""
    return sum(array.nbytes for array in arrays)
