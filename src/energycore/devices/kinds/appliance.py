"""Appliances: loads that switch on and off."""

from typing import ClassVar

import attrs

from energycore.devices.base import Device, Role
from energycore.devices.fields import about, between, number, power
from energycore.errors import InvalidValue
from energycore.quantities.units import MAX_POWER_W, Fraction, Seconds, Watts
from energycore.simulation.behaviour import Behaviour
from energycore.simulation.onoff import OnOff

__all__ = ["Appliance"]


@attrs.frozen(kw_only=True)
class Appliance(Device):
    """A load that runs for a while, then rests; while running it draws average / duty cycle."""

    kind: ClassVar[str] = "appliance"
    role: ClassVar[Role] = Role.LOAD
    behaviour: ClassVar[Behaviour] = OnOff()

    average_power_w: Watts = attrs.field(
        converter=number,
        validator=power,
        metadata=about("Mean power in the long run."),
    )
    duty_cycle: Fraction = attrs.field(
        default=0.4,
        converter=number,
        validator=between(0.001, 1.0, ""),
        metadata=about("Share of the time that it runs."),
    )
    mean_on_time_s: Seconds = attrs.field(
        default=1_200.0,
        converter=number,
        validator=between(1.0, 86_400.0, "s"),
        metadata=about("Mean length of one run."),
    )

    @duty_cycle.validator
    def _check_running_power(self, attribute: "attrs.Attribute[float]", value: float) -> None:
        if self.average_power_w / value > MAX_POWER_W:
            limit = f"large enough to run at no more than {MAX_POWER_W:g} W"
            raise InvalidValue(attribute.name, value, limit)

    @property
    def largest_power_w(self) -> float:
        """The power while running [W]."""
        return self.average_power_w / self.duty_cycle
