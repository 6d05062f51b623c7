"""`Energy` of each tenant that is asked for, kept for a while: for servers of many tenants."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import attrs

from energycore.protocols.scope import Scope, tenant_of
from energycore.wiring.energy import Energy
from energycore.wiring.remembered import Remembered, remembered_of

__all__ = ["RECHECK_S", "Tenants"]

RECHECK_S: Final = 30.0
"""After so many seconds it is asked again whether a tenant has another clock or archive."""


@attrs.frozen
class _Kept:
    energy: Energy
    remembered: Remembered
    checked_at: float


class Tenants:
    """Gives out `Energy` by tenant, each with the clock and the archive of its own.

    Making one reads the tenant's settings, so the ones used last are kept. A clock or an archive
    that a tenant is given later, in this process or another, is seen within `RECHECK_S` seconds.
    Safe to share by threads.

    Args:
        make: binds the database to a tenant.
        max_tenants: how many are kept.
        monotonic: counts seconds.
    """

    def __init__(
        self,
        make: Callable[[Scope], Energy],
        *,
        max_tenants: int = 256,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._max_tenants = max_tenants
        self._monotonic = monotonic
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def over(cls, energy: Energy) -> "Tenants":
        """The tenants of an open database, of which this one keeps the clock that it runs by."""

        def make(scope: Scope) -> Energy:
            return energy if scope == energy.scope else energy.for_tenant(scope.tenant)

        return cls(make)

    def of(self, scope: Scope) -> Energy:
        """The database, bound to the tenant of a scope.

        Raises:
            ScopeRequired: there is no scope; nothing was asked for then.
            StorageUnavailable: the database cannot be reached.
        """
        tenant = tenant_of(scope)
        now = self._monotonic()
        with self._lock:
            kept = self._kept.get(tenant)
            if kept is not None:
                self._kept.move_to_end(tenant)
        if kept is None or now - kept.checked_at >= RECHECK_S:
            kept = self._checked(scope, kept, now)
            with self._lock:
                self._kept[tenant] = kept
                self._kept.move_to_end(tenant)
                while len(self._kept) > self._max_tenants:
                    self._kept.popitem(last=False)
        return kept.energy

    def forget(self) -> None:
        """Make all of them anew when they are next asked for."""
        with self._lock:
            self._kept.clear()

    def _checked(self, scope: Scope, kept: _Kept | None, now: float) -> _Kept:
        if kept is None:
            energy = self._make(scope)
            known = energy.remembered or remembered_of(energy.services.storage, scope)
            return _Kept(energy, known, now)
        remembered = remembered_of(kept.energy.services.storage, scope)
        if remembered == kept.remembered:
            return attrs.evolve(kept, checked_at=now)
        # `for_tenant` of the same tenant reads its settings again.
        return _Kept(kept.energy.for_tenant(scope.tenant), remembered, now)
