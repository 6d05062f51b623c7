"""Ticks and roll-ups beside the requests of an application, in threads that end with it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial

from energycore.jobs import Tenancy, run_ticks_of, run_upkeep_of
from energycore.jobs.threads import LAST_RUN_S, JobThreads
from energycore.wiring.energy import Energy

__all__ = ["ticking"]

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def ticking(
    energy: Energy, *, tenants: Callable[[], Iterable[str]] | None = None
) -> AsyncIterator[None]:
    """Tick at every step and roll up totals every quarter-hour, within the block.

    Enter it in the lifespan of the outermost application. Each worker of a server runs it, and the
    database lets each tick happen once. A fault is logged and the next tick makes up for it.
    Nothing is archived and nothing is removed.

    Args:
        energy: the database, and the tenant whose devices move.
        tenants: names the tenants instead. It is asked before each round, in a thread; a tenant
            that is new moves with the next tick.
    """
    named = (lambda: (energy.scope.tenant,)) if tenants is None else tenants
    jobs = JobThreads(
        {
            "tick": partial(run_ticks_of, _Tenancies(energy, named)),
            "roll-up": partial(run_upkeep_of, _Tenancies(energy, named)),
        }
    )
    jobs.start()
    try:
        yield
    finally:
        for name in await asyncio.to_thread(jobs.stop):
            _LOG.warning("a %s was cut off after %g s: it will run again", name, LAST_RUN_S)


class _Tenancies:
    """The tenants of a job, each by a clock that goes on from round to round."""

    def __init__(self, energy: Energy, names: Callable[[], Iterable[str]]) -> None:
        self._energy = energy
        self._names = names
        self._known: dict[str, Tenancy] = {}

    def __call__(self) -> Iterator[Tenancy]:
        for name in self._names():
            if name not in self._known:
                self._known[name] = _tenancy(self._energy, name)
            yield self._known[name]


def _tenancy(energy: Energy, tenant: str) -> Tenancy:
    own = energy if tenant == energy.scope.tenant else energy.for_tenant(tenant)
    clocked = own.by_running_clock()
    return Tenancy(services=clocked.services, scope=clocked.scope, speed=own.speed or 1.0)
