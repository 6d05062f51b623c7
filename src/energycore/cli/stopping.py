"""Ctrl-C: asked once, a server ends at the next safe place; asked twice, it ends at once."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

__all__ = ["INTERRUPTED", "CutOffRequests", "StopRequested", "StopSignals"]

INTERRUPTED: Final = 130
"""Exit status of what was stopped before it was done."""

_STDERR: Final = 2
_SHOW_CURSOR: Final = b"\x1b[?25h"


class StopRequested(Exception):
    """Whoever started this asked it to end."""


class StopSignals:
    """SIGINT and SIGTERM as a wish that is looked at, never an exception out of nowhere.

    An exception that a handler raises may come up in a callback of the garbage collector or of a
    library, which swallows it, or between two handlers. So the handler here only notes the wish.
    """

    def __init__(self) -> None:
        self.asked = False
        self._server: Any = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note the signals within the block; a `StopRequested` ends it quietly."""
        before = {
            number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            with suppress(StopRequested):
                yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Go on, unless somebody asked to stop.

        Raises:
            StopRequested: somebody did.
        """
        if self.asked:
            raise StopRequested

    def ends(self, server: Any) -> None:
        """From now on the wish ends this server of uvicorn.

        Raises:
            StopRequested: somebody asked before.
        """
        self._server = server
        self.check()

    def _note(self, number: int, _frame: object) -> None:
        if self.asked:
            _end_now(number)
        self.asked = True
        if self._server is not None:
            self._server.should_exit = True
        _tell(b"stopping; Ctrl-C again ends at once\n")


class CutOffRequests(logging.Filter):
    """Counts the requests that a server of uvicorn cuts off at its end, and keeps its log short."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Read the server's log within the block."""
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(self)
        try:
            yield
        finally:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, asyncio.CancelledError):
            self.count += 1
            return False
        return not record.getMessage().endswith("timeout graceful shutdown exceeded")


def _tell(told: bytes) -> None:
    # No print: a handler may interrupt one that is half done.
    with suppress(OSError):
        os.write(_STDERR, told)


def _end_now(number: int) -> None:
    """End the process without any ado; the database rolls back what was under way."""
    if os.isatty(_STDERR):
        _tell(_SHOW_CURSOR)
    os._exit(128 + number)
