"""What loops beside the requests share: waiting by the services' clock, and ending when told to."""

import threading
from collections.abc import Collection
from typing import Final

from energycore.quantities.instants import US_PER_SECOND, to_epoch_us
from energycore.services.suite import Services

__all__ = ["Due", "Stopped", "end_if_set", "now_us", "wait_for_first"]

Due = tuple[Services, int, float]

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


def wait_for_first(dues: Collection[Due], stop: threading.Event) -> None:
    """Wait until something is due, or until `stop` is set.

    Args:
        dues: each with its services, whose clock must run by itself, its instant by that clock in
            epoch microseconds, and seconds of that clock in a second of the wall clock. If nothing
            is known to be due, that may change within seconds.
        stop: ends the waiting at once.
    """
    if not dues:
        stop.wait(_LONGEST_WAIT_S)
        return
    while (left_s := min(map(_left_s, dues))) > 0:
        if stop.wait(min(left_s, _LONGEST_WAIT_S)):
            return


def _left_s(due: Due) -> float:
    services, due_us, speed = due
    return (due_us - now_us(services)) / US_PER_SECOND / speed


def now_us(services: Services) -> int:
    """This instant by the services' clock, in epoch microseconds."""
    return to_epoch_us(services.clock.now(), "clock")
