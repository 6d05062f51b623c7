"""Engines: how we talk to SQLite and to PostgreSQL, and for how long we wait for them."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from energycore.errors import MissingExtra, UnsupportedDatabase

__all__ = [
    "BINARY",
    "WRITE",
    "begin_options",
    "file_of",
    "is_in_memory",
    "make_engine",
    "parse_url",
    "patience_s",
    "send_binary",
    "shown",
]

WRITE: Final = "energycore_write"
"""Execution option of a connection whose transaction is going to write."""
BINARY: Final = "energycore_binary"
"""Execution option of a statement whose results PostgreSQL is to send in binary form."""

_SQLITE: Final = "sqlite+pysqlite"
_POSTGRESQL: Final = "postgresql+psycopg"
_DRIVERS: Final = {
    "sqlite": _SQLITE,
    _SQLITE: _SQLITE,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
}
_SUPPORTED: Final = (
    "sqlite:///file.db, postgresql+psycopg://user@host/db, and memory:// or sqlite:// in memory"
)
_SECRETS: Final = frozenset({"password", "passfile", "sslpassword"})

_BUSY_S: Final = 5
_POOL: Final = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 10}
# A server that hangs is noticed within seconds, not when the kernel gives up.
_LIBPQ: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "energycore",
}
_POSTGRESQL_SETTINGS: Final = (
    "-c statement_timeout=60s -c lock_timeout=10s -c idle_in_transaction_session_timeout=120s"
    # Our statements are simple: compiling them would take longer than it saves.
    " -c jit=off"
)


def parse_url(url: str) -> URL:
    """Read the URL of a database, and choose the driver.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The error may quote a part of the password: it must not be seen.
        parsed = None
    # An @ in a password that is not written as %40 ends up in the name of the host or database.
    if parsed is None or "@" in f"{parsed.host}{parsed.database}":
        raise UnsupportedDatabase(
            f"this is not the URL of a database; supported are {_SUPPORTED}; special characters"
            " of a password are written as in %40 for @"
        ) from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise UnsupportedDatabase(
            f"there is no backend for {parsed.drivername}; supported are {_SUPPORTED}"
        )
    if driver == _SQLITE and (parsed.host, parsed.port, parsed.username) != (None, None, None):
        raise UnsupportedDatabase(_with_a_host(parsed))
    return parsed.set(drivername=driver)


def shown(url: URL) -> str:
    """A URL for people, without its secrets."""
    query = {name: value for name, value in url.query.items() if name not in _SECRETS}
    bare = URL.create(
        url.get_backend_name() if url.drivername == _SQLITE else url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=query,
    )
    # The colons of :memory: need no escape, and nobody knows it by one.
    return bare.render_as_string(hide_password=True).replace("%3Amemory%3A", ":memory:")


def is_in_memory(url: URL) -> bool:
    """Whether this is an SQLite database that lives and ends with its connection."""
    return url.drivername == _SQLITE and url.database in (None, "", ":memory:")


def file_of(url: URL) -> Path | None:
    """The file of an SQLite database; None for a database that is not in one file of that name."""
    if url.drivername != _SQLITE or is_in_memory(url) or "uri" in url.query:
        return None
    return Path(url.database or "").absolute()


def patience_s(url: URL) -> float:
    """How long a transaction of SQLite waits for its turn [s]: the URL's `timeout`, or 5."""
    given = url.query.get("timeout")
    if isinstance(given, str) and given.replace(".", "", 1).isdigit():
        return float(given)
    return _BUSY_S


def make_engine(url: URL) -> Engine:
    """An engine for a URL from `parse_url`; it connects when it is first used.

    Raises:
        MissingExtra: the driver is not installed.
    """
    return _sqlite(url) if url.drivername == _SQLITE else _postgresql(url)


def begin_options(engine: Engine, *, write: bool) -> dict[str, Any]:
    """The execution options of a connection for one transaction."""
    if engine.dialect.name == "sqlite":
        return {WRITE: write}
    if write:
        return {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _with_a_host(url: URL) -> str:
    path = "file.db"
    # Anything else may hold a part of a password.
    if url.host and url.username is None and url.port is None:
        path = "/".join(part for part in (url.host, url.database) if part)
    return (
        "an SQLite database has no host, and a file is written with three slashes:"
        f" sqlite:///{path}; supported are {_SUPPORTED}"
    )


def _sqlite(url: URL) -> Engine:
    given = {} if "timeout" in url.query else {"timeout": _BUSY_S}
    options: dict[str, Any] = {"connect_args": {**given, "check_same_thread": False}}
    in_memory = is_in_memory(url)
    options |= {"poolclass": StaticPool} if in_memory else _POOL
    engine = create_engine(url, hide_parameters=True, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # The driver must not begin transactions by itself: we say when, and which.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        if not in_memory:
            # Refused while another process switches; the next connection tries again, and
            # without it readers and writers only wait for each other more often.
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that began as a reader could not wait for its turn.
        writes = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    given = {name: value for name, value in _LIBPQ.items() if name not in url.query}
    own = url.query.get("options", "")
    more = own if isinstance(own, str) else " ".join(own)
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={**given, "options": f"{_POSTGRESQL_SETTINGS} {more}".strip()},
            **_POOL,
        )
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise MissingExtra("PostgreSQL", "postgres") from error
    send_binary(engine)
    return engine


def send_binary(engine: Engine) -> None:
    """Have PostgreSQL send the results of statements with the option `BINARY` in binary form."""
    if engine.dialect.name != "postgresql":
        return
    binary = engine.dialect.loaded_dbapi.pq.Format.BINARY

    @event.listens_for(engine, "before_cursor_execute")
    def choose_format(*sent: Any) -> None:
        _, cursor, _, _, context, _ = sent
        if context.execution_options.get(BINARY, False):
            cursor.format = binary
