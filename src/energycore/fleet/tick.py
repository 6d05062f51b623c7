"""One window of ticks of a whole fleet, in phases: unsteered devices, balance, storage.

Devices that nobody steers come first. Their power is summed by site in whole microwatts, so that
no order of devices can change the sum. Storage that only follows commands joins them; storage
that follows the site's balance comes last, one storage of each site after the other, each seeing
what those before it left over.
"""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.fleet.columns import Fleet, KindColumns
from energycore.quantities.units import MISSING, UW_PER_W, FloatArray, IntArray, to_milli
from energycore.simulation.behaviour import Columns, Conditions, Step, Window
from energycore.simulation.dispatch import Dispatch
from energycore.telemetry.readings import ReadingBatch

__all__ = ["FleetStep", "KindStep", "nwh_to_mwh", "step_fleet"]

_BLOCK_CELLS: Final = 16_384
_NWH_PER_MWH: Final = 1_000_000

Rows = slice | NDArray[np.intp]


@attrs.frozen(kw_only=True, eq=False)
class KindStep:
    """What the n devices of one kind did in k ticks."""

    columns: KindColumns
    power_w: FloatArray
    """Shape (k, n) [W]."""
    stored_nwh: IntArray | None
    """Shape (k, n), energy stored at the beginning of each tick [nWh]; None without storage."""

    @property
    def power_mw(self) -> IntArray:
        """Shape (k, n): power as readings say it [mW]."""
        return to_milli(self.power_w)

    @property
    def stored_mwh(self) -> IntArray:
        """Shape (k, n): stored energy as readings say it [mWh], halves to even, or `MISSING`."""
        if self.stored_nwh is None:
            return np.full(self.power_w.shape, MISSING, dtype=np.int64)
        return nwh_to_mwh(self.stored_nwh)


@attrs.frozen(kw_only=True, eq=False)
class FleetStep:
    """What a fleet did in a window, and the fleet as it is afterwards."""

    at_us: IntArray
    kinds: tuple[KindStep, ...]
    fleet: Fleet

    def readings(self) -> ReadingBatch:
        """All readings of the window, ordered by kind, tick and site."""
        return ReadingBatch.concatenate(
            [
                ReadingBatch(
                    device_id=np.tile(kind.columns.device_id, len(self.at_us)),
                    at_us=np.repeat(self.at_us, len(kind.columns)),
                    power_mw=kind.power_mw.ravel(),
                    stored_mwh=kind.stored_mwh.ravel(),
                )
                for kind in self.kinds
            ]
        )


def nwh_to_mwh(stored_nwh: IntArray) -> IntArray:
    """Round nanowatt-hours to milliwatt-hours, halves to even, in whole numbers throughout."""
    whole, rest = np.divmod(stored_nwh, _NWH_PER_MWH)
    half = _NWH_PER_MWH // 2
    whole += (rest > half) | ((rest == half) & (whole % 2 == 1))
    return whole


def step_fleet(fleet: Fleet, window: Window) -> FleetStep:
    """Move a fleet through a window of ticks.

    Args:
        fleet: the devices before the window; it is not changed.
        window: the ticks, with the zones of this fleet.

    Returns:
        The power of each device in each tick, and the fleet after the last.
    """
    followers = _follower_groups(fleet)
    balance = _Balance(fleet.site_count, len(window.at_us)) if followers else None
    runs = [_KindRun(columns, window, balance) for columns in fleet.kinds]
    for run in runs:
        for rows, dispatch in _independent_groups(run.columns):
            run.step(rows, dispatch)
    for kind_index, rows, dispatch in followers:
        runs[kind_index].step(rows, dispatch)
    return FleetStep(
        at_us=window.at_us,
        kinds=tuple(run.result() for run in runs),
        fleet=attrs.evolve(fleet, kinds=tuple(run.columns_after() for run in runs)),
    )


class _KindRun:
    """The output columns of one kind, filled block by block so that each stays in cache."""

    def __init__(self, columns: KindColumns, window: Window, balance: "_Balance | None") -> None:
        shape = len(window.at_us), len(columns)
        self.columns = columns
        self.window = window
        self.balance = balance
        self.power_w: FloatArray = np.empty(shape, dtype=np.float64)
        # A single tick reports the stored energy of the state before it: no copy is needed.
        self.stored_nwh: IntArray | None = None
        if columns.is_storage:
            before = columns.state["stored_nwh"][np.newaxis]
            self.stored_nwh = before if shape[0] == 1 else np.empty(shape, dtype=np.int64)
        self.state = {name: np.empty_like(column) for name, column in columns.state.items()}

    def step(self, rows: Rows, dispatch: Dispatch | None) -> None:
        """Run these rows, which hold each site once if `dispatch` follows the balance."""
        count = len(self.columns.device_id[rows])
        length = max(1, _BLOCK_CELLS // len(self.window.at_us))
        for first in range(0, count, length):
            last = min(first + length, count)
            block = slice(first, last) if isinstance(rows, slice) else rows[first:last]
            step = self._step_block(block, dispatch)
            self._write(block, step)
            if self.balance is not None and self.columns.kind.role.is_counted:
                self.balance.add(self.columns.site_index[block], step.power_w)

    def _step_block(self, block: Rows, dispatch: Dispatch | None) -> Step:
        columns = self.columns
        state = _take(columns.state, block)
        conditions = Conditions(
            window=self.window,
            zone_index=columns.zone_index[block],
            noise_key=columns.noise_key[block],
            requested_w=None if dispatch is None else self._requested_w(block, dispatch, state),
        )
        return columns.kind.behaviour.step(_take(columns.ratings, block), state, conditions)

    def _requested_w(self, block: Rows, dispatch: Dispatch, state: Columns) -> FloatArray:
        setpoint_w = state["setpoint_w"]
        if self.balance is None or not dispatch.follows_balance:
            return dispatch.requested_w(setpoint_w, np.zeros((1, len(setpoint_w))))
        return dispatch.requested_w(
            setpoint_w, self.balance.surplus_w(self.columns.site_index[block])
        )

    def _write(self, block: Rows, step: Step) -> None:
        self.power_w[:, block] = step.power_w
        if self.stored_nwh is not None and len(self.window.at_us) > 1:
            assert step.stored_nwh is not None
            self.stored_nwh[:, block] = step.stored_nwh
        for name, column in self.state.items():
            column[block] = step.state[name]

    def result(self) -> KindStep:
        return KindStep(columns=self.columns, power_w=self.power_w, stored_nwh=self.stored_nwh)

    def columns_after(self) -> KindColumns:
        return attrs.evolve(self.columns, state=self.state)


class _Balance:
    """Power of each site in each tick, summed in whole microwatts; shape (k, sites + 1).

    The last column belongs to devices without a site: nobody shares it, so it stays 0.
    """

    def __init__(self, sites: int, ticks: int) -> None:
        self._sum_uw = np.zeros((ticks, sites + 1), dtype=np.int64)

    def add(self, site_index: NDArray[np.int32], power_w: FloatArray) -> None:
        """Add the power (k, n) of devices that are ordered by site."""
        starts = np.flatnonzero(_is_first(site_index))
        power_uw = np.rint(power_w * UW_PER_W).astype(np.int64)
        self._sum_uw[:, site_index[starts]] += np.add.reduceat(power_uw, starts, axis=1)
        self._sum_uw[:, -1] = 0

    def surplus_w(self, site_index: NDArray[np.int32]) -> FloatArray:
        """What is left over [W] at the site of each of n devices, shape (k, n)."""
        surplus: FloatArray = np.true_divide(self._sum_uw[:, site_index], UW_PER_W)
        return surplus


def _independent_groups(columns: KindColumns) -> Iterator[tuple[Rows, Dispatch | None]]:
    """The rows that do not look at the balance, with the strategy of storage."""
    if not columns.is_storage:
        yield slice(0, len(columns)), None
        return
    for index, dispatch in enumerate(columns.dispatches):
        if not dispatch.follows_balance:
            yield _rows(columns.dispatch_index == index), dispatch


def _follower_groups(fleet: Fleet) -> list[tuple[int, Rows, Dispatch]]:
    """Storage that follows the balance as (kind, rows, strategy), in the order of its turn.

    Within a site the lowest priority goes first, equal ones by kind, then by noise key; no group
    holds two devices of a site.
    """
    groups: list[tuple[int, Rows, Dispatch]] = []
    turns = {
        (dispatch.priority, index)
        for index, columns in enumerate(fleet.kinds)
        for dispatch in columns.dispatches
        if dispatch.follows_balance
    }
    for priority, index in sorted(turns):
        columns = fleet.kinds[index]
        numbers = [
            number
            for number, dispatch in enumerate(columns.dispatches)
            if dispatch.follows_balance and dispatch.priority == priority
        ]
        turn = np.full(len(columns), -1)
        rows = np.flatnonzero(np.isin(columns.dispatch_index, numbers))
        turn[rows] = _position_in_site(columns.site_index[rows], fleet.site_count)
        for place in range(int(turn.max(initial=-1)) + 1):
            for number in numbers:
                chosen = (turn == place) & (columns.dispatch_index == number)
                if chosen.any():
                    groups.append((index, _rows(chosen), columns.dispatches[number]))
    return groups


def _position_in_site(site_index: NDArray[np.int32], site_count: int) -> IntArray:
    """For each device, ordered by site, how many of its site stand before it; 0 without a site."""
    starts = np.flatnonzero(_is_first(site_index))
    lengths = np.diff(np.append(starts, len(site_index)))
    position = np.arange(len(site_index)) - np.repeat(starts, lengths)
    position[site_index == site_count] = 0
    return position


def _is_first(site_index: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Shape (n,): whether another site begins at this device."""
    first = np.ones(len(site_index), dtype=np.bool_)
    np.not_equal(site_index[1:], site_index[:-1], out=first[1:])
    return first


def _rows(mask: NDArray[np.bool_]) -> Rows:
    return slice(0, len(mask)) if mask.all() else np.flatnonzero(mask)


def _take(columns: Columns, block: Rows) -> dict[str, NDArray[Any]]:
    return {name: column[block] for name, column in columns.items()}
