"""What the database remembers of how a tenant is opened: its clock and its archive."""

import attrs

from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.services.settings import ARCHIVE_SETTING, CLOCK_SETTING

__all__ = ["Remembered", "remembered_of"]


@attrs.frozen(kw_only=True)
class Remembered:
    """The settings of a tenant, as they were when they were read."""

    clock: str | None
    """How many times faster than the wall clock its clock runs; None for the wall's."""
    archive: str | None
    """The URL of its archive; None without one."""


def remembered_of(storage: Storage, scope: Scope) -> Remembered:
    """Read them, both at one moment.

    Raises:
        StorageUnavailable: the database cannot be reached.
    """
    with storage.transaction(write=False) as work:
        return Remembered(
            clock=work.settings.get(scope, CLOCK_SETTING),
            archive=work.settings.get(scope, ARCHIVE_SETTING),
        )
