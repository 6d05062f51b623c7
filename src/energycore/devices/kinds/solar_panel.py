"""Solar panels: generation by time of day."""

from typing import ClassVar

import attrs

from energycore.devices.base import Device, Role
from energycore.devices.fields import about, number, power
from energycore.quantities.units import Watts
from energycore.simulation.behaviour import Behaviour
from energycore.simulation.solar import SolarDay

__all__ = ["SolarPanel"]


@attrs.frozen(kw_only=True)
class SolarPanel(Device):
    """A photovoltaic system with its inverter."""

    kind: ClassVar[str] = "solar_panel"
    role: ClassVar[Role] = Role.SOURCE
    behaviour: ClassVar[Behaviour] = SolarDay()

    rated_power_w: Watts = attrs.field(
        converter=number,
        validator=power,
        metadata=about("Power at standard conditions."),
    )

    @property
    def largest_power_w(self) -> float:
        """The rated power [W]."""
        return self.rated_power_w
