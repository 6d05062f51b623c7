"""Kept totals in memory."""

from collections.abc import Collection, Sequence

import attrs
import numpy as np

from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import Marks, RollupState
from energycore.storage.memory.tables import Work
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.groups import group_starts
from energycore.telemetry.tiers import US_PER_DAY, SeriesKind, Tier

__all__ = ["MemoryRollups"]


@attrs.frozen
class MemoryRollups:
    """Keeps totals, and knows which of them are still to be computed."""

    _work: Work

    def state(self, scope: Scope, *, hold: bool = False) -> RollupState:
        """How far the totals have come; writers take turns."""
        tenant = tenant_of(scope)
        return (self._work.own(tenant) if hold else self._work.see(tenant)).rollup

    def advance(self, scope: Scope, *, rolled_us: int) -> None:
        """Move the watermark forward, and mark what lies between for all devices."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "marks")
        old_us = tables.rollup.rolled_us
        if old_us is not None and old_us >= rolled_us:
            return
        days = {day + later for day in tables.days for later in (0, 1)}
        for day in days:
            if (old_us is None or day >= old_us // US_PER_DAY) and day * US_PER_DAY < rolled_us:
                tables.marks[day] = frozenset(tables.devices)
        self._work.put_rollup(tenant, attrs.evolve(tables.rollup, rolled_us=rolled_us))

    def marks(
        self, scope: Scope, *, ids: Collection[int] | None = None, start_day: int, end_day: int
    ) -> Marks:
        """The marked days in [start, end) of these devices, or of all; by day and device."""
        tenant = tenant_of(scope)
        marks = self._work.see(tenant).marks
        wanted = None if ids is None else set(ids)
        rows = [
            (device_id, day)
            for day in sorted(marks)
            if start_day <= day < end_day
            for device_id in sorted(marks[day] if wanted is None else marks[day] & wanted)
        ]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return Marks(device_id=columns[:, 0], day=columns[:, 1])

    def take_marks(self, scope: Scope, day: int) -> Sequence[int]:
        """Remove the marks of a day, whose revision grows; the devices that were marked."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "marks", "days")
        taken = sorted(tables.marks.pop(day, ()))
        if taken and day in tables.days:
            known = tables.days[day]
            tables.days[day] = attrs.evolve(known, revision=known.revision + 1)
        return taken

    def replace(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        buckets: Buckets,
    ) -> None:
        """Let these be the only buckets of these series that begin in [start, end)."""
        tenant = tenant_of(scope)
        kept = self._work.own(tenant, "buckets").buckets
        new = _by_series(buckets)
        for series in set(ids):
            key = tier, kind, series
            parts = [new[series]] if series in new else []
            if key in kept:
                old = kept[key]
                outside = (old.start_us < start_us) | (old.start_us >= end_us)
                parts.append(old.take(np.flatnonzero(outside)))
            if parts:
                kept[key] = Buckets.concatenate(parts).by_time()

    def read(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
    ) -> Buckets:
        """The buckets of these series that begin in [start, end), by series and start."""
        tenant = tenant_of(scope)
        kept = self._work.see(tenant).buckets
        found = [
            kept[tier, kind, series] for series in sorted(set(ids)) if (tier, kind, series) in kept
        ]
        buckets = Buckets.concatenate(found)
        inside = (buckets.start_us >= start_us) & (buckets.start_us < end_us)
        return buckets.take(np.flatnonzero(inside))

    def sums(
        self, scope: Scope, tier: Tier, ids: Collection[int], *, start_us: int, end_us: int
    ) -> Buckets:
        """The buckets of these devices that begin in [start, end), added up by interval."""
        return self.read(
            scope, tier, SeriesKind.DEVICE, ids, start_us=start_us, end_us=end_us
        ).summed()

    def drop(self, scope: Scope, tier: Tier, *, end_us: int) -> int:
        """Remove the buckets that end at or before an instant; how many they were."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "buckets")
        dropped = 0
        for key, buckets in list(tables.buckets.items()):
            if key[0] is tier:
                stays = np.flatnonzero(buckets.end_us > end_us)
                dropped += len(buckets) - len(stays)
                tables.buckets[key] = buckets.take(stays)
        kept = dict(tables.rollup.kept_from_us)
        kept[tier] = max(end_us, kept.get(tier, end_us))
        self._work.put_rollup(tenant, attrs.evolve(tables.rollup, kept_from_us=kept))
        return dropped


def _by_series(buckets: Buckets) -> dict[int, Buckets]:
    ordered = buckets.by_time()
    starts = group_starts(ordered.series)
    ends = np.append(starts[1:], len(ordered))
    return {
        int(ordered.series[start]): ordered.take(np.arange(start, end))
        for start, end in zip(starts, ends, strict=False)
    }
