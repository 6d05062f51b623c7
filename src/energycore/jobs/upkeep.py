"""The roll-up job: totals are brought up to date every quarter-hour, until it is told to stop."""

import logging
import threading
from typing import Final

from energycore.errors import ArchiveUnavailable, StorageUnavailable
from energycore.jobs.rounds import Tenancies, Tenancy, run_rounds
from energycore.jobs.waiting import Stopped, end_if_set, now_us
from energycore.protocols.scope import Scope
from energycore.quantities.instants import US_PER_SECOND, floor_to
from energycore.services.suite import Services
from energycore.services.upkeep import UpkeepProgress
from energycore.telemetry.tiers import US_PER_QUARTER

__all__ = ["SHORTEST_REST_S", "run_upkeep", "run_upkeep_of"]

_LOG = logging.getLogger(__name__)

SHORTEST_REST_S: Final = 10.0
"""Rest between two runs: by a clock that races, quarter-hours follow each other too fast."""


def run_upkeep(
    services: Services, scope: Scope, stop: threading.Event, *, speed: float = 1.0
) -> None:
    """Roll up at every quarter-hour by the services' clock, until `stop` is set.

    Nothing is archived and nothing is removed: that is for whoever runs upkeep with a retention.
    Several of these may run on one database. A run that fails is logged, and the next one does
    what it left. When `stop` is set, a transaction that is under way is finished first.

    Args:
        services: their clock must run by itself.
        scope: the tenant.
        stop: ends the loop; waiting for the next quarter-hour ends at once.
        speed: seconds of that clock in a second of the wall clock.
    """
    one = Tenancy(services=services, scope=scope, speed=speed)
    run_upkeep_of(lambda: [one], stop)


def run_upkeep_of(tenants: Tenancies, stop: threading.Event) -> None:
    """Roll up for several tenants, one after the other, as `run_upkeep` does for one.

    Args:
        tenants: whose totals; asked before each round.
        stop: ends the loop.
    """

    def roll_up(one: Tenancy) -> int:
        try:
            one.services.upkeep.run(one.scope, retain=False, progress=_ended_by(stop))
        except Stopped:
            raise
        except (StorageUnavailable, ArchiveUnavailable) as error:
            _LOG.warning("tenant %r: rolling up is put off: %s", one.scope.tenant, error)
        except Exception:  # noqa: BLE001 - one fault must not end all later runs
            _LOG.exception("tenant %r: rolling up failed", one.scope.tenant)
        ended_us = now_us(one.services)
        rest_us = round(SHORTEST_REST_S * one.speed * US_PER_SECOND)
        return max(floor_to(ended_us, US_PER_QUARTER) + US_PER_QUARTER, ended_us + rest_us)

    run_rounds(tenants, roll_up, stop)


def _ended_by(stop: threading.Event) -> UpkeepProgress:
    def check(stage: str, done: int, total: int) -> None:
        end_if_set(stop)

    return check
