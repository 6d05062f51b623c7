"""What histories are made of, in memory."""

from collections.abc import Collection, Sequence

import attrs

from energycore.protocols.histories import Basis, BucketPart, ReadingPart
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.memory.devices import MemoryDevices
from energycore.storage.memory.rollups import MemoryRollups
from energycore.storage.memory.series import MemorySeries
from energycore.storage.memory.settings import MemorySettings
from energycore.storage.memory.tables import Work
from energycore.storage.memory.telemetry import MemoryTelemetry
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import SeriesKind

__all__ = ["MemoryHistories"]


@attrs.frozen
class MemoryHistories:
    """Asks the other repositories one after the other, which costs nothing here."""

    _work: Work

    def basis(
        self,
        scope: Scope,
        filter_: DeviceFilter,
        *,
        members_of: Collection[int] | None = None,
        start_day: int,
        end_day: int,
        setting: str,
    ) -> Basis:
        """What is known of the devices that match, and of the days in [start, end)."""
        tenant_of(scope)
        series, rollups = MemorySeries(self._work), MemoryRollups(self._work)
        ids = MemoryDevices(self._work).ids(scope, filter_)
        if members_of is not None:
            ids = sorted(set(ids).intersection(series.members(scope, members_of)))
        days = MemoryTelemetry(self._work).days(scope, start_day=start_day, end_day=end_day)
        return Basis(
            table=series.table(scope, ids),
            zones=series.zones(scope),
            state=rollups.state(scope),
            setting=MemorySettings(self._work).get(scope, setting),
            marks=rollups.marks(scope, ids=ids, start_day=start_day, end_day=end_day),
            days=[day for day in days if day.is_lost or day.file is not None],
        )

    def buckets(
        self, scope: Scope, kind: SeriesKind, parts: Sequence[BucketPart]
    ) -> Sequence[Buckets]:
        """The kept totals of each part, by series and start."""
        tenant_of(scope)
        rollups = MemoryRollups(self._work)
        return [
            Buckets.concatenate(
                [
                    rollups.read(
                        scope,
                        window.tier,
                        kind,
                        part.series,
                        start_us=window.start_us,
                        end_us=window.end_us,
                    )
                    for window in part.windows
                ]
            ).by_time()
            for part in parts
        ]

    def sums(self, scope: Scope, parts: Sequence[BucketPart]) -> Sequence[Buckets]:
        """Those of each part, which is of devices, added up by interval."""
        tenant_of(scope)
        return [part.summed() for part in self.buckets(scope, SeriesKind.DEVICE, parts)]

    def readings(self, scope: Scope, parts: Sequence[ReadingPart]) -> Sequence[ReadingBatch]:
        """The stored readings of each part, by device and instant."""
        tenant_of(scope)
        telemetry = MemoryTelemetry(self._work)
        return [
            ReadingBatch.concatenate(
                [
                    telemetry.read(scope, part.ids, start_us=start_us, end_us=end_us)
                    for start_us, end_us in part.stretches
                ]
            ).by_time()
            for part in parts
        ]
