"""A FastAPI application over one database: GraphQL, GraphiQL and a health check."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from energycore.errors import EnergycoreError
from energycore.graphql import GraphQLContext, GraphQLEngine, build_engine
from energycore.graphql import graphiql as graphiql_page
from energycore.graphql.live import SocketLimits
from energycore.protocols.records import PageRequest
from energycore.protocols.scope import Scope
from energycore.wiring.energy import Energy
from energycore.wiring.tenants import Tenants
from energycore_fastapi.application import Lifespan, graphql_app
from energycore_fastapi.dependencies import provide_energy

__all__ = ["create_app"]

_ONE: Final = PageRequest(first=1)
_PLAIN_LIMITS: Final = SocketLimits()


def create_app(
    energy: Energy,
    *,
    engine: GraphQLEngine | None = None,
    scope_of: Callable[..., Scope | Awaitable[Scope]] | None = None,
    graphiql: bool = True,
    max_threads: int = 8,
    lifespan: Lifespan | None = None,
    sockets: SocketLimits | None = _PLAIN_LIMITS,
) -> FastAPI:
    """Make an application that serves GraphQL at /graphql and its health at /health.

    Path operations that are added to it may use `Depends(get_energy)`.

    The caller keeps `energy` and closes it after the application has ended.

    Args:
        energy: the database, and the tenant of whoever asks.
        engine: answers the requests; by default one with all installed device kinds.
        scope_of: tells the tenant of a request instead: a FastAPI dependency, sync or async, with
            dependencies and security schemes of its own. It raises HTTPException to refuse one.
            Of a socket it is given a request with the headers of its handshake.
        graphiql: whether GraphiQL is served at /.
        max_threads: the most requests that are answered at one time; further ones wait.
        lifespan: entered before the first request and left after the last one, for work that
            goes on beside the requests, such as ticks; its state is the application's.
        sockets: the limits of graphql-transport-ws at /graphql; None serves no sockets.
    """
    tenants = Tenants.over(energy)

    def of_scope(scope: Scope) -> GraphQLContext:
        own = tenants.of(scope)
        return GraphQLContext(services=own.services, scope=own.scope)

    def of_request(_request: Request) -> GraphQLContext:
        return of_scope(energy.scope)

    # No coroutine, so that the database is asked in a thread.
    def health(_request: Request) -> JSONResponse:
        return _health(energy)

    app = graphql_app(
        build_engine() if engine is None else engine,
        of_request if scope_of is None else of_scope,
        scope_of=scope_of,
        graphiql_path="/" if graphiql else None,
        example=graphiql_page.EXAMPLE,
        max_threads=max_threads,
        lifespan=lifespan,
        sockets=sockets,
    )
    app.router.routes.append(Route("/health", health, name="health"))
    provide_energy(app, energy, scope_of=scope_of)
    return app


def _health(energy: Energy) -> JSONResponse:
    try:
        energy.devices(page=_ONE)
    except EnergycoreError as error:
        # Only the code: the message may name hosts and files.
        return JSONResponse({"status": "unavailable", "code": error.code}, status_code=503)
    return JSONResponse({"status": "ok"})
