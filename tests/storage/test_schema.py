"""The tables: made for new databases, held to the migrations, refused in other versions."""

import re
from contextlib import closing
from threading import Barrier, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, create_engine, inspect, text

from energycore.errors import EnergycoreError, SchemaOutdated
from energycore.protocols.records import DeviceFilter
from energycore.storage.sql import SqlStorage, migrate, open_sql_storage
from energycore.storage.sql.engine import parse_url
from energycore.storage.sql.schema import HEAD, MIGRATIONS, VERSION_TABLE
from energycore.storage.sql.tables import METADATA
from energycore.testing.contract import add_device, new_scope


def test_the_migrations_make_the_tables_that_the_code_uses(sql_url):
    with closing(open_sql_storage(sql_url)) as storage, storage.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_the_migrations_make_the_same_sqlite_tables_to_the_letter(sqlite_url, tmp_path):
    """Also what alembic does not compare: AUTOINCREMENT, WITHOUT ROWID and partial indexes."""
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    METADATA.create_all(plain)
    with closing(open_sql_storage(sqlite_url)) as storage:
        assert definitions(storage.engine) == definitions(plain)
    plain.dispose()


def definitions(engine):
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    with engine.connect() as connection:
        return {
            name: re.sub(r"\s+", " ", sql)
            for name, sql in connection.execute(query)
            if name != VERSION_TABLE
        }


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
    for table in METADATA.tables.values():
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


def test_the_migrations_can_be_taken_back(sql_url):
    from alembic import command
    from alembic.config import Config

    with closing(open_sql_storage(sql_url)) as storage:
        with storage.connection(write=True) as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
        assert set(inspect(storage.engine).get_table_names()) == {VERSION_TABLE}
