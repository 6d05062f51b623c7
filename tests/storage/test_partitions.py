"""The partitions of PostgreSQL: made when needed or before, dropped with their day, never lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from threading import Barrier, Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from energycore.errors import InvalidValue, StorageUnavailable
from energycore.protocols.archive import ArchivedFile
from energycore.storage.sql import open_sql_storage
from energycore.storage.sql.partitions import Partitioning, partition_name
from energycore.telemetry.tiers import US_PER_DAY
from energycore.testing.contract import add_device, new_scope, readings, rows_of

DAY = 20_605
START_US = DAY * US_PER_DAY
LONG = {"start_us": -(2**60), "end_us": 2**60}
FILE = ArchivedFile(name="a/b.parquet", day=DAY, rows=1, size_bytes=1)
IN_ORDER = st.integers(-354_285, 2_932_896)
"""Days of the years 1000 to 9999."""


@pytest.fixture
def storage(postgresql_url):
    """A database of the test's own, with the plain partitions."""
    with closing(open_sql_storage(postgresql_url)) as storage:
        yield storage


def children(storage, of="energycore_reading"):
    """The partitions of a table with their bounds, in the order of their names."""
    query = text(
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class"
        " JOIN pg_inherits ON inhrelid = oid WHERE inhparent = CAST(:of AS regclass)"
        " ORDER BY relname"
    )
    with storage.connection(write=False) as connection:
        return [tuple(row) for row in connection.execute(query, {"of": of})]


def tables(storage):
    query = text("SELECT relname FROM pg_class WHERE relname LIKE 'energycore_reading\\_d20%'")
    with storage.connection(write=False) as connection:
        return set(connection.execute(query).scalars())


def prepare(storage, start_day, end_day):
    with storage.transaction(write=True) as work:
        work.telemetry.prepare(new_scope(), start_day=start_day, end_day=end_day)


def settle(storage, scope, device_id, *days):
    """Store a reading on each of these days, and let the totals hold all of them."""
    with storage.transaction(write=True) as work:
        batch = readings(*((device_id, day * US_PER_DAY, day, None) for day in days))
        work.telemetry.append(scope, batch)
        work.rollups.advance(scope, rolled_us=(max(days) + 2) * US_PER_DAY)
        for day in range(min(days), max(days) + 3):
            work.rollups.take_marks(scope, day)


def drop(storage, scope, day=DAY, revision=1, file=FILE):
    with storage.transaction(write=True) as work:
        return work.telemetry.drop_day(scope, day, revision=revision, file=file)


def stored(storage, scope, device_id):
    with storage.transaction(write=False) as work:
        return rows_of(work.telemetry.read(scope, [device_id], **LONG))


@given(IN_ORDER, IN_ORDER)
def test_names_of_partitions_are_in_the_order_of_their_days(one, other):
    assert (partition_name(one) < partition_name(other)) == (one < other)
    assert partition_name(0) == "energycore_reading_d19700101"


@given(st.lists(st.integers(-(2**31), 2**31), unique=True))
def test_every_day_has_a_name_of_its_own(days):
    assert len({partition_name(day) for day in days}) == len(days)


def test_room_is_made_for_days_ahead_of_need(storage):
    prepare(storage, DAY, DAY + 2)
    days = [(DAY + place) * US_PER_DAY for place in range(4)]
    bounds = [f"FOR VALUES FROM ('{one}') TO ('{next_}')" for one, next_ in pairwise(days)]
    names = [f"energycore_reading_d202606{day}" for day in ("01", "02", "03")]
    expected = list(zip(names, bounds, strict=True))
    assert children(storage) == expected[:2]
    prepare(storage, DAY + 1, DAY + 3)
    assert children(storage) == expected
    prepare(storage, DAY, DAY)
    assert children(storage) == expected


def test_readings_of_several_days_make_the_partitions_that_are_missing(storage):
    scope = new_scope()
    device_id = add_device(storage, scope).id
    prepare(storage, DAY + 1, DAY + 2)
    rows = [
        (device_id, at_us, 1, None)
        for at_us in range(START_US - 1, START_US + 3 * US_PER_DAY)[:: US_PER_DAY // 2]
    ]
    with storage.transaction(write=True) as work:
        assert work.telemetry.append(scope, readings(*rows)).accepted == 7
    assert [name[-4:] for name, _ in children(storage)] == ["0531", "0601", "0602", "0603"]
    assert stored(storage, scope, device_id) == rows


def test_the_first_and_the_last_day_of_all_have_room(storage):
    """Their bounds would be no numbers of 64 bits."""
    scope = new_scope()
    device_id = add_device(storage, scope).id
    rows = [(device_id, at_us, 1, None) for at_us in (-(2**63) + 1, 2**63 - 1)]
    with storage.transaction(write=True) as work:
        work.telemetry.append(scope, readings(*rows))
    bounds = [bound for _, bound in children(storage)]
    assert sum("MINVALUE" in bound for bound in bounds) == 1
    assert sum("MAXVALUE" in bound for bound in bounds) == 1


def test_days_can_be_parted_by_device_and_have_a_block_range_index(postgresql_url):
    scope = new_scope()
    how = Partitioning(hash_parts=3, brin=True)
    name = partition_name(DAY)
    with closing(open_sql_storage(postgresql_url, partitioning=how)) as storage:
        ids = [add_device(storage, scope, external_id=str(number)).id for number in range(1)]
        settle(storage, scope, ids[0], DAY)
        assert [child for child, _ in children(storage, name)] == [f"{name}_p{n}" for n in range(3)]
        with storage.connection(write=False) as connection:
            indexes = connection.execute(
                text("SELECT indexdef FROM pg_indexes WHERE tablename = :name"),
                {"name": f"{name}_p0"},
            ).scalars()
            kinds = sorted(index.split(" USING ")[1] for index in indexes)
        assert kinds == ["brin (at_us)", "btree (device_id, at_us, tenant_id)"]
        assert stored(storage, scope, ids[0]) == [(ids[0], START_US, DAY, None)]
        assert drop(storage, scope)
        assert tables(storage) == set()


def test_new_partitions_are_made_in_the_new_way_beside_the_old_ones(postgresql_url):
    for place, parts in enumerate((0, 2)):
        how = Partitioning(hash_parts=parts)
        with closing(open_sql_storage(postgresql_url, partitioning=how)) as storage:
            prepare(storage, DAY, DAY + 1 + place)
            assert len(children(storage)) == 1 + place
            assert len(children(storage, partition_name(DAY))) == 0
    with closing(open_sql_storage(postgresql_url)) as storage:
        assert len(children(storage, partition_name(DAY + 1))) == 2


@pytest.mark.parametrize("parts", [-1, 1_025])
def test_no_day_has_less_than_no_parts_or_too_many(parts):
    with pytest.raises(InvalidValue, match="hash_parts must be from 0 to 1024"):
        Partitioning(hash_parts=parts)


def test_several_tenants_that_need_the_same_new_day_at_once_all_get_it(storage):
    scopes = [new_scope() for _ in range(4)]
    ids = [add_device(storage, scope).id for scope in scopes]
    barrier = Barrier(4)

    def begin_the_day(scope, device_id):
        barrier.wait()
        with storage.transaction(write=True) as work:
            batch = readings((device_id, START_US, 1, None))
            return work.telemetry.append(scope, batch).accepted

    with ThreadPoolExecutor() as threads:
        assert list(threads.map(begin_the_day, scopes, ids)) == [1, 1, 1, 1]
    assert len(children(storage)) == 1


def test_a_day_that_only_its_tenant_has_goes_with_its_partition(storage):
    scope = new_scope()
    device_id = add_device(storage, scope).id
    settle(storage, scope, device_id, DAY, DAY + 1)
    assert drop(storage, scope)
    assert [name for name, _ in children(storage)] == [partition_name(DAY + 1)]
    assert stored(storage, scope, device_id) == [(device_id, START_US + US_PER_DAY, DAY + 1, None)]


def test_a_day_that_another_tenant_has_too_stays_for_that_one(storage):
    mine, theirs = new_scope(), new_scope()
    ids = {scope: add_device(storage, scope).id for scope in (mine, theirs)}
    for scope, device_id in ids.items():
        settle(storage, scope, device_id, DAY)
    assert drop(storage, mine)
    assert stored(storage, mine, ids[mine]) == []
    assert stored(storage, theirs, ids[theirs]) == [(ids[theirs], START_US, DAY, None)]
    assert drop(storage, theirs)
    assert children(storage) == []


def test_a_day_that_another_tenant_begins_while_it_is_dropped_keeps_the_new_readings(storage):
    mine, theirs = new_scope(), new_scope()
    own, other = (add_device(storage, scope).id for scope in (mine, theirs))
    settle(storage, mine, own, DAY)
    stored_there, may_commit = Event(), Event()

    def begin_the_day():
        with storage.transaction(write=True) as work:
            work.telemetry.append(theirs, readings((other, START_US + 7_000, 1, None)))
            stored_there.set()
            may_commit.wait(10)

    with ThreadPoolExecutor() as threads:
        begun = threads.submit(begin_the_day)
        stored_there.wait(10)
        dropped = threads.submit(drop, storage, mine)
        wait_for_locks(storage, 1)
        may_commit.set()
        begun.result()
        assert dropped.result()
    assert stored(storage, mine, own) == []
    assert stored(storage, theirs, other) == [(other, START_US + 7_000, 1, None)]


def test_readings_that_come_while_their_day_is_dropped_make_its_partition_again(storage):
    mine, theirs = new_scope(), new_scope()
    ids = {scope: add_device(storage, scope).id for scope in (mine, theirs)}
    settle(storage, mine, ids[mine], DAY)

    def come_late(scope):
        with storage.transaction(write=True) as work:
            late = readings((ids[scope], START_US + 7_000, 1, None))
            return work.telemetry.append(scope, late).accepted

    with ThreadPoolExecutor() as threads:
        with storage.transaction(write=True) as work:
            assert work.telemetry.drop_day(mine, DAY, revision=1, file=FILE)
            late = [threads.submit(come_late, scope) for scope in (mine, theirs)]
            wait_for_locks(storage, 2)
        assert [one.result() for one in late] == [1, 1]
    for scope, device_id in ids.items():
        assert stored(storage, scope, device_id) == [(device_id, START_US + 7_000, 1, None)]


def wait_for_locks(storage, count):
    """Until so many connections wait for another one."""
    waiting = text(
        "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    with storage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(waiting).scalar_one() < count:
            pass


def test_who_began_before_a_day_was_dropped_is_not_told_that_it_had_no_readings(storage):
    """Its rows are gone for that transaction too, which still sees that the day has some."""
    scope = new_scope()
    device_id = add_device(storage, scope).id
    settle(storage, scope, device_id, DAY, DAY + 2)
    with storage.transaction(write=False) as work:
        (day,) = work.telemetry.days(scope, start_day=DAY, end_day=DAY + 1)
        assert drop(storage, scope)
        assert day.has_rows
        with pytest.raises(StorageUnavailable, match="try again"):
            work.telemetry.read(scope, [device_id], **LONG)
        later = work.telemetry.read(
            scope, [device_id], start_us=START_US + US_PER_DAY, end_us=2**62
        )
        assert len(later) == 1
    assert len(stored(storage, scope, device_id)) == 1


@pytest.fixture
def impatient(storage, postgresql_url):
    """The same database for somebody who waits for nobody; after `storage` has made the tables."""
    option = "options=-c%20lock_timeout%3D50ms"
    url = f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}{option}"
    with closing(open_sql_storage(url)) as other:
        yield other


def test_waiting_for_readers_when_a_partition_is_dropped_ends(storage, impatient):
    scope = new_scope()
    device_id = add_device(storage, scope).id
    settle(storage, scope, device_id, DAY)
    with storage.transaction(write=False) as work:
        work.telemetry.read(scope, [device_id], **LONG)
        with pytest.raises(StorageUnavailable):
            drop(impatient, scope)
    assert len(stored(storage, scope, device_id)) == 1
    assert drop(impatient, scope)


def test_a_day_that_others_have_too_is_emptied_while_they_read_it(storage, impatient):
    mine, theirs = new_scope(), new_scope()
    ids = {scope: add_device(storage, scope).id for scope in (mine, theirs)}
    for scope, device_id in ids.items():
        settle(storage, scope, device_id, DAY)
    with storage.transaction(write=False) as work:
        assert len(work.telemetry.read(theirs, [ids[theirs]], **LONG)) == 1
        assert drop(impatient, mine)
    assert stored(storage, mine, ids[mine]) == []


def test_a_partition_that_somebody_took_away_is_no_conflict(storage):
    scope = new_scope()
    device_id = add_device(storage, scope).id
    settle(storage, scope, device_id, DAY)
    with storage.connection(write=True) as connection:
        connection.execute(text(f"DROP TABLE {partition_name(DAY)}"))
    for count in (1, 3_000):
        batch = readings(*((device_id, START_US + row * 1_000, 1, None) for row in range(count)))
        with (
            pytest.raises(StorageUnavailable, match="no partition"),
            storage.transaction(write=True) as work,
        ):
            work.telemetry.append(scope, batch)
