"""What loops beside the requests share: waiting by the services' clock, and ending when told to."""

import threading
from typing import Final

from energycore.quantities.instants import US_PER_SECOND, to_epoch_us
from energycore.services.suite import Services

__all__ = ["Stopped", "end_if_set", "now_us", "wait_until"]

# A clock that was set, or a computer that slept, is noticed this soon.
_LONGEST_WAIT_S: Final = 10.0


class Stopped(Exception):
    """The loop was told to stop between two transactions of one long run."""


def end_if_set(stop: threading.Event) -> None:
    """Go on, unless the loop was told to stop.

    Raises:
        Stopped: it was.
    """
    if stop.is_set():
        raise Stopped


def wait_until(services: Services, stop: threading.Event, due_us: int, speed: float) -> None:
    """Wait until an instant of the services' clock, or until `stop` is set.

    Args:
        services: their clock must run by itself.
        stop: ends the waiting at once.
        due_us: epoch microseconds.
        speed: seconds of that clock in a second of the wall clock.
    """
    while (left_us := due_us - now_us(services)) > 0:
        if stop.wait(min(left_us / US_PER_SECOND / speed, _LONGEST_WAIT_S)):
            return


def now_us(services: Services) -> int:
    """This instant by the services' clock, in epoch microseconds."""
    return to_epoch_us(services.clock.now(), "clock")
