"""URLs of databases: which are opened, which are refused, and what is never shown."""

import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import make_url

from energycore.errors import (
    EnergycoreError,
    MissingExtra,
    SchemaOutdated,
    StorageUnavailable,
    UnsupportedDatabase,
)
from energycore.storage.sql import open_sql_storage
from energycore.storage.sql.engine import parse_url, shown
from tests.storage.test_schema import stand_at

SECRET = "s3cr3t"


def everything_said(error):
    """The text of an error and of all those behind it."""
    said = []
    while error is not None:
        said.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return " ".join(said)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url at all",
        f"mysql://user:{SECRET}@host/db",
        f"postgresql+asyncpg://user:{SECRET}@host/db",
        f"mongodb://user:{SECRET}@host",
        f"postgresql://user:p@{SECRET}@host/db",
        f"postgresql://user:p@x/{SECRET}@host/db",
        f"postgresql://user:p@host:{SECRET}/db",
        f"postgresql://user:p@x:{SECRET}@host/db",
        f"sqlite://user:{SECRET}@host/db",
        f"sqlite://:80/{SECRET}",
    ],
)
def test_a_url_without_a_backend_is_refused_and_says_what_is_supported(url):
    with pytest.raises(UnsupportedDatabase, match=r"postgresql\+psycopg://") as refused:
        open_sql_storage(url)
    assert SECRET not in everything_said(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"postgresql://me:{SECRET}@host:5433/db", "postgresql+psycopg://me@host:5433/db"),
        (f"postgresql+psycopg://me@host/db?password={SECRET}", "postgresql+psycopg://me@host/db"),
        ("postgresql://me@/db?host=/tmp", "postgresql+psycopg://me@/db?host=%2Ftmp"),
        ("sqlite:///home.db", "sqlite:///home.db"),
        ("sqlite:////var/home.db", "sqlite:////var/home.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
    ],
)
def test_a_url_is_shown_without_its_secrets_and_can_be_used_as_it_is(url, expected):
    assert shown(parse_url(url)) == expected
    assert make_url(expected).database == make_url(url).database


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("sqlite://x.db", "three slashes: sqlite:///x.db;"),
        ("sqlite://data/x.db", "three slashes: sqlite:///data/x.db;"),
        ("sqlite://me@x.db", "three slashes: sqlite:///file.db;"),
    ],
)
def test_a_file_after_two_slashes_is_refused_with_the_url_that_is_meant(url, hint):
    with pytest.raises(UnsupportedDatabase) as refused:
        open_sql_storage(url)
    assert hint in str(refused.value)
    assert "memory://" in str(refused.value)


def test_a_server_that_is_not_there_is_unavailable_without_telling_the_password():
    with pytest.raises(StorageUnavailable) as refused:
        open_sql_storage(f"postgresql://user:{SECRET}@127.0.0.1:1/db?connect_timeout=2")
    assert "\n" not in str(refused.value)
    assert SECRET not in everything_said(refused.value)


def test_a_refused_version_does_not_tell_the_password(postgresql_url):
    url = make_url(postgresql_url)
    with_password = url.set(password=SECRET).render_as_string(hide_password=False)
    stand_at(postgresql_url, "9999")
    with pytest.raises(SchemaOutdated) as refused:
        open_sql_storage(with_password)
    assert SECRET not in everything_said(refused.value)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path):
    path = tmp_path / "nowhere" / "home.db"
    with pytest.raises(StorageUnavailable) as refused:
        open_sql_storage(f"sqlite:///{path}")
    assert str(refused.value) == f"{path} cannot be opened: there is no folder {path.parent}"
    with pytest.raises(StorageUnavailable, match="is a folder"):
        open_sql_storage(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is not a database. " * 100)
    with pytest.raises(StorageUnavailable) as refused:
        open_sql_storage(f"sqlite:///{path}")
    assert str(refused.value) == f"{path} is not an SQLite database"
    assert path.read_text().startswith("Dear reader")


def test_without_its_driver_postgresql_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r'pip install "energycore\[postgres\]"'):
        open_sql_storage("postgresql://host/db")


def test_a_wrong_option_is_an_error_of_ours(postgresql_url):
    with pytest.raises(EnergycoreError):
        open_sql_storage(f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}nonsense=1")


def test_a_path_may_hold_percent_signs(tmp_path):
    with closing(open_sql_storage(f"sqlite:///{tmp_path}/100%25 home.db")):
        pass
    assert len(list(tmp_path.glob("100*home.db"))) == 1


@pytest.mark.parametrize("module", ["energycore.storage", "energycore.storage.memory"])
def test_sqlalchemy_waits_until_a_database_is_opened(module):
    program = f"import {module}, sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_opening_a_database_that_is_up_to_date_leaves_alembic_alone(sqlite_url):
    with closing(open_sql_storage(sqlite_url)):
        pass
    program = (
        "import sys; from energycore.storage.sql import open_sql_storage;"
        "open_sql_storage(sys.argv[1]).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, sqlite_url]).returncode == 0
