"""The memory backend and its units of work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from energycore.errors import StorageUnavailable
from energycore.storage.after import AfterCommit
from energycore.storage.memory.devices import MemoryDevices
from energycore.storage.memory.fleet import MemoryFleet
from energycore.storage.memory.histories import MemoryHistories
from energycore.storage.memory.rollups import MemoryRollups
from energycore.storage.memory.series import MemorySeries
from energycore.storage.memory.settings import MemorySettings
from energycore.storage.memory.sites import MemorySites
from energycore.storage.memory.tables import Committed, Identities, Work
from energycore.storage.memory.telemetry import MemoryTelemetry

__all__ = ["MemoryStorage", "MemoryUnitOfWork"]

_PATIENCE_S: Final = 5.0


@attrs.frozen(kw_only=True)
class MemoryUnitOfWork:
    """The repositories within one transaction."""

    sites: MemorySites
    devices: MemoryDevices
    fleet: MemoryFleet
    telemetry: MemoryTelemetry
    series: MemorySeries
    rollups: MemoryRollups
    settings: MemorySettings
    histories: MemoryHistories
    _after: AfterCommit

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call this when everybody can see what was written."""
        self._after.add(callback)

    @classmethod
    def over(cls, work: Work, after: AfterCommit) -> "MemoryUnitOfWork":
        """The repositories over the tables that one unit of work sees."""
        return cls(
            sites=MemorySites(work),
            devices=MemoryDevices(work),
            fleet=MemoryFleet(work),
            telemetry=MemoryTelemetry(work),
            series=MemorySeries(work),
            rollups=MemoryRollups(work),
            settings=MemorySettings(work),
            histories=MemoryHistories(work),
            after=after,
        )


class MemoryStorage:
    """Keeps everything in this process; safe to use from several threads.

    Writers take turns; readers wait for nobody and see what was committed when they began.

    Args:
        patience_s: how long a writer waits for its turn [s].
    """

    def __init__(self, *, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._committed: Committed = {}
        self._identities = Identities()
        self._turn = threading.Lock()
        self._closed = False

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[MemoryUnitOfWork]:
        """All or nothing: commits when the block ends, rolls back when it raises.

        Raises:
            StorageUnavailable: another writer does not come to an end, or the storage is closed.
        """
        if self._closed:
            raise StorageUnavailable("this storage is closed")
        after = AfterCommit()
        if not write:
            work = Work(self._committed, self._identities, write=False)
            yield MemoryUnitOfWork.over(work, after)
            after.run()
            return
        if not self._turn.acquire(timeout=self._patience_s):
            raise StorageUnavailable("another transaction is writing: try again")
        try:
            work = Work(self._committed, self._identities, write=True)
            yield MemoryUnitOfWork.over(work, after)
            self._committed = work.result()
        finally:
            self._turn.release()
        after.run()

    def close(self) -> None:
        """Forget everything."""
        self._closed = True
        self._committed = {}
