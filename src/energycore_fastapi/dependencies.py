"""`Depends(get_energy)`: the database of the application, bound to the tenant of who asks."""

from collections.abc import Callable
from typing import Annotated, Final

import attrs
from fastapi import Depends, FastAPI
from starlette.requests import Request

from energycore.errors import EnergycoreError, InvalidSettings
from energycore.protocols.scope import Scope
from energycore.wiring.energy import Energy
from energycore_fastapi.refusals import refused

__all__ = ["get_energy", "get_scope", "provide_energy"]

_ATTRIBUTE: Final = "energycore"


@attrs.frozen(kw_only=True)
class _Provided:
    energy: Energy
    scope_of: Callable[[Request], Scope] | None


def provide_energy(
    app: FastAPI, energy: Energy, *, scope_of: Callable[[Request], Scope] | None = None
) -> None:
    """Let the path operations of an application use `Depends(get_energy)`.

    It is kept in the state of this application and nowhere else: one that is mounted in it is
    given its own. What energycore refuses there is answered with a status and its code.

    Args:
        app: whose routes.
        energy: the database, and the tenant of whoever asks. The caller closes it.
        scope_of: tells the tenant of a request instead, as for `create_app`; it may raise
            HTTPException to refuse it, and runs in a thread.

    Raises:
        InvalidSettings: the application has begun to answer, and would not notice.
    """
    if app.middleware_stack is not None:
        raise InvalidSettings("this application answers already: call provide_energy before that")
    setattr(app.state, _ATTRIBUTE, _Provided(energy=energy, scope_of=scope_of))
    app.add_exception_handler(EnergycoreError, refused)


def get_scope(request: Request) -> Scope:
    """The tenant of a request; a path operation may depend on it.

    Raises:
        InvalidSettings: the application was given no database.
    """
    provided = _provided(request)
    return provided.energy.scope if provided.scope_of is None else provided.scope_of(request)


# No coroutine, like get_scope: both may ask a database, and FastAPI runs them in threads.
def get_energy(request: Request, scope: Annotated[Scope, Depends(get_scope)]) -> Energy:
    """Everything that the tenant of a request can do; for `def` path operations.

    Raises:
        InvalidSettings: the application was given no database.
        StorageUnavailable: the database cannot be reached.
    """
    energy = _provided(request).energy
    return energy if scope == energy.scope else energy.for_tenant(scope.tenant)


def _provided(request: Request) -> _Provided:
    provided = getattr(request.app.state, _ATTRIBUTE, None)
    if not isinstance(provided, _Provided):
        raise InvalidSettings(
            "this application has no database: call provide_energy(app, energy) where it is made"
        )
    return provided
