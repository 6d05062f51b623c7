"""Recorded readings, wherever they are: in the storage, in the archive, or some in each."""

from collections.abc import Collection, Sequence

import attrs
import numpy as np

from energycore.errors import ArchiveUnavailable
from energycore.protocols.archive import Archive
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.protocols.telemetry import ReadingDay
from energycore.telemetry.groups import group_starts
from energycore.telemetry.readings import ReadingBatch
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
        found = ReadingBatch.empty()
        wanting = list(ids)
        for begin_us, limit_us, is_archived in _stretches(days, start_us, end_us):
            if not wanting:
                break
            if is_archived:
                part = self.read(work, scope, wanting, start_us=begin_us, end_us=limit_us)
            else:
                part = work.telemetry.read(
                    scope, wanting, start_us=begin_us, end_us=limit_us, limit=count
                )
            found = _heads(ReadingBatch.concatenate([found, part]).by_time(), count)
            complete, counts = np.unique(found.device_id, return_counts=True)
            wanting = sorted(set(wanting).difference(complete[counts >= count].tolist()))
        return found


def _stretches(
    days: Sequence[ReadingDay], start_us: int, end_us: int
) -> list[tuple[int, int, bool]]:
    """The range in pieces, in order: each archived day, and what lies between them."""
    pieces = []
    begin_us = start_us
    for day in days:
        if day.file is None:
            continue
        first_us, last_us = day.day * US_PER_DAY, (day.day + 1) * US_PER_DAY
        pieces.append((begin_us, max(begin_us, first_us), False))
        pieces.append((max(begin_us, first_us), min(end_us, last_us), True))
        begin_us = last_us
    pieces.append((begin_us, end_us, False))
    return [piece for piece in pieces if piece[0] < piece[1]]


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
