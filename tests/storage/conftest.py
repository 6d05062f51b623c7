"""The storages that ship with energycore."""

from contextlib import closing

import pytest

from energycore.storage.memory import MemoryStorage
from energycore.storage.sql import open_sql_storage
from tests.support import postgresql


@pytest.fixture
def memory_storage():
    with closing(MemoryStorage()) as storage:
        yield storage


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'home.db'}"


@pytest.fixture
def sqlite_storage(sqlite_url):
    with closing(open_sql_storage(sqlite_url)) as storage:
        yield storage


@pytest.fixture
def sqlite_memory_storage():
    with closing(open_sql_storage("sqlite://")) as storage:
        yield storage


@pytest.fixture(scope="session")
def shared_postgresql_url(postgresql_server):
    """A database for all tests that keep to tenants of their own."""
    with postgresql.new_database(postgresql_server) as url:
        yield url


@pytest.fixture
def postgresql_storage(shared_postgresql_url):
    with closing(open_sql_storage(shared_postgresql_url)) as storage:
        yield storage


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_storage(request):
    """Each SQL database in turn."""
    return request.getfixturevalue(f"{request.param}_storage")


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request):
    """The URL of a new, empty database of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_url")
