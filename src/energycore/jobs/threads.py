"""The threads of jobs that run beside a server, and end with it."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["LAST_RUN_S", "JobThreads"]

LAST_RUN_S: Final = 5.0
"""How long the end waits for a run under way [s]."""


class JobThreads:
    """One thread for each job.

    They are daemons: a run that does not end in time ends with the process, and its transaction is
    rolled back.

    Args:
        jobs: what each thread runs until the event is set, by what one run of it is called.
    """

    def __init__(self, jobs: Mapping[str, Callable[[threading.Event], None]]) -> None:
        self._stop = threading.Event()
        self._threads = {
            name: threading.Thread(
                target=job, args=(self._stop,), name=f"energycore-{name}", daemon=True
            )
            for name, job in jobs.items()
        }

    def start(self) -> None:
        """Start them."""
        for thread in self._threads.values():
            thread.start()

    def stop(self) -> list[str]:
        """Have them end, and wait for that; the names of those that do not in time."""
        self._stop.set()
        end_s = time.monotonic() + LAST_RUN_S
        for thread in self._threads.values():
            thread.join(max(0.0, end_s - time.monotonic()))
        return [name for name, thread in self._threads.items() if thread.is_alive()]
