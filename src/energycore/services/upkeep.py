"""Upkeep: totals are kept up to date, old readings archived, and what is rolled up let go.

Every step is a transaction of its own and may be the last one: what it left undone is found and
done by the next run. Nothing is removed that was not computed or copied, and compared, before.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from energycore.protocols.archive import Archive
from energycore.protocols.clock import Clock
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.quantities.instants import floor_to, from_epoch_us, to_epoch_us
from energycore.services.agenda import Agenda
from energycore.services.archiving import Archiving, Retired
from energycore.services.recorded import Recorded
from energycore.services.rolling import Rolling
from energycore.services.settings import ROLLUP_ZONE_SETTING
from energycore.services.totals import Totals
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, Retention, Tier

__all__ = ["SETTLING", "Upkeep", "UpkeepProgress", "UpkeepReport"]

SETTLING: Final = timedelta(minutes=15)
"""How long after a quarter-hour its readings may come before its totals are computed."""
_AHEAD_DAYS: Final = 7

UpkeepProgress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is to do."""


@attrs.frozen(kw_only=True)
class UpkeepReport:
    """What a run of upkeep did, or would do."""

    rolled_to: datetime | None
    """Totals are kept up to here; None where there is nothing to roll up."""
    recomputed_days: int
    """Days of which totals of some device were computed."""
    archived_days: int
    """Days of readings that went into the archive, or again, with late readings added."""
    archived_readings: int
    dropped_days: int
    """Days whose readings left the storage, into the archive or for good."""
    dropped_buckets: int
    """Quarter-hours, days and months whose time is over."""


@attrs.frozen(kw_only=True)
class Upkeep:
    """Keeps totals, archive and retention of a tenant in order.

    Args:
        storage: where readings and totals are.
        clock: says how old they are.
        retention: how long each resolution is kept.
        archive: where readings go when their time is over; without one they are gone then.
        default_zone: IANA time zone of the days of devices without a site.
        settling: see `SETTLING`.
    """

    storage: Storage
    clock: Clock
    retention: Retention = attrs.field(factory=Retention)
    archive: Archive | None = None
    default_zone: str = "UTC"
    settling: timedelta = SETTLING

    def run(
        self,
        scope: Scope,
        *,
        dry_run: bool = False,
        retain: bool = True,
        progress: UpkeepProgress | None = None,
    ) -> UpkeepReport:
        """Do all that is due.

        Args:
            scope: the tenant.
            dry_run: change nothing, and report what would be done.
            retain: whether to archive and remove what is old, after rolling up.
            progress: is told after each step.

        Raises:
            VerificationFailed: what was computed or copied is not what is stored, which is kept.
            ArchiveUnavailable, StorageUnavailable: try again later.
        """
        tenant_of(scope)
        now_us = to_epoch_us(self.clock.now(), "clock")
        rolled_us = floor_to(now_us - self.settling // timedelta(microseconds=1), US_PER_QUARTER)
        if dry_run:
            return self._forecast(scope, now_us, rolled_us, retain=retain)
        report = progress or _silent
        today = now_us // US_PER_DAY
        with self.storage.transaction(write=True) as work:
            work.rollups.state(scope, hold=True)
            work.telemetry.prepare(scope, start_day=today, end_day=today + _AHEAD_DAYS)
            if work.settings.get(scope, ROLLUP_ZONE_SETTING) is None:
                work.settings.put(scope, ROLLUP_ZONE_SETTING, self.default_zone)
            work.rollups.advance(scope, rolled_us=rolled_us)
        recomputed = self._roll(scope, now_us, report)
        retired = self._retire(scope, now_us, report) if retain else []
        dropped_buckets = self._let_go(scope, now_us, report) if retain else 0
        with self.storage.transaction(write=False) as work:
            reached_us = work.rollups.state(scope).rolled_us
        return UpkeepReport(
            rolled_to=None if reached_us is None else from_epoch_us(reached_us),
            recomputed_days=recomputed,
            archived_days=sum(day.is_archived for day in retired),
            archived_readings=sum(day.readings for day in retired),
            dropped_days=sum(day.is_dropped for day in retired),
            dropped_buckets=dropped_buckets,
        )

    def _roll(self, scope: Scope, now_us: int, report: UpkeepProgress) -> int:
        """Compute what is marked, oldest days first, each in a transaction of its own."""
        with self.storage.transaction(write=False) as work:
            days = self._agenda(work, scope, now_us).marked_days()
        for done, day in enumerate(days):
            report("rolling up", done, len(days))
            with self.storage.transaction(write=True) as work:
                Rolling.within(self._totals(work, scope, now_us, hold=True)).recompute(day)
        return len(days)

    def _retire(self, scope: Scope, now_us: int, report: UpkeepProgress) -> list[Retired]:
        """Archive, or let go, the days of readings whose time is over."""
        archiving = Archiving(storage=self.storage, archive=self.archive)
        archiving.clean(scope)
        with self.storage.transaction(write=False) as work:
            days = self._agenda(work, scope, now_us).old_days()
        retired = []
        for done, day in enumerate(days):
            report("archiving" if self.archive else "removing readings", done, len(days))
            retired.append(
                archiving.retire(
                    scope,
                    day,
                    lambda work, hold: self._totals(work, scope, now_us, hold=hold),
                )
            )
        return retired

    def _let_go(self, scope: Scope, now_us: int, report: UpkeepProgress) -> int:
        """Remove the totals of each resolution whose time is over."""
        with self.storage.transaction(write=False) as work:
            old = self._agenda(work, scope, now_us).old_totals()
        dropped = 0
        for done, (tier, begin_us, end_us) in enumerate(old):
            report("removing totals", done, len(old))
            with self.storage.transaction(write=True) as work:
                totals = self._totals(work, scope, now_us, hold=True)
                if tier in _COARSER:
                    rolling = Rolling.within(totals)
                    rolling.check_coarser(_COARSER[tier], begin_us, end_us)
                dropped += work.rollups.drop(scope, tier, end_us=end_us)
        return dropped

    def _forecast(self, scope: Scope, now_us: int, rolled_us: int, *, retain: bool) -> UpkeepReport:
        """What a run would do: the storage tries it, and takes it back."""
        forecasts: list[UpkeepReport] = []
        try:
            with self.storage.transaction(write=True) as work:
                forecasts.append(self._tried(work, scope, now_us, rolled_us, retain=retain))
                raise _TakenBack
        except _TakenBack:
            return forecasts[0]

    def _tried(
        self, work: UnitOfWork, scope: Scope, now_us: int, rolled_us: int, *, retain: bool
    ) -> UpkeepReport:
        work.rollups.advance(scope, rolled_us=rolled_us)
        agenda = self._agenda(work, scope, now_us)
        marked = agenda.marked_days()
        for day in marked:
            work.rollups.take_marks(scope, day)
        days = agenda.old_days() if retain else []
        ids = work.devices.ids(scope, DeviceFilter())
        recorded = Recorded(archive=self.archive)
        readings = sum(
            len(
                recorded.read(
                    work, scope, ids, start_us=day * US_PER_DAY, end_us=(day + 1) * US_PER_DAY
                )
            )
            for day in days
            if self.archive
        )
        dropped = [
            work.rollups.drop(scope, tier, end_us=end_us)
            for tier, _, end_us in (agenda.old_totals() if retain else [])
        ]
        reached_us = work.rollups.state(scope).rolled_us
        return UpkeepReport(
            rolled_to=None if reached_us is None else from_epoch_us(reached_us),
            recomputed_days=len(marked),
            archived_days=len(days) if self.archive else 0,
            archived_readings=readings,
            dropped_days=len(days),
            dropped_buckets=sum(dropped),
        )

    def _agenda(self, work: UnitOfWork, scope: Scope, now_us: int) -> Agenda:
        return Agenda(
            work=work,
            scope=scope,
            retention=self.retention,
            now_us=now_us,
            is_archived=self.archive is not None,
        )

    def _totals(self, work: UnitOfWork, scope: Scope, now_us: int, *, hold: bool = False) -> Totals:
        recorded = Recorded(archive=self.archive)
        return Totals.of(work, scope, recorded, now_us, self.default_zone, hold=hold)


class _TakenBack(Exception):
    """Ends a transaction that only tried."""


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


_COARSER: Final = {Tier.QUARTER_HOUR: Tier.DAY, Tier.DAY: Tier.MONTH}
