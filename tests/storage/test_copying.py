"""Rows that reach PostgreSQL in binary form: the right bytes, all or none, each key once."""

from contextlib import closing
from threading import Barrier, Thread

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text

from energycore.errors import Conflict, StorageUnavailable
from energycore.protocols.telemetry import ConflictPolicy
from energycore.quantities.units import MISSING
from energycore.storage.memory import MemoryStorage
from energycore.storage.sql import open_sql_storage, session
from energycore.storage.sql.copying import encoded, tuples
from energycore.storage.sql.keyed import KeyedBatch
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import bucket, ledger, reading
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY
from energycore.testing.contract import LAW, add_device, new_device, new_scope, panel
from energycore.testing.days import DayContract
from energycore.testing.telemetry import TelemetryContract

INT63 = st.integers(-(2**63) + 1, 2**63 - 1)
TENANTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)
PIECE = 1 << 16
MANY = 3_000


class TestManyAtOnce(TelemetryContract, DayContract):
    """What is promised of readings holds as well where each batch counts as a large one."""

    @pytest.fixture(autouse=True)
    def _everything_is_large(self, monkeypatch):
        for module in ("storing", "ledger"):
            monkeypatch.setattr(f"energycore.storage.sql.{module}.LARGE", 1)

    @pytest.fixture
    def storage(self, sql_storage):
        return sql_storage


def columns_of(tenant, rows):
    """Columns of readings; `None` as stored energy is NULL."""
    numbers = [[MISSING if value is None else value for value in row] for row in rows]
    at_us, device_id, power_mw, stored_mwh = np.array(numbers, dtype=np.int64).reshape(-1, 4).T
    return {
        "tenant_id": tenant,
        "at_us": at_us,
        "device_id": device_id,
        "power_mw": power_mw,
        "stored_mwh": stored_mwh,
    }


@pytest.fixture(scope="module")
def plain(postgresql_server):
    """A connection with a table like that of readings, but without keys and partitions."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgresql_server.replace("+psycopg", "", 1)) as connection:
        connection.execute(
            "CREATE TEMP TABLE plain (tenant_id text, at_us bigint, device_id bigint,"
            " power_mw bigint, stored_mwh bigint)"
        )
        yield connection


@LAW
@hypothesis.given(TENANTS, st.lists(st.tuples(INT63, INT63, INT63, st.none() | INT63), min_size=1))
def test_the_bytes_are_those_that_postgresql_writes_itself(plain, tenant, rows):
    plain.execute("TRUNCATE plain")
    with plain.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO plain VALUES (%s, %s, %s, %s, %s)", [(tenant, *row) for row in rows]
        )
        with cursor.copy("COPY plain TO STDOUT (FORMAT BINARY)") as copy:
            expected = b"".join(copy)
    assert b"".join(encoded(reading, columns_of(tenant, rows))) == expected


@pytest.mark.parametrize("count", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 1])
def test_pieces_are_cut_between_rows(count):
    rows = [(at_us, 7, -at_us, at_us if at_us % 3 else None) for at_us in range(count)]
    columns = columns_of("a", rows)
    head, *pieces, tail = encoded(reading, columns)
    whole = b"".join(pieces)
    assert (len(head), len(tail), len(pieces)) == (19, 2, -(-count // PIECE))
    absent = -(-count // 3)
    assert len(whole) == count * (2 + 5 + 4 * 12) - absent * 8
    found = [row for piece in tuples(reading, columns) for row in piece]
    assert found == [("a", *row) for row in rows]


def test_narrow_columns_and_numbers_of_all_rows_are_written_in_their_width(postgresql_storage):
    scope = new_scope()
    own = {
        column.name: np.arange(3, dtype=np.int64) - 1
        for column in bucket.columns
        if column.name not in {"tenant_id", "tier", "kind"}
    }
    with postgresql_storage.connection(write=True) as connection:
        Session(connection, write=True).load(
            bucket, {"tenant_id": scope.tenant, "tier": 2, "kind": -1, **own}
        )
        rows = connection.execute(
            bucket.select().where(bucket.c.tenant_id == scope.tenant).order_by(bucket.c.start_us)
        ).all()
    width = len(bucket.columns) - 3
    assert rows == [(scope.tenant, 2, -1, *[value] * width) for value in (-1, 0, 1)]


def test_a_taken_key_is_a_conflict_that_a_savepoint_makes_good(sql_storage):
    scope = new_scope()
    device_id = add_device(sql_storage, scope).id
    columns = columns_of(scope.tenant, [(0, device_id, 1, None), (1_000, device_id, 1, None)])
    with sql_storage.transaction(write=True) as work:
        work.telemetry.append(scope, grid([device_id], [1_000]))
    with sql_storage.connection(write=True) as connection:
        own = Session(connection, write=True)
        with pytest.raises(Conflict), own.savepoint():
            own.load(reading, columns)
        found = reading.select().where(reading.c.tenant_id == scope.tenant)
        assert len(connection.execute(found).all()) == 1


def grid(ids, instants, power_mw=1):
    """A reading of each device at each instant."""
    count = len(ids) * len(instants)
    return ReadingBatch(
        device_id=np.tile(np.array(ids, dtype=np.int64), len(instants)),
        at_us=np.repeat(np.array(instants, dtype=np.int64), len(ids)),
        power_mw=np.full(count, power_mw, dtype=np.int64),
        stored_mwh=np.full(count, MISSING, dtype=np.int64),
    )


def shuffled(batch):
    assert len(batch) % 7_919
    return batch.take(np.arange(len(batch)) * 7_919 % len(batch))


@pytest.mark.parametrize("policy", ConflictPolicy)
def test_large_batches_end_as_they_do_in_memory(sql_storage, policy):
    """Over three days, with repetitions inside and outside, other values and earlier instants."""
    scope = new_scope()
    instants = range(US_PER_DAY - 40_000_000, 2 * US_PER_DAY + 40_000_000, 40_000_000)
    with closing(MemoryStorage()) as memory:
        answers = []
        for storage in (sql_storage, memory):
            with storage.transaction(write=True) as work:
                ids = [work.devices.add(scope, new_device(panel(name))).id for name in "ab"]
            batches = [
                grid(ids, instants[: MANY // 2]),
                grid(ids, instants[: MANY // 2]),
                shuffled(grid(ids, instants[::2], power_mw=2)),
                ReadingBatch.concatenate([grid(ids, instants, 3), grid(ids, instants, 4)]),
                grid(ids, instants[: MANY // 2]),
            ]
            told: list[object] = []
            with storage.transaction(write=True) as work:
                work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
            for batch in batches:
                with storage.transaction(write=True) as work:
                    result = work.telemetry.append(scope, batch, policy=policy)
                told.append((result.accepted, result.duplicates, result.conflicts.tolist()))
            with storage.transaction(write=False) as work:
                found = work.telemetry.read(scope, ids, start_us=0, end_us=2**60)
                marks = work.rollups.marks(scope, start_day=-9, end_day=9)
                told.append(found.power_mw.tolist())
                told.append(found.at_us.tolist())
                told.append((marks.device_id - ids[0]).tolist())
                told.append(marks.day.tolist())
                told.append(list(work.telemetry.days(scope, start_day=-9, end_day=9)))
            answers.append(told)
    assert answers[0] == answers[1]
    assert answers[0][0] == (MANY // 2 * 2, 0, [])


def test_a_batch_whose_readings_were_replaced_is_not_known_any_more(sql_storage):
    """Delivered again it conflicts with what took its place."""
    scope = new_scope()
    device_id = add_device(sql_storage, scope).id
    batch = grid([device_id], range(0, MANY * 1_000, 1_000))
    answers = []
    for own, policy in (
        (batch, ConflictPolicy.REJECT),
        (grid([device_id], [5_000], power_mw=2), ConflictPolicy.LAST),
        (batch, ConflictPolicy.REJECT),
        (grid([device_id], [5_000]), ConflictPolicy.LAST),
        (batch, ConflictPolicy.REJECT),
    ):
        with sql_storage.transaction(write=True) as work:
            result = work.telemetry.append(scope, own, policy=policy)
        answers.append((result.accepted, result.duplicates, result.conflicts.tolist()))
    assert answers == [
        (MANY, 0, []),
        (0, 0, [0]),
        (0, MANY - 1, [5]),
        (0, 0, [0]),
        (0, MANY, []),
    ]


def test_batches_are_remembered_until_their_days_are_gone(sql_storage):
    scope = new_scope()
    device_id = add_device(sql_storage, scope).id
    days = range(3)
    with sql_storage.transaction(write=True) as work:
        for day in days:
            instants = range(day * US_PER_DAY, day * US_PER_DAY + MANY * 1_000, 1_000)
            work.telemetry.append(scope, grid([device_id], instants))
        work.rollups.advance(scope, rolled_us=9 * US_PER_DAY)
        for day in range(9):
            work.rollups.take_marks(scope, day)
    known = select(ledger.c.newest_us // US_PER_DAY).where(ledger.c.tenant_id == scope.tenant)
    left = []
    for day in days:
        with sql_storage.transaction(write=True) as work:
            assert work.telemetry.drop_day(scope, day, revision=1, file=None)
        with sql_storage.connection(write=False) as connection:
            left.append(sorted(connection.execute(known).scalars()))
    assert left == [[0, 1, 2], [1, 2], [2]]


def test_of_two_that_deliver_the_same_batch_at_once_one_is_told_that_all_are_duplicates(
    postgresql_storage,
):
    scope = new_scope()
    device_id = add_device(postgresql_storage, scope).id
    batch = grid([device_id], range(0, MANY * 1_000, 1_000))
    barrier, accepted = Barrier(2), []

    def deliver(own):
        barrier.wait()
        with postgresql_storage.transaction(write=True) as work:
            result = work.telemetry.append(scope, own)
        accepted.append((result.accepted, result.duplicates))

    threads = [Thread(target=deliver, args=(own,)) for own in (batch, shuffled(batch))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accepted) == [(0, MANY), (MANY, 0)]


def test_a_connection_that_is_cut_in_the_middle_leaves_nothing(postgresql_url, monkeypatch):
    scope = new_scope()
    killer = create_engine(postgresql_url)
    batch_us = range(0, 2 * PIECE * 1_000, 1_000)

    def cut_after_the_first_piece(table, columns):
        head, first, *others = encoded(table, columns)
        yield head
        yield first
        with killer.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        yield from others

    with closing(open_sql_storage(postgresql_url)) as storage:
        device_id = add_device(storage, scope).id
        with monkeypatch.context() as patched:
            patched.setattr(session, "encoded", cut_after_the_first_piece)
            with (
                pytest.raises(StorageUnavailable),
                storage.transaction(write=True) as work,
            ):
                work.telemetry.append(scope, grid([device_id], batch_us))
        with storage.transaction(write=True) as work:
            assert not len(work.telemetry.read(scope, [device_id], start_us=0, end_us=2**60))
            assert list(work.telemetry.days(scope, start_day=0, end_day=9)) == []
            assert work.telemetry.append(scope, grid([device_id], batch_us)).accepted == 2 * PIECE
    killer.dispose()


@LAW
@hypothesis.given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1))
def test_candidates_are_one_reading_of_each_key_the_first_or_the_last(keys):
    batch = ReadingBatch(
        device_id=np.array([key[0] for key in keys], dtype=np.int64),
        at_us=np.array([key[1] for key in keys], dtype=np.int64),
        power_mw=np.arange(len(keys), dtype=np.int64),
        stored_mwh=np.full(len(keys), MISSING, dtype=np.int64),
    )
    places = list(enumerate(keys))
    for policy, expected in (
        (ConflictPolicy.FIRST, {key: place for place, key in reversed(places)}),
        (ConflictPolicy.LAST, {key: place for place, key in places}),
    ):
        for by_device in (True, False):
            chosen = KeyedBatch.of(batch, by_device=by_device).candidates(policy)
            found = list(zip(chosen.device_id.tolist(), chosen.at_us.tolist(), strict=True))
            order = (lambda key: key) if by_device else (lambda key: key[::-1])
            assert found == sorted(expected, key=order)
            assert dict(zip(found, chosen.power_mw.tolist(), strict=True)) == expected
