"""Retiring days of readings: into the archive, compared with it, and out of the storage.

A file is announced before it is written and taken over in the transaction that lets its readings
go. An announcement that is still there belongs to a run that did not come so far: whoever takes it
away first, that run or the next one, decides what becomes of the file.
"""

from collections.abc import Callable
from typing import Final

import attrs
import numpy as np

from energycore.errors import VerificationFailed
from energycore.protocols.archive import Archive, ArchivedFile
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.protocols.telemetry import ReadingDay
from energycore.services.recorded import Recorded
from energycore.services.rolling import Rolling
from energycore.services.totals import Totals
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.spans import Spans
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["Archiving", "Retired"]

_PENDING: Final = "archive_pending/"
_GARBAGE: Final = "archive_garbage/"


@attrs.frozen(kw_only=True)
class Retired:
    """What became of a day."""

    is_dropped: bool = False
    """Its readings left the storage."""
    is_archived: bool = False
    """A file of them was written."""
    readings: int = 0
    """How many are in that file."""


class _Changed(Exception):
    """The day is not as it was when its readings were copied."""


@attrs.frozen(kw_only=True)
class Archiving:
    """Moves days of readings out of the storage.

    Args:
        storage: where they are.
        archive: where they go; None lets them go for good.
    """

    storage: Storage
    archive: Archive | None

    def clean(self, scope: Scope) -> None:
        """Remove the files that earlier runs gave up or replaced."""
        if self.archive is None:
            return
        with self.storage.transaction(write=True) as work:
            for key, name in work.settings.items(scope, _PENDING).items():
                self._give_up(work, scope, key, name)
            garbage = work.settings.items(scope, _GARBAGE)
        for key, name in garbage.items():
            self.archive.delete(scope, name)
            with self.storage.transaction(write=True) as work:
                work.settings.remove(scope, key, name)

    def retire(
        self, scope: Scope, day: int, totals_of: Callable[[UnitOfWork, bool], Totals]
    ) -> Retired:
        """Move a day's readings out of the storage, if its totals hold all of them.

        Raises:
            VerificationFailed: its totals are not what its readings give even when computed anew,
                or the archive does not give back what it was given.
        """
        # The next day as well: this one's readings reach into it.
        for checked in (day, day + 1):
            with self.storage.transaction(write=False) as work:
                is_true = Rolling.within(totals_of(work, False)).check(checked)
            if not is_true:
                self._compute_anew(scope, checked, totals_of)
        with self.storage.transaction(write=False) as work:
            known, batch = self._content(work, scope, day)
        if known is None or not known.has_rows:
            return Retired()
        if self.archive is None or not len(batch):
            with self.storage.transaction(write=True) as work:
                work.rollups.state(scope, hold=True)
                dropped = work.telemetry.drop_day(
                    scope, day, revision=known.revision, file=known.file
                )
            return Retired(is_dropped=dropped)
        return self._move(scope, known, batch, self.archive)

    def _compute_anew(
        self, scope: Scope, day: int, totals_of: Callable[[UnitOfWork, bool], Totals]
    ) -> None:
        with self.storage.transaction(write=True) as work:
            rolling = Rolling.within(totals_of(work, True))
            whole = Spans.of([(day * US_PER_DAY, (day + 1) * US_PER_DAY)])
            if not whole.minus(rolling.told(day)):
                rolling.compute(day, rolling.table.device_ids)
            if not rolling.check(day):
                raise VerificationFailed(
                    f"the totals of {_date(day)} are not what its readings give: they are kept"
                )

    def _content(
        self, work: UnitOfWork, scope: Scope, day: int
    ) -> tuple[ReadingDay | None, ReadingBatch]:
        days = work.telemetry.days(scope, start_day=day, end_day=day + 1)
        known = days[0] if days else None
        ids = work.devices.ids(scope, DeviceFilter())
        batch = Recorded(archive=self.archive).read(
            work, scope, ids, start_us=day * US_PER_DAY, end_us=(day + 1) * US_PER_DAY
        )
        return known, batch

    def _move(
        self, scope: Scope, known: ReadingDay, batch: ReadingBatch, archive: Archive
    ) -> Retired:
        key = f"{_PENDING}{known.day}"
        name = archive.new_name(scope, known.day)
        with self.storage.transaction(write=True) as work:
            for other in work.settings.items(scope, key).values():
                self._give_up(work, scope, key, other)
            work.settings.put(scope, key, name)
        file = archive.write(scope, known.day, batch, name=name)
        _compare(archive.read(scope, name), batch, known.day)
        try:
            self._take_over(scope, known, file, key)
        except _Changed:
            archive.delete(scope, name)
            return Retired()
        return Retired(is_dropped=True, is_archived=True, readings=len(batch))

    def _take_over(self, scope: Scope, known: ReadingDay, file: ArchivedFile, key: str) -> None:
        with self.storage.transaction(write=True) as work:
            work.rollups.state(scope, hold=True)
            if not work.settings.remove(scope, key, file.name):
                raise _Changed
            if not work.telemetry.drop_day(scope, known.day, revision=known.revision, file=file):
                raise _Changed
            if known.file is not None:
                # Somebody may be reading it now: the next run removes it.
                work.settings.put(scope, f"{_GARBAGE}{known.day}-{known.revision}", known.file.name)

    def _give_up(self, work: UnitOfWork, scope: Scope, key: str, name: str) -> None:
        if work.settings.remove(scope, key, name):
            work.settings.put(scope, f"{_GARBAGE}{name[-100:]}", name)


def _compare(found: ReadingBatch, given: ReadingBatch, day: int) -> None:
    for column in ("device_id", "at_us", "power_mw", "stored_mwh"):
        if not np.array_equal(getattr(found, column), getattr(given, column)):
            raise VerificationFailed(
                f"the archive does not give back the readings of {_date(day)}: they are kept"
            )


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))
