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

__all__ = ["refused"]

_STATUSES: Final[tuple[tuple[type[EnergycoreError], int], ...]] = (
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 409),
    (InvalidValue, 422),
)
_AWAY: Final = (StorageUnavailable, ArchiveUnavailable)


async def refused(_request: Request, error: Exception) -> JSONResponse:
    """Answer a refusal; any other error goes on to whoever answers faults.

    404 says that there is no such thing, 409 that it contradicts what is stored, 422 that a value
    makes no sense, and 503 that it may be repeated later. `code` is one of the error reference.
    """
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            body = {"detail": error.message, "code": error.code}
            return JSONResponse(body, status_code=status)
    if isinstance(error, _AWAY):
        # Only the code: the message may name hosts and files.
        body = {"detail": "try again later", "code": error.code}
        return JSONResponse(body, status_code=503)
    raise error
