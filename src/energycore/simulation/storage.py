"""Physics of storage: power limits, efficiencies, and bounds that are met within the tick."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.units import NWH_PER_WH, FloatArray, IntArray
from energycore.simulation.behaviour import Columns, Conditions, StateColumn, Step

__all__ = ["ModeCode", "StoragePhysics", "clamped_walk"]

_LONG_WINDOW: Final = 256


class ModeCode(IntEnum):
    """What a storage does, as it is kept in a column: the sign of its power."""

    CHARGING = -1
    IDLE = 0
    DISCHARGING = 1


def clamped_walk(start: IntArray, change: IntArray, lower: IntArray, upper: IntArray) -> IntArray:
    """Add changes one after the other and clamp after each: s' = min(upper, max(lower, s + d)).

    Such steps compose to functions of the same form, so a long window is cut into pieces that
    are run side by side: first each piece's composed function, then the starts of the pieces,
    then the pieces again from their starts. All numbers are whole, so the cut changes nothing.

    Args:
        start: shape (n,), within the bounds.
        change: shape (k, n).
        lower: shape (n,).
        upper: shape (n,).

    Returns:
        Shape (k, n): the value after each change.
    """
    ticks, devices = change.shape
    if ticks < _LONG_WINDOW or devices >= ticks:
        return _walk(start, change, lower, upper)
    length = int(np.ceil(np.sqrt(ticks)))
    pieces = -(-ticks // length)
    padded = np.zeros((pieces * length, devices), dtype=np.int64)
    padded[:ticks] = change
    # (length, pieces, n): position in the piece first, so that each step runs over all pieces.
    by_position = padded.reshape(pieces, length, devices).swapaxes(0, 1)
    starts = _piece_starts(start, by_position, lower, upper)
    after = _walk(starts, np.ascontiguousarray(by_position), lower, upper)
    return np.ascontiguousarray(after.swapaxes(0, 1)).reshape(-1, devices)[:ticks]


def _walk(start: IntArray, change: IntArray, lower: IntArray, upper: IntArray) -> IntArray:
    after = np.empty_like(change)
    before = start
    for tick in range(len(change)):
        row = after[tick]
        np.add(before, change[tick], out=row)
        np.maximum(row, lower, out=row)
        np.minimum(row, upper, out=row)
        before = row
    return after


def _piece_starts(start: IntArray, change: IntArray, lower: IntArray, upper: IntArray) -> IntArray:
    """Value before each piece, shape (pieces, n); change is (length, pieces, n)."""
    shift = np.zeros(change.shape[1:], dtype=np.int64)
    low = np.broadcast_to(lower, shift.shape).copy()
    high = np.broadcast_to(upper, shift.shape).copy()
    for row in change:
        shift += row
        for bound in (low, high):
            bound += row
            np.maximum(bound, lower, out=bound)
            np.minimum(bound, upper, out=bound)
    starts = np.empty_like(shift)
    value = start
    for piece in range(len(shift)):
        starts[piece] = value
        value = np.minimum(high[piece], np.maximum(low[piece], value + shift[piece]))
    return starts


@attrs.frozen
class StoragePhysics:
    """Charge and discharge with an efficiency each way, within bounds.

    A tick at power P for h hours changes the stored energy by -P e_c h when charging (P < 0) and
    by -P h / e_d when discharging; the change is cut to whole nanowatt-hours, then to the bounds,
    and the power that is reported is the one that this change means. So a storage that fills
    after a third of a tick reports a third of the power, and energy adds up exactly.

    State: `stored_nwh` [nWh]; `setpoint_w`, the commanded signed power [W], which falls to 0 at a
    bound; `mode`, a `ModeCode`.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """Stored energy, commanded power and mode."""
        return {
            "stored_nwh": StateColumn(dtype=np.int64, initial=0),
            "setpoint_w": StateColumn(dtype=np.float64, initial=0.0),
            "mode": StateColumn(dtype=np.int8, initial=ModeCode.IDLE),
        }

    def prepare(self, ratings: Columns) -> Columns:
        """Turn bounds into nanowatt-hours, and limits and efficiencies into what `step` needs."""
        capacity_nwh = ratings["capacity_wh"] * NWH_PER_WH
        return {
            "lower_nwh": np.ceil(capacity_nwh * ratings["min_state_of_charge"]).astype(np.int64),
            "upper_nwh": np.floor(capacity_nwh * ratings["max_state_of_charge"]).astype(np.int64),
            "lowest_power_w": -ratings["max_charge_w"],
            "highest_power_w": 1.0 * ratings["max_discharge_w"],
            "stored_per_drawn": 1.0 * ratings["charge_efficiency"],
            "stored_per_given": 1.0 / ratings["discharge_efficiency"],
        }

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Follow the requested power through k ticks as far as limits and bounds allow."""
        requested_w = conditions.requested_w
        assert requested_w is not None, "storage is stepped with a requested power"
        lowest_w, highest_w = ratings["lowest_power_w"], ratings["highest_power_w"]
        limited_w = np.clip(requested_w, lowest_w, highest_w)
        nwh_per_w = np.where(
            limited_w < 0.0, ratings["stored_per_drawn"], ratings["stored_per_given"]
        )
        nwh_per_w *= conditions.window.step_h * NWH_PER_WH
        limited_w *= nwh_per_w
        change = limited_w.astype(np.int64)
        np.negative(change, out=change)
        ticks = len(conditions.window.at_us)
        if len(change) != ticks:
            change = np.broadcast_to(change, (ticks, change.shape[1]))

        start = state["stored_nwh"]
        lower, upper = ratings["lower_nwh"], ratings["upper_nwh"]
        after = clamped_walk(start, change, lower, upper)
        before = np.concatenate([start[np.newaxis], after[:-1]])
        # The energy that moved has the sign of the request, so the same factor turns it back.
        power_w = (before - after).astype(np.float64)
        power_w /= nwh_per_w
        # Rounding may lift the quotient past a limit by its last bit.
        np.clip(power_w, lowest_w, highest_w, out=power_w)
        return Step(
            power_w=power_w,
            stored_nwh=before,
            state={
                "stored_nwh": after[-1],
                "setpoint_w": _setpoint_after(state["setpoint_w"], after, lower, upper),
                "mode": _mode_after(power_w[-1], after[-1], lower, upper),
            },
        )


def _setpoint_after(
    setpoint_w: FloatArray, after: IntArray, lower: IntArray, upper: IntArray
) -> FloatArray:
    """The command that still stands: one that met its bound in any tick has ended."""
    highest, lowest = (
        (after[0], after[0]) if len(after) == 1 else (after.max(axis=0), after.min(axis=0))
    )
    ended = (highest >= upper) & (setpoint_w < 0.0)
    ended |= (lowest <= lower) & (setpoint_w > 0.0)
    return np.where(ended, 0.0, setpoint_w)


def _mode_after(
    power_w: FloatArray, stored_nwh: IntArray, lower: IntArray, upper: IntArray
) -> NDArray[np.int8]:
    """The `ModeCode` after a tick: the sign of its power, and idle at the bound it met."""
    discharging = (power_w > 0.0) & (stored_nwh > lower)
    charging = (power_w < 0.0) & (stored_nwh < upper)
    return discharging.view(np.int8) - charging.view(np.int8)
