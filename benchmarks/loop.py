"""The same devices as one would write them first: attrs objects and a Python loop over them."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import attrs

__all__ = ["LoopDevice", "OnOffLoad", "Panel", "Store", "follow_balance", "noise", "tick_key"]

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00+00:00")


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def tick_key(seed: int, at_us: int) -> int:
    """The noise key of a tick, as `energycore.simulation.noise` documents it."""
    start = _mix((seed + _GOLDEN) & _MASK)
    return _mix((_mix(start ^ (at_us & _MASK)) + _GOLDEN) & _MASK)


def noise(noise_key: int, key: int) -> float:
    """A uniform number in [0, 1) for one device and tick."""
    return (_mix((noise_key + key) & _MASK) >> 11) * 2.0**-53


def _local_hour(zone: ZoneInfo, at_us: int) -> float:
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    return local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600


class LoopDevice(Protocol):
    """Something that a loop moves a tick on; `power_w` is what it does then."""

    power_w: float

    def step(self, at_us: int, step_us: int, key: int) -> None:
        """Run the tick."""
        ...


@attrs.define(kw_only=True)
class Panel:
    """A solar panel."""

    zone: ZoneInfo
    noise_key: int
    rated_power_w: float
    power_w: float = 0.0

    def step(self, at_us: int, step_us: int, key: int) -> None:
        """The bell curve at mid-tick, with noise."""
        hour = _local_hour(self.zone, at_us + step_us // 2)
        if 6.0 <= hour <= 20.0:
            share = math.exp(-((hour - 12.0) ** 2) / (2.0 * 4.0 * 4.0))
            factor = 0.85 + 0.3 * noise(self.noise_key, key)
            self.power_w = self.rated_power_w * share * factor
        else:
            self.power_w = 0.0


@attrs.define(kw_only=True)
class OnOffLoad:
    """An appliance."""

    noise_key: int
    average_power_w: float
    duty_cycle: float
    mean_on_time_s: float
    is_on: bool | None = None
    power_w: float = 0.0

    def step(self, at_us: int, step_us: int, key: int) -> None:
        """Switch with the chances of a two-state process."""
        duty_cycle = self.duty_cycle
        draw = noise(self.noise_key, key)
        if self.is_on is None:
            self.is_on = draw < duty_cycle
        off_share = 1.0 - duty_cycle
        mixing = 1.0
        if off_share:
            mixing = -math.expm1(-(step_us / 1e6) / (self.mean_on_time_s * off_share))
        if draw < duty_cycle * mixing:
            self.is_on = True
        elif draw >= 1.0 - off_share * mixing:
            self.is_on = False
        self.power_w = -self.average_power_w / duty_cycle if self.is_on else 0.0


@attrs.define(kw_only=True)
class Store:
    """A battery or vehicle."""

    max_charge_w: float
    max_discharge_w: float
    charge_efficiency: float
    discharge_efficiency: float
    lower_nwh: int
    upper_nwh: int
    stored_nwh: int
    setpoint_w: float = 0.0
    power_w: float = 0.0
    mode: int = 0

    def step(self, at_us: int, step_us: int, key: int) -> None:
        """Follow the setpoint as far as limits and bounds allow."""
        hours = step_us / 3_600e6
        asked_w = min(max(self.setpoint_w, -self.max_charge_w), self.max_discharge_w)
        factor = self.charge_efficiency if asked_w < 0.0 else 1.0 / self.discharge_efficiency
        nwh_per_w = factor * hours * 1e9
        before = self.stored_nwh
        after = min(max(before - int(asked_w * nwh_per_w), self.lower_nwh), self.upper_nwh)
        power_w = (before - after) / nwh_per_w
        self.power_w = min(max(power_w, -self.max_charge_w), self.max_discharge_w)
        self.stored_nwh = after
        full, empty = after >= self.upper_nwh, after <= self.lower_nwh
        if (full and self.setpoint_w < 0.0) or (empty and self.setpoint_w > 0.0):
            self.setpoint_w = 0.0
        self.mode = (self.power_w > 0.0 and not empty) - (self.power_w < 0.0 and not full)


def follow_balance(
    others: Sequence[LoopDevice], stores: Sequence[Store], at_us: int, step_us: int, key: int
) -> None:
    """One tick of a home whose storages, in this order, store the surplus and cover the deficit."""
    surplus_w = 0.0
    for device in others:
        device.step(at_us, step_us, key)
        surplus_w += device.power_w
    for store in stores:
        store.setpoint_w = -surplus_w
        store.step(at_us, step_us, key)
        surplus_w += store.power_w
