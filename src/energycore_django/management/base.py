"""What the commands share: the tenant, errors in one line, and progress where somebody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS
from django.utils.connection import ConnectionDoesNotExist

from energycore.errors import EnergycoreError
from energycore.jobs.stopping import INTERRUPTED, StopRequested, StopSignals
from energycore.storage.sql import schema
from energycore.wiring.energy import Energy
from energycore_django.access import energy
from energycore_django.conf import current
from energycore_django.storage import joined, routed

__all__ = ["EnergyCommand", "check_migrated", "in_one_line", "used_alias"]

_CLEAR_LINE: Final = "\r\x1b[2K"


class EnergyCommand(BaseCommand):
    """A command that works with one tenant's data, and says in one line what is wrong."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant."""
        parser.add_argument(
            "--tenant", metavar="NAME", help="Whose data; by default that of the settings."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the work, if the database is ready for it.

        Raises:
            CommandError: it cannot be done; the message says why, and what to do.
        """
        with in_one_line():
            check_migrated()
            self.work(energy(options["tenant"]), options)

    def work(self, energy: Energy, options: dict[str, Any]) -> None:
        """What the command does."""
        raise NotImplementedError

    @contextmanager
    def stages(self) -> Iterator[Callable[[str, int, int], None]]:
        """Give a function that takes a stage, what of it is done and what there is to do.

        It shows them on a terminal, and ends the block between two steps when SIGINT or SIGTERM
        came.

        Raises:
            CommandError: the work was stopped before it was done.
        """
        stop = StopSignals()

        def show(stage: str, done: int, total: int) -> None:
            stop.check()
            if self.stderr.isatty():
                self.stderr.write(f"{_CLEAR_LINE}{stage}: {done:,} of {total:,}", ending="")

        with stop.caught():
            try:
                yield show
            except StopRequested:
                raise CommandError(
                    "stopped: run it again to go on from here", returncode=INTERRUPTED
                ) from None
            finally:
                if self.stderr.isatty():
                    self.stderr.write(_CLEAR_LINE, ending="")


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn what the settings or the database are refused for into what commands end with."""
    try:
        yield
    except EnergycoreError as error:
        message = " ".join(error.message.split())
        raise CommandError(f"{message} ({error.code})") from error
    except (ImproperlyConfigured, ConnectionDoesNotExist) as error:
        raise CommandError(str(error)) from error


def check_migrated() -> None:
    """Go on if the tables are there, in the version of this package.

    Raises:
        CommandError: they are not there.
        SchemaOutdated: they were made by another version.
        StorageUnavailable: the database cannot be reached.
    """
    alias = used_alias()
    with joined(alias, write=False) as connection:
        if not schema.check(connection, f"the database {alias!r}"):
            where = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
            raise CommandError(
                f"the database {alias!r} has no tables of energycore yet: run manage.py"
                f" migrate{where}"
            )


def used_alias() -> str:
    """Which of DATABASES holds the tables."""
    return current().database or routed(write=True)
