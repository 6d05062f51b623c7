"""Over Django's own connection the storage keeps the contract of all others."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connections

from energycore.testing import StorageContract
from energycore_django.storage import DjangoStorage


class Closing(DjangoStorage):
    """Closes the connections of threads that are not Django's, whose end it does not notice."""

    @contextmanager
    def transaction(self, *, write):
        try:
            with super().transaction(write=write) as work:
                yield work
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()


class TestSqlite(StorageContract):
    @pytest.fixture
    def storage(self, sqlite_alias):
        return Closing(sqlite_alias)


class TestPostgresql(StorageContract):
    @pytest.fixture
    def storage(self, postgresql_alias):
        return Closing(postgresql_alias)
