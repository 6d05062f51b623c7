"""Ctrl-C: asked once, work ends at the next safe place; asked twice, it ends at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["INTERRUPTED", "StopRequested", "StopSignals"]

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
        self._end: Callable[[], object] | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note the signals within the block; a `StopRequested` ends it quietly.

        They come to the main thread: in another one there is nothing to note.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
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

    def ends_by(self, end: Callable[[], object]) -> None:
        """From now on the wish calls this as well; it is called while the main thread waits.

        Raises:
            StopRequested: somebody asked before.
        """
        self._end = end
        self.check()

    def _note(self, number: int, _frame: object) -> None:
        if self.asked:
            _end_now(number)
        self.asked = True
        if self._end is not None:
            self._end()
        _tell(b"stopping; Ctrl-C again ends at once\n")


def _tell(told: bytes) -> None:
    # No print: a handler may interrupt one that is half done.
    with suppress(OSError):
        os.write(_STDERR, told)


def _end_now(number: int) -> None:
    """End the process without any ado; the database rolls back what was under way."""
    if os.isatty(_STDERR):
        _tell(_SHOW_CURSOR)
    os._exit(128 + number)
