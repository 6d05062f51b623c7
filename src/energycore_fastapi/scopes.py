"""A dependency that tells the tenant of a request: what it has to look like, and its answer."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from weakref import WeakKeyDictionary

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from energycore.errors import InvalidValue

__all__ = ["check_dependency", "solver"]

_GIVEN: Final = "energycore.given"


def check_dependency(scope_of: Callable[..., object]) -> None:
    """Refuse what FastAPI would take for a dependency that reads the query string.

    Raises:
        InvalidValue: a parameter says neither what it is nor where it comes from.
    """
    for name, parameter in inspect.signature(scope_of).parameters.items():
        if parameter.annotation is parameter.empty and parameter.default is parameter.empty:
            limit = f"a FastAPI dependency: {name} needs an annotation, such as HTTPConnection"
            raise InvalidValue("scope_of", None, limit)


def solver(scope_of: Callable[..., Any]) -> Callable[[Request], Awaitable[Any]]:
    """A coroutine function that solves a dependency for a request that no route has taken.

    It heeds the `dependency_overrides` of the application, and raises what the dependency raises,
    such as HTTPException.
    """
    routes: WeakKeyDictionary[Any, dict[str, APIRoute]] = WeakKeyDictionary()

    async def told(request: Request, given: Annotated[Any, Depends(scope_of)]) -> Response:
        request.scope[_GIVEN] = given
        return Response()

    def route_of(request: Request) -> APIRoute:
        known = routes.setdefault(request.app, {})
        # FastAPI takes for a parameter of the path what the route's path names.
        path = "/" + "/".join(f"{{{name}}}" for name in request.path_params)
        if path not in known:
            known[path] = APIRoute(path, told, dependency_overrides_provider=request.app)
        return known[path]

    async def solve(request: Request) -> Any:
        # Without the application around it, which would answer errors in its own way.
        scope = dict(request.scope)
        scope.pop("starlette.exception_handlers", None)
        await route_of(request).app(scope, request.receive, _unheard)
        return scope[_GIVEN]

    return solve


async def _unheard(_event: object) -> None:
    """The answer has done its part when it is made."""
