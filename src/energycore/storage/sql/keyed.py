"""Batches of readings by key: which of them share a device and an instant, and what follows."""

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from energycore.protocols.telemetry import AppendResult, ConflictPolicy
from energycore.quantities.units import IntArray
from energycore.telemetry.groups import group_starts
from energycore.telemetry.readings import ReadingBatch

__all__ = ["KeyedBatch", "Stored"]


@attrs.frozen(kw_only=True, eq=False)
class Stored:
    """What was stored before under some of the keys of a batch; arrays of shape (k,)."""

    key: IntArray
    """Which of the keys."""
    power_mw: IntArray
    stored_mwh: IntArray

    @classmethod
    def concatenate(cls, parts: Sequence["Stored"]) -> Self:
        """Several of the same batch as one."""
        none = np.empty(0, dtype=np.int64)
        return cls(
            **{
                field.name: np.concatenate([none, *(getattr(part, field.name) for part in parts)])
                for field in attrs.fields(cls)
            }
        )

    def __len__(self) -> int:
        return len(self.key)


@attrs.frozen(kw_only=True, eq=False)
class KeyedBatch:
    """A batch in the order of its keys; readings of one key in the order in which they came.

    Args:
        order: where each reading stood in the batch.
        rows: the readings in this order.
        starts: the first reading of each key.
    """

    order: IntArray
    rows: ReadingBatch
    starts: IntArray

    @classmethod
    def of(cls, batch: ReadingBatch, *, by_device: bool) -> Self:
        """A batch by device and instant, or by instant and device."""
        key = batch.at_us, batch.device_id
        order = np.lexsort(key if by_device else key[::-1])
        rows = batch.take(order)
        return cls(order=order, rows=rows, starts=group_starts(rows.device_id, rows.at_us))

    def candidates(self, policy: ConflictPolicy) -> ReadingBatch:
        """The reading of each key that is stored if none was there: the last one, or the first."""
        if policy is not ConflictPolicy.LAST:
            return self.rows.take(self.starts)
        return self.rows.take(np.append(self.starts[1:], len(self.rows)) - 1)

    def outcome(self, before: Stored, policy: ConflictPolicy) -> tuple[AppendResult, ReadingBatch]:
        """What becomes of each reading, and the readings that changed what is stored."""
        rows, is_last = self.rows, policy is ConflictPolicy.LAST
        is_new = np.zeros(len(rows), dtype=np.bool_)
        is_new[self.starts] = True
        met = self._met_last if is_last else self._met_first
        differs = rows.power_mw != met(rows.power_mw, before.key, before.power_mw)
        differs |= rows.stored_mwh != met(rows.stored_mwh, before.key, before.stored_mwh)
        is_new[self.starts[before.key]] = False
        is_conflict = differs & ~is_new
        accepted = int(np.count_nonzero(is_new))
        conflicts = np.sort(self.order[is_conflict])
        result = AppendResult(
            accepted=accepted,
            duplicates=len(rows) - accepted - len(conflicts),
            conflicts=conflicts,
        )
        is_change = is_new | is_conflict if is_last else is_new
        return result, rows.take(np.flatnonzero(is_change))

    def _met_first(self, values: IntArray, key: IntArray, stored: IntArray) -> IntArray:
        """What each reading is compared with where the first one stays: that one."""
        first = values[self.starts]
        first[key] = stored
        return np.repeat(first, np.diff(self.starts, append=len(values)))

    def _met_last(self, values: IntArray, key: IntArray, stored: IntArray) -> IntArray:
        """What each reading is compared with where the last one stays: the one before it."""
        met = np.roll(values, 1)
        met[self.starts[key]] = stored
        return met
