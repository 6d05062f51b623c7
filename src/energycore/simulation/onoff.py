"""Appliances that switch on and off by themselves, with plausible dwell times."""

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.instants import US_PER_SECOND
from energycore.quantities.units import FloatArray
from energycore.simulation.behaviour import Columns, Conditions, StateColumn, Step

__all__ = ["OnOff", "switch_probabilities", "switch_states"]

_UNKNOWN = -1
_LONGEST_LOOK_US = 300 * US_PER_SECOND


def switch_probabilities(
    duty_cycle: FloatArray, mixing_rate_hz: FloatArray, step_s: float
) -> tuple[FloatArray, FloatArray]:
    """Chance that a two-state Markov process in equilibrium is on, and is off, anew in a step.

    With rates 1 / T_on and 1 / T_off, T_off = T_on (1 - D) / D, their sum r is
    1 / (T_on (1 - D)), and the transition probabilities over a step are D (1 - exp(-r step)) from
    off to on and (1 - D) (1 - exp(-r step)) from on to off; see e.g. Norris, Markov Chains (1997),
    example 2.1.1. Exact for every step; the share of time that is on is D.

    Args:
        duty_cycle: D, shape (n,), 0 < D <= 1.
        mixing_rate_hz: r, shape (n,) [1/s]; infinite where D is 1.
        step_s: length of the step [s].

    Returns:
        Two arrays of shape (n,): off to on, on to off; their sum never exceeds 1.
    """
    mixing = mixing_rate_hz * -step_s
    np.expm1(mixing, out=mixing)
    np.negative(mixing, out=mixing)
    to_on = duty_cycle * mixing
    return to_on, np.subtract(mixing, to_on, out=mixing)


def switch_states(
    is_on: NDArray[np.bool_], draws: FloatArray, to_on: FloatArray, to_off: FloatArray
) -> NDArray[np.bool_]:
    """Follow the switch through k ticks.

    A draw below `to_on` leaves the switch on, one in the top `to_off` leaves it off, any other
    leaves it as it was; so the state is that of the newest draw that decided.

    Args:
        is_on: shape (n,): on before the first tick.
        draws: shape (k, n), uniform in [0, 1).
        to_on: shape (n,), from `switch_probabilities`.
        to_off: shape (n,), the same.

    Returns:
        Shape (k, n): on during each tick.
    """
    switched_on = draws < to_on
    not_switched_off = draws < 1.0 - to_off
    if len(draws) == 1:
        return switched_on | (not_switched_off & is_on)
    ticks = np.arange(1, len(draws) + 1)[:, np.newaxis]
    decided = switched_on | ~not_switched_off
    newest = np.maximum.accumulate(np.where(decided, ticks, 0), axis=0)
    history = np.concatenate([is_on[np.newaxis], switched_on])
    return np.take_along_axis(history, newest, axis=0)


@attrs.frozen
class OnOff:
    """A load that is off or draws its running power, `average_power_w / duty_cycle`.

    The switch is looked at once a tick, and every five minutes within longer ticks, whose power
    is the mean of these looks.

    State: `is_on`, -1 while unknown, when the first tick draws it with chance `duty_cycle`.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """The switch."""
        return {"is_on": StateColumn(dtype=np.int8, initial=_UNKNOWN)}

    def prepare(self, ratings: Columns) -> Columns:
        """Needs `average_power_w` [W], `duty_cycle` [1] and `mean_on_time_s` [s], (n,) each."""
        duty_cycle = ratings["duty_cycle"]
        with np.errstate(divide="ignore"):
            mixing_rate_hz = 1.0 / (ratings["mean_on_time_s"] * (1.0 - duty_cycle))
        return {
            "power_when_on_w": -ratings["average_power_w"] / duty_cycle,
            "duty_cycle": duty_cycle,
            "mixing_rate_hz": mixing_rate_hz,
        }

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Power of n appliances in k ticks, shape (k, n) [W], 0 or minus the running power."""
        duty_cycle = ratings["duty_cycle"]
        window = conditions.window
        looks = -(-window.step_us // _LONGEST_LOOK_US)
        to_on, to_off = switch_probabilities(
            duty_cycle, ratings["mixing_rate_hz"], window.step_s / looks
        )
        draws = conditions.uniforms(looks=looks)
        before = state["is_on"]
        was_on = before == 1
        unknown = before == _UNKNOWN
        if unknown.any():
            was_on |= unknown & (draws[0] < duty_cycle)
        on = switch_states(was_on, draws, to_on, to_off)
        power_w = np.where(on, ratings["power_when_on_w"], 0.0)
        if looks > 1:
            share = on.reshape(-1, looks, on.shape[1]).sum(axis=1) / looks
            power_w = share * ratings["power_when_on_w"] + 0.0
        return Step(power_w=power_w, state={"is_on": on[-1].view(np.int8)})
