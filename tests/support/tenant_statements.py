"""Every statement that the sources send on a tenant's table binds the tenant: a listener tells.

Listening begins with the test run, for every engine of SQLAlchemy and every connection of Django.
A statement is read by sqlglot, and each place where it names a table that has a tenant must be held
to one: `tenant_id` equals a parameter, or the `tenant_id` of a place that is held to one, in a
condition that all rows must fulfil. A row that is inserted has a parameter for its tenant.

Statements that a test itself sends are its own business, and so are the queries that a project
writes on Django's models. What is sent for many tenants on purpose is in `ALLOWED`.

Django's models know one column of a reference, where the database knows two: it holds (tenant_id,
device_id) to a device of the same tenant. In the queries that the admin writes on models, a place
is therefore also held by its reference to one that is: joined by it, or followed from an object
that was fetched before, as Django does for `device.site`, `device.newest` and the tags.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

import attrs
import sqlglot
from django.db.backends.signals import connection_created
from sqlalchemy import Engine, event
from sqlglot import exp

import energycore
from energycore.storage.sql.tables import METADATA

__all__ = ["ALLOWED", "Allowed", "Violation", "listen", "taken", "unbound"]

TENANT_TABLES: Final = frozenset(
    name for name, table in METADATA.tables.items() if "tenant_id" in table.c
)
_NAMED: Final = re.compile(r"energycore_[a-z_]+")
_DML: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_SOURCES: Final = str(Path(energycore.__file__).parents[1] / "energycore")
_TESTS: Final = str(Path(__file__).parents[1])
_SENDS_FOR_OTHERS: Final = (
    str(Path("storage", "sql", "session.py")),
    str(Path("energycore_django", "bridge.py")),
)
_REFERENCES: Final = ("site_id", "device_id")
_FOLLOWED: Final = {"energycore_device_tag", "energycore_device_state"}
"""Have no identity of their own: they are asked for by that of their device."""
_QUERIES: Final = (exp.Select, exp.Update, exp.Delete, exp.Insert)


@attrs.frozen
class Allowed:
    """What may be sent without a tenant: from which file, how it reads, and why."""

    file: str
    statement: str
    reason: str

    def covers(self, file: str, statement: str) -> bool:
        """Whether this is what it speaks of."""
        return self.file in file and re.match(self.statement, statement) is not None


ALLOWED: Final = (
    Allowed(
        "storage/sql/migrations/",
        r"",
        "Migrations make and change tables, with the rows of all tenants in them.",
    ),
    Allowed(
        "energycore_django/tables.py",
        r"",
        "The same migrations, run by Django.",
    ),
    Allowed(
        "storage/sql/partitions.py",
        r"LOCK TABLE ONLY energycore_reading IN |CREATE TABLE \"energycore_reading_"
        r"|CREATE INDEX ON \"energycore_reading_|ALTER TABLE energycore_reading ATTACH PARTITION "
        r"|DROP TABLE IF EXISTS \"energycore_reading_",
        "A partition holds a day of all tenants.",
    ),
    Allowed(
        "storage/sql/partitions.py",
        r"SELECT bool_and\(energycore_reading_day\.tenant_id = ",
        "Whether another tenant has readings of a day, which keeps its partition; one bit.",
    ),
    Allowed(
        "energycore_django/storage.py",
        r"DELETE FROM energycore_setting WHERE FALSE$",
        "Touches no row: it makes a writer of SQLite's transaction.",
    ),
    Allowed(
        "energycore_django/checks.py",
        r'SELECT (1|%s) AS "a" FROM "energycore_device"'
        r' WHERE NOT \("energycore_device"\."tenant_id" = ',
        "A system check of whoever runs the project: whether there are other tenants; one bit.",
    ),
    Allowed(
        "energycore_django/models/devices.py",
        r'SELECT .* FROM "energycore_device" WHERE "energycore_device"\."id" = %s LIMIT 21$',
        "`refresh_from_db`: by the key of an object that the project has fetched before.",
    ),
)


@attrs.frozen
class Violation:
    """A statement that is not held to a tenant, where it was sent, and what is wrong with it."""

    file: str
    statement: str
    tables: tuple[str, ...]


_found: list[Violation] = []


def listen() -> None:
    """Hear of every statement from now on."""
    event.listen(Engine, "before_cursor_execute", _from_sqlalchemy)
    connection_created.connect(_watch_django)


def taken() -> list[Violation]:
    """What was found since this was asked last."""
    found = list(_found)
    _found.clear()
    return found


def _from_sqlalchemy(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    _check(statement, connection.dialect.name, sys._getframe(1))


def _watch_django(connection: Any, **_: Any) -> None:
    if _from_django not in connection.execute_wrappers:
        connection.execute_wrappers.append(_from_django)


def _from_django(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    frame = sys._getframe(1)
    # What goes through the bridge was looked at already.
    if not _is_of_bridge(frame):
        _check(str(sql), context["connection"].vendor, frame, of_models=True)
    return execute(sql, params, many, context)


def _is_of_bridge(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.endswith(_SENDS_FOR_OTHERS[1]):
            return True
        frame = frame.f_back
    return False


def _check(
    statement: str, vendor: str, frame: FrameType | None, *, of_models: bool = False
) -> None:
    if "energycore_" not in statement:
        return
    file = _sender(frame)
    if file is None:
        return
    tables = unbound(statement, vendor, of_models=of_models)
    if of_models and tables and _follows(frame):
        return
    if tables and not any(one.covers(file, statement) for one in ALLOWED):
        _found.append(Violation(file, statement, tables))


def _sender(frame: FrameType | None) -> str | None:
    """The file of the sources that sends a statement; None if it is a test."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_SOURCES) and not file.endswith(_SENDS_FOR_OTHERS):
            return file
        if file.startswith(_TESTS):
            return None
        frame = frame.f_back
    return None


def _follows(frame: FrameType | None) -> bool:
    """Whether Django follows a reference of an object that was fetched before."""
    while frame is not None:
        if frame.f_code.co_filename.endswith("related_descriptors.py"):
            return True
        frame = frame.f_back
    return False


@lru_cache(maxsize=10_000)
def unbound(statement: str, vendor: str = "sqlite", *, of_models: bool = False) -> tuple[str, ...]:
    """The tables of tenants that a statement names without being held to one.

    Args:
        statement: as it is sent.
        vendor: sqlite or postgresql.
        of_models: whether a reference to what is held holds as well.
    """
    named = sorted(set(_NAMED.findall(statement)) & TENANT_TABLES)
    partitions = "energycore_reading_" in statement and "PARTITION" in statement
    if not named and not partitions:
        return ()
    if not statement.lstrip(" (").upper().startswith(_DML):
        return tuple(named)
    is_postgresql = vendor == "postgresql"
    # Django has %s for a parameter of SQLite as well.
    text = statement if is_postgresql else statement.replace("%s", "?")
    try:
        (tree,) = sqlglot.parse(text, dialect="postgres" if is_postgresql else "sqlite")
    except (sqlglot.ParseError, ValueError) as error:
        return tuple(f"{name} ({error})" for name in named)
    assert tree is not None
    return tuple(_unbound_in(tree, of_models))


def _unbound_in(tree: exp.Expr, of_models: bool) -> Iterator[str]:
    places = [table for table in tree.find_all(exp.Table) if table.name in TENANT_TABLES]
    targets = [one for one in map(_target, tree.find_all(exp.Insert)) if one is not None]
    held = _held(tree, places, of_models)
    for insert in tree.find_all(exp.Insert):
        target = _target(insert)
        if target is not None and target.name in TENANT_TABLES and not _inserts(insert, held):
            yield target.name
    for place in places:
        if not any(place is one for one in targets) and id(place) not in held:
            yield place.name


def _target(insert: exp.Insert) -> exp.Table | None:
    found = insert.this.this if isinstance(insert.this, exp.Schema) else insert.this
    return found if isinstance(found, exp.Table) else None


def _inserts(insert: exp.Insert, held: set[int]) -> bool:
    """Whether every row that is inserted has a parameter for its tenant."""
    if not isinstance(insert.this, exp.Schema):
        return False
    names = [column.name for column in insert.this.expressions]
    if "tenant_id" not in names:
        return False
    place, source = names.index("tenant_id"), insert.expression
    if isinstance(source, exp.Values):
        return all(_is_bound(row.expressions[place], None, held) for row in source.expressions)
    if isinstance(source, exp.Select):
        return _is_bound(source.expressions[place], source, held)
    return False


def _held(tree: exp.Expr, places: list[exp.Table], of_models: bool) -> set[int]:
    """The places that are held to a tenant, by identity; grows until nothing is added."""
    held: set[int] = set()
    pairs = [pair for query in tree.find_all(*_QUERIES) for pair in _equalities(query)]
    known = {id(place) for place in places}
    grows = True
    while grows:
        grows = False
        for mine, other, query, only in pairs:
            place = _place_of(mine, query)
            holds = place is not None and _is_bound(other, query, held)
            if of_models and not holds:
                place = _place_of(mine, query, "id", *_REFERENCES)
                holds = _refers(mine, other, query, held)
            new = place is not None and id(place) in known and id(place) not in held
            if new and holds and (only is None or place is only):
                held.add(id(place))
                grows = True
    return held


def _refers(mine: exp.Expr, other: exp.Expr, query: exp.Expr, held: set[int]) -> bool:
    """Whether one column refers to the other, and what it belongs to is held."""
    place = _place_of(other, query, "id", *_REFERENCES)
    if place is None:
        own = _place_of(mine, query, "device_id")
        return own is not None and own.name in _FOLLOWED and _is_given(other)
    names = {column.name for column in (mine, other) if isinstance(column, exp.Column)}
    return "id" in names and len(names) == 2 and id(place) in held


def _is_given(value: exp.Expr) -> bool:
    return isinstance(value, exp.Placeholder | exp.Parameter)


def _equalities(
    query: exp.Expr,
) -> Iterator[tuple[exp.Expr, exp.Expr, exp.Expr, exp.Expr | None]]:
    """What each row must fulfil: a side, what it equals, the query, and the only table it holds."""
    where = query.args.get("where")
    conditions: list[tuple[exp.Expr, exp.Expr | None]]
    conditions = [(one, None) for one in _conjuncts(where.this if where else None)]
    for join in query.args.get("joins") or ():
        # The condition of an outer join holds for the rows of the table that is joined.
        only = join.this if join.side else None
        conditions += [(one, only) for one in _conjuncts(join.args.get("on"))]
    for condition, only in conditions:
        if isinstance(condition, exp.EQ):
            yield condition.left, condition.right, query, only
            yield condition.right, condition.left, query, only
        # One of several tenants is not one tenant.
        elif isinstance(condition, exp.In) and condition.this.name != "tenant_id":
            given = condition.expressions
            if given and all(map(_is_given, given)):
                yield condition.this, given[0], query, only


def _conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    elif condition is not None:
        yield condition


def _is_bound(value: exp.Expr, query: exp.Expr | None, held: set[int]) -> bool:
    while isinstance(value, exp.Cast | exp.Paren | exp.Alias):
        value = value.this
    if isinstance(value, exp.Placeholder | exp.Parameter):
        return True
    place = None if query is None else _place_of(value, query)
    return place is not None and id(place) in held


def _place_of(column: exp.Expr, query: exp.Expr | None, *names: str) -> exp.Table | None:
    """The place whose tenant a column is, in this query or in one around it."""
    if not isinstance(column, exp.Column) or column.name not in (names or ("tenant_id",)):
        return None
    while query is not None:
        tables = [one for one in query.find_all(exp.Table) if _query_of(one) is query]
        if not column.table and len(tables) == 1:
            return tables[0]
        for table in tables:
            if table.alias_or_name == column.table:
                return table
        query = _query_of(query)
    return None


def _query_of(node: exp.Expr) -> exp.Expr | None:
    return node.find_ancestor(*_QUERIES)
