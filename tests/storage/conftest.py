"""The storages that ship with energycore, each empty."""

from contextlib import closing

import pytest

from energycore.storage.memory import MemoryStorage
from energycore.storage.sql import open_sql_storage


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


@pytest.fixture
def postgresql_storage(postgresql_url):
    with closing(open_sql_storage(postgresql_url)) as storage:
        yield storage
