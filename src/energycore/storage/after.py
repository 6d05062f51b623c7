"""What happens once a transaction has committed, for the backends that commit by themselves."""

import logging
from collections.abc import Callable
from typing import Final

import attrs

__all__ = ["AfterCommit"]

_LOG: Final = logging.getLogger(__name__)


@attrs.frozen
class AfterCommit:
    """Callbacks of one transaction, to be run when it has committed and holds nothing any more."""

    _waiting: list[Callable[[], object]] = attrs.field(factory=list)

    def add(self, callback: Callable[[], object]) -> None:
        """Run this too, after those before it."""
        self._waiting.append(callback)

    def run(self) -> None:
        """Run them all; one that fails is logged, for what was stored is stored."""
        for callback in self._waiting:
            try:
                callback()
            except Exception:  # noqa: BLE001 - it must not look as if nothing had been stored
                _LOG.exception("what was to happen after a transaction failed")
