"""How those who wait learn that something has changed, within a process and between them."""

from collections.abc import Callable
from typing import Final, Protocol

import attrs

__all__ = ["MAX_CHANGED", "Change", "Channel", "Listening", "Wake"]

MAX_CHANGED: Final = 1_000
"""A change of more devices than these names none of them."""


@attrs.frozen
class Change:
    """What was stored for a tenant, and may be read from now on.

    Args:
        tenant: whose data changed.
        device_ids: the devices whose state or record changed; None for any of them.
    """

    tenant: str
    device_ids: frozenset[int] | None = None


Wake = Callable[[Change], None]
"""Is told of each change, in any thread; returns at once and never raises."""


class Listening(Protocol):
    """A subscription to the changes of a tenant."""

    def close(self) -> None:
        """Hear of no further change; may be called again."""
        ...


class Channel(Protocol):
    """Carries changes from those who store to those who wait.

    It carries that something changed, never what it is now: whoever is told reads that from the
    storage. So a change that is told twice does no harm, and several may arrive as one.
    """

    def publish(self, change: Change) -> None:
        """Tell the listeners of the tenant.

        Never raises, and never waits for long: what was stored is stored, whoever hears of it.
        """
        ...

    def subscribe(self, tenant: str, wake: Wake) -> Listening:
        """Be told of each change of a tenant that is published from now on.

        Where changes may have been missed, `wake` is told that any device may have changed.
        """
        ...

    def close(self) -> None:
        """Give connections back; what is published afterwards reaches nobody."""
        ...
