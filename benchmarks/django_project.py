"""The Django project that all contestants serve, over one SQLite file."""

from datetime import UTC, datetime
from typing import Any, Final

import django
from django.conf import settings
from sqlalchemy import URL

import energycore as ec

__all__ = ["Noon", "configure", "fill", "postgresql_database", "sqlite_database"]

_NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Noon:
    """Stands still, so that no state grows old while it is measured."""

    def now(self) -> datetime:
        """A summer's noon."""
        return _NOON


def sqlite_database(file: str) -> dict[str, Any]:
    """A file as Django's database."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": file}


def postgresql_database(url: URL) -> dict[str, Any]:
    """A database of PostgreSQL as Django's."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.host or str(url.query.get("host", "")),
        "PORT": url.port or "",
    }


def configure(database: dict[str, Any], urls: object = None, apps: tuple[str, ...] = ()) -> None:
    """Set Django up in this process, once.

    Args:
        database: the one that it works with.
        urls: the URLconf.
        apps: of a contestant.
    """
    settings.configure(
        SECRET_KEY="only for benchmarks",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        ROOT_URLCONF=urls,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "energycore_django",
            *apps,
        ],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        DATABASES={
            # As in production: connections stay open.
            "default": {**database, "CONN_MAX_AGE": None}
        },
        ENERGYCORE={
            "AUTHORIZE": "energycore_django.permissions.anyone",
            "CLOCK": "benchmarks.django_project.Noon",
        },
    )
    django.setup()


def fill(file: str, devices: int) -> None:
    """Make the tables, and devices of all kinds with a state each."""
    configure(sqlite_database(file))
    from django.core.management import call_command

    from energycore_django import energy

    call_command("migrate", verbosity=0)
    own = energy()
    for number in range(devices):
        name = f"Device {number:03}"
        storage = {"max_charge_w": 5_000, "max_discharge_w": 5_000}
        kinds = (
            ec.SolarPanel(name=name, rated_power_w=5_000),
            ec.Appliance(name=name, average_power_w=600),
            ec.Battery(name=name, capacity_wh=13_500, **storage),
            ec.ElectricVehicle(name=name, capacity_wh=60_000, **storage),
        )
        own.register(kinds[number % len(kinds)])
    own.tick()
