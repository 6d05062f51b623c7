"""Clocks: where every "now" comes from."""

from datetime import datetime
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Tells the time. Promise: the answer is aware and never goes back by more than a step."""

    def now(self) -> datetime:
        """This instant, as an aware datetime."""
        ...
