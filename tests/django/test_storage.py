"""energycore inside Django's transactions: what the host does to them happens to our rows."""

from contextlib import suppress

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from sqlalchemy import text

from energycore.errors import Conflict, InvalidValue, NotAllowed, NotFound, StorageUnavailable
from energycore.protocols.records import DeviceFilter
from energycore.telemetry.readings import ReadingBatch
from energycore.testing.contract import ALWAYS, add_device, battery, new_scope, readings
from energycore_django import energy
from energycore_django.signals import committed
from energycore_django.storage import DjangoStorage, joined

MANY = 5_000


class Undo(Exception):
    """Raised at the end of an atomic block to have it rolled back."""


@pytest.fixture
def storage(alias):
    return DjangoStorage(alias)


@pytest.fixture
def scope():
    return new_scope()


@pytest.fixture
def device_id(storage, scope):
    return add_device(storage, scope).id


def many(device_id):
    """So many that PostgreSQL takes them by COPY."""
    return readings(*((device_id, at * 1_000, at, None) for at in range(MANY)))


def append(storage, scope, batch):
    with storage.transaction(write=True) as work:
        return work.telemetry.append(scope, batch)


def stored(storage, scope, device_id):
    with storage.transaction(write=False) as work:
        return len(work.telemetry.read(scope, [device_id], **ALWAYS))


def test_the_callers_rollback_undoes_what_we_wrote(alias, storage, scope, device_id):
    """Single rows and those of a COPY, new days and new devices."""
    with pytest.raises(Undo), transaction.atomic(using=alias):
        append(storage, scope, many(device_id))
        other = add_device(storage, scope, battery("other"))
        assert stored(storage, scope, device_id) == MANY
        raise Undo
    assert stored(storage, scope, device_id) == 0
    with storage.transaction(write=False) as work:
        assert other.id not in work.devices.get_many(scope, [other.id])
        assert list(work.telemetry.days(scope, start_day=-9, end_day=9)) == []


def test_a_savepoint_of_the_callers_undoes_only_its_own_part(alias, storage, scope, device_id):
    with transaction.atomic(using=alias):
        append(storage, scope, readings((device_id, 0, 1, None)))
        with pytest.raises(Undo), transaction.atomic(using=alias):
            append(storage, scope, many(device_id))
            raise Undo
        append(storage, scope, readings((device_id, 1_000, 1, None)))
    assert stored(storage, scope, device_id) == 2


def test_rows_of_the_caller_go_with_ours(alias, storage, scope):
    """One transaction for both: here ours fails last."""
    groups = Group.objects.using(alias)
    with pytest.raises(NotFound), transaction.atomic(using=alias):
        groups.create(name="ours")
        append(storage, scope, readings((2**40, 0, 1, None)))
    assert not groups.filter(name="ours").exists()


@pytest.mark.parametrize("write", [True, False])
def test_a_refusal_leaves_the_callers_block_usable(alias, storage, scope, device_id, write):
    """What the block did before stays, and it goes on."""
    with transaction.atomic(using=alias):
        append(storage, scope, readings((device_id, 0, 1, None)))
        with pytest.raises(Undo), storage.transaction(write=write) as work:
            if write:
                work.telemetry.append(scope, readings((device_id, 1_000, 1, None)))
            raise Undo
        append(storage, scope, readings((device_id, 2_000, 1, None)))
    assert stored(storage, scope, device_id) == 2


def test_a_swallowed_error_of_the_database_does_not_break_the_callers_block(alias):
    """A savepoint ends where the error was; PostgreSQL would refuse everything after it."""
    with transaction.atomic(using=alias):
        with pytest.raises(StorageUnavailable), joined(alias, write=True) as connection:
            connection.execute(text("SELECT nonsense FROM nowhere"))
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("write", [False, True])
def test_a_swallowed_error_loses_nothing_that_the_caller_wrote(alias, write):
    """Neither rows of the caller's nor what is told after the commit."""
    told = []
    groups = Group.objects.using(alias)
    with transaction.atomic(using=alias):
        groups.create(name="kept")
        transaction.on_commit(lambda: told.append("committed"), using=alias)
        with suppress(StorageUnavailable), joined(alias, write=write) as connection:
            connection.execute(text("SELECT nonsense FROM nowhere"))
    try:
        assert groups.filter(name="kept").exists()
        assert told == ["committed"]
    finally:
        groups.filter(name="kept").delete()


def test_a_block_that_the_database_has_broken_is_named(postgresql_alias, scope):
    with pytest.raises(DatabaseError), transaction.atomic(using=postgresql_alias):
        with connections[postgresql_alias].cursor() as cursor, suppress(DatabaseError):
            cursor.execute("SELECT nonsense FROM nowhere")
        with pytest.raises(NotAllowed, match="leave its atomic block"):
            stored(DjangoStorage(postgresql_alias), scope, 1)
        raise DatabaseError


def test_a_broken_block_is_named(alias, storage, scope):
    with transaction.atomic(using=alias):
        transaction.set_rollback(True, using=alias)
        with pytest.raises(NotAllowed, match="leave its atomic block"):
            stored(storage, scope, 1)
        transaction.set_rollback(False, using=alias)


@pytest.mark.parametrize(
    ("statement", "meaning"),
    [
        ("INSERT INTO energycore_setting VALUES ('t', NULL, 'x')", Conflict),
        ("SELECT * FROM nowhere", StorageUnavailable),
        ("SELECT CAST('x' AS INTEGER)", InvalidValue),
    ],
)
def test_errors_of_the_driver_and_of_django_mean_the_same(alias, statement, meaning):
    """Whether SQLAlchemy or Django's own cursor runs into them."""
    if meaning is InvalidValue and connections[alias].vendor == "sqlite":
        statement, meaning = "SELECT zeroblob(3000000000)", InvalidValue
    with pytest.raises(meaning) as ours, joined(alias, write=True) as connection:
        connection.exec_driver_sql(statement)
    assert ours.value.__cause__ is not None
    with pytest.raises(meaning), joined(alias, write=True):
        with connections[alias].cursor() as cursor:
            cursor.execute(statement)


def test_django_sees_our_statements(alias, storage, scope, device_id):
    """Those of assertNumQueries and the debug toolbar, COPY as well."""
    with transaction.atomic(using=alias), CaptureQueriesContext(connections[alias]) as seen:
        append(storage, scope, many(device_id))
    statements = [query["sql"] for query in seen.captured_queries]
    assert any("energycore_ledger" in statement for statement in statements)
    into = "COPY " if connections[alias].vendor == "postgresql" else "INSERT INTO "
    assert any(into in statement for statement in statements)


@pytest.mark.parametrize("count", [1, 40])
def test_a_list_costs_as_many_statements_however_long_it_is(alias, storage, scope, count):
    """Ids, and devices with tags; in a block of the caller's PostgreSQL has a savepoint more."""
    for number in range(count):
        add_device(storage, scope, battery(f"device {number}"))
    with transaction.atomic(using=alias), CaptureQueriesContext(connections[alias]) as seen:
        with storage.transaction(write=False) as work:
            found = work.devices.ids(scope, DeviceFilter())
            page = work.devices.get_many(scope, found)
    assert len(page) == count
    assert len(seen) == (2 if alias == "default" else 4)


def test_a_new_engine_asks_nothing_by_itself(alias):
    from energycore_django.bridge import engine_over

    with transaction.atomic(using=alias), CaptureQueriesContext(connections[alias]) as seen:
        engine = engine_over(alias)
        with engine.connect() as connection, connection.begin():
            assert connection.execute(text("SELECT 1")).scalar() == 1
    assert len(seen) == 1


def test_reads_see_one_moment(postgresql_alias, scope):
    """Outside of a block of the caller's, which has its own isolation."""
    storage = DjangoStorage(postgresql_alias)
    device_id = add_device(storage, scope).id
    own = connections[postgresql_alias].settings_dict
    with storage.transaction(write=False) as work:
        assert len(work.telemetry.read(scope, [device_id], **ALWAYS)) == 0
        with psycopg.connect(
            dbname=own["NAME"], host=own["HOST"] or None, user=own["USER"], port=own["PORT"] or None
        ) as other:
            other.execute(
                "INSERT INTO energycore_setting VALUES (%s, 'during', 'x')", (scope.tenant,)
            )
        assert work.settings.get(scope, "during") is None
    with storage.transaction(write=False) as work:
        assert work.settings.get(scope, "during") == "x"


def test_a_commit_is_told_once_and_a_rollback_never(alias, storage, scope, device_id):
    told = []

    def listen(alias, **_):
        told.append((alias, stored(storage, scope, device_id)))

    committed.connect(listen)
    try:
        with transaction.atomic(using=alias):
            append(storage, scope, readings((device_id, 0, 1, None)))
            assert told == []
        with pytest.raises(Undo), transaction.atomic(using=alias):
            append(storage, scope, readings((device_id, 1_000, 1, None)))
            raise Undo
        stored(storage, scope, device_id)
    finally:
        committed.disconnect(listen)
    assert told == [(alias, 1)]


def test_a_router_says_which_database_it_is(sqlite_alias, postgresql_alias, scope):
    storage = DjangoStorage()
    for alias in (sqlite_alias, postgresql_alias):
        with override_settings(DATABASE_ROUTERS=[f"tests.django.routers.To_{alias}"]):
            device_id = add_device(storage, scope).id
            with DjangoStorage(alias).transaction(write=False) as work:
                assert list(work.devices.get_many(scope, [device_id])) == [device_id]


def test_unreachable_databases_are_unavailable(postgresql_alias, scope):
    connection = connections[postgresql_alias]
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = 1
    try:
        with pytest.raises(StorageUnavailable) as caught:
            stored(DjangoStorage(postgresql_alias), scope, 1)
        assert isinstance(caught.value.__cause__, DatabaseError)
    finally:
        connection.settings_dict["PORT"] = port


def test_a_closed_storage_is_used_no_more(alias, scope):
    storage = DjangoStorage(alias)
    storage.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        append(storage, scope, ReadingBatch.empty())


def test_the_first_energy_of_a_tenant_costs_two_statements_and_the_next_none(alias):
    """Its clock and its archive are read once each."""
    tenant = new_scope().tenant
    with (
        override_settings(DATABASE_ROUTERS=[f"tests.django.routers.To_{alias}"]),
        transaction.atomic(using=alias),
    ):
        for wanted in (2, 0):
            with CaptureQueriesContext(connections[alias]) as seen:
                energy(tenant)
            asked = [query["sql"] for query in seen.captured_queries]
            assert len([sql for sql in asked if "energycore_setting" in sql]) == wanted
            assert len([sql for sql in asked if "SAVEPOINT" not in sql]) == wanted
