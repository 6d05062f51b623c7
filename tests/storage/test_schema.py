"""The tables: made for new databases, held to the migrations, refused in other versions."""

import re
from contextlib import closing
from threading import Barrier, Thread

import attrs
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, create_engine, inspect, text

from energycore.errors import EnergycoreError, SchemaOutdated
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.telemetry import ReadingDay, ZoneVersion
from energycore.protocols.versions import series_version
from energycore.storage.sql import SqlStorage, migrate, open_sql_storage
from energycore.storage.sql.engine import parse_url
from energycore.storage.sql.schema import HEAD, MIGRATIONS, VERSION_TABLE, move, version
from energycore.storage.sql.tables import METADATA
from energycore.telemetry.series import BEGINNING_US, GapPolicy
from energycore.telemetry.tiers import US_PER_DAY
from energycore.testing.contract import ALL_DAYS, ALWAYS, add_device, new_scope, readings, rows_of

TABLES = METADATA.tables


def test_the_migrations_make_the_tables_that_the_code_uses(sql_url):
    """Columns, references and indexes; keys are compared below."""
    with closing(open_sql_storage(sql_url)) as storage:
        add_readings(storage)
        with storage.engine.connect() as connection:
            partitions = partitions_of(connection)
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": VERSION_TABLE,
                    "compare_type": True,
                    "compare_server_default": True,
                    "include_name": lambda name, kind, parents: (
                        kind != "table" or name not in partitions
                    ),
                },
            )
            assert compare_metadata(context, METADATA) == []


def test_the_migrations_make_the_keys_that_the_code_uses(sql_url):
    """But for the readings of PostgreSQL, whose key is ordered for reading one device."""
    wanted = {name: list(table.primary_key.columns.keys()) for name, table in TABLES.items()}
    with closing(open_sql_storage(sql_url)) as storage:
        if storage.engine.dialect.name == "postgresql":
            wanted["energycore_reading"] = ["device_id", "at_us", "tenant_id"]
        found = {
            name: inspect(storage.engine).get_pk_constraint(name)["constrained_columns"]
            for name in TABLES
        }
    assert found == wanted


def test_readings_are_partitioned_by_utc_day_in_postgresql(postgresql_url):
    """No partition takes what belongs to none: a day can always be attached."""
    with closing(open_sql_storage(postgresql_url)) as storage:
        add_readings(storage, -1, US_PER_DAY)
        with storage.engine.connect() as connection:
            key = text("SELECT pg_get_partkeydef('energycore_reading'::regclass)")
            assert connection.scalar(key) == "RANGE (at_us)"
            assert partitions_of(connection) == {
                "energycore_reading_d19691231": (-US_PER_DAY, 0),
                "energycore_reading_d19700102": (US_PER_DAY, 2 * US_PER_DAY),
            }


def add_readings(storage, *instants):
    """Store a reading of a new device at each of these instants, by default at one."""
    scope = new_scope()
    device_id = add_device(storage, scope).id
    with storage.transaction(write=True) as work:
        work.telemetry.append(
            scope, readings(*((device_id, at_us, 1, None) for at_us in instants or (0,)))
        )


def partitions_of(connection):
    """The partitions of the table of readings with their ranges; none on SQLite."""
    if connection.dialect.name == "sqlite":
        return {}
    query = text(
        "SELECT relname, pg_get_expr(relpartbound, pg_class.oid) FROM pg_inherits"
        " JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'energycore_reading'::regclass"
    )
    return {
        name: tuple(int(number) for number in re.findall(r"'(-?\d+)'", bound))
        for name, bound in connection.execute(query)
    }


def test_the_migrations_make_the_same_sqlite_tables_to_the_letter(sqlite_url, tmp_path):
    """Also what alembic does not compare: AUTOINCREMENT, WITHOUT ROWID and partial indexes.

    Only a column that was added later stands in another place.
    """
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    METADATA.create_all(plain)
    with closing(open_sql_storage(sqlite_url)) as storage:
        assert definitions(storage.engine) == definitions(plain)
    plain.dispose()


def definitions(engine):
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    with engine.connect() as connection:
        return {
            name: parts_of(sql) for name, sql in connection.execute(query) if name != VERSION_TABLE
        }


def parts_of(sql):
    """What a definition begins with, the parts between its outer brackets, and how it ends."""
    begin, _, rest = sql.partition("(")
    inner, _, end = rest.rpartition(")")
    parts = re.split(r",(?![^(]*\))", inner)
    return [begin.split(), *sorted(part.split() for part in parts), end.split()]


def test_names_compare_by_code_point_in_postgresql(postgresql_url):
    collation = text(
        "SELECT collation_name FROM information_schema.columns"
        " WHERE table_name = 'energycore_device' AND column_name = 'name_key'"
    )
    with (
        closing(open_sql_storage(postgresql_url)) as storage,
        storage.connection(write=False) as connection,
    ):
        assert connection.execute(collation).scalar_one() == "C"


def test_the_newest_migration_is_the_one_that_the_code_expects():
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_every_table_of_a_tenants_data_has_the_tenant_in_its_keys():
    for table in TABLES.values():
        assert "tenant_id" in table.columns, table.name
        keys = [
            list(constraint.columns.keys())
            for constraint in table.constraints
            if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
        ]
        keys += [list(index.columns.keys()) for index in table.indexes]
        keys += [list(key.column_keys) for key in table.foreign_key_constraints]
        assert [key for key in keys if "tenant_id" not in key] in ([], [["id"]]), table.name


def test_a_new_database_is_made_and_kept_when_it_is_opened_again(sql_url):
    scope = new_scope()
    with closing(open_sql_storage(sql_url)) as storage:
        record = add_device(storage, scope, tags=("a",))
    with (
        closing(open_sql_storage(sql_url)) as storage,
        storage.transaction(write=False) as work,
    ):
        assert work.devices.get_many(scope, [record.id]) == {record.id: record}


def test_tables_of_others_in_the_database_are_left_alone(sql_url):
    with closing(SqlStorage(parse_url(sql_url))) as storage:
        with storage.connection(write=True) as connection:
            connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
        with closing(open_sql_storage(sql_url)):
            pass
        assert "theirs" in inspect(storage.engine).get_table_names()


def test_several_that_open_a_new_database_at_once_all_get_it(sql_url):
    barrier, failures = Barrier(4), []

    def open_it():
        barrier.wait()
        try:
            with (
                closing(open_sql_storage(sql_url)) as storage,
                storage.transaction(write=False) as work,
            ):
                assert work.devices.count(new_scope(), DeviceFilter()) == 0
        except EnergycoreError as error:
            failures.append(error)

    threads = [Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def stand_at(url, revision):
    with closing(open_sql_storage(url)) as storage, storage.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {VERSION_TABLE} SET version_num = :revision"), {"revision": revision}
        )


def test_a_newer_database_is_refused_with_what_to_run(sql_url):
    stand_at(sql_url, "9999")
    for act in (open_sql_storage, migrate):
        with pytest.raises(SchemaOutdated, match="pip install --upgrade energycore") as refused:
            act(sql_url)
        assert "\n" not in str(refused.value)


def test_an_older_database_is_refused_with_what_to_run(sqlite_url, monkeypatch):
    """A package that is one migration ahead is played by a database of the one we have."""
    with closing(open_sql_storage(sqlite_url)):
        pass
    monkeypatch.setattr("energycore.storage.sql.schema.HEAD", "9999")
    with pytest.raises(SchemaOutdated, match=f"run energycore migrate {re.escape(sqlite_url)}"):
        open_sql_storage(sqlite_url)


def test_migrating_an_empty_database_makes_it_and_again_does_nothing(sql_url):
    assert migrate(sql_url)
    assert not migrate(sql_url)
    with closing(open_sql_storage(sql_url)):
        pass


def test_tables_that_somebody_else_made_are_not_taken_over(sqlite_url):
    with closing(open_sql_storage(sqlite_url)) as storage, storage.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    with pytest.raises(SchemaOutdated, match="a database or a schema of its own"):
        open_sql_storage(sqlite_url)


def go_to(storage, revision):
    """Migrate to a revision, forwards or back."""
    with storage.connection(write=True) as connection:
        move(connection, version(connection), revision)


def test_the_migrations_can_be_taken_back(sql_url):
    with closing(open_sql_storage(sql_url)) as storage:
        add_readings(storage)
        go_to(storage, None)
        assert set(inspect(storage.engine).get_table_names()) == {VERSION_TABLE}


FIRST_TABLES = """
INSERT INTO energycore_site (id, tenant_id, name, time_zone, registered_at_us, version)
VALUES (1, 'us', 'Home', 'Europe/Berlin', 5, 1), (2, 'them', 'Shed', 'UTC', 5, 1);
INSERT INTO energycore_device (id, tenant_id, site_id, name, name_key, kind, ratings,
    largest_power_w, capacity_mwh, noise_key, has_own_noise_key, is_active, data_source,
    max_gap_us, registered_at_us, simulated_from_us, version)
VALUES
    (1, 'us', 1, 'A', 'a', 'solar_panel', '{"rated_power_w": 5.0}', 5, NULL, 0, false, true,
     'simulated', 60000000, 1000, 0, 1),
    (2, 'us', NULL, 'B', 'b', 'solar_panel', '{"rated_power_w": 5.0}', 5, 7, 0, false, false,
     'reported', 70000000, 1000, 0, 1),
    (3, 'them', 2, 'A', 'a', 'solar_panel', '{"rated_power_w": 5.0}', 5, NULL, 0, false, true,
     'simulated', 60000000, 1000, 0, 1),
    (4, 'them', 2, 'silent', 'silent', 'solar_panel', '{"rated_power_w": 5.0}', 5, NULL, 0, false,
     true, 'simulated', 60000000, 1000, 0, 1);
INSERT INTO energycore_reading (tenant_id, at_us, device_id, power_mw, stored_mwh)
VALUES ('us', -86400000000, 1, 1, NULL), ('us', -1, 1, 2, 3), ('us', 86400000000, 2, 4, 5),
    ('them', 0, 3, 6, NULL), ('them', 999, 3, 7, NULL);
"""
ROWS = [
    (1, -US_PER_DAY, 1, None),
    (1, -1, 2, 3),
    (2, US_PER_DAY, 4, 5),
    (3, 0, 6, None),
    (3, 999, 7, None),
]
US, THEM = Scope("us"), Scope("them")


@pytest.fixture
def first_url(sql_url):
    """A database of the first version with devices and readings."""
    with closing(SqlStorage(parse_url(sql_url))) as storage:
        go_to(storage, "0001")
        with storage.connection(write=True) as connection:
            for statement in FIRST_TABLES.split(";\n"):
                connection.exec_driver_sql(statement)
    return sql_url


def test_a_database_of_the_first_version_keeps_its_readings(first_url):
    """They are found, by their days as well, and others can be added to those days."""
    with pytest.raises(SchemaOutdated, match="run energycore migrate"):
        open_sql_storage(first_url)
    assert migrate(first_url)
    with (
        closing(open_sql_storage(first_url)) as storage,
        storage.transaction(write=True) as work,
    ):
        mine = rows_of(work.telemetry.read(US, [1, 2, 3], **ALWAYS))
        theirs = rows_of(work.telemetry.read(THEM, [1, 2, 3], **ALWAYS))
        days = [work.telemetry.days(scope, **ALL_DAYS) for scope in (US, THEM)]
        batch = readings((1, -5, 1, None), (1, -1, 2, 3), (1, US_PER_DAY, 1, 1))
        assert work.telemetry.append(US, batch).accepted == 2
    assert mine + theirs == ROWS
    assert [[day.day for day in found] for found in days] == [[-1, 1], [0]]
    usual = ReadingDay(day=0, has_rows=True, file=None, is_lost=False, revision=0)
    assert list(days[1]) == [usual]


def test_series_of_the_first_version_begin_with_the_registration_or_a_reading_before(first_url):
    """They say what holds of the devices now; zones hold from the beginning."""
    migrate(first_url)
    with (
        closing(open_sql_storage(first_url)) as storage,
        storage.transaction(write=False) as work,
    ):
        devices = {
            **work.devices.get_many(US, [1, 2]),
            **work.devices.get_many(THEM, [3, 4]),
        }
        mine, theirs = work.series.table(US), work.series.table(THEM)
        zones = {**work.series.zones(US), **work.series.zones(THEM)}
    assert {record.gap_policy for record in devices.values()} == {GapPolicy.HOLD}
    begins = {1: -US_PER_DAY, 2: 1_000, 3: 0, 4: 1_000}
    assert {
        device_id: table.versions(device_id)
        for table in (mine, theirs)
        for device_id in table.device_ids
    } == {
        # The row says 7 mWh, which no panel has: it is the row that is taken over.
        device_id: [
            attrs.evolve(
                series_version(record, begins[device_id]),
                capacity_mwh=7 if device_id == 2 else None,
            )
        ]
        for device_id, record in devices.items()
    }
    assert zones == {
        1: [ZoneVersion(valid_from_us=BEGINNING_US, time_zone="Europe/Berlin")],
        2: [ZoneVersion(valid_from_us=BEGINNING_US, time_zone="UTC")],
    }


def test_readings_survive_the_way_back_to_the_first_version(first_url):
    migrate(first_url)
    with closing(SqlStorage(parse_url(first_url))) as storage:
        go_to(storage, "0001")
        with storage.connection(write=False) as connection:
            query = "SELECT device_id, at_us, power_mw, stored_mwh FROM energycore_reading"
            assert sorted(connection.exec_driver_sql(query)) == ROWS
        go_to(storage, HEAD)
    with closing(open_sql_storage(first_url)) as storage, storage.transaction(write=False) as work:
        assert rows_of(work.telemetry.read(THEM, [3], **ALWAYS)) == ROWS[3:]
