"""Ticks: moving a tenant's simulated devices from one instant to the next, exactly once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs
import numpy as np

from energycore.errors import InstantOutOfRange, InvalidValue, TickMisaligned
from energycore.fleet.columns import Fleet
from energycore.fleet.tick import step_fleet
from energycore.protocols.channel import Channel
from energycore.protocols.clock import Clock
from energycore.protocols.records import ShardRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.quantities.instants import floor_to, from_epoch_us, to_epoch_us
from energycore.quantities.units import IntArray
from energycore.services.announcing import announce
from energycore.services.registration import DEFAULT_STEP_US
from energycore.simulation.behaviour import Window
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["MAX_CATCH_UP", "Progress", "TickResult", "Ticking"]

MAX_CATCH_UP: Final = timedelta(hours=24)
_READINGS_PER_TRANSACTION: Final = 200_000
_MAX_WINDOW: Final = 1_440

Progress = Callable[[int, int], None]
"""Called with the ticks done and the ticks to do."""


@attrs.frozen(kw_only=True)
class TickResult:
    """What a tick did."""

    at: datetime
    """The instant that was asked for."""
    ticks: int
    """Ticks that were run by this call; 0 if all were stored already, or another was faster."""
    skipped: int
    """Ticks too long ago to be caught up with; their time stays without readings."""
    readings: int
    """Readings that were stored."""


@attrs.frozen(kw_only=True)
class Ticking:
    """Runs ticks over storage.

    Each window of ticks is one transaction, which commits only if the shard's watermark stands
    where the window begins. So a tick that is repeated or runs twice at once has no effect, and
    one that comes late first runs those before it, up to `max_catch_up`.
    """

    storage: Storage
    clock: Clock
    default_zone: str = "UTC"
    """IANA time zone of devices that belong to no site."""
    channel: Channel | None = None
    """Is told which devices moved."""

    def tick(
        self,
        scope: Scope,
        at: datetime | None = None,
        *,
        since: datetime | None = None,
        max_catch_up: timedelta = MAX_CATCH_UP,
        progress: Progress | None = None,
    ) -> TickResult:
        """Run the tick at an instant, and those before it that are missing.

        Args:
            scope: the tenant.
            at: the tick's instant, a whole multiple of the shard's step; by default the newest
                one that is not after now.
            since: where a shard that never ticked begins; by default at `at`.
            max_catch_up: how far before `at` missing ticks are run.
            progress: is told after each transaction.

        Raises:
            TickMisaligned: `at` or `since` is no multiple of the step.
            InstantOutOfRange: `at` is more than a step after now, or `since` is after `at`.
        """
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            shards = work.fleet.shards(scope)
        step_us = shards[0].step_us if shards else DEFAULT_STEP_US
        now_us = to_epoch_us(self.clock.now(), "clock")
        target_us = floor_to(now_us, step_us) if at is None else _aligned(at, step_us, "at")
        if target_us > now_us + step_us:
            limit = f"at most one step after now ({_shown(now_us)})"
            raise InstantOutOfRange("at", at, limit)
        begin_us = target_us if since is None else _aligned(since, step_us, "since")
        if begin_us > target_us:
            raise InstantOutOfRange("since", since, f"at most {_shown(target_us)}")
        if not isinstance(max_catch_up, timedelta):
            raise InvalidValue("max_catch_up", max_catch_up, "a timedelta")
        catch_up_us = max_catch_up // timedelta(microseconds=1)
        if not shards:
            # The shard comes with the first device.
            return TickResult(at=from_epoch_us(target_us), ticks=0, skipped=0, readings=0)
        run = _Run(self, scope, shards[0], target_us, begin_us, target_us - catch_up_us)
        while run.window():
            if progress is not None:
                progress(run.ticks, run.ticks + run.left())
        return TickResult(
            at=from_epoch_us(target_us),
            ticks=run.ticks,
            skipped=run.skipped,
            readings=run.readings,
        )


class _Run:
    """One call's way from the watermark to its target, window by window."""

    def __init__(
        self,
        ticking: Ticking,
        scope: Scope,
        shard: ShardRecord,
        target_us: int,
        begin_us: int,
        horizon_us: int,
    ) -> None:
        self._ticking = ticking
        self._scope = scope
        self._shard = shard
        self._watermark_us = shard.last_tick_us
        self._target_us = target_us
        self._begin_us = begin_us
        self._horizon_us = horizon_us
        self.ticks = 0
        self.skipped = 0
        self.readings = 0

    def left(self) -> int:
        """Ticks between the watermark and the target."""
        if self._watermark_us is None:
            return (self._target_us - self._begin_us) // self._shard.step_us + 1
        return (self._target_us - self._watermark_us) // self._shard.step_us

    def window(self) -> bool:
        """Run the next window; False when there is nothing left, or another was faster."""
        step_us = self._shard.step_us
        next_us = self._begin_us if self._watermark_us is None else self._watermark_us + step_us
        earliest_us = next_us
        if self._watermark_us is not None and next_us < self._horizon_us:
            earliest_us = next_us + -(-(self._horizon_us - next_us) // step_us) * step_us
        if earliest_us > self._target_us:
            return False
        with self._ticking.storage.transaction(write=True) as work:
            # Commands wait from here on: what is loaded is still true when it is saved.
            work.fleet.shards(self._scope, hold=True)
            earliest_us = self._after_lost_days(work, earliest_us)
            if earliest_us > self._target_us:
                return False
            fleet = work.fleet.load(
                self._scope,
                self._shard.id,
                at_us=earliest_us,
                default_zone=self._ticking.default_zone,
            )
            if self._watermark_us is None and not len(fleet):
                # Nothing to move yet: the first tick is left to the first device.
                return False
            last_us = self._last_us(work, fleet, earliest_us)
            if not work.fleet.advance(
                self._scope,
                self._shard.id,
                expected_us=self._watermark_us,
                last_tick_us=last_us,
            ):
                return False
            at_us = np.arange(earliest_us, last_us + 1, step_us, dtype=np.int64)
            stored = self._step(work, fleet, at_us)
        self._watermark_us = last_us
        self.ticks += len(at_us)
        self.skipped += (earliest_us - next_us) // step_us
        self.readings += stored
        return True

    def _after_lost_days(self, work: UnitOfWork, first_us: int) -> int:
        """The first tick from here on whose day, and the one before it, still has its readings.

        The totals of a day whose readings are gone cannot be computed with new ones.
        """
        days = work.telemetry.days(
            self._scope,
            start_day=first_us // US_PER_DAY - 1,
            end_day=self._target_us // US_PER_DAY + 1,
            hold=True,
        )
        lost_until_us = max(((day.day + 2) * US_PER_DAY for day in days if day.is_lost), default=0)
        if lost_until_us <= first_us:
            return first_us
        step_us = self._shard.step_us
        return first_us + -(-(lost_until_us - first_us) // step_us) * step_us

    def _last_us(self, work: UnitOfWork, fleet: Fleet, first_us: int) -> int:
        """Where the window ends: at the target, a full transaction, or before a device joins."""
        step_us = self._shard.step_us
        ticks = min(_MAX_WINDOW, max(1, _READINGS_PER_TRANSACTION // max(1, len(fleet))))
        last_us = min(self._target_us, first_us + (ticks - 1) * step_us)
        join_us = work.fleet.next_join_us(self._scope, self._shard.id, after_us=first_us)
        if join_us is not None and join_us <= last_us:
            last_us = first_us + (-(-(join_us - first_us) // step_us) - 1) * step_us
        return last_us

    def _step(self, work: UnitOfWork, fleet: Fleet, at_us: IntArray) -> int:
        window = Window(at_us, self._shard.step_us, self._shard.seed, fleet.zones)
        step = step_fleet(fleet, window)
        batch = step.readings()
        reach_us = 0, self._shard.step_us
        result = work.telemetry.append(self._scope, batch, reach_us=reach_us)
        work.fleet.save(self._scope, step.fleet.device_states())
        newest = batch.newest()
        work.fleet.observe(self._scope, newest)
        announce(self._ticking.channel, work, self._scope, newest.device_id)
        return result.accepted


def _shown(at_us: int) -> str:
    return from_epoch_us(at_us).isoformat(timespec="seconds")


def _aligned(at: datetime, step_us: int, field: str) -> int:
    at_us = to_epoch_us(at, field)
    if at_us % step_us:
        step = timedelta(microseconds=step_us)
        raise TickMisaligned(f"{field} must be a whole multiple of the step {step}, not {at}")
    return at_us
