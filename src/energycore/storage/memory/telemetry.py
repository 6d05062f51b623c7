"""Readings in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

import attrs
import numpy as np

from energycore.protocols.archive import ArchivedFile
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import AppendResult, ConflictPolicy, ReadingDay
from energycore.storage.memory.tables import Day, TenantTables, Work
from energycore.storage.rules import marked_days
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["MemoryTelemetry"]


@attrs.frozen
class MemoryTelemetry:
    """Keeps readings."""

    _work: Work

    def append(
        self,
        scope: Scope,
        batch: ReadingBatch,
        *,
        policy: ConflictPolicy = ConflictPolicy.REJECT,
        reach_us: tuple[int, int] = (0, 0),
    ) -> AppendResult:
        """Store readings of known devices, one for each device and instant."""
        tenant = tenant_of(scope)
        ids, instants = batch.device_id.tolist(), batch.at_us.tolist()
        tables = self._work.own(tenant, "readings", "days", "series", "marks")
        tables.check_devices(dict.fromkeys(ids))
        values = zip(batch.power_mw.tolist(), batch.stored_mwh.tolist(), strict=True)
        accepted = duplicates = 0
        conflicts = []
        changed = []
        days: dict[tuple[int, int], Day] = {}
        for row, (device_id, at_us, value) in enumerate(zip(ids, instants, values, strict=True)):
            key = device_id, at_us // US_PER_DAY
            if key not in days:
                days[key] = self._work.own_day(tenant, *key)
            stored = days[key].setdefault(at_us, value)
            if stored is value:
                accepted += 1
                changed.append(row)
            elif stored == value:
                duplicates += 1
            else:
                conflicts.append(row)
                if policy is ConflictPolicy.LAST:
                    days[key][at_us] = value
                    changed.append(row)
        _note(tables, batch.take(np.array(changed, dtype=np.int64)), reach_us)
        return AppendResult(
            accepted=accepted,
            duplicates=duplicates,
            conflicts=np.array(conflicts, dtype=np.int64),
        )

    def read(
        self,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        limit: int | None = None,
    ) -> ReadingBatch:
        """The readings of these devices with start <= instant < end, by device and instant."""
        tenant = tenant_of(scope)
        readings = self._work.see(tenant).readings
        rows = [
            (device_id, at_us, *value)
            for device_id in sorted(set(ids) & readings.keys())
            for at_us, value in islice(_within(readings[device_id], start_us, end_us), limit)
        ]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return ReadingBatch(
            device_id=columns[:, 0],
            at_us=columns[:, 1],
            power_mw=columns[:, 2],
            stored_mwh=columns[:, 3],
        )

    def days(
        self,
        scope: Scope,
        *,
        start_day: int,
        end_day: int,
        hold: bool = False,
        only_lost: bool = False,
    ) -> Sequence[ReadingDay]:
        """The days in [start, end) of which there are or were readings; writers take turns."""
        tenant = tenant_of(scope)
        days = (self._work.own(tenant) if hold else self._work.see(tenant)).days
        found = (days[day] for day in sorted(days) if start_day <= day < end_day)
        return [day for day in found if day.is_lost or not only_lost]

    def prepare(self, scope: Scope, *, start_day: int, end_day: int) -> None:
        """Nothing: memory needs no room ahead of need."""
        tenant_of(scope)

    def drop_day(self, scope: Scope, day: int, *, revision: int, file: ArchivedFile | None) -> bool:
        """Remove a day's readings from the store; from now on they are in `file`, or lost."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "readings", "days")
        known = tables.days.get(day)
        rolled_us = tables.rollup.rolled_us
        if known is None or known.revision != revision or tables.marks.get(day):
            return False
        if rolled_us is None or (day + 1) * US_PER_DAY > rolled_us:
            return False
        for device_id, series in tables.readings.items():
            if day in series:
                tables.readings[device_id] = {d: rows for d, rows in series.items() if d != day}
        tables.days[day] = attrs.evolve(
            known, has_rows=False, file=file, is_lost=known.is_lost or file is None
        )
        return True


def _within(
    days: Mapping[int, Day], start_us: int, end_us: int
) -> Iterator[tuple[int, tuple[int, int]]]:
    """The readings of a device with start <= instant < end, in order."""
    for day in sorted(days):
        if start_us // US_PER_DAY <= day <= end_us // US_PER_DAY:
            yield from ((at, v) for at, v in sorted(days[day].items()) if start_us <= at < end_us)


def _note(tables: TenantTables, changed: ReadingBatch, reach_us: tuple[int, int]) -> None:
    """Keep the days, the beginnings of series and the marks in step with changed readings."""
    for day in set((changed.at_us // US_PER_DAY).tolist()):
        known = tables.days.get(day)
        if known is None:
            known = ReadingDay(day=day, has_rows=True, file=None, is_lost=False, revision=0)
        tables.days[day] = attrs.evolve(known, has_rows=True)
    oldest = changed.oldest()
    for device_id, at_us in zip(oldest.device_id.tolist(), oldest.at_us.tolist(), strict=True):
        first, *later = tables.series[device_id]
        if at_us < first.valid_from_us:
            _mark_between(tables, device_id, at_us, first.valid_from_us)
            tables.series[device_id] = (attrs.evolve(first, valid_from_us=at_us), *later)
    for device_id, day in marked_days(changed, reach_us, tables.rollup.rolled_us):
        tables.marks[day] = tables.marks.get(day, frozenset()) | {device_id}


def _mark_between(tables: TenantTables, device_id: int, start_us: int, end_us: int) -> None:
    """Mark the days on which a device is expected now, and was not when they were totalled."""
    rolled_us = tables.rollup.rolled_us
    if rolled_us is None:
        return
    last = min(end_us, rolled_us - 1) // US_PER_DAY
    for day, known in tables.days.items():
        if start_us // US_PER_DAY <= day <= last and not known.is_lost:
            tables.marks[day] = tables.marks.get(day, frozenset()) | {device_id}
