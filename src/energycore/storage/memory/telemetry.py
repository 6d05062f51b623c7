"""Readings in memory."""

from collections.abc import Collection

import attrs
import numpy as np

from energycore.protocols.records import AppendResult
from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.memory.tables import DAY_US, Day, Work
from energycore.telemetry.readings import ReadingBatch

__all__ = ["MemoryTelemetry"]


@attrs.frozen
class MemoryTelemetry:
    """Keeps readings."""

    _work: Work

    def append(self, scope: Scope, batch: ReadingBatch) -> AppendResult:
        """Store readings of known devices; (device, instant) is unique, the first one stays."""
        tenant = tenant_of(scope)
        ids, instants = batch.device_id.tolist(), batch.at_us.tolist()
        tables = self._work.own(tenant, "readings")
        tables.check_devices(dict.fromkeys(ids))
        values = zip(batch.power_mw.tolist(), batch.stored_mwh.tolist(), strict=True)
        accepted = duplicates = 0
        conflicts = []
        days: dict[tuple[int, int], Day] = {}
        for row, (device_id, at_us, value) in enumerate(zip(ids, instants, values, strict=True)):
            key = device_id, at_us // DAY_US
            if key not in days:
                days[key] = self._work.own_day(tenant, *key)
            stored = days[key].setdefault(at_us, value)
            if stored is value:
                accepted += 1
            elif stored == value:
                duplicates += 1
            else:
                conflicts.append(row)
        return AppendResult(
            accepted=accepted,
            duplicates=duplicates,
            conflicts=np.array(conflicts, dtype=np.int64),
        )

    def read(
        self, scope: Scope, ids: Collection[int], *, start_us: int, end_us: int
    ) -> ReadingBatch:
        """The readings of these devices with start <= instant < end, by device and instant."""
        tenant = tenant_of(scope)
        readings = self._work.see(tenant).readings
        rows = [
            (device_id, at_us, *value)
            for device_id in sorted(set(ids) & readings.keys())
            for day in sorted(readings[device_id])
            if start_us // DAY_US <= day <= end_us // DAY_US
            for at_us, value in sorted(readings[device_id][day].items())
            if start_us <= at_us < end_us
        ]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return ReadingBatch(
            device_id=columns[:, 0],
            at_us=columns[:, 1],
            power_mw=columns[:, 2],
            stored_mwh=columns[:, 3],
        )
