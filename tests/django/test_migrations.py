"""Django's migrations make energycore's own tables, and nobody migrates what another owns."""

import io
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import alembic.autogenerate
import pytest
from alembic.migration import MigrationContext
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.utils import IntegrityError
from sqlalchemy import Column, Integer, MetaData, create_engine, inspect

import energycore as ec
from energycore.errors import SchemaOutdated
from energycore.protocols.scope import Scope
from energycore.storage.sql import migrate, open_sql_storage, schema
from energycore.storage.sql.engine import make_engine, parse_url
from energycore.storage.sql.tables import METADATA
from energycore.wiring.connect import energy_over
from energycore_django.storage import DjangoStorage
from energycore_django.tables import MoveTables
from tests.django.conftest import database, of_url
from tests.support import postgresql

SCOPE = Scope("default")


@pytest.fixture
def new_sqlite(tmp_path):
    """An empty file as the project's database, and its URL."""
    path = tmp_path / "new.sqlite3"
    with database("default", NAME=str(path)) as alias:
        yield alias, f"sqlite:///{path}"


@pytest.fixture
def new_postgresql(postgresql_server):
    """An empty database as the project's, and its URL."""
    with (
        postgresql.new_database(postgresql_server) as url,
        database("postgresql", **of_url(url)) as alias,
    ):
        yield alias, url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request):
    """An empty database of each kind in turn."""
    return request.getfixturevalue(f"new_{request.param}")


def migrated(alias, target=None):
    """Migrate as a user does, and return what is printed."""
    out = io.StringIO()
    names = ("energycore", *([target] if target else []))
    call_command("migrate", *names, database=alias, stdout=out, verbosity=1)
    connections[alias].close()
    return out.getvalue()


def columns_of(url):
    with closing(make_engine(parse_url(url)).connect()) as connection:
        found = inspect(connection)
        return {
            table: [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)]
            for table in sorted(found.get_table_names())
            if table.startswith("energycore_") and "_d" not in table.removeprefix("energycore_")
        }


def test_no_migration_is_missing(sqlite_alias):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_both_ways_make_the_same_tables(new_database, tmp_path):
    alias, url = new_database
    migrated(alias)
    if alias == "default":
        other = f"sqlite:///{tmp_path / 'other.db'}"
        migrate(other)
        assert columns_of(url) == columns_of(other)
    with closing(open_sql_storage(url)) as storage, storage.connection(write=False) as connection:
        assert schema.version(connection) == schema.HEAD
        assert schema.is_of_django(connection)


def test_the_newest_migration_is_that_of_the_tables():
    graph = MigrationLoader(None).graph
    (leaf,) = graph.leaf_nodes("energycore")
    (both,) = graph.nodes[leaf].operations
    (move,) = both.database_operations
    assert isinstance(move, MoveTables)
    assert move.revision == schema.HEAD


def drift(metadata):
    """How tables that Django would make of the models differ from these."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        for statement in made_by_django():
            connection.exec_driver_sql(statement)
        context = MigrationContext.configure(connection, opts={"compare_type": same_kind})
        found = alembic.autogenerate.compare_metadata(context, metadata)
    engine.dispose()
    # Keys, references and indexes are made by our own migrations alone.
    kinds = ("column", "table", "modify")
    return [change for change in flat(found) if any(kind in change[0] for kind in kinds)]


def made_by_django():
    with database("default", NAME=":memory:") as alias:
        editor = connections[alias].schema_editor(collect_sql=True, atomic=False)
        editor.deferred_sql = []
        for model in apps.get_app_config("energycore").get_models():
            yield editor.table_sql(model)[0]


def flat(changes):
    for change in changes:
        yield from change if isinstance(change, list) else [change]


def same_kind(context, inspected, declared, there, wanted):
    """Whether the types are those of one kind of value: True if they differ."""
    shown = str(there).upper()
    dialect = context.dialect
    other = str(wanted.dialect_impl(dialect).compile(dialect)).upper()
    groups = [
        {"INTEGER", "BIGINT", "SMALLINT"},
        {"BOOLEAN", "BOOL"},
        {"DOUBLE", "REAL", "FLOAT"},
        {"JSON", "TEXT"},
        {"BLOB"},
    ]
    for group in groups:
        if other.split("(")[0] in group:
            return shown.split("(")[0] not in group
    return shown != other


def test_the_models_are_those_of_the_tables():
    assert drift(METADATA) == []


def test_a_planted_column_is_drift():
    """So is one of another kind, and a model that is missing."""
    planted = schema_copy()
    planted.tables["energycore_site"].append_column(Column("planted", Integer))
    assert [change[0] for change in drift(planted)] == ["add_column"]
    planted = schema_copy()
    table = planted.tables["energycore_site"]
    table.columns["name"].nullable = True
    assert [change[0] for change in drift(planted)] == ["modify_nullable"]


def schema_copy():
    copy = MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.tables.values():
        table.to_metadata(copy)
    return copy


def test_tables_of_energycore_are_handed_over_not_taken(new_database):
    alias, url = new_database
    migrate(url)
    with pytest.raises(CommandError, match=r"manage\.py migrate energycore --fake"):
        migrated(alias)
    call_command("migrate", "energycore", database=alias, fake=True, verbosity=0)
    assert "No migrations to apply" in migrated(alias)


def test_energycore_does_not_migrate_what_is_djangos(new_database):
    """It names the command that does; once that was run, it opens the database."""
    alias, url = new_database
    migrated(alias, "0001")
    for opened in (open_sql_storage, migrate):
        with pytest.raises(SchemaOutdated, match=r"manage\.py migrate energycore"):
            opened(url)
    migrated(alias)
    assert migrate(url) is False
    open_sql_storage(url).close()


def test_a_database_of_the_first_version_keeps_its_data(new_database):
    """And the way back is there as well."""
    alias, _ = new_database
    migrated(alias, "0001")
    row = (
        "INSERT INTO energycore_device (id, tenant_id, name, name_key, kind, ratings,"
        " largest_power_w, noise_key, has_own_noise_key, is_active, data_source, max_gap_us,"
        " registered_at_us, simulated_from_us, version) VALUES (1, 'default', 'Roof', 'roof',"
        """ 'solar_panel', '{"rated_power_w": 5.0}', 5, 7, false, true, 'reported', 60000000,"""
        " 0, 0, 1)"
    )
    reading = (
        "INSERT INTO energycore_reading (tenant_id, at_us, device_id, power_mw, stored_mwh)"
        " VALUES ('default', 86400000000, 1, 4, NULL)"
    )
    with connections[alias].cursor() as cursor:
        for statement in (row, reading):
            cursor.execute(statement)
    migrated(alias)
    with DjangoStorage(alias).transaction(write=False) as work:
        (day,) = work.telemetry.days(SCOPE, start_day=-9, end_day=9)
    assert day.day == 1
    connections[alias].close()
    migrated(alias, "0001")
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT device_id, at_us, power_mw FROM energycore_reading")
        assert cursor.fetchall() == [(1, 86_400_000_000, 4)]
    migrated(alias, "zero")
    assert [t for t in connections[alias].introspection.table_names() if "energycore_d" in t] == []


def test_a_project_of_the_first_release_keeps_its_data(new_sqlite):
    """Its tables and rows as they were then, brought to whatever is newest now."""
    alias, _ = new_sqlite
    frozen = Path(__file__).with_name("frozen_0002.sql").read_text(encoding="utf-8")
    connections[alias].ensure_connection()
    connections[alias].connection.executescript(frozen)
    migrated(alias)
    own = energy_over(DjangoStorage(alias), SCOPE)
    roof, wall = own.devices().items
    assert (roof.device, roof.tags) == (ec.SolarPanel(name="Roof", rated_power_w=5_000), ("south",))
    assert wall.device.name == "Wall"
    assert [site.site.name for site in own.sites().items] == ["Home"]
    start = datetime(2026, 5, 30, tzinfo=UTC)
    assert len(own.readings(roof, start, start + timedelta(days=1))) == 12
    (day,) = own.history(start, start + timedelta(hours=1), "day", of=roof).answer.buckets
    assert (day.reading_count, day.produced_wh, day.coverage) == (12, 550.0, 1.0)
    late = ec.NewReading(device_id=roof.id, at=start + timedelta(minutes=57), power_w=0.0)
    assert own.record([late]).accepted == 1
    own.upkeep(retain=False)
    (day,) = own.history(start, start + timedelta(hours=1), "day", of=roof).answer.buckets
    assert day.produced_wh == 550.0 - 1_100.0 * 3 / 60
    again = own.register(roof.device, external_id="roof")
    assert again.id == roof.id
    assert own.register(ec.Appliance(name="New", average_power_w=1)).id > wall.id


def test_sqlmigrate_says_what_does_it(sqlite_alias):
    out = io.StringIO()
    call_command("sqlmigrate", "energycore", "0002", stdout=out)
    assert "version 0002" in out.getvalue()


def test_flush_empties_every_table(new_database):
    """As TransactionTestCase does after each test."""
    alias, _ = new_database
    migrated(alias)
    call_command("migrate", database=alias, verbosity=0)
    storage = DjangoStorage(alias)
    own = energy_over(storage, SCOPE)
    site = own.register_site(ec.Site(name="Home"))
    own.register(ec.SolarPanel(name="Roof", rated_power_w=1), site=site, tags=["x"])
    own.tick()
    own.upkeep()
    call_command("flush", database=alias, interactive=False, verbosity=0)
    for model in apps.get_app_config("energycore").get_models():
        assert not model._default_manager.using(alias).exists(), model


def test_references_hold_at_the_end_of_a_transaction(new_sqlite):
    """On SQLite, where flush deletes in any order; a reference to nothing is still refused."""
    alias, _ = new_sqlite
    migrated(alias)
    tag = "INSERT INTO energycore_device_tag VALUES ('default', 9, 'x')"
    with pytest.raises(IntegrityError), transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(tag)
