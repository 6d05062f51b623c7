"""What a device kind's default behaviour is given in a window of ticks, and what it gives back."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.instants import US_PER_SECOND
from energycore.quantities.units import FloatArray, IntArray
from energycore.quantities.zones import local_hours
from energycore.simulation.noise import KeyArray, tick_keys, uniforms

__all__ = ["Behaviour", "Columns", "Conditions", "StateColumn", "Step", "Window"]

Columns = Mapping[str, NDArray[Any]]


class Window:
    """k consecutive ticks of one length, and the tables that all devices share in them.

    Args:
        at_us: shape (k,), the ticks' instants in epoch microseconds.
        step_us: length of each tick in microseconds.
        seed: seed of all noise.
        zones: time zones that devices refer to by index.
    """

    def __init__(
        self, at_us: IntArray, step_us: int, seed: int, zones: tuple[ZoneInfo, ...]
    ) -> None:
        self.at_us = at_us
        self.step_us = step_us
        self.seed = seed
        self.zones = zones
        self._tables: dict[Callable[[FloatArray], FloatArray], FloatArray] = {}
        self._hours: FloatArray | None = None
        self._keys: dict[tuple[int, int], KeyArray] = {}

    @property
    def step_s(self) -> float:
        """Length of a tick [s]."""
        return self.step_us / US_PER_SECOND

    @property
    def step_h(self) -> float:
        """Length of a tick [h]."""
        return self.step_us / (3_600 * US_PER_SECOND)

    def table(self, curve: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """The curve of local time at the middle of each tick, shape (k, zones), computed once."""
        if curve not in self._tables:
            if self._hours is None:
                middle_us = self.at_us + self.step_us // 2
                self._hours = np.stack([local_hours(zone, middle_us) for zone in self.zones], 1)
            self._tables[curve] = curve(self._hours)
        return self._tables[curve]

    def keys(self, stream: int, looks: int = 1) -> KeyArray:
        """The noise keys of the ticks, shape (k,), or of equal parts of them, (k * looks,)."""
        if (stream, looks) not in self._keys:
            parts_us = self.step_us * np.arange(looks, dtype=np.int64) // looks
            instants = (self.at_us[:, np.newaxis] + parts_us).ravel()
            self._keys[stream, looks] = tick_keys(self.seed, instants, stream)
        return self._keys[stream, looks]


@attrs.frozen(kw_only=True, eq=False)
class Conditions:
    """A window as n devices see it: their local time, their noise and what is asked of them."""

    window: Window
    zone_index: NDArray[np.int32]
    """Shape (n,): which of the window's zones each device lives in."""
    noise_key: KeyArray
    """Shape (n,)."""
    requested_w: FloatArray | None = None
    """Shape (k, n) or (1, n): signed power [W] that dispatch asks of storage; None for others."""

    def by_local_hour(self, curve: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """A function of decimal local hours at mid-tick, for each tick and device: (k, n)."""
        return self.window.table(curve)[:, self.zone_index]

    def uniforms(self, stream: int = 0, looks: int = 1) -> FloatArray:
        """Independent uniform numbers in [0, 1) for each tick and device: (k, n).

        With `looks`, as many for each tick, at equal distances within it: (k * looks, n).
        """
        return uniforms(self.noise_key, self.window.keys(stream, looks))


@attrs.frozen(kw_only=True)
class StateColumn:
    """A state variable of a kind: how it is kept in a column, and its value when unknown."""

    dtype: type[np.generic]
    initial: int | float


@attrs.frozen(kw_only=True, eq=False)
class Step:
    """What devices did in a window."""

    power_w: FloatArray
    """Shape (k, n): signed mean power of each tick [W]; + produces, - consumes."""
    state: Columns
    """Shape (n,) each: the state after the last tick."""
    stored_nwh: IntArray | None = None
    """Shape (k, n): energy stored at the beginning of each tick [nWh]; None without storage."""


class Behaviour(Protocol):
    """How devices of one kind behave when nobody reports for them.

    Promises: arguments are not changed; the result of a window equals that of its parts run one
    after the other, bit for bit; a device's result does not depend on the others.
    """

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        """The state variables, by name."""
        ...

    def prepare(self, ratings: Columns) -> Columns:
        """Turn rating columns of shape (n,) into the columns that `step` reads."""
        ...

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        """Run n devices through the window, from `state` of shape (n,) each."""
        ...
