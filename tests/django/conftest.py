"""A Django project with a database of each kind."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support import postgresql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections, transaction  # noqa: E402
from django.test import override_settings  # noqa: E402


@contextmanager
def database(alias, **settings):
    """Give a database of the project its name, and forget it afterwards."""
    own = connections.settings[alias]
    before = dict(own)
    own.update(settings)
    connections[alias].close()
    try:
        yield alias
    finally:
        connections[alias].close()
        own.clear()
        own.update(before)


def of_url(url):
    """A database of PostgreSQL, as Django names it."""
    parsed = make_url(url)
    return {
        "NAME": parsed.database,
        "USER": parsed.username or "",
        "PASSWORD": parsed.password or "",
        "HOST": parsed.host or str(parsed.query.get("host", "")),
        "PORT": parsed.port or "",
    }


@pytest.fixture(scope="session")
def sqlite_alias(tmp_path_factory):
    """An SQLite file with the project's tables."""
    path = tmp_path_factory.mktemp("django") / "project.sqlite3"
    with database("default", NAME=str(path)) as alias:
        call_command("migrate", database=alias, verbosity=0)
        yield alias
    Path(path).unlink()


@pytest.fixture(scope="session")
def postgresql_alias(postgresql_server):
    """A PostgreSQL database with the project's tables."""
    with (
        postgresql.new_database(postgresql_server) as url,
        database("postgresql", **of_url(url)) as alias,
    ):
        call_command("migrate", database=alias, verbosity=0)
        yield alias


@pytest.fixture(params=["sqlite", "postgresql"])
def alias(request):
    """Each database in turn."""
    return request.getfixturevalue(f"{request.param}_alias")


@pytest.fixture
def project(alias):
    """The project works with this database, and forgets what a test did."""
    with (
        override_settings(DATABASE_ROUTERS=[f"tests.django.routers.To_{alias}"]),
        transaction.atomic(using=alias),
    ):
        yield alias
        transaction.set_rollback(True, using=alias)
