"""The tick job: one tick each step, until it is told to stop."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from energycore.errors import StorageUnavailable
from energycore.jobs.rounds import Tenancies, Tenancy, run_rounds
from energycore.jobs.waiting import Stopped, end_if_set, now_us
from energycore.protocols.scope import Scope
from energycore.quantities.instants import floor_to
from energycore.services.registration import DEFAULT_STEP_US
from energycore.services.suite import Services
from energycore.services.ticking import MAX_CATCH_UP, Progress, TickResult

__all__ = ["run_ticks", "run_ticks_of"]

_LOG = logging.getLogger(__name__)


def run_ticks(
    services: Services,
    scope: Scope,
    stop: threading.Event,
    *,
    speed: float = 1.0,
    max_catch_up: timedelta = MAX_CATCH_UP,
    renew: Callable[[], object] = lambda: None,
    ticked: Callable[[Scope, TickResult], object] = lambda scope, result: None,
) -> None:
    """Tick at every step of the tenant's shard by the services' clock, until `stop` is set.

    Several of these may run on one database, in one process or many: the database lets each tick
    happen once. A tick that fails is logged; the next one makes up for it. When `stop` is set, a
    transaction that is under way is finished first.

    Args:
        services: their clock must run by itself.
        scope: the tenant.
        stop: ends the loop; waiting for the next tick ends at once.
        speed: seconds of that clock in a second of the wall clock.
        max_catch_up: how far back missing ticks are run.
        renew: called before and after each tick, for a storage whose connections are somebody
            else's: to let go those that are broken or too old.
        ticked: called with what each round of ticks did.
    """
    one = Tenancy(services=services, scope=scope, speed=speed)
    run_ticks_of(lambda: [one], stop, max_catch_up=max_catch_up, renew=renew, ticked=ticked)


def run_ticks_of(
    tenants: Tenancies,
    stop: threading.Event,
    *,
    max_catch_up: timedelta = MAX_CATCH_UP,
    renew: Callable[[], object] = lambda: None,
    ticked: Callable[[Scope, TickResult], object] = lambda scope, result: None,
) -> None:
    """Tick for several tenants, one after the other, as `run_ticks` does for one.

    Args:
        tenants: whose ticks; asked before each round.
        stop: ends the loop.
        max_catch_up: how far back missing ticks are run.
        renew: called before and after each tick.
        ticked: called with what each tick did.
    """
    steps_us: dict[Scope, int] = {}

    def tick(one: Tenancy) -> int:
        renew()
        try:
            result = one.services.ticking.tick(
                one.scope, max_catch_up=max_catch_up, progress=_ended_by(stop)
            )
            if result.skipped:
                _LOG.warning(
                    "tenant %r: %d ticks are too long ago to be made up for",
                    one.scope.tenant,
                    result.skipped,
                )
            ticked(one.scope, result)
            steps_us[one.scope] = _step_us(one.services, one.scope)
        except Stopped:
            raise
        except StorageUnavailable as error:
            _LOG.warning("tenant %r: a tick is put off: %s", one.scope.tenant, error)
        except Exception:  # noqa: BLE001 - one fault must not end all later ticks
            _LOG.exception("tenant %r: a tick failed", one.scope.tenant)
        renew()
        step_us = steps_us.get(one.scope, DEFAULT_STEP_US)
        return floor_to(now_us(one.services), step_us) + step_us

    run_rounds(tenants, tick, stop)


def _ended_by(stop: threading.Event) -> Progress:
    def check(done: int, total: int) -> None:
        if done < total:
            end_if_set(stop)

    return check


def _step_us(services: Services, scope: Scope) -> int:
    with services.storage.transaction(write=False) as work:
        steps_us = [shard.step_us for shard in work.fleet.shards(scope)]
    return min(steps_us, default=DEFAULT_STEP_US)
