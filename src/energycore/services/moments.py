"""One moment: a storage that stays in one reading transaction, and a clock that stands still."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Final, cast

import attrs

from energycore.errors import NotAllowed, StorageUnavailable
from energycore.protocols.storage import UnitOfWork
from energycore.services.remembering import Remembering

__all__ = ["HeldStorage", "StoppedClock"]


@attrs.frozen
class StoppedClock:
    """Always shows the same instant."""

    at: datetime

    def now(self) -> datetime:
        """That instant."""
        return self.at


_ASKED_AGAIN: Final[Mapping[str, Collection[str]]] = {
    "histories": ("basis",),
    "telemetry": ("days",),
}
"""What is asked of repositories in the same words again, one history or page after the other."""


def _remembering(work: UnitOfWork) -> UnitOfWork:
    every = "sites", "devices", "fleet", "series", "rollups", "settings"
    repositories = {name: getattr(work, name) for name in every}
    for name, methods in _ASKED_AGAIN.items():
        repositories[name] = Remembering(getattr(work, name), {}, methods)
    return cast("UnitOfWork", SimpleNamespace(**repositories))


@attrs.define
class HeldStorage:
    """Gives out one unit of work again and again; whoever opened that one ends it.

    It reads one state of the storage, so that what was asked before is not asked again.

    Args:
        work: of a reading transaction.
    """

    _work: UnitOfWork = attrs.field(converter=_remembering)
    _failed: bool = attrs.field(default=False, init=False)

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[UnitOfWork]:
        """The same unit of work, which the end of the block does not end.

        Raises:
            NotAllowed: it is asked for to write.
            StorageUnavailable: the database has failed in it before. Some databases would answer
                on, others not.
        """
        if write:
            raise NotAllowed("a moment only reads: ask the storage itself")
        if self._failed:
            raise StorageUnavailable("the database has failed in this transaction")
        try:
            yield self._work
        except StorageUnavailable:
            self._failed = True
            raise

    def close(self) -> None:
        """Nothing: the connections are not its own."""
