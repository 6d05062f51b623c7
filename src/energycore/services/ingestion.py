"""Taking in what real devices report: every reading is stored, counted as known, or refused."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.errors import (
    Conflict,
    EnergycoreError,
    InvalidValue,
    NotFound,
    StoredEnergyOutOfBounds,
)
from energycore.protocols.archive import Archive
from energycore.protocols.channel import Channel
from energycore.protocols.clock import Clock
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage
from energycore.protocols.telemetry import ConflictPolicy
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.units import FloatArray, IntArray
from energycore.services.admission import FUTURE_LIMIT, POWER_LIMIT, Admission
from energycore.services.announcing import announce
from energycore.services.recorded import Recorded
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = [
    "FUTURE_LIMIT",
    "Ingestion",
    "NewReading",
    "ReadingColumns",
    "RecordResult",
    "Rejection",
    "conflict_policy",
]

_UNKNOWN_ID: Final = -1
_MAX_ID: Final = np.iinfo(np.int64).max


@attrs.frozen(kw_only=True)
class NewReading:
    """What a device reports: from `at` on this power holds, and so much energy is stored then."""

    device_id: int
    at: datetime
    power_w: float
    """Signed [W]: + produces, - consumes."""
    stored_wh: float | None = None


@attrs.frozen(kw_only=True, eq=False)
class ReadingColumns:
    """n readings as columns, before anything is known of them; arrays of shape (n,).

    Args:
        device_id: int64.
        at_us: int64, epoch microseconds in whole milliseconds.
        power_w: float64; signed, + produces.
        stored_wh: float64; NaN where none is reported.
        refused: rows that could not be read at all, by their position.
    """

    device_id: IntArray
    at_us: IntArray
    power_w: FloatArray
    stored_wh: FloatArray
    refused: Mapping[int, EnergycoreError] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return len(self.device_id)

    @classmethod
    def of(cls, readings: Sequence[NewReading]) -> "ReadingColumns":
        """Columns of single readings."""
        refused: dict[int, EnergycoreError] = {}
        rows = []
        for index, reading in enumerate(readings):
            try:
                rows.append(_row(reading))
            except EnergycoreError as error:
                refused[index] = error
                rows.append((_UNKNOWN_ID, 0, 0.0, np.nan))
        device_id, at_us, power_w, stored_wh = zip(*rows, strict=True) if rows else [()] * 4
        return cls(
            device_id=np.array(device_id, dtype=np.int64),
            at_us=np.array(at_us, dtype=np.int64),
            power_w=np.array(power_w, dtype=np.float64),
            stored_wh=np.array(stored_wh, dtype=np.float64),
            refused=refused,
        )


@attrs.frozen(kw_only=True)
class Rejection:
    """A reading that was not stored, and why."""

    index: int
    """Its position in what was sent."""
    error: EnergycoreError


@attrs.frozen(kw_only=True)
class RecordResult:
    """What became of each reading: accepted + duplicates + conflicts + rejected = sent."""

    accepted: int
    duplicates: int
    """Known already with the same values."""
    rejected: tuple[Rejection, ...]
    conflicts: int = 0
    """Readings of an instant that was taken by other values, where the policy lets the first or
    the last one count; where it refuses them they are among `rejected`."""


def conflict_policy(given: ConflictPolicy | str) -> ConflictPolicy:
    """A policy as it is, or by its name.

    Raises:
        InvalidValue: it is neither.
    """
    for policy in ConflictPolicy:
        if given in (policy, policy.value):
            return policy
    names = ", ".join(policy.value for policy in ConflictPolicy)
    raise InvalidValue("on_conflict", given, f"one of {names}")


@attrs.frozen(kw_only=True)
class Ingestion:
    """Takes in readings of reported devices.

    Args:
        storage: where they are stored.
        clock: readings that are too far ahead of it are refused.
        archive: where old readings are, which new ones may repeat.
        channel: is told whose readings were stored.
    """

    storage: Storage
    clock: Clock
    archive: Archive | None = None
    channel: Channel | None = None

    def record(
        self,
        scope: Scope,
        readings: Sequence[NewReading] | ReadingColumns,
        *,
        on_conflict: ConflictPolicy | str = ConflictPolicy.REJECT,
    ) -> RecordResult:
        """Store readings; one that is known already counts as a duplicate and changes nothing.

        The newest reading of a device becomes its state. A reading that cannot be stored is
        returned with the reason, and the others are stored all the same.

        Args:
            scope: the tenant.
            readings: single readings, or columns of many.
            on_conflict: what happens to a reading whose device and instant are taken by other
                values: `reject`, `first` or `last`.

        Raises:
            InvalidValue: there is no such policy.
            StorageUnavailable, ArchiveUnavailable: nothing was stored; send it again.
        """
        tenant_of(scope)
        policy = conflict_policy(on_conflict)
        columns = readings if isinstance(readings, ReadingColumns) else ReadingColumns.of(readings)
        now_us = to_epoch_us(self.clock.now(), "clock")
        with self.storage.transaction(write=True) as work:
            admission = Admission.within(
                work, scope, columns.device_id, columns.at_us, now_us=now_us
            )
            refused = admission.refusals(columns.power_w, columns.stored_wh, known=columns.refused)
            good = np.setdiff1d(np.arange(len(columns)), np.array(sorted(refused), dtype=np.int64))
            batch = ReadingBatch.quantise(
                columns.device_id[good],
                columns.at_us[good],
                columns.power_w[good],
                columns.stored_wh[good],
            )
            archived = self._archived_twins(scope, batch, admission)
            fresh = np.flatnonzero(~archived.is_duplicate)
            if len(archived.restored):
                work.telemetry.append(scope, archived.restored)
            rest = batch.take(fresh)
            result = work.telemetry.append(scope, rest, policy=policy, reach_us=admission.reach_us)
            stays = np.ones(len(rest), dtype=np.bool_)
            if policy is not ConflictPolicy.LAST:
                stays[result.conflicts] = False
            newest = rest.take(np.flatnonzero(stays)).newest()
            work.fleet.observe(scope, newest)
            announce(self.channel, work, scope, newest.device_id)
        if policy is ConflictPolicy.REJECT:
            for row in result.conflicts.tolist():
                refused[int(good[fresh[row]])] = _conflict(int(rest.at_us[row]))
        return RecordResult(
            accepted=result.accepted,
            duplicates=result.duplicates + len(batch) - len(fresh),
            conflicts=0 if policy is ConflictPolicy.REJECT else len(result.conflicts),
            rejected=tuple(Rejection(index=i, error=refused[i]) for i in sorted(refused)),
        )

    def _archived_twins(self, scope: Scope, batch: ReadingBatch, admission: Admission) -> "_Twins":
        """Which readings the archive has already, and what it has in the place of others."""
        days = {day.day: day for day in admission.days if day.file is not None}
        rows = np.flatnonzero(np.isin(batch.at_us // US_PER_DAY, list(days)))
        is_duplicate = np.zeros(len(batch), dtype=np.bool_)
        if not len(rows):
            return _Twins(is_duplicate=is_duplicate, restored=ReadingBatch.empty())
        late = batch.take(rows)
        wanted = set(_keys(late))
        recorded = Recorded(archive=self.archive)
        files = [
            recorded.file(scope, days[day], np.unique(late.device_id).tolist())
            for day in np.unique(late.at_us // US_PER_DAY).tolist()
        ]
        archived = ReadingBatch.concatenate(files)
        archived = archived.take(_positions(key in wanted for key in _keys(archived)))
        values = dict(zip(_keys(archived), _values(archived), strict=True))
        differing = {
            key
            for key, value in zip(_keys(late), _values(late), strict=True)
            if key in values and values[key] != value
        }
        twins = (key in values and key not in differing for key in _keys(late))
        is_duplicate[rows[_positions(twins)]] = True
        restored = archived.take(_positions(key in differing for key in _keys(archived)))
        return _Twins(is_duplicate=is_duplicate, restored=restored)


@attrs.frozen(kw_only=True, eq=False)
class _Twins:
    is_duplicate: NDArray[np.bool_]
    restored: ReadingBatch
    """Archived readings whose place others want: with them the storage can tell."""


def _row(reading: NewReading) -> tuple[int, int, float, float]:
    if not isinstance(reading, NewReading):
        raise InvalidValue("reading", reading, "a NewReading")
    at_us = to_epoch_us(reading.at)
    if not _is_id(reading.device_id):
        raise NotFound("device", reading.device_id)
    power_w = _number(reading.power_w)
    if power_w is None:
        raise InvalidValue("power_w", reading.power_w, POWER_LIMIT)
    if reading.stored_wh is None:
        return reading.device_id, at_us, power_w, np.nan
    stored_wh = _number(reading.stored_wh)
    if stored_wh is None or np.isnan(stored_wh):
        limit = "a number of watt-hours that fits, or absent"
        raise StoredEnergyOutOfBounds("stored_wh", reading.stored_wh, limit)
    return reading.device_id, at_us, power_w, stored_wh


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_ID


def _number(value: object) -> float | None:
    """A number as a float, which may be none that is finite; None for what is no number."""
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _keys(batch: ReadingBatch) -> list[tuple[int, int]]:
    return list(zip(batch.device_id.tolist(), batch.at_us.tolist(), strict=True))


def _values(batch: ReadingBatch) -> list[tuple[int, int]]:
    return list(zip(batch.power_mw.tolist(), batch.stored_mwh.tolist(), strict=True))


def _positions(chosen: Iterable[bool]) -> IntArray:
    return np.flatnonzero(np.fromiter(chosen, dtype=np.bool_))


def _conflict(at_us: int) -> Conflict:
    at = from_epoch_us(at_us).isoformat()
    return Conflict(f"another reading of this device at {at} is stored already")
