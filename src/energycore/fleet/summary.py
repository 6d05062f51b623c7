"""What a set of devices does right now, summed in whole milliwatts."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.devices.base import Role
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT, MISSING, IntArray

__all__ = ["SILENT_GAPS", "EnergySummary", "StateTable", "StorageTotals", "grouped", "summarise"]

SILENT_GAPS: Final = 2
"""A newest reading that is older than so many longest gaps of its device counts as silence."""


@attrs.frozen(kw_only=True, eq=False)
class StateTable:
    """The states of n devices as columns of shape (n,), for totals.

    Active devices only. `at_us`, `power_mw` and `stored_mwh` hold `MISSING` where nothing is
    known; `capacity_mwh` does for devices without storage.
    """

    device_id: IntArray
    site_id: IntArray
    """`MISSING` for devices without a site."""
    kind_index: IntArray
    """Points into `kinds`."""
    kinds: tuple[str, ...]
    roles: tuple[Role, ...]
    """The role of each kind."""
    at_us: IntArray
    power_mw: IntArray
    stored_mwh: IntArray
    capacity_mwh: IntArray
    silent_after_us: IntArray
    """Age from which on a newest reading counts as silence."""

    def __len__(self) -> int:
        return len(self.device_id)

    @classmethod
    def empty(cls) -> "StateTable":
        """No devices."""
        names = [field.name for field in attrs.fields(cls) if field.name not in ("kinds", "roles")]
        columns = {name: np.empty(0, dtype=np.int64) for name in names}
        return cls(kinds=(), roles=(), **columns)

    def select(self, rows: NDArray[Any]) -> "StateTable":
        """The same table with these rows only, given as a mask or as positions."""
        arrays = {
            field.name: getattr(self, field.name)[rows]
            for field in attrs.fields(StateTable)
            if field.name not in ("kinds", "roles")
        }
        return StateTable(kinds=self.kinds, roles=self.roles, **arrays)


@attrs.frozen(kw_only=True)
class StorageTotals:
    """The storage of a set of devices whose charge is known and not silent."""

    capacity_mwh: int
    stored_mwh: int
    device_count: int

    def __repr__(self) -> str:
        return (
            f"StorageTotals(capacity_wh={self.capacity_wh}, stored_wh={self.stored_wh}, "
            f"state_of_charge={self.state_of_charge}, device_count={self.device_count})"
        )

    @property
    def capacity_wh(self) -> float:
        """Energy that fits [Wh]."""
        return self.capacity_mwh / MILLI_PER_UNIT

    @property
    def stored_wh(self) -> float:
        """Energy inside [Wh]."""
        return self.stored_mwh / MILLI_PER_UNIT

    @property
    def state_of_charge(self) -> float | None:
        """Stored energy as a fraction of capacity; None where there is no storage."""
        return self.stored_mwh / self.capacity_mwh if self.capacity_mwh else None


@attrs.frozen(kw_only=True)
class EnergySummary:
    """Totals of the active devices of a set; whole milliwatts, so that they add up exactly.

    A silent device is counted in `silent_count` and in no total of power or storage.
    """

    at_us: int
    generation_mw: int
    discharge_mw: int
    load_mw: int
    charge_mw: int
    device_count: int
    silent_count: int
    storage: StorageTotals

    def __repr__(self) -> str:
        return (
            f"EnergySummary(at={self.at}, production_w={self.production_w}, "
            f"consumption_w={self.consumption_w}, net_power_w={self.net_power_w}, "
            f"device_count={self.device_count}, silent_count={self.silent_count}, "
            f"storage={self.storage})"
        )

    @property
    def at(self) -> datetime:
        """The instant that it is for, in UTC."""
        return from_epoch_us(self.at_us)

    @property
    def production_mw(self) -> int:
        """generation + discharge [mW]."""
        return self.generation_mw + self.discharge_mw

    @property
    def consumption_mw(self) -> int:
        """load + charge [mW]."""
        return self.load_mw + self.charge_mw

    @property
    def net_power_mw(self) -> int:
        """production - consumption [mW]: + exports, - imports."""
        return self.production_mw - self.consumption_mw

    @property
    def generation_w(self) -> float:
        """Power of devices without storage that produce [W]."""
        return self.generation_mw / MILLI_PER_UNIT

    @property
    def discharge_w(self) -> float:
        """Power that storage gives [W]."""
        return self.discharge_mw / MILLI_PER_UNIT

    @property
    def load_w(self) -> float:
        """Power of devices without storage that consume [W]."""
        return self.load_mw / MILLI_PER_UNIT

    @property
    def charge_w(self) -> float:
        """Power that storage takes [W]."""
        return self.charge_mw / MILLI_PER_UNIT

    @property
    def production_w(self) -> float:
        """generation + discharge [W]."""
        return self.production_mw / MILLI_PER_UNIT

    @property
    def consumption_w(self) -> float:
        """load + charge [W]."""
        return self.consumption_mw / MILLI_PER_UNIT

    @property
    def net_power_w(self) -> float:
        """production - consumption [W]: + exports, - imports."""
        return self.net_power_mw / MILLI_PER_UNIT


def summarise(table: StateTable, now_us: int) -> EnergySummary:
    """Sum up the counted devices of a table as they are known at an instant.

    Args:
        table: the states of n active devices.
        now_us: the instant that silence is measured at, epoch microseconds.

    Returns:
        The totals; devices with the role METER are in none of them.
    """
    counted = _by_role(table, Role.SOURCE, Role.LOAD, Role.STORAGE)
    known = table.at_us != MISSING
    silent = ~known
    silent[known] = now_us - table.at_us[known] > table.silent_after_us[known]
    speaking = counted & ~silent
    storage = _by_role(table, Role.STORAGE)
    # More than fits was reported before the capacity changed: the charge is not known now.
    charged = speaking & storage & (table.stored_mwh != MISSING)
    charged &= table.stored_mwh <= table.capacity_mwh
    others_mw = table.power_mw[speaking & ~storage]
    storage_mw = table.power_mw[speaking & storage]
    return EnergySummary(
        at_us=now_us,
        generation_mw=_positive(others_mw),
        load_mw=_positive(-others_mw),
        discharge_mw=_positive(storage_mw),
        charge_mw=_positive(-storage_mw),
        device_count=int(np.count_nonzero(counted)),
        silent_count=int(np.count_nonzero(counted & silent)),
        storage=StorageTotals(
            capacity_mwh=int(table.capacity_mwh[charged].sum()),
            stored_mwh=int(table.stored_mwh[charged].sum()),
            device_count=int(np.count_nonzero(charged)),
        ),
    )


def _by_role(table: StateTable, *roles: Role) -> NDArray[np.bool_]:
    chosen = np.array([role in roles for role in table.roles], dtype=np.bool_)
    return chosen[table.kind_index] if len(chosen) else np.zeros(len(table), dtype=np.bool_)


def _positive(power_mw: IntArray) -> int:
    return int(power_mw[power_mw > 0].sum())


def grouped(table: StateTable, keys: IntArray) -> Iterator[tuple[int, StateTable]]:
    """Cut a table by whole-number keys of shape (n,), ascending."""
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    parts = np.split(order, starts[1:]) if len(distinct) else []
    for key, rows in zip(distinct.tolist(), parts, strict=True):
        yield key, table.select(rows)
