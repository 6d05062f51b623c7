"""The tick job: one tick each step, until it is told to stop."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from energycore.errors import StorageUnavailable
from energycore.jobs.waiting import Stopped, end_if_set, now_us, wait_until
from energycore.protocols.scope import Scope
from energycore.quantities.instants import floor_to
from energycore.services.registration import DEFAULT_STEP_US
from energycore.services.suite import Services
from energycore.services.ticking import MAX_CATCH_UP, Progress

__all__ = ["run_ticks"]

_LOG = logging.getLogger(__name__)


def run_ticks(
    services: Services,
    scope: Scope,
    stop: threading.Event,
    *,
    speed: float = 1.0,
    max_catch_up: timedelta = MAX_CATCH_UP,
    renew: Callable[[], object] = lambda: None,
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
    """
    step_us = DEFAULT_STEP_US
    while not stop.is_set():
        renew()
        try:
            result = services.ticking.tick(
                scope, max_catch_up=max_catch_up, progress=_ended_by(stop)
            )
            if result.skipped:
                _LOG.warning("%d ticks are too long ago to be made up for", result.skipped)
            step_us = _step_us(services, scope)
        except Stopped:
            return
        except StorageUnavailable as error:
            _LOG.warning("a tick is put off: %s", error)
        except Exception:  # noqa: BLE001 - one fault must not end all later ticks
            _LOG.exception("a tick failed")
        renew()
        wait_until(services, stop, floor_to(now_us(services), step_us) + step_us, speed)


def _ended_by(stop: threading.Event) -> Progress:
    def check(done: int, total: int) -> None:
        if done < total:
            end_if_set(stop)

    return check


def _step_us(services: Services, scope: Scope) -> int:
    with services.storage.transaction(write=False) as work:
        steps_us = [shard.step_us for shard in work.fleet.shards(scope)]
    return min(steps_us, default=DEFAULT_STEP_US)
