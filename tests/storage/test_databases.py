"""What depends on the database: locks, waiting, broken connections, settings of a connection."""

import socket
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text

from energycore.errors import Conflict, NotAllowed, StorageUnavailable
from energycore.protocols.records import DeviceFilter
from energycore.storage.memory import MemoryStorage
from energycore.storage.sql import open_sql_storage
from energycore.storage.sql.faults import translated
from energycore.storage.sql.tables import setting
from energycore.testing.contract import MINUTE_US, add_device, new_device, new_scope, panel

ALL = DeviceFilter()


@pytest.fixture(params=["memory", "sqlite", "sqlite_memory", "postgresql"])
def storage(request):
    return request.getfixturevalue(f"{request.param}_storage")


def with_option(url, option):
    return f"{url}{'&' if '?' in url else '?'}{option}"


def test_a_reading_transaction_refuses_to_write(storage):
    scope = new_scope()
    with storage.transaction(write=False) as work:
        for act in (
            lambda: work.devices.add(scope, new_device()),
            lambda: work.settings.put(scope, "a", "b"),
            lambda: work.fleet.shards(scope, hold=True),
            lambda: work.fleet.save(scope, {}),
        ):
            with pytest.raises(NotAllowed, match="only reads"):
                act()


def test_a_second_writer_in_memory_is_told_to_try_again():
    storage = MemoryStorage(patience_s=0.0)
    with (
        storage.transaction(write=True),
        pytest.raises(StorageUnavailable),
        storage.transaction(write=True),
    ):
        pass
    with storage.transaction(write=True):
        pass


def test_a_second_writer_of_a_file_is_told_to_try_again(sqlite_storage, sqlite_url):
    with (
        closing(open_sql_storage(with_option(sqlite_url, "timeout=0.1"))) as other,
        sqlite_storage.transaction(write=True),
    ):
        with pytest.raises(StorageUnavailable, match="locked"), other.transaction(write=True):
            pass
        with other.transaction(write=False) as work:
            assert work.devices.count(new_scope(), ALL) == 0


def test_writers_of_one_storage_take_turns_and_readers_do_not_wait(sqlite_url):
    with closing(open_sql_storage(with_option(sqlite_url, "timeout=0.1"))) as storage:
        with storage.transaction(write=True):
            with (
                pytest.raises(StorageUnavailable, match="another transaction is under way"),
                storage.transaction(write=True),
            ):
                pass
            with storage.transaction(write=False) as work:
                assert work.devices.count(new_scope(), ALL) == 0
        with storage.transaction(write=True):
            pass


def test_a_file_that_is_open_twice_shows_what_the_other_committed(sqlite_storage, sqlite_url):
    scope = new_scope()
    with closing(open_sql_storage(sqlite_url)) as other:
        record = add_device(other, scope)
        with sqlite_storage.transaction(write=False) as work:
            assert work.devices.get_many(scope, [record.id]) == {record.id: record}
            add_device(other, scope, panel("New"))
            assert work.devices.count(scope, ALL) == 1


def test_a_file_is_in_wal_mode_and_checks_references(sqlite_storage):
    with sqlite_storage.connection(write=False) as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 5_000]


def test_a_reference_to_another_tenants_device_breaks_a_constraint(sql_storage):
    """The database itself holds tenants apart, should a statement ever forget to."""
    record = add_device(sql_storage, new_scope())
    statement = text(
        "INSERT INTO energycore_simulation_state (tenant_id, device_id, state)"
        f" VALUES ('stranger', {record.id}, '')"
    )
    with (
        pytest.raises(Conflict),
        translated(),
        sql_storage.connection(write=True) as connection,
    ):
        connection.execute(statement)


def test_waiting_for_a_shard_that_is_held_ends(shared_postgresql_url, postgresql_storage):
    scope = new_scope()
    with postgresql_storage.transaction(write=True) as work:
        work.fleet.add_shard(scope, step_us=MINUTE_US, seed=0)
    impatient = with_option(shared_postgresql_url, "options=-c%20lock_timeout%3D50ms")
    with (
        closing(open_sql_storage(impatient)) as other,
        postgresql_storage.transaction(write=True) as work,
    ):
        work.fleet.shards(scope, hold=True)
        with other.transaction(write=True) as waiting, pytest.raises(StorageUnavailable):
            waiting.fleet.shards(scope, hold=True)


def put_while_all_others_are_cut_off(storage, killer, scope):
    with storage.transaction(write=True) as work:
        work.settings.put(scope, "name", "lost")
        with killer.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        work.settings.put(scope, "name", "lost too")


def test_after_a_lost_connection_the_next_transaction_has_a_new_one(postgresql_url):
    scope = new_scope()
    killer = create_engine(postgresql_url)
    with closing(open_sql_storage(postgresql_url)) as storage:
        with pytest.raises(StorageUnavailable):
            put_while_all_others_are_cut_off(storage, killer, scope)
        with storage.transaction(write=True) as work:
            assert work.settings.get(scope, "name") is None
            work.settings.put(scope, "name", "kept")
    killer.dispose()


def test_a_server_that_accepts_and_says_nothing_is_given_up_on():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StorageUnavailable):
            open_sql_storage(f"postgresql://user@127.0.0.1:{port}/db?connect_timeout=2")


def test_a_table_that_is_gone_is_unavailable_not_an_error_of_sqlalchemy(sqlite_storage):
    with sqlite_storage.connection(write=True) as connection:
        setting.drop(connection)
    with (
        sqlite_storage.transaction(write=False) as work,
        pytest.raises(StorageUnavailable, match="no such table"),
    ):
        work.settings.get(new_scope(), "name")


def test_a_busy_database_in_memory_is_told_to_try_again():
    with (
        closing(open_sql_storage("sqlite://?timeout=0.1")) as storage,
        storage.transaction(write=False),
        pytest.raises(StorageUnavailable, match="try again"),
        storage.transaction(write=False),
    ):
        pass
