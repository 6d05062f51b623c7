"""What an error of the database means to the caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from energycore.errors import Conflict, EnergycoreError, InvalidValue, StorageUnavailable
from energycore.storage.sql.engine import file_of, shown

__all__ = ["meaning", "opening", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of SQLAlchemy and of drivers into those that the protocols name.

    Raises:
        StorageUnavailable: the database cannot be reached, is busy, or is not as we made it.
        Conflict: somebody else stored something that contradicts this at the same moment.
        InvalidValue: a value is larger than its column.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise meaning(error) from error


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Say which database it is that cannot be used, to whoever opens it by its URL.

    Later errors do not name it, for they may reach clients who should not know where it is.

    Raises:
        StorageUnavailable: the block raised it.
    """
    try:
        yield
    except StorageUnavailable as error:
        raise StorageUnavailable(_unopened(url, error)) from error.__cause__


def _unopened(url: URL, error: StorageUnavailable) -> str:
    file, cause = file_of(url), error.__cause__
    said = cause.orig if isinstance(cause, DBAPIError) else None
    if file is None or said is None:
        return f"{shown(url)}: {error.message}"
    match getattr(said, "sqlite_errorname", None):
        case "SQLITE_NOTADB":
            return f"{file} is not an SQLite database"
        case "SQLITE_READONLY":
            return f"{file} cannot be written"
        case "SQLITE_CANTOPEN" if file.is_dir():
            return f"{file} is a folder, not an SQLite database"
        case "SQLITE_CANTOPEN" if not file.parent.is_dir():
            return f"{file} cannot be opened: there is no folder {file.parent}"
        case "SQLITE_CANTOPEN":
            return f"{file} cannot be opened: look at the permissions of the file and its folder"
    return f"{file}: {error.message}"


def meaning(error: SQLAlchemyError) -> EnergycoreError:
    """The error that the protocols name for one of SQLAlchemy or of a driver."""
    if isinstance(error, IntegrityError) and not _has_no_partition(error):
        return Conflict("this contradicts what is stored")
    if isinstance(error, DataError):
        return InvalidValue("value", None, "one that the database can hold")
    return StorageUnavailable(f"the database cannot do this now: {_reason(error)}")


def _has_no_partition(error: IntegrityError) -> bool:
    """Whether PostgreSQL has no place for a row; we have no other checks that a row could fail."""
    return getattr(error.orig, "sqlstate", None) == "23514"


def _reason(error: SQLAlchemyError) -> str:
    """The first line of what the driver says: the lines below quote statements and hints."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.partition("\n")[0] or type(error).__name__
