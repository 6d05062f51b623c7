"""Solar power by time of day: a bell curve around noon with noise, knowing no weather."""

from collections.abc import Mapping
from typing import Final

import attrs
import numpy as np

from energycore.quantities.units import FloatArray
from energycore.simulation.behaviour import Columns, Conditions, StateColumn, Step

__all__ = ["NOISE_FRACTION", "SolarDay", "bell_curve"]

NOISE_FRACTION: Final = 0.15
_NOON_H: Final = 12.0
_WIDTH_H: Final = 4.0
_SUNRISE_H: Final = 6.0
_SUNSET_H: Final = 20.0


def bell_curve(hours: FloatArray) -> FloatArray:
    """Share of rated power at a local time: exp(-((h - 12)^2) / (2 * 4^2)), 0 unless 6 <= h <= 20.

    Args:
        hours: any shape, local decimal hours [h].

    Returns:
        Same shape, 0 to 1.
    """
    offset = hours - _NOON_H
    share = np.exp(-(offset * offset) / (2.0 * _WIDTH_H * _WIDTH_H))
    result: FloatArray = np.where((hours >= _SUNRISE_H) & (hours <= _SUNSET_H), share, 0.0)
    return result


@attrs.frozen
class SolarDay:
    """Rated power times `bell_curve` of mid-tick local time, times 1 +- 15 % uniform noise.

    The limit of the power is 1.15 times `rated_power_w`. There is no state.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """None: the curve remembers nothing."""
        return {}

    def prepare(self, ratings: Columns) -> Columns:
        """Needs `rated_power_w` of shape (n,) [W] as it is."""
        return {"rated_power_w": ratings["rated_power_w"]}

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Power of n panels in k ticks, shape (k, n) [W]."""
        power_w = conditions.by_local_hour(bell_curve)
        if power_w.any():
            noise = conditions.uniforms()
            noise *= 2.0 * NOISE_FRACTION
            noise += 1.0 - NOISE_FRACTION
            power_w *= ratings["rated_power_w"]
            power_w *= noise
        return Step(power_w=power_w, state={})
