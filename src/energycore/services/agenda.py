"""What upkeep has to do: days to roll up, days to retire, totals whose time is over."""

from datetime import timedelta
from typing import Final

import attrs

from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.quantities.instants import floor_to
from energycore.telemetry.tiers import US_PER_DAY, Retention, Tier

__all__ = ["FIRST_DAY", "Agenda"]

FIRST_DAY: Final = -(1 << 40)
_LAST_DAY: Final = 1 << 40


@attrs.frozen(kw_only=True)
class Agenda:
    """What is due within one transaction.

    Args:
        work: the transaction.
        scope: the tenant.
        retention: how long each resolution is kept.
        now_us: how old things are is counted from here.
        is_archived: whether days that are retired can still be read.
    """

    work: UnitOfWork
    scope: Scope
    retention: Retention
    now_us: int
    is_archived: bool

    def marked_days(self) -> list[int]:
        """The days of which some totals are to be computed, in order."""
        marks = self.work.rollups.marks(self.scope, start_day=FIRST_DAY, end_day=_LAST_DAY)
        return sorted(set(marks.day.tolist()))

    def old_days(self) -> list[int]:
        """The days whose readings have been kept for their time, and are all rolled up."""
        if self.retention.raw is None:
            return []
        kept_us = _us(self.retention.raw)
        if not self.is_archived:
            # What one day holds reaches into the next: a late reading needs the day before it.
            kept_us += US_PER_DAY
        rolled_us = self.work.rollups.state(self.scope).rolled_us or 0
        last = min(self.now_us - kept_us, rolled_us) // US_PER_DAY
        days = self.work.telemetry.days(self.scope, start_day=FIRST_DAY, end_day=last)
        # A day reaches into the next one, which is compared with it.
        marked = {marked - before for marked in self.marked_days() for before in (0, 1)}
        return [day.day for day in days if day.has_rows and day.day not in marked]

    def old_totals(self) -> list[tuple[Tier, int, int]]:
        """Tiers with buckets whose time is over: from where, and up to where, they are to go."""
        state = self.work.rollups.state(self.scope)
        days = self.work.telemetry.days(self.scope, start_day=FIRST_DAY, end_day=_LAST_DAY)
        if state.rolled_us is None or not days:
            return []
        marked = [day * US_PER_DAY for day in self.marked_days()]
        found = []
        for tier in Tier:
            kept: timedelta | None = getattr(self.retention, tier.value)
            begin_us = state.kept_from_us.get(tier, days[0].day * US_PER_DAY)
            if kept is not None:
                end_us = floor_to(self.now_us - _us(kept), US_PER_DAY)
                is_rolled = end_us <= state.rolled_us and not any(at < end_us for at in marked)
                if begin_us < end_us and is_rolled:
                    found.append((tier, begin_us, end_us))
        return found


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
