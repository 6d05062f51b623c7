"""What the listener to statements takes for held to a tenant, and what it does not."""

import re

import pytest
from sqlalchemy import create_engine, text

from tests.support import tenant_statements
from tests.support.tenant_statements import ALLOWED, unbound

D, T, S = "energycore_device", "energycore_device_tag", "energycore_device_state"
OF_DEVICE = f"SELECT 1 FROM {T} WHERE {T}.tenant_id = {D}.tenant_id"
OF_TENANT = f"SELECT device_id FROM {T} WHERE {T}.tenant_id = ?"

HELD = [
    f"SELECT {D}.id FROM {D} WHERE {D}.tenant_id = ?",
    f"SELECT {D}.id FROM {D} WHERE {D}.tenant_id = %(tenant_id_1)s::VARCHAR AND {D}.id = 1",
    f'SELECT 1 FROM "{D}" WHERE "{D}"."tenant_id" = %s',
    f"SELECT d.id FROM {D} AS d WHERE (d.id = 1 AND (d.tenant_id = ?)) ORDER BY d.id LIMIT ?",
    f"SELECT 1 FROM {D} LEFT JOIN {S} ON {S}.tenant_id = {D}.tenant_id WHERE {D}.tenant_id = ?",
    f"SELECT 1 FROM {D} JOIN {T} ON {T}.tenant_id = {D}.tenant_id WHERE {T}.tenant_id = ?",
    f"SELECT 1 FROM {D} WHERE {D}.tenant_id = ? AND EXISTS ({OF_DEVICE})",
    f"SELECT 1 FROM {D} WHERE {D}.tenant_id = ? AND id IN ({OF_TENANT})",
    f"SELECT 1 FROM (SELECT id FROM {D} WHERE {D}.tenant_id = ?) AS x",
    f"UPDATE {D} SET name = ? WHERE {D}.tenant_id = ?",
    f"DELETE FROM {T} WHERE {T}.tenant_id = ?",
    f"INSERT INTO {D} (tenant_id, name) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING",
    f"INSERT INTO {T} (tag, tenant_id) SELECT name, ? FROM {D} WHERE {D}.tenant_id = ?",
    f"INSERT INTO {T} (tag, tenant_id) SELECT name, {D}.tenant_id FROM {D} WHERE {D}.tenant_id = ?",
    "SELECT 1 FROM energycore_schema",
    "SELECT 1",
]

NOT_HELD = [
    (f"SELECT {D}.id FROM {D}", {D}),
    (f"SELECT {D}.id FROM {D} WHERE {D}.id = ?", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id = ? OR {D}.id = ?", {D}),
    (f"SELECT 1 FROM {D} WHERE NOT ({D}.tenant_id = ?)", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id <> ?", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id IN (?, ?)", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id = 'acme'", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id = {D}.tenant_id", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id = {D}.name", {D}),
    (f"SELECT ? = {D}.tenant_id FROM {D}", {D}),
    (f"SELECT 1 FROM {D} JOIN {T} ON {T}.device_id = {D}.id WHERE {D}.tenant_id = ?", {T}),
    (f"SELECT 1 FROM {D} JOIN {T} ON {T}.tenant_id = {D}.tenant_id", {D, T}),
    (f"SELECT 1 FROM {D} LEFT JOIN {S} ON {S}.tenant_id = ? AND {D}.tenant_id = ?", {D}),
    (f"SELECT 1 FROM {D} LEFT JOIN {S} ON {S}.id = 1 WHERE {D}.tenant_id = ?", {S}),
    (f"SELECT 1 FROM {D} AS a, {D} AS b WHERE a.tenant_id = ?", {D}),
    (f"SELECT 1 FROM {D} WHERE {D}.tenant_id = ? AND id IN (SELECT device_id FROM {T})", {T}),
    (f"SELECT 1 FROM {D} WHERE EXISTS (SELECT 1 FROM {T} WHERE {T}.tenant_id = ?)", {D}),
    (f"SELECT 1 FROM (SELECT id FROM {D}) AS x WHERE x.tenant_id = ?", {D}),
    (f"UPDATE {D} SET tenant_id = ?", {D}),
    (f"DELETE FROM {T} WHERE tag = ?", {T}),
    (f"INSERT INTO {D} (name) VALUES (?)", {D}),
    (f"INSERT INTO {D} (tenant_id, name) VALUES ('acme', ?)", {D}),
    (f"INSERT INTO {D} (tenant_id, name) VALUES (?, ?), (name, ?)", {D}),
    (f"INSERT INTO {T} (tag, tenant_id) SELECT name, tenant_id FROM {D}", {D, T}),
    (f"INSERT INTO {T} (tag, tenant_id) SELECT name, ? FROM {D}", {D}),
    ("TRUNCATE energycore_reading", {"energycore_reading"}),
    ("LOCK TABLE energycore_reading", {"energycore_reading"}),
]


def vendor_of(statement):
    return "postgresql" if "%" in statement else "sqlite"


@pytest.mark.parametrize("statement", HELD)
def test_a_statement_that_is_held_to_a_tenant_passes(statement):
    assert unbound(statement, vendor_of(statement)) == ()


@pytest.mark.parametrize(("statement", "tables"), NOT_HELD)
def test_a_statement_that_is_not_is_noticed(statement, tables):
    assert set(unbound(statement, vendor_of(statement))) == tables


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        (f"SELECT 1 FROM {T} WHERE {T}.device_id = ?", set()),
        (f"SELECT 1 FROM {T} WHERE {T}.device_id IN (?, ?)", set()),
        (f"SELECT 1 FROM {T} WHERE {T}.tag = ?", {T}),
        (f"SELECT 1 FROM {D} WHERE {D}.id = ?", {D}),
        (f"SELECT 1 FROM {D} WHERE {D}.id IN (?, ?)", {D}),
        (f"SELECT 1 FROM {D} LEFT JOIN {S} ON {S}.device_id = {D}.id", {D, S}),
        (f"SELECT 1 FROM {D} LEFT JOIN {S} ON {S}.device_id = {D}.id WHERE {D}.tenant_id = ?", ()),
        (f"SELECT 1 FROM {D} JOIN {S} ON {S}.at_us = {D}.id WHERE {D}.tenant_id = ?", {S}),
    ],
)
def test_in_queries_of_models_a_reference_to_what_is_held_holds_as_well(statement, tables):
    assert set(unbound(statement, of_models=True)) == set(tables)
    assert unbound(statement) != ()


def test_what_nobody_can_read_is_noticed():
    assert unbound(f"SELECT FROM WHERE {D} ((") != ()


def test_a_planted_statement_of_the_sources_is_noticed_and_one_of_a_test_is_not(tmp_path):
    """The listener hears of every engine, and tells the two apart by who sends."""
    engine = create_engine("sqlite://")
    source = f"from sqlalchemy import text\ndef send(c): c.execute(text('SELECT * FROM {D}'))"
    planted: dict = {}
    path = f"{tenant_statements._SOURCES}/storage/sql/planted.py"
    exec(compile(source, path, "exec"), planted)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE TABLE {D} (tenant_id TEXT)"))
        connection.execute(text(f"SELECT * FROM {D}"))
        assert tenant_statements.taken() == []
        planted["send"](connection)
    (violation,) = tenant_statements.taken()
    assert violation.tables == (D,)
    assert violation.file == path
    engine.dispose()


def test_every_exception_says_why_and_covers_its_own_file_only():
    for one in ALLOWED:
        assert len(one.reason) > 20
        re.compile(one.statement)
        assert not one.covers("src/energycore/storage/sql/devices.py", f"SELECT * FROM {D}")
