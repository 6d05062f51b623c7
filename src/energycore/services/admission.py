"""Which readings may be stored: of known, reported, active devices, possible and not too old."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.devices.base import DataSource
from energycore.devices.storage_device import StorageDevice
from energycore.errors import (
    DeviceIsInactive,
    DeviceIsSimulated,
    EnergycoreError,
    InstantOutOfRange,
    InvalidValue,
    NotFound,
    ReadingTooOld,
    StoredEnergyOutOfBounds,
)
from energycore.protocols.records import DeviceRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.protocols.telemetry import ReadingDay
from energycore.quantities.instants import FIRST_US, LAST_US, US_PER_MS, from_epoch_us
from energycore.quantities.units import MAX_POWER_W, FloatArray, IntArray
from energycore.telemetry.tiers import US_PER_DAY, Tier

__all__ = ["FUTURE_LIMIT", "POWER_LIMIT", "Admission"]

FUTURE_LIMIT: Final = timedelta(minutes=5)
"""How far ahead of now a reading may be: clocks differ."""
_DAYS_OF_MONTH: Final = 32
"""And one, for the zones."""
POWER_LIMIT: Final = f"finite and at most {MAX_POWER_W:g} W"


@attrs.frozen(kw_only=True)
class Admission:
    """What must be known to check a batch of n readings.

    Args:
        device_id: shape (n,).
        at_us: shape (n,).
        records: the devices that are known.
        days: the days, around those of the batch, of which there are or were readings.
        reach_us: how far before and after its instant any reading of the batch may say anything,
            by the rules that its device has or ever had.
        kept_from_us: where the buckets of a tier begin to be kept.
        latest_us: readings after it are refused.
    """

    device_id: IntArray
    at_us: IntArray
    records: Mapping[int, DeviceRecord]
    days: Sequence[ReadingDay]
    reach_us: tuple[int, int]
    kept_from_us: Mapping[Tier, int]
    latest_us: int

    @classmethod
    def within(
        cls, work: UnitOfWork, scope: Scope, device_id: IntArray, at_us: IntArray, *, now_us: int
    ) -> "Admission":
        """Look up what must be known; from here on no day leaves the storage."""
        sane = at_us[(at_us >= FIRST_US) & (at_us < LAST_US)]
        first, last = (0, 0) if not len(sane) else (int(sane.min()), int(sane.max()))
        ids = np.unique(device_id).tolist()
        return cls(
            device_id=device_id,
            at_us=at_us,
            records=work.devices.get_many(scope, ids),
            days=work.telemetry.days(
                scope,
                start_day=first // US_PER_DAY - 2 * _DAYS_OF_MONTH,
                end_day=last // US_PER_DAY + 2 * _DAYS_OF_MONTH,
                hold=True,
            ),
            reach_us=work.series.table(scope, ids).reach_us,
            kept_from_us=work.rollups.state(scope).kept_from_us,
            latest_us=now_us + FUTURE_LIMIT // timedelta(microseconds=1),
        )

    def refusals(
        self, power_w: FloatArray, stored_wh: FloatArray, *, known: Mapping[int, EnergycoreError]
    ) -> dict[int, EnergycoreError]:
        """The readings that cannot be stored, by position, each with its first reason.

        Args:
            power_w: shape (n,).
            stored_wh: shape (n,); NaN where none is reported.
            known: readings that are refused already.
        """
        refused = dict(known)
        table = _Table.of(self.records, self.device_id)
        fits = np.isnan(stored_wh) | ((stored_wh >= 0.0) & (stored_wh <= table.capacity_wh))
        checks = (
            ((self.at_us < FIRST_US) | (self.at_us >= LAST_US), self._out_of_range),
            (self.at_us % US_PER_MS != 0, self._out_of_range),
            (self.at_us > self.latest_us, self._in_future),
            (~table.is_known, lambda row: NotFound("device", int(self.device_id[row]))),
            (table.is_simulated, lambda row: DeviceIsSimulated(self._told(row, _SIMULATED))),
            (~table.is_active, lambda row: DeviceIsInactive(self._told(row, _INACTIVE))),
            (
                ~(np.abs(power_w) <= MAX_POWER_W),
                lambda row: InvalidValue("power_w", float(power_w[row]), POWER_LIMIT),
            ),
            (~fits, lambda row: self._stored(row, float(stored_wh[row]))),
            (self._too_old(), self._old),
        )
        for mask, reason in checks:
            for row in np.flatnonzero(mask).tolist():
                if row not in refused:
                    refused[row] = reason(row)
        return refused

    def _too_old(self) -> NDArray[np.bool_]:
        """Whether the totals that a reading changes cannot be computed anew."""
        lost = np.array([day.day for day in self.days if day.is_lost], dtype=np.int64)
        if not len(lost):
            return np.zeros(len(self.at_us), dtype=np.bool_)
        before_us, after_us = self.reach_us
        # Totals of a day need the day before it, and where power is interpolated the day after.
        first = (self.at_us - before_us) // US_PER_DAY - 1
        last = (self.at_us + after_us) // US_PER_DAY + (1 if before_us else 0)
        # Where the parts are gone, the whole local day, or month, is computed from readings.
        for tier, days in ((Tier.QUARTER_HOUR, 2), (Tier.DAY, _DAYS_OF_MONTH)):
            if tier in self.kept_from_us:
                is_coarse = first * US_PER_DAY < self.kept_from_us[tier] + days * US_PER_DAY
                first = np.where(is_coarse, first - days, first)
                last = np.where(is_coarse, last + days, last)
        needed = np.searchsorted(lost, last, side="right") - np.searchsorted(lost, first)
        return np.asarray(needed > 0)

    def _told(self, row: int, problem: str) -> str:
        return f"{self.records[int(self.device_id[row])].device.name} {problem}"

    def _in_future(self, row: int) -> EnergycoreError:
        limit = f"at most {FUTURE_LIMIT} after now"
        return InstantOutOfRange("at", from_epoch_us(int(self.at_us[row])), limit)

    def _out_of_range(self, row: int) -> EnergycoreError:
        limit = "in whole milliseconds between the years 1900 and 2300"
        return InstantOutOfRange("at", int(self.at_us[row]), limit)

    def _old(self, row: int) -> EnergycoreError:
        at = from_epoch_us(int(self.at_us[row]))
        return ReadingTooOld("at", at, "of a day whose readings are still kept or archived")

    def _stored(self, row: int, stored_wh: float) -> EnergycoreError:
        device = self.records[int(self.device_id[row])].device
        if not isinstance(device, StorageDevice):
            return InvalidValue("stored_wh", stored_wh, "absent for a device without storage")
        limit = f"at least 0 and at most {device.capacity_wh:g} Wh"
        return StoredEnergyOutOfBounds("stored_wh", stored_wh, limit)


_SIMULATED: Final = "is simulated: only ticks move it"
_INACTIVE: Final = "is inactive: reactivate it first"


@attrs.frozen(kw_only=True, eq=False)
class _Table:
    """What matters of the device of each of n readings; shape (n,)."""

    is_known: NDArray[np.bool_]
    is_simulated: NDArray[np.bool_]
    is_active: NDArray[np.bool_]
    capacity_wh: FloatArray
    """NaN without storage, which nothing fits into."""

    @classmethod
    def of(cls, records: Mapping[int, DeviceRecord], device_id: IntArray) -> "_Table":
        ids = np.array(sorted(records), dtype=np.int64)
        ordered = [records[key] for key in ids.tolist()]
        position = np.searchsorted(ids, device_id)
        is_known = np.isin(device_id, ids)
        # Unknown devices take what is true of any: they are refused for being unknown.
        position = np.where(is_known, position, len(ordered))
        simulated = [r.data_source is DataSource.SIMULATED for r in ordered]
        capacity = [
            r.device.capacity_wh if isinstance(r.device, StorageDevice) else np.nan for r in ordered
        ]
        return cls(
            is_known=is_known,
            is_simulated=np.array([*simulated, False])[position],
            is_active=np.array([*(r.is_active for r in ordered), True])[position],
            capacity_wh=np.array([*capacity, np.nan])[position],
        )
