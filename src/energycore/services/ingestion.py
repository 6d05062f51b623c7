"""Taking in what real devices report: every reading is stored, counted as known, or refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
import numpy as np

from energycore.devices.base import DataSource
from energycore.devices.storage_device import StorageDevice
from energycore.errors import (
    Conflict,
    DeviceIsInactive,
    DeviceIsSimulated,
    EnergycoreError,
    InstantOutOfRange,
    InvalidValue,
    NotFound,
    StoredEnergyOutOfBounds,
)
from energycore.protocols.clock import Clock
from energycore.protocols.records import DeviceRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.units import MAX_POWER_W
from energycore.telemetry.readings import ReadingBatch

__all__ = ["FUTURE_LIMIT", "Ingestion", "NewReading", "RecordResult", "Rejection"]

FUTURE_LIMIT: Final = timedelta(minutes=5)


@attrs.frozen(kw_only=True)
class NewReading:
    """What a device reports: from `at` on this power holds, and so much energy is stored then."""

    device_id: int
    at: datetime
    power_w: float
    """Signed [W]: + produces, - consumes."""
    stored_wh: float | None = None


@attrs.frozen(kw_only=True)
class Rejection:
    """A reading that was not stored, and why."""

    index: int
    """Its position in what was sent."""
    error: EnergycoreError


@attrs.frozen(kw_only=True)
class RecordResult:
    """What became of each reading: accepted + duplicates + rejected = sent."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


@attrs.frozen(kw_only=True)
class Ingestion:
    """Takes in readings of reported devices."""

    storage: Storage
    clock: Clock

    def record(self, scope: Scope, readings: Sequence[NewReading]) -> RecordResult:
        """Store readings; one that is known already counts as a duplicate and changes nothing.

        The newest reading of a device becomes its state. A reading that cannot be stored is
        returned with the reason, and the others are stored all the same.
        """
        tenant_of(scope)
        now_us = to_epoch_us(self.clock.now(), "clock")
        latest_us = now_us + FUTURE_LIMIT // timedelta(microseconds=1)
        with self.storage.transaction(write=True) as work:
            devices = work.devices.get_many(scope, _devices_of(readings))
            good: list[int] = []
            rejected: list[Rejection] = []
            for index, reading in enumerate(readings):
                try:
                    _check(reading, devices, latest_us)
                except EnergycoreError as error:
                    rejected.append(Rejection(index=index, error=error))
                else:
                    good.append(index)
            batch = _batch([readings[index] for index in good])
            result = work.telemetry.append(scope, batch)
            taken = set(result.conflicts.tolist())
            rejected += [
                Rejection(index=good[position], error=_conflict(readings[good[position]]))
                for position in taken
            ]
            kept = [position for position in range(len(batch)) if position not in taken]
            work.fleet.observe(scope, batch.take(np.array(kept, dtype=np.int64)).newest())
        return RecordResult(
            accepted=result.accepted,
            duplicates=result.duplicates,
            rejected=tuple(sorted(rejected, key=lambda rejection: rejection.index)),
        )


def _devices_of(readings: Sequence[NewReading]) -> set[int]:
    ids = [getattr(reading, "device_id", None) for reading in readings]
    return {device_id for device_id in ids if isinstance(device_id, int)}


def _check(reading: NewReading, devices: Mapping[int, DeviceRecord], latest_us: int) -> None:
    if not isinstance(reading, NewReading):
        raise InvalidValue("reading", reading, "a NewReading")
    at_us = to_epoch_us(reading.at)
    if at_us > latest_us:
        limit = f"at most {FUTURE_LIMIT} after now"
        raise InstantOutOfRange("at", reading.at, limit)
    known = isinstance(reading.device_id, int)
    record = devices.get(reading.device_id) if known else None
    if record is None:
        raise NotFound("device", reading.device_id)
    if record.data_source is DataSource.SIMULATED:
        raise DeviceIsSimulated(f"{record.device.name} is simulated: only ticks move it")
    if not record.is_active:
        raise DeviceIsInactive(f"{record.device.name} is inactive: reactivate it first")
    if not _is_number(reading.power_w) or not abs(reading.power_w) <= MAX_POWER_W:
        raise InvalidValue("power_w", reading.power_w, f"finite and at most {MAX_POWER_W:g} W")
    _check_stored(reading.stored_wh, record)


def _check_stored(stored_wh: float | None, record: DeviceRecord) -> None:
    if stored_wh is None:
        return
    if not isinstance(record.device, StorageDevice):
        raise InvalidValue("stored_wh", stored_wh, "absent for a device without storage")
    capacity_wh = record.device.capacity_wh
    if not _is_number(stored_wh) or not 0.0 <= stored_wh <= capacity_wh:
        limit = f"at least 0 and at most {capacity_wh:g} Wh"
        raise StoredEnergyOutOfBounds("stored_wh", stored_wh, limit)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _batch(readings: Sequence[NewReading]) -> ReadingBatch:
    nothing = float("nan")
    stored = [nothing if r.stored_wh is None else r.stored_wh for r in readings]
    return ReadingBatch.quantise(
        np.array([reading.device_id for reading in readings], dtype=np.int64),
        np.array([to_epoch_us(reading.at) for reading in readings], dtype=np.int64),
        np.array([reading.power_w for reading in readings], dtype=np.float64),
        np.array(stored, dtype=np.float64),
    )


def _conflict(reading: NewReading) -> Conflict:
    return Conflict(f"another reading of this device at {reading.at.isoformat()} is stored already")
