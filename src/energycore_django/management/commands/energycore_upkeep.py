"""`manage.py energycore_upkeep`: totals brought up to date, old readings archived or let go."""

from typing import Any

from django.core.management.base import CommandParser

from energycore.jobs.sentences import upkeep_sentences
from energycore.wiring.energy import Energy
from energycore_django.management.base import EnergyCommand

__all__ = ["Command"]


class Command(EnergyCommand):
    """Does all that is due, and says what was done."""

    help = (
        "Bring totals up to date, archive old readings, and remove what its time is over, as"
        " ENERGYCORE's RETENTION and ARCHIVE say; without an archive old readings are gone for"
        " good. Meant for cron, once a day. Killed at any moment, it loses nothing: run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant, and what is to be left out."""
        super().add_arguments(parser)
        parser.add_argument(
            "--roll-up-only", action="store_true", help="Archive nothing and remove nothing."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Change nothing, and say what would be done."
        )

    def work(self, energy: Energy, options: dict[str, Any]) -> None:
        """Run upkeep, and tell it."""
        dry_run: bool = options["dry_run"]
        with self.stages() as progress:
            report = energy.upkeep(
                dry_run=dry_run, retain=not options["roll_up_only"], progress=progress
            )
        for sentence in upkeep_sentences(report, dry_run=dry_run):
            self.stdout.write(sentence)
