"""Until when a request may begin further steps."""

import time
from collections.abc import Callable
from typing import Final

import attrs

from energycore.errors import TimedOut

__all__ = ["NO_DEADLINE", "Deadline"]


@attrs.frozen
class Deadline:
    """An instant of a steady clock, which is asked before each step.

    A step that has begun is not interrupted.

    Args:
        end_s: the instant [s]; None for never.
        seconds: how long that is after the start [s], for people.
        now: the clock.
    """

    _end_s: float | None = None
    _seconds: float = 0.0
    _now: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float | None, now: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline that comes after so many seconds; None for never."""
        return NO_DEADLINE if seconds is None else cls(now() + seconds, seconds, now)

    def check(self) -> None:
        """Let a step begin.

        Raises:
            TimedOut: the instant has come.
        """
        if self._end_s is not None and self._now() >= self._end_s:
            raise TimedOut(f"the request took longer than {self._seconds:g} s")


NO_DEADLINE: Final = Deadline()
