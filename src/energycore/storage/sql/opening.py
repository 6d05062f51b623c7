"""Opening a database by its URL, and migrating one."""

from energycore.storage.sql import schema
from energycore.storage.sql.engine import parse_url, shown
from energycore.storage.sql.faults import opening
from energycore.storage.sql.partitions import Partitioning
from energycore.storage.sql.store import SqlStorage

__all__ = ["migrate", "open_sql_storage"]


def open_sql_storage(url: str, *, partitioning: Partitioning | None = None) -> SqlStorage:
    """Open a database; the tables of a new one are made without asking.

    Args:
        url: `sqlite:///home.db`, `sqlite://` (in memory) or `postgresql+psycopg://user@host/db`.
        partitioning: how the partitions of readings are made in PostgreSQL; by day unless told
            otherwise.

    Raises:
        UnsupportedDatabase: there is no backend for the URL.
        MissingExtra: the driver is not installed.
        StorageUnavailable: the database cannot be reached.
        SchemaOutdated: it was made by another version; the message says what to run.
    """
    parsed = parse_url(url)
    storage = SqlStorage(parsed, partitioning=partitioning or Partitioning())
    try:
        with opening(parsed), storage.connection(write=False) as connection:
            ready = schema.check(connection, shown(parsed))
        if not ready:
            with opening(parsed), storage.connection(write=True) as connection:
                schema.upgrade(connection, shown(parsed))
    except BaseException:  # even an interruption gives the connections back
        storage.close()
        raise
    return storage


def migrate(url: str) -> bool:
    """Bring the tables of a database to the version of this package.

    Args:
        url: as for `open_sql_storage`.

    Returns:
        Whether there was anything to do.

    Raises:
        UnsupportedDatabase, MissingExtra, StorageUnavailable: see `open_sql_storage`.
        SchemaOutdated: the database was made by a newer version of energycore.
    """
    parsed = parse_url(url)
    storage = SqlStorage(parsed)
    try:
        with opening(parsed), storage.connection(write=True) as connection:
            return schema.upgrade(connection, shown(parsed))
    finally:
        storage.close()
