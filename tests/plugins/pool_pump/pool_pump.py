"""Pool pumps: loads that run once a day; copy this file to add a device kind of your own."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import attrs
import numpy as np

from energycore.devices.base import Device, Role
from energycore.devices.fields import about, between, number, power
from energycore.quantities.units import Unit, Watts
from energycore.simulation.behaviour import Behaviour, Columns, Conditions, StateColumn, Step

__all__ = ["DailyRun", "PoolPump"]

Hours = Annotated[float, Unit("h", "hours")]


@attrs.frozen
class DailyRun:
    """Runs at full power from `start_hour` on for `run_hours`, by the clock on the wall.

    Each array is of shape (n,) or (k, n): n devices of this kind in k ticks.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """None: the clock says it all. What must outlive a tick would be declared here."""
        return {}

    def prepare(self, ratings: Columns) -> Columns:
        """Called once: turn ratings into what `step` reads."""
        return {
            "power_when_on_w": -ratings["running_power_w"],
            "start_hour": ratings["start_hour"],
            "run_hours": ratings["run_hours"],
        }

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Called in each window; a load is negative."""
        hours = conditions.by_local_hour(np.positive)
        is_on = (hours - ratings["start_hour"]) % 24.0 < ratings["run_hours"]
        return Step(power_w=np.where(is_on, ratings["power_when_on_w"], 0.0), state={})


@attrs.frozen(kw_only=True)
class PoolPump(Device):
    """A pump that filters the water of a pool once a day."""

    kind: ClassVar[str] = "pool_pump"
    role: ClassVar[Role] = Role.LOAD
    behaviour: ClassVar[Behaviour] = DailyRun()

    running_power_w: Watts = attrs.field(
        converter=number,
        validator=power,
        metadata=about("Power while it runs."),
    )
    start_hour: Hours = attrs.field(
        default=9.0,
        converter=number,
        validator=between(0.0, 24.0, "h"),
        metadata=about("Local time at which it starts."),
    )
    run_hours: Hours = attrs.field(
        default=6.0,
        converter=number,
        validator=between(0.0, 24.0, "h"),
        metadata=about("How long it runs each day."),
    )

    @property
    def largest_power_w(self) -> float:
        """The power while running [W]."""
        return self.running_power_w
