"""Rounds: the same work for each of several tenants, again whenever it is due."""

import logging
import threading
from collections.abc import Callable, Iterable

import attrs

from energycore.errors import StorageUnavailable
from energycore.jobs.waiting import Stopped, end_if_set, now_us, wait_for_first
from energycore.protocols.scope import Scope
from energycore.services.suite import Services

__all__ = ["Tenancies", "Tenancy", "run_rounds"]

_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Tenancy:
    """A tenant that a job works for."""

    services: Services
    """Their clock runs by itself."""
    scope: Scope
    speed: float = 1.0
    """Seconds of that clock in a second of the wall clock."""


Tenancies = Callable[[], Iterable[Tenancy]]
"""Asked before each round; it may ask a database, and raise what that raises."""


def run_rounds(tenants: Tenancies, work: Callable[[Tenancy], int], stop: threading.Event) -> None:
    """Work for each tenant whenever it is due, until `stop` is set.

    A tenant that is new waits for the next round. Where the tenants cannot be told, the job goes on
    with those that it knows.

    Args:
        tenants: whom to work for.
        work: does it, and returns when it is due again, in epoch microseconds of the tenant's
            clock. It logs its own faults; `Stopped` ends the job.
        stop: ends the job; waiting ends at once.
    """
    known: dict[Scope, Tenancy] = {}
    due_us: dict[Scope, int] = {}
    while not stop.is_set():
        known = _listed(tenants, known)
        due_us = {scope: at_us for scope, at_us in due_us.items() if scope in known}
        try:
            for scope, tenancy in known.items():
                if scope not in due_us or now_us(tenancy.services) >= due_us[scope]:
                    end_if_set(stop)
                    due_us[scope] = work(tenancy)
        except Stopped:
            return
        waits = [(known[scope], at_us) for scope, at_us in due_us.items()]
        wait_for_first([(one.services, at_us, one.speed) for one, at_us in waits], stop)


def _listed(tenants: Tenancies, known: dict[Scope, Tenancy]) -> dict[Scope, Tenancy]:
    try:
        return {tenancy.scope: tenancy for tenancy in tenants()}
    except StorageUnavailable as error:
        _LOG.warning("the tenants cannot be told: %s", error)
    except Exception:  # noqa: BLE001 - one fault must not end all later rounds
        _LOG.exception("the tenants cannot be told")
    return known
