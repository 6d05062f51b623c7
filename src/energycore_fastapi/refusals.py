"""How a path operation answers what energycore refuses: a status, the code, and what to say."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from energycore.errors import (
    ArchiveUnavailable,
    Conflict,
    EnergycoreError,
    InvalidValue,
    NotAllowed,
    NotFound,
    StorageUnavailable,
)

__all__ = ["STATUSES", "refused"]

_AWAY: Final = 503

STATUSES: Final[tuple[tuple[type[EnergycoreError], int], ...]] = (
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 409),
    (InvalidValue, 422),
    (StorageUnavailable, 503),
    (ArchiveUnavailable, 503),
)
"""The status of each kind of refusal."""


async def refused(_request: Request, error: Exception) -> JSONResponse:
    """Answer a refusal; any other error goes on to whoever answers faults.

    404 says that there is no such thing, 409 that it contradicts what is stored, 422 that a value
    makes no sense, and 503 that it may be repeated later. `code` is one of the error reference.
    """
    for kind, status in STATUSES:
        if isinstance(error, kind):
            # The message of what is away may name hosts and files.
            detail = error.message if status < _AWAY else "try again later"
            return JSONResponse({"detail": detail, "code": error.code}, status_code=status)
    raise error
