"""An SQLAlchemy engine over Django's own connection, in whatever transaction that is in.

Statements go through Django's cursors, so that `connection.queries`, assertNumQueries and the
debug toolbar see them. Transactions and the connection itself are Django's business: nothing here
begins, commits, rolls back or closes anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections
from django.db.transaction import TransactionManagementError
from django.db.utils import Error
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import NullPool

from energycore.storage.sql.engine import send_binary

__all__ = ["VENDORS", "engine_over"]

VENDORS: Final = {"sqlite": "sqlite", "postgresql": "postgresql"}
"""The databases that are supported, by Django's name, with SQLAlchemy's."""


class _Guest:
    """A dialect that leaves the connection as it finds it, and asks it nothing when it begins."""

    def initialize(self, connection: Connection) -> None:
        """Learn nothing: each statement would be counted among those of the first request."""

    def on_connect(self) -> Any:
        """Register nothing."""

    def do_begin(self, dbapi_connection: Any) -> None:
        """Django has begun the transaction."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Django commits it."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Django rolls it back."""

    def do_close(self, dbapi_connection: Any) -> None:
        """Django keeps the connection."""


class GuestOfPostgreSQL(_Guest, PGDialect_psycopg):
    """PostgreSQL, by psycopg 3."""

    supports_statement_cache = True


class GuestOfSQLite(_Guest, SQLiteDialect_pysqlite):
    """SQLite; Django's cursors take %s for a parameter."""

    supports_statement_cache = True


for _name, _dialect in (("postgresql", GuestOfPostgreSQL), ("sqlite", GuestOfSQLite)):
    registry.register(f"{_name}.django", __name__, _dialect.__name__)


def engine_over(alias: str) -> Engine:
    """An engine over Django's connections of this alias, of whichever thread uses it."""
    vendor = VENDORS[connections[alias].vendor]
    options: dict[str, Any] = (
        {"paramstyle": "format"} if vendor == "sqlite" else {"use_native_hstore": False}
    )
    engine = create_engine(
        f"{vendor}+django://",
        creator=lambda: _Connection(connections[alias]),
        poolclass=NullPool,
        pool_reset_on_return=None,
        hide_parameters=True,
        **options,
    )
    send_binary(engine)
    return engine


class _Connection:
    """Django's connection, as drivers have one."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper

    def cursor(self) -> "_Cursor":
        """A cursor of Django's."""
        cursor = self._wrapper.cursor()
        if self._wrapper.vendor == "postgresql":
            # Django's own writes parameters into the text, where -9223372036854775808::BIGINT
            # is the opposite of a number that is too large.
            cursor.cursor = _binding_cursor(self._wrapper.connection)
        return _Cursor(cursor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapper.connection, name)


def _binding_cursor(connection: Any) -> Any:
    """A cursor that sends parameters beside the statement."""
    from psycopg import Cursor  # SQLite does without

    return Cursor(connection)


class _Cursor:
    """Executes through Django's cursor, whose errors it makes the driver's again.

    Everything else is the driver's own.
    """

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._driver = wrapper.cursor
        self.fetchone = self._driver.fetchone
        self.fetchmany = self._driver.fetchmany
        self.fetchall = self._driver.fetchall

    def execute(self, statement: str, parameters: Any = None) -> None:
        """Execute a statement."""
        with _of_driver():
            self._wrapper.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Any) -> None:
        """Execute a statement for each of several rows."""
        with _of_driver():
            self._wrapper.executemany(statement, parameters)

    def copy(self, statement: str) -> Any:
        """Begin a COPY."""
        return self._wrapper.copy(statement)

    @property
    def format(self) -> Any:
        """Whether results come as text or in binary form."""
        return self._driver.format

    @format.setter
    def format(self, form: Any) -> None:
        self._driver.format = form

    def __enter__(self) -> "_Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._driver)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


@contextmanager
def _of_driver() -> Iterator[None]:
    """Raise the driver's errors, which SQLAlchemy knows, in place of Django's."""
    try:
        yield
    except TransactionManagementError:
        raise
    except Error as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None
