"""What batteries, vehicles and other storage share: capacity, limits, efficiencies, bounds."""

import math
from typing import ClassVar, Final

import attrs

from energycore.devices.base import Device, Role, StorageMode, storage_mode
from energycore.devices.fields import about, between, capacity, efficiency, number, power
from energycore.errors import InvalidValue, StoredEnergyOutOfBounds
from energycore.quantities.units import MILLI_PER_UNIT, NWH_PER_WH, Fraction, WattHours, Watts
from energycore.simulation.behaviour import Behaviour
from energycore.simulation.storage import StoragePhysics

__all__ = ["LEAST_COMMAND_W", "StorageDevice", "StorageState", "capacity_mwh"]

LEAST_COMMAND_W: Final = 0.001
"""Least power [W] of a command: what a reading can show."""

_STATE_OF_CHARGE = between(0.0, 1.0, "")


@attrs.frozen(kw_only=True)
class StorageDevice(Device):
    """A device that keeps energy; base of the kinds with the role STORAGE."""

    role: ClassVar[Role] = Role.STORAGE
    behaviour: ClassVar[Behaviour] = StoragePhysics()

    capacity_wh: WattHours = attrs.field(
        converter=number,
        validator=capacity,
        metadata=about("Energy that fits."),
    )
    max_charge_w: Watts = attrs.field(
        converter=number,
        validator=power,
        metadata=about("Largest power it draws."),
    )
    max_discharge_w: Watts = attrs.field(
        converter=number,
        validator=power,
        metadata=about("Largest power it gives."),
    )
    charge_efficiency: Fraction = attrs.field(
        default=0.96,
        converter=number,
        validator=efficiency,
        metadata=about("Share of the energy drawn that is stored."),
    )
    discharge_efficiency: Fraction = attrs.field(
        default=0.96,
        converter=number,
        validator=efficiency,
        metadata=about("Share of the energy taken from store that is given."),
    )
    min_state_of_charge: Fraction = attrs.field(
        default=0.0,
        converter=number,
        validator=_STATE_OF_CHARGE,
        metadata=about("Never discharged below this share of its capacity."),
    )
    max_state_of_charge: Fraction = attrs.field(
        default=1.0,
        converter=number,
        validator=_STATE_OF_CHARGE,
        metadata=about("Never charged above this share of its capacity."),
    )

    @max_state_of_charge.validator
    def _check_bounds(self, attribute: "attrs.Attribute[float]", value: float) -> None:
        if self.upper_nwh <= self.lower_nwh:
            limit = f"above min_state_of_charge ({self.min_state_of_charge:g})"
            raise InvalidValue(attribute.name, value, limit)

    @property
    def largest_power_w(self) -> float:
        """The larger of the two power limits [W]."""
        return max(self.max_charge_w, self.max_discharge_w)

    @property
    def lower_nwh(self) -> int:
        """Least stored energy [nWh]."""
        return math.ceil(self.capacity_wh * NWH_PER_WH * self.min_state_of_charge)

    @property
    def upper_nwh(self) -> int:
        """Most stored energy [nWh]."""
        return math.floor(self.capacity_wh * NWH_PER_WH * self.max_state_of_charge)


@attrs.frozen(kw_only=True)
class StorageState:
    """How a storage begins: its charge, and what it was told to do.

    Args:
        stored_wh: energy inside [Wh]; None means half of the capacity, within its bounds.
        mode: what it was told to do.
        power_w: with what power [W], at least 0.001; None means its limit.
    """

    stored_wh: float | None = None
    mode: StorageMode = attrs.field(default=StorageMode.IDLE, converter=storage_mode)
    power_w: float | None = None

    def stored_nwh(self, device: StorageDevice) -> int:
        """Stored energy in whole nanowatt-hours, checked against the device's bounds.

        Raises:
            StoredEnergyOutOfBounds: it is not within the bounds of the device.
        """
        lower, upper = device.lower_nwh, device.upper_nwh
        if self.stored_wh is None:
            half = round(device.capacity_wh * NWH_PER_WH / 2)
            return min(upper, max(lower, half))
        # Half a milliwatt-hour of slack: what a reading shows may be put back as it is.
        slack = NWH_PER_WH // 2_000
        nwh = round(_finite(self.stored_wh) * NWH_PER_WH)
        if not lower - slack <= nwh <= upper + slack:
            limit = f"at least {lower / NWH_PER_WH:g} and at most {upper / NWH_PER_WH:g} Wh"
            raise StoredEnergyOutOfBounds("stored_wh", self.stored_wh, limit)
        return min(upper, max(lower, nwh))

    def setpoint_w(self, device: StorageDevice) -> float:
        """Commanded signed power [W]: + discharges, - charges.

        Raises:
            InvalidValue: `power_w` is below 1 mW or above the limit, or given with IDLE.
        """
        if self.mode is StorageMode.IDLE:
            if self.power_w is not None:
                raise InvalidValue("power_w", self.power_w, "absent when the mode is IDLE")
            return 0.0
        charging = self.mode is StorageMode.CHARGING
        limit_w = device.max_charge_w if charging else device.max_discharge_w
        power_w = limit_w if self.power_w is None else _finite(self.power_w, "power_w")
        if not LEAST_COMMAND_W <= power_w <= limit_w:
            limit = f"at least {LEAST_COMMAND_W:g} and at most {limit_w:g} W"
            raise InvalidValue("power_w", power_w, limit)
        return -power_w if charging else power_w


def _finite(value: object, field: str = "stored_wh") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise InvalidValue(field, value, "a finite number")
    return float(value)


def capacity_mwh(device: Device) -> int | None:
    """The capacity of a storage [mWh], halves to even; None for all other devices."""
    if not isinstance(device, StorageDevice):
        return None
    return round(device.capacity_wh * MILLI_PER_UNIT)
