"""Recorded readings, wherever they are: in the storage, in the archive, or some in each."""

from collections.abc import Collection, Sequence

import attrs
import numpy as np

from energycore.errors import ArchiveUnavailable
from energycore.protocols.archive import Archive
from energycore.protocols.histories import ReadingPart
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.protocols.telemetry import ReadingDay
from energycore.telemetry.groups import group_starts
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.spans import Spans
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["Recorded"]


@attrs.frozen(kw_only=True)
class Recorded:
    """Reads what was recorded within one transaction.

    Args:
        archive: where days that left the storage are kept; None if there is none.
    """

    archive: Archive | None

    def read(
        self,
        work: UnitOfWork,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
    ) -> ReadingBatch:
        """The readings of these devices with start <= instant < end, by device and instant.

        Raises:
            ArchiveUnavailable: some are in an archive that cannot be reached, or is not known.
        """
        stored = work.telemetry.read(scope, ids, start_us=start_us, end_us=end_us)
        first, last = start_us // US_PER_DAY, -(-end_us // US_PER_DAY)
        days = work.telemetry.days(scope, start_day=first, end_day=last)
        filed = [self.file(scope, day, ids) for day in days if day.file is not None]
        if not filed:
            return stored
        archived = ReadingBatch.concatenate(filed)
        inside = (archived.at_us >= start_us) & (archived.at_us < end_us)
        return _united(archived.take(np.flatnonzero(inside)), stored)

    def read_parts(
        self,
        work: UnitOfWork,
        scope: Scope,
        parts: Sequence[ReadingPart],
        days: Sequence[ReadingDay],
    ) -> Sequence[ReadingBatch]:
        """The readings of several parts at once, each by device and instant.

        Args:
            work: the transaction.
            scope: the tenant.
            parts: of which devices, and when.
            days: all days of that time that are archived.

        Raises:
            ArchiveUnavailable: some are in an archive that cannot be reached, or is not known.
        """
        wanted = [Spans.of(part.stretches) for part in parts]
        archived: list[list[ReadingBatch]] = [[] for _ in parts]
        for day in days:
            whole = Spans.of([(day.day * US_PER_DAY, (day.day + 1) * US_PER_DAY)])
            asking = [place for place, time in enumerate(wanted) if time.within(whole)]
            if day.file is None or not asking:
                continue
            batch = self.file(scope, day, sorted({i for p in asking for i in parts[p].ids}))
            for place in asking:
                inside = np.isin(batch.device_id, parts[place].ids)
                inside &= wanted[place].contains(batch.at_us, batch.at_us + 1)
                archived[place].append(batch.take(np.flatnonzero(inside)))
        stored = work.histories.readings(scope, parts)
        return [
            _united(ReadingBatch.concatenate(old), new) if old else new
            for old, new in zip(archived, stored, strict=True)
        ]

    def file(
        self, scope: Scope, day: ReadingDay, ids: Collection[int] | None = None
    ) -> ReadingBatch:
        """What the archive holds of a day: of these devices, or of all."""
        if day.file is None:
            return ReadingBatch.empty()
        if self.archive is None:
            raise ArchiveUnavailable(
                "readings of that time are in an archive: connect with archive=... to name it"
            )
        return self.archive.read(scope, day.file.name, ids=ids)

    def first(
        self,
        work: UnitOfWork,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        count: int,
    ) -> ReadingBatch:
        """The first so many readings of each device with start <= instant < end, in order.

        Raises:
            ArchiveUnavailable: some are in an archive that cannot be reached, or is not known.
        """
        first, last = start_us // US_PER_DAY, -(-end_us // US_PER_DAY)
        days = work.telemetry.days(scope, start_day=first, end_day=last)
        found = work.telemetry.read(scope, ids, start_us=start_us, end_us=end_us, limit=count)
        for day in days:
            if day.file is None:
                continue
            # Who has enough before the day needs nothing of it, nor of the days after it.
            before = found.device_id[found.at_us < day.day * US_PER_DAY]
            having, counts = np.unique(before, return_counts=True)
            wanting = sorted(set(ids).difference(having[counts >= count].tolist()))
            if not wanting:
                break
            batch = self.file(scope, day, wanting)
            inside = (batch.at_us >= start_us) & (batch.at_us < end_us)
            found = _heads(_united(batch.take(np.flatnonzero(inside)), found), count)
        return found


def _heads(ordered: ReadingBatch, count: int) -> ReadingBatch:
    """The first so many readings of each device, of readings by device and instant."""
    starts = group_starts(ordered.device_id)
    sizes = np.diff(np.append(starts, len(ordered)))
    rank = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return ordered.take(np.flatnonzero(rank < count))


def _united(archived: ReadingBatch, stored: ReadingBatch) -> ReadingBatch:
    """Both by device and instant; what is stored takes the place of what was archived before."""
    both = ReadingBatch.concatenate([archived, stored]).by_time()
    if not len(both):
        return both
    again = (both.device_id[1:] == both.device_id[:-1]) & (both.at_us[1:] == both.at_us[:-1])
    return both.take(np.flatnonzero(np.append(~again, True)))
