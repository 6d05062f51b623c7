"""What an error of the database means to the caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from energycore.errors import Conflict, EnergycoreError, InvalidValue, StorageUnavailable

__all__ = ["translated"]


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
        raise _meaning(error) from error


def _meaning(error: SQLAlchemyError) -> EnergycoreError:
    if isinstance(error, IntegrityError):
        return Conflict(f"this contradicts what is stored: {_reason(error)}")
    if isinstance(error, DataError):
        return InvalidValue("value", _reason(error), "what the database can hold")
    return StorageUnavailable(f"the database cannot do this now: {_reason(error)}")


def _reason(error: SQLAlchemyError) -> str:
    """The first line of what the driver says: the lines below quote statements and hints."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.partition("\n")[0] or type(error).__name__
