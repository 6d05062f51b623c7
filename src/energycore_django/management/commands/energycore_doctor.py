"""`manage.py energycore_doctor`: the settings in force, what the database holds, what is wrong."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Final

import attrs
import django
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management.base import CommandError
from django.db import connections

from energycore.devices.base import DataSource
from energycore.jobs.contents import contents, kinds_with_origin
from energycore.jobs.sentences import counted, utc
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import to_epoch_us
from energycore.services.agenda import FIRST_DAY
from energycore.services.registration import DEFAULT_STEP_US
from energycore.storage.sql import schema
from energycore.storage.sql.partitions import Partitioning
from energycore.telemetry.tiers import US_PER_DAY, Retention
from energycore.wiring.energy import Energy
from energycore_django.access import energy
from energycore_django.checks import check_database, check_settings
from energycore_django.conf import SETTING, DjangoSettings, current
from energycore_django.management.base import (
    EnergyCommand,
    check_migrated,
    in_one_line,
    used_alias,
)
from energycore_django.storage import joined

__all__ = ["Command"]

_LATE_TICK_US: Final = 5 * DEFAULT_STEP_US
_LATE_TOTALS_US: Final = US_PER_DAY


class Command(EnergyCommand):
    """Looks at everything and changes nothing."""

    help = (
        "Print the settings in force and what the database holds of a tenant; ends with 1 where"
        " something is wrong, and says what to do."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print all that can be found out.

        Raises:
            CommandError: something is wrong.
        """
        self._tell("Packages", _packages())
        self._heed(check_settings(None))
        with in_one_line():
            settings = current()
            self._tell(f"Settings {SETTING}", _settings(settings))
            alias = used_alias()
            self._tell(f"Database {alias!r}", _database(alias))
            self._heed(check_database(None, [alias]))
            check_migrated()
            of_tenant = energy(options["tenant"])
            archive = of_tenant.services.upkeep.archive
            self._tell(
                "Contents",
                contents(
                    of_tenant.services,
                    of_tenant.scope,
                    speed=of_tenant.speed,
                    roll_up="manage.py energycore_upkeep",
                ),
            )
            if archive is not None:
                archive.names(of_tenant.scope)
            advice = list(_advice(of_tenant))
        for sentence in advice or ["Nothing is wrong."]:
            self.stdout.write(sentence)

    def _tell(self, title: str, rows: Iterator[tuple[str, str]]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for label, value in rows:
            self.stdout.write(f"  {label:<20}{value}")

    def _heed(self, messages: Sequence[CheckMessage]) -> None:
        """Print what the system checks found, and go on unless it is an error."""
        for message in messages:
            if not message.is_serious(checks.ERROR):
                self.stdout.write(self.style.WARNING(_sentence(message)))
        errors = [_sentence(message) for message in messages if message.is_serious(checks.ERROR)]
        if errors:
            raise CommandError("\n".join(errors))


def _sentence(message: CheckMessage) -> str:
    return f"{message.msg} {message.hint or ''}".strip() + f" ({message.id})"


def _packages() -> Iterator[tuple[str, str]]:
    yield "energycore", version("energycore")
    yield "Django", django.get_version()
    yield "Device kinds", kinds_with_origin()


def _settings(settings: DjangoSettings) -> Iterator[tuple[str, str]]:
    for field in attrs.fields(DjangoSettings):
        value = getattr(settings, field.name)
        yield field.name.upper(), _shown(value)


def _shown(value: object) -> str:
    """A setting in words."""
    if value is None:
        return "not set"
    if isinstance(value, Retention):
        kept = attrs.asdict(value).items()
        return ", ".join(f"{name} {_kept(length)}" for name, length in kept)
    if isinstance(value, Partitioning):
        return ", ".join(f"{name} {given}" for name, given in attrs.asdict(value).items())
    if isinstance(value, str | bool | int):
        return str(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _kept(length: timedelta | None) -> str:
    return "for ever" if length is None else counted(length.days, "day")


def _database(alias: str) -> Iterator[tuple[str, str]]:
    django_connection = connections[alias]
    yield "Name", str(django_connection.settings_dict["NAME"])
    with joined(alias, write=False) as connection:
        numbers = django_connection.get_database_version()
        yield "Kind", f"{django_connection.display_name} {'.'.join(map(str, numbers))}"
        yield "Schema", schema.version(connection) or "none yet"


def _advice(of_tenant: Energy) -> Iterator[str]:
    """What is no fault, and yet is probably not meant."""
    scope, now_us = of_tenant.scope, to_epoch_us(of_tenant.clock.now(), "clock")
    moved = DeviceFilter(data_sources=(DataSource.SIMULATED,), is_active=True)
    with of_tenant.services.storage.transaction(write=False) as work:
        is_moved = work.devices.count(scope, moved) > 0
        shards = work.fleet.shards(scope)
        rolled_us = work.rollups.state(scope).rolled_us
        if rolled_us is None:
            # Nothing is behind before a day of readings has ended.
            days = work.telemetry.days(scope, start_day=FIRST_DAY, end_day=now_us // US_PER_DAY)
            rolled_us = (days[0].day + 1) * US_PER_DAY if days else now_us
    newest_us = max((shard.last_tick_us or 0 for shard in shards), default=0)
    if is_moved and now_us - newest_us > _LATE_TICK_US:
        since = f"since {utc(newest_us)}" if newest_us else "yet"
        yield (
            f"No device has moved {since}: run manage.py energycore_tick --loop, or Celery's beat."
        )
    if newest_us and now_us - rolled_us > _LATE_TOTALS_US:
        yield "Totals are more than a day behind: run manage.py energycore_upkeep."
