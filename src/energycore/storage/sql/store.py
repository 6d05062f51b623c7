"""The SQL backend and its units of work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs
from sqlalchemy import URL, Connection

from energycore.errors import StorageUnavailable
from energycore.storage.after import AfterCommit
from energycore.storage.sql.devices import SqlDevices
from energycore.storage.sql.engine import begin_options, is_in_memory, make_engine, patience_s
from energycore.storage.sql.faults import translated
from energycore.storage.sql.fleet import SqlFleet
from energycore.storage.sql.histories import SqlHistories
from energycore.storage.sql.partitions import Partitioning
from energycore.storage.sql.rollups import SqlRollups
from energycore.storage.sql.series import SqlSeries
from energycore.storage.sql.session import Session
from energycore.storage.sql.settings import SqlSettings
from energycore.storage.sql.sites import SqlSites
from energycore.storage.sql.telemetry import SqlTelemetry

__all__ = ["SqlStorage", "SqlUnitOfWork"]

_PLAIN: Final = Partitioning()


@attrs.frozen(kw_only=True)
class SqlUnitOfWork:
    """The repositories within one transaction."""

    sites: SqlSites
    devices: SqlDevices
    fleet: SqlFleet
    telemetry: SqlTelemetry
    series: SqlSeries
    rollups: SqlRollups
    settings: SqlSettings
    histories: SqlHistories
    _after_commit: Callable[[Callable[[], object]], None]

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call this when everybody can see what was written."""
        self._after_commit(callback)

    @classmethod
    def over(
        cls,
        session: Session,
        partitioning: Partitioning,
        after_commit: Callable[[Callable[[], object]], None],
    ) -> "SqlUnitOfWork":
        """The repositories over one transaction.

        Args:
            session: the transaction.
            partitioning: how PostgreSQL's partitions are made.
            after_commit: sees to it that something is called when it has committed.
        """
        return cls(
            sites=SqlSites(session),
            devices=SqlDevices(session),
            fleet=SqlFleet(session),
            telemetry=SqlTelemetry(session, partitioning),
            series=SqlSeries(session),
            rollups=SqlRollups(session),
            settings=SqlSettings(session),
            histories=SqlHistories(session),
            after_commit=after_commit,
        )


class SqlStorage:
    """Keeps everything in an SQL database; safe to use from several threads and processes.

    Open one with `open_sql_storage`, which sees to the tables as well.

    Args:
        url: as `parse_url` made it.
        partitioning: how PostgreSQL's partitions are made.

    Raises:
        MissingExtra: the driver is not installed.
    """

    def __init__(self, url: URL, *, partitioning: Partitioning = _PLAIN) -> None:
        self.engine: Final = make_engine(url)
        self.partitioning: Final = partitioning
        # A database in memory is one connection, on which transactions take turns.
        self._is_one_connection = is_in_memory(url)
        # SQLite has one writer at a time, and whom it lets in next is a matter of luck: under load
        # one of several threads could wait until its patience ends.
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        self._patience_s = patience_s(url)
        self._closed = False

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[SqlUnitOfWork]:
        """All or nothing: commits when the block ends, rolls back when it raises.

        Raises:
            StorageUnavailable: the database cannot be reached, or stays busy for too long.
        """
        after = AfterCommit()
        with self.connection(write=write) as connection:
            session = Session(connection, write=write)
            yield SqlUnitOfWork.over(session, self.partitioning, after.add)
        after.run()

    @contextmanager
    def connection(self, *, write: bool) -> Iterator[Connection]:
        """A connection with a transaction begun, which ends with the block in the same way."""
        if self._closed:
            raise StorageUnavailable("this storage is closed")
        with self._in_turn(write=write), translated(), self.engine.connect() as plain:
            connection = plain.execution_options(**begin_options(self.engine, write=write))
            with connection.begin():
                yield connection

    @contextmanager
    def _in_turn(self, *, write: bool) -> Iterator[None]:
        """Wait for what no other thread may do meanwhile."""
        if self._turn is None or not (write or self._is_one_connection):
            yield
            return
        if not self._turn.acquire(timeout=self._patience_s):
            raise StorageUnavailable("another transaction is under way: try again")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give connections back; the storage cannot be used afterwards."""
        self._closed = True
        self.engine.dispose()
