"""Every storage that ships with energycore keeps the contract that third parties are held to."""

import pytest

from energycore.testing import StorageContract
from energycore.testing.tenants import FOREIGN, scoped_methods


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self, memory_storage):
        return memory_storage


class TestSqliteFile(StorageContract):
    @pytest.fixture
    def storage(self, sqlite_storage):
        return sqlite_storage


class TestSqliteInMemory(StorageContract):
    @pytest.fixture
    def storage(self, sqlite_memory_storage):
        return sqlite_memory_storage


class TestPostgresql(StorageContract):
    @pytest.fixture
    def storage(self, postgresql_storage):
        return postgresql_storage


def test_no_part_of_the_contract_hides_a_test_of_another():
    names = [
        name
        for part in StorageContract.__bases__
        for name in vars(part)
        if name.startswith("test_")
    ]
    assert len(names) == len(set(names))
    assert len(names) > 50


def test_every_method_has_a_case_of_isolation():
    assert set(FOREIGN) == set(scoped_methods())
