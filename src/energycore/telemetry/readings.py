"""A batch of readings as columns: the one noun that travels between the stages.

A reading says: at this instant so much energy is stored, and from it on this power holds. It is
quantised once, where it enters: instants to 1 ms, power to 1 mW, energy to 1 mWh, halves to even.
"""

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from energycore.errors import InvalidValue
from energycore.quantities.units import MISSING, FloatArray, IntArray, from_milli, to_milli
from energycore.telemetry.groups import group_starts

__all__ = ["ReadingBatch"]

_COLUMNS = ("device_id", "at_us", "power_mw", "stored_mwh")


@attrs.frozen(kw_only=True, eq=False)
class ReadingBatch:
    """n readings of any devices, in any order.

    Args:
        device_id: shape (n,), int64.
        at_us: shape (n,), int64, epoch microseconds in whole milliseconds.
        power_mw: shape (n,), int64 milliwatts; signed, + produces.
        stored_mwh: shape (n,), int64 milliwatt-hours; `MISSING` without storage.

    Raises:
        InvalidValue: the columns differ in length.
    """

    device_id: IntArray
    at_us: IntArray
    power_mw: IntArray
    stored_mwh: IntArray

    def __attrs_post_init__(self) -> None:
        lengths = {len(getattr(self, column)) for column in _COLUMNS}
        if len(lengths) > 1:
            raise InvalidValue("readings", sorted(lengths), "columns of one length")

    def __len__(self) -> int:
        return len(self.device_id)

    @property
    def power_w(self) -> FloatArray:
        """Shape (n,) [W]."""
        return from_milli(self.power_mw)

    @property
    def stored_wh(self) -> FloatArray:
        """Shape (n,) [Wh]; NaN without storage."""
        return from_milli(self.stored_mwh)

    @classmethod
    def quantise(
        cls, device_id: IntArray, at_us: IntArray, power_w: FloatArray, stored_wh: FloatArray
    ) -> Self:
        """Make a batch from watts and watt-hours; NaN in `stored_wh` means none."""
        return cls(
            device_id=device_id,
            at_us=at_us,
            power_mw=to_milli(power_w),
            stored_mwh=to_milli(stored_wh),
        )

    @classmethod
    def empty(cls) -> Self:
        """A batch without readings."""
        none = np.empty(0, dtype=np.int64)
        return cls(device_id=none, at_us=none, power_mw=none, stored_mwh=none)

    @classmethod
    def concatenate(cls, batches: Sequence["ReadingBatch"]) -> Self:
        """All readings of several batches, one batch after the other."""
        if not batches:
            return cls.empty()
        return cls(
            **{
                column: np.concatenate([getattr(batch, column) for batch in batches])
                for column in _COLUMNS
            }
        )

    def take(self, rows: IntArray) -> "ReadingBatch":
        """The readings at these positions, in this order."""
        return ReadingBatch(**{column: getattr(self, column)[rows] for column in _COLUMNS})

    def by_time(self) -> "ReadingBatch":
        """The same by device and instant."""
        return self.take(np.lexsort((self.at_us, self.device_id)))

    def oldest(self) -> "ReadingBatch":
        """The oldest reading of each device, by device."""
        ordered = self.by_time()
        return ordered.take(group_starts(ordered.device_id))

    def newest(self) -> "ReadingBatch":
        """The newest reading of each device, by device; of equal instants the last."""
        ordered = self.by_time()
        starts = group_starts(ordered.device_id)
        return ordered.take(np.append(starts[1:], len(self))[: len(starts)] - 1)

    def stored_or_none(self) -> list[int | None]:
        """Stored energy [mWh] as plain numbers, None where it is missing."""
        return [None if value == MISSING else value for value in self.stored_mwh.tolist()]
