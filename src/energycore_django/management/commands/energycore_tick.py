"""`manage.py energycore_tick`: moves the simulated devices, once or at every step."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import CommandParser
from django.db import close_old_connections, connections

from energycore.jobs.sentences import tick_sentence
from energycore.jobs.stopping import StopSignals
from energycore.jobs.ticks import run_ticks
from energycore.protocols.scope import Scope
from energycore.services.ticking import TickResult
from energycore.wiring.energy import Energy
from energycore_django.management.base import EnergyCommand

__all__ = ["Command"]


class Command(EnergyCommand):
    """Runs ticks without a broker or a scheduler."""

    help = (
        "Run the tick of this minute, and those of the last 24 hours that are missing. Several of"
        " these may run at once, beside Celery too: the database lets each tick happen once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant, and whether to go on."""
        super().add_arguments(parser)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--once",
            action="store_true",
            help="End after the ticks that are due, as for cron. This is the default.",
        )
        how.add_argument(
            "--loop",
            action="store_true",
            help="Tick at every step until SIGINT or SIGTERM, which let a transaction end.",
        )

    def work(self, energy: Energy, options: dict[str, Any]) -> None:
        """Tick once, or go on."""
        stop = StopSignals()
        with stop.caught():
            if options["loop"]:
                self._loop(energy.by_running_clock(), stop, told=options["verbosity"] > 1)
            else:
                result = energy.tick(progress=lambda done, total: stop.check())
                self.stdout.write(tick_sentence(energy.services, energy.scope, result))
        if stop.asked:
            self.stderr.write("stopped: the next tick goes on from here")

    def _loop(self, energy: Energy, stop: StopSignals, *, told: bool) -> None:
        speed = energy.speed or 1.0
        connections.close_all()
        ended = threading.Event()

        def tell(scope: Scope, result: TickResult) -> None:
            self.stdout.write(tick_sentence(energy.services, scope, result))
            self.stdout.flush()

        # In a thread, so that the signals find this one waiting for nothing but its end.
        with ThreadPoolExecutor(1, "energycore-ticks") as pool:
            stop.ends_by(ended.set)
            loop = pool.submit(_tick_until, energy, ended, speed, tell if told else _nothing)
            self.stdout.write(f"ticking for {energy.scope.tenant!r}; Ctrl-C stops")
            self.stdout.flush()
            loop.result()


def _nothing(scope: Scope, result: TickResult) -> None:
    """Say nothing of a tick."""


def _tick_until(
    energy: Energy,
    stop: threading.Event,
    speed: float,
    ticked: Callable[[Scope, TickResult], None],
) -> None:
    """Tick over connections of this thread, which are gone when it ends."""
    try:
        run_ticks(
            energy.services,
            energy.scope,
            stop,
            speed=speed,
            renew=close_old_connections,
            ticked=ticked,
        )
    finally:
        connections.close_all()
