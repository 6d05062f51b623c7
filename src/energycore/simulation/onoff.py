"""Appliances that switch on and off by themselves, with plausible dwell times."""

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.units import FloatArray
from energycore.simulation.behaviour import Columns, Conditions, StateColumn, Step

__all__ = ["OnOff", "switch_probabilities", "switch_states"]

_UNKNOWN = -1


def switch_probabilities(
    duty_cycle: FloatArray, mean_on_time_s: FloatArray, step_s: float
) -> tuple[FloatArray, FloatArray]:
    """Chance to be switched on, and off, within one step of a two-state Markov process.

    With rates 1 / T_on and 1 / T_off, T_off = T_on (1 - D) / D, and r their sum, the transition
    probabilities over a step are D (1 - exp(-r step)) and (1 - D) (1 - exp(-r step)); see
    e.g. Norris, Markov Chains (1997), example 2.1.1. Exact for every step; the share of time
    that is on is D.

    Args:
        duty_cycle: D, shape (n,), 0 < D <= 1.
        mean_on_time_s: T_on, shape (n,) [s].
        step_s: length of the step [s].

    Returns:
        Two arrays of shape (n,): off to on, on to off; their sum never exceeds 1.
    """
    off_share = 1.0 - duty_cycle
    with np.errstate(divide="ignore"):
        exponent = step_s / (mean_on_time_s * off_share)
    mixing = -np.expm1(-exponent)
    return duty_cycle * mixing, off_share * mixing


def switch_states(
    is_on: NDArray[np.int8], draws: FloatArray, to_on: FloatArray, to_off: FloatArray
) -> NDArray[np.bool_]:
    """Follow the switch through k ticks.

    A draw below `to_on` leaves the switch on, one in the top `to_off` leaves it off, any other
    leaves it as it was; so the state is that of the newest draw that decided.

    Args:
        is_on: shape (n,): 1 on, 0 off, both known to be before the first tick.
        draws: shape (k, n), uniform in [0, 1).
        to_on: shape (n,), from `switch_probabilities`.
        to_off: shape (n,), the same.

    Returns:
        Shape (k, n): on during each tick.
    """
    switched_on = draws < to_on
    decided = switched_on | (draws >= 1.0 - to_off)
    if len(draws) == 1:
        return np.where(decided, switched_on, is_on == 1)
    ticks = np.arange(1, len(draws) + 1)[:, np.newaxis]
    newest = np.maximum.accumulate(np.where(decided, ticks, 0), axis=0)
    history = np.concatenate([(is_on == 1)[np.newaxis], switched_on])
    return np.take_along_axis(history, newest, axis=0)


@attrs.frozen
class OnOff:
    """A load that is off or draws its running power, `average_power_w / duty_cycle`.

    State: `is_on`, -1 while unknown, when the first tick draws it with chance `duty_cycle`.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """The switch."""
        return {"is_on": StateColumn(dtype=np.int8, initial=_UNKNOWN)}

    def prepare(self, ratings: Columns) -> Columns:
        """Needs `average_power_w` [W], `duty_cycle` [1] and `mean_on_time_s` [s], (n,) each."""
        return {
            "running_power_w": ratings["average_power_w"] / ratings["duty_cycle"],
            "duty_cycle": ratings["duty_cycle"],
            "mean_on_time_s": ratings["mean_on_time_s"],
        }

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Power of n appliances in k ticks, shape (k, n) [W], 0 or minus the running power."""
        duty_cycle = ratings["duty_cycle"]
        to_on, to_off = switch_probabilities(
            duty_cycle, ratings["mean_on_time_s"], conditions.window.step_s
        )
        draws = conditions.uniforms()
        before = state["is_on"]
        unknown = before == _UNKNOWN
        if unknown.any():
            before = np.where(unknown, draws[0] < duty_cycle, before).astype(np.int8)
        on = switch_states(before, draws, to_on, to_off)
        power_w = np.where(on, -ratings["running_power_w"], 0.0)
        return Step(power_w=power_w, state={"is_on": on[-1].astype(np.int8)})
