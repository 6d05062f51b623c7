"""`Depends(get_energy)`: the database of the application, bound to the tenant of who asks."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import attrs
from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection

from energycore.errors import EnergycoreError, InvalidSettings, ScopeRequired
from energycore.protocols.scope import Scope
from energycore.wiring.energy import Energy
from energycore.wiring.tenants import Tenants
from energycore_fastapi.refusals import refused
from energycore_fastapi.scopes import check_dependency

__all__ = ["get_energy", "get_scope", "provide_energy"]

_ATTRIBUTE: Final = "energycore"


@attrs.frozen
class _Provided:
    """What an application was given."""

    energy: Energy
    tenants: Tenants
    has_scope_of: bool


def provide_energy(
    app: FastAPI,
    energy: Energy,
    *,
    scope_of: Callable[..., Scope | Awaitable[Scope]] | None = None,
) -> None:
    """Let the path operations of an application use `Depends(get_energy)`.

    It is kept in this application and nowhere else: one that is mounted in it is given its own.
    What energycore refuses there is answered with a status and its code.

    Args:
        app: whose routes.
        energy: the database, and the tenant of whoever asks. The caller closes it.
        scope_of: tells the tenant of a request instead, as for `create_app`: a FastAPI dependency,
            which takes the place of `get_scope`. It raises HTTPException to refuse a request.

    Raises:
        InvalidSettings: the application has begun to answer, and would not notice.
        InvalidValue: `scope_of` cannot be a dependency.
    """
    if app.middleware_stack is not None:
        raise InvalidSettings("this application answers already: call provide_energy before that")
    if scope_of is not None:
        check_dependency(scope_of)
        app.dependency_overrides[get_scope] = scope_of
    setattr(app.state, _ATTRIBUTE, _Provided(energy, Tenants.over(energy), scope_of is not None))
    app.add_exception_handler(EnergycoreError, refused)


async def get_scope(connection: HTTPConnection) -> Scope:
    """The tenant of a request; a path operation may depend on it.

    Raises:
        InvalidSettings: the application was given no database.
        ScopeRequired: the application was given a `scope_of`, which has gone from its
            `dependency_overrides`; that never means the tenant of the database.
    """
    provided = _provided(connection)
    if provided.has_scope_of:
        raise ScopeRequired("scope_of is no longer among the dependency_overrides")
    return provided.energy.scope


# No coroutine: it may ask the database for the tenant's clock, and FastAPI runs it in a thread.
def get_energy(connection: HTTPConnection, scope: Annotated[Scope, Depends(get_scope)]) -> Energy:
    """Everything that the tenant of a request can do; for `def` path operations.

    Raises:
        InvalidSettings: the application was given no database.
        ScopeRequired: `scope_of` told no tenant.
        StorageUnavailable: the database cannot be reached.
    """
    return _provided(connection).tenants.of(scope)


def _provided(connection: HTTPConnection) -> _Provided:
    provided: _Provided | None = getattr(connection.app.state, _ATTRIBUTE, None)
    if provided is None:
        raise InvalidSettings(
            "this application has no database: call provide_energy(app, energy) where it is made"
        )
    return provided
