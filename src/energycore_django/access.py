"""The way in for a project's own code: an `Energy` over the project's database."""

from functools import cache
from typing import Any, Final

from django.core.signals import setting_changed

from energycore.channels import open_channel
from energycore.protocols.channel import Channel
from energycore.protocols.scope import Scope
from energycore.wiring.connect import energy_over
from energycore.wiring.energy import Energy
from energycore.wiring.tenants import Tenants
from energycore_django.conf import SETTING, current
from energycore_django.storage import DjangoStorage

__all__ = ["energy"]


def energy(tenant: str | None = None) -> Energy:
    """Everything that a tenant can do, over the project's database and in its transactions.

    The tenants used last are kept. A clock or an archive that a tenant is given later is seen by
    every process within half a minute.

    Args:
        tenant: whose data is seen; by default that of the settings.

    Raises:
        ImproperlyConfigured: the settings cannot be meant; `manage.py check` says more.
        StorageUnavailable: the database cannot be reached, or has no tables yet.
    """
    return _TENANTS.of(Scope(current().tenant if tenant is None else tenant))


class _Shared(DjangoStorage):
    """Serves everybody in the process."""

    def close(self) -> None:
        """Nothing: the connections are Django's, and `with energy()` ends for one caller only."""


def _energy(scope: Scope) -> Energy:
    settings = current()
    storage = _Shared(settings.database, partitioning=settings.partitioning)
    return energy_over(
        storage,
        scope,
        clock=settings.clock,
        default_zone=settings.default_time_zone,
        seed=settings.seed,
        archive=settings.archive,
        retention=settings.retention,
        max_buckets=settings.max_buckets,
        channel=_channel(),
    )


@cache
def _channel() -> Channel:
    """The channel of the process, which all tenants share."""
    return current().channel or open_channel(None)


_TENANTS: Final = Tenants(_energy)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in (SETTING, "DATABASES", "TIME_ZONE"):
        _TENANTS.forget()
        _channel.cache_clear()
        current.cache_clear()


setting_changed.connect(_forget)
