"""Changes within one process."""

import logging
import threading
from typing import Final

from energycore.protocols.channel import Change, Listening, Wake

__all__ = ["LocalChannel"]

_LOG: Final = logging.getLogger(__name__)


class LocalChannel:
    """Tells listeners in this process, in the thread of whoever publishes."""

    def __init__(self) -> None:
        self._listening: dict[str, dict[object, Wake]] = {}
        self._lock = threading.Lock()

    def publish(self, change: Change) -> None:
        """Tell the listeners of the tenant."""
        with self._lock:
            wakes = list(self._listening.get(change.tenant, {}).values())
        _tell(wakes, change)

    def publish_to_all(self) -> None:
        """Tell every listener that any device may have changed."""
        with self._lock:
            listening = {tenant: list(w.values()) for tenant, w in self._listening.items()}
        for tenant, wakes in listening.items():
            _tell(wakes, Change(tenant))

    def subscribe(self, tenant: str, wake: Wake) -> Listening:
        """Be told of each change of a tenant."""
        one = _Listening(self, tenant)
        with self._lock:
            self._listening.setdefault(tenant, {})[one] = wake
        return one

    def forget(self, tenant: str, one: object) -> None:
        """Tell one listener nothing more."""
        with self._lock:
            wakes = self._listening.get(tenant, {})
            wakes.pop(one, None)
            if not wakes:
                self._listening.pop(tenant, None)

    def close(self) -> None:
        """Forget all listeners."""
        with self._lock:
            self._listening.clear()


def _tell(wakes: list[Wake], change: Change) -> None:
    for wake in wakes:
        try:
            wake(change)
        except Exception:  # noqa: BLE001 - the others are told, and whoever stored something is not disturbed
            _LOG.exception("a listener of changes failed")


class _Listening:
    def __init__(self, channel: LocalChannel, tenant: str) -> None:
        self._channel = channel
        self._tenant = tenant

    def close(self) -> None:
        """Hear of no further change."""
        self._channel.forget(self._tenant, self)
