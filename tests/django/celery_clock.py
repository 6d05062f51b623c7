"""A clock that all processes of a project read alike, however late they start."""

from datetime import datetime

from energycore.wiring.clocks import SystemClock
from tests.django.celery_settings import PROJECT

__all__ = ["started"]


class Started:
    """Shows `start` at the instant `since`, and runs so many times as fast as the computer's."""

    def __init__(self, start: datetime, since: datetime, speed: float) -> None:
        self.start = start
        self.since = since
        self.speed = speed

    def now(self) -> datetime:
        return self.start + (SystemClock().now() - self.since) * self.speed


def started() -> Started:
    """The clock that the settings tell."""
    given = PROJECT["clock"]
    start, since = (datetime.fromisoformat(given[key]) for key in ("start", "since"))
    return Started(start, since, given["speed"])
