"""The SQL backend over Django's connection, inside Django's transactions."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.transaction import TransactionManagementError
from django.db.utils import DataError, Error, IntegrityError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from energycore.errors import (
    Conflict,
    EnergycoreError,
    InvalidValue,
    NotAllowed,
    StorageUnavailable,
    UnsupportedDatabase,
)
from energycore.storage.sql.faults import meaning
from energycore.storage.sql.partitions import Partitioning
from energycore.storage.sql.session import Session
from energycore.storage.sql.store import SqlUnitOfWork
from energycore_django.bridge import VENDORS, engine_over
from energycore_django.signals import committed

__all__ = ["DjangoStorage", "joined"]

_PLAIN: Final = Partitioning()
_ABORTED: Final = "25P02"
_BROKEN: Final = "the transaction around this is broken by an earlier error: leave its atomic block"


class DjangoStorage:
    """Keeps everything in a database of the project.

    A unit of work is an atomic block: within one of the caller's it is a part of that, and goes
    with it when that is rolled back.

    Args:
        alias: which of `settings.DATABASES`; by default whichever the routers name, where a
            read within an atomic block of the database for writes is a part of that block.
        partitioning: how PostgreSQL's partitions of readings are made.
    """

    def __init__(self, alias: str | None = None, *, partitioning: Partitioning = _PLAIN) -> None:
        self._alias = alias
        self._partitioning = partitioning
        self._closed = False

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[SqlUnitOfWork]:
        """All or nothing: what the block did is undone if it raises.

        Raises:
            StorageUnavailable: the database cannot be reached, or stays busy for too long.
            NotAllowed: the caller's atomic block is broken by an earlier error.
        """
        if self._closed:
            raise StorageUnavailable("this storage is closed")
        alias = self._alias or _used(write=write)
        with joined(alias, write=write) as connection:
            after_commit = partial(transaction.on_commit, using=alias, robust=True)
            session = Session(connection, write=write)
            yield SqlUnitOfWork.over(session, self._partitioning, after_commit)
            if write:
                transaction.on_commit(partial(_tell, alias), using=alias, robust=True)

    def close(self) -> None:
        """Refuse further transactions; the connections are Django's to close."""
        self._closed = True


def _tell(alias: str) -> None:
    committed.send(DjangoStorage, alias=alias)


def _used(*, write: bool) -> str:
    writing = routed(write=True)
    # What a block wrote is not on a replica yet.
    if write or connections[writing].in_atomic_block:
        return writing
    return routed(write=False)


def routed(*, write: bool) -> str:
    """The database that the project's routers name for energycore."""
    from energycore_django.models import Device  # the app's models come after its storage

    return router.db_for_write(Device) if write else router.db_for_read(Device)


@contextmanager
def joined(alias: str, *, write: bool) -> Iterator[Connection]:
    """A connection of SQLAlchemy in Django's transaction, which is begun if there is none.

    Raises:
        StorageUnavailable, NotAllowed, UnsupportedDatabase: see `DjangoStorage.transaction`.
    """
    django = connections[alias]
    engine = _engine(alias, django.vendor)
    outermost = not django.in_atomic_block
    # After an error PostgreSQL refuses all that follows: a part of its own keeps it from the
    # caller's block, also where something was only read.
    own = write or outermost or django.vendor == "postgresql"
    try:
        # Without autocommit a transaction may have begun already. Asking connects.
        begins = outermost and django.get_autocommit()
        with transaction.atomic(using=alias) if own else nullcontext():
            try:
                with engine.connect() as connection, connection.begin():
                    if begins:
                        _begin(connection, write=write)
                    yield connection
            except SQLAlchemyError as error:
                raise meaning(error) from error
    except TransactionManagementError as error:
        raise NotAllowed(_BROKEN) from error
    except Error as error:
        raise _of_django(error) from error


@cache
def _engine(alias: str, vendor: str) -> Engine:
    if vendor not in VENDORS:
        raise UnsupportedDatabase(
            f"energycore keeps its tables in PostgreSQL or SQLite, not {vendor}"
        )
    return engine_over(alias)


def _begin(connection: Connection, *, write: bool) -> None:
    """Make of Django's transaction what ours are by themselves."""
    if connection.dialect.name == "postgresql":
        if not write:
            # All that a unit of work reads is of one moment.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    elif write:
        # A writer that began as a reader could not wait for its turn.
        connection.exec_driver_sql("DELETE FROM energycore_setting WHERE FALSE")


def _of_django(error: Any) -> EnergycoreError:
    if getattr(error.__cause__, "sqlstate", None) == _ABORTED:
        return NotAllowed(_BROKEN)
    if isinstance(error, IntegrityError):
        return Conflict("this contradicts what is stored")
    if isinstance(error, DataError):
        return InvalidValue("value", None, "one that the database can hold")
    reason = str(error).strip().partition("\n")[0]
    return StorageUnavailable(f"the database cannot do this now: {reason}")
