"""`manage.py energycore_demo`: homes to look at, with some days of history."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from energycore.jobs.homes import SettledHome, settle_home, simulate_history
from energycore.jobs.sentences import counted
from energycore.quantities.instants import to_epoch_us
from energycore.services.ticking import MAX_CATCH_UP, TickResult
from energycore.wiring.energy import Energy
from energycore_django.demo import MOST_SITES, demo_homes
from energycore_django.management.base import EnergyCommand

__all__ = ["Command"]

_SITES = 6
_DAYS = 7
_MOST_DAYS = 366


class Command(EnergyCommand):
    """Fills a database for those who want to see something."""

    help = (
        "Register homes in several time zones, each with solar panels, a battery, an electric"
        " vehicle and appliances, and simulate their last days. What is there already stays as it"
        " is: a second run changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant, how many homes and how many days."""
        super().add_arguments(parser)
        parser.add_argument(
            "--sites", type=int, default=_SITES, metavar="N", help=f"Homes, {_SITES} by default."
        )
        parser.add_argument(
            "--days",
            type=int,
            default=_DAYS,
            metavar="N",
            help=f"Simulated days before now, {_DAYS} by default; 0 for none.",
        )

    def work(self, energy: Energy, options: dict[str, Any]) -> None:
        """Register what is missing, then run the ticks of the days before now."""
        sites = _between("--sites", options["sites"], 1, MOST_SITES)
        days = _between("--days", options["days"], 0, _MOST_DAYS)
        with self.stages() as progress:
            settled = _settle(energy, sites, progress)
            ticked = _simulate(energy, days, progress)
            if ticked is not None:
                energy.upkeep(retain=False, progress=progress)
        self._tell_settled(settled)
        self._tell_ticked(ticked, days)

    def _tell_settled(self, settled: Sequence[SettledHome]) -> None:
        for name in (name for home in settled for name in home.differing):
            self.stderr.write(f"{name} is not as in the demo: the database keeps what it has")
        homes = counted(len(settled), "site")
        if added := sum(len(home.added) for home in settled):
            self.stdout.write(f"registered {counted(added, 'device')}: the demo has {homes} now")
        else:
            self.stdout.write(f"all {homes} of the demo are there already: nothing was registered")

    def _tell_ticked(self, ticked: TickResult | None, days: int) -> None:
        if ticked is not None:
            readings = counted(ticked.readings, "reading")
            self.stdout.write(f"simulated the last {counted(days, 'day')}: {readings}")
        elif days:
            self.stdout.write("the ticks have come this far already: nothing was simulated")
        self.stdout.write("manage.py energycore_tick --loop, or Celery's beat, goes on from here")


def _between(option: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise CommandError(f"{option} must be from {least} to {most:,}, not {value}")
    return value


def _settle(
    energy: Energy, sites: int, progress: Callable[[str, int, int], None]
) -> list[SettledHome]:
    settled = []
    for done, home in enumerate(demo_homes(sites)):
        progress("registering homes", done, sites)
        settled.append(settle_home(energy.services, energy.scope, home))
    return settled


def _simulate(
    energy: Energy, days: int, progress: Callable[[str, int, int], None]
) -> TickResult | None:
    if not days:
        return None
    length = timedelta(days=days)

    def simulating(done: int, total: int) -> None:
        progress("simulating", done, total)

    ticked = simulate_history(energy.services, energy.scope, length=length, progress=simulating)
    if ticked is None and _is_cut_short(energy):
        return energy.tick(max_catch_up=length, progress=simulating)
    return ticked


def _is_cut_short(energy: Energy) -> bool:
    """Whether the ticks stand where no ordinary one would make up for those that are missing."""
    with energy.services.storage.transaction(write=False) as work:
        newest = [shard.last_tick_us for shard in work.fleet.shards(energy.scope)]
    horizon_us = to_epoch_us(energy.clock.now() - MAX_CATCH_UP, "clock")
    return any(at_us is not None and at_us < horizon_us for at_us in newest)
