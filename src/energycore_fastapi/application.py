"""Puts a GraphQL engine and GraphiQL into a FastAPI router or a mountable application."""

import posixpath
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from energycore.errors import NotFound
from energycore.graphql import graphiql
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live import SocketApp, SocketLimits
from energycore_fastapi.endpoint import GraphQLEndpoint
from energycore_fastapi.scopes import check_dependency
from energycore_fastapi.sockets import socket_app
from energycore_fastapi.threads import RequestThreads

__all__ = ["Lifespan", "graphql_app", "graphql_router"]

_PLAIN_LIMITS: Final = SocketLimits()
# The engine itself refuses those that GraphQL is not served by.
_METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def graphql_router(
    engine: GraphQLEngine,
    context: Callable[[Any], object],
    *,
    scope_of: Callable[..., Any] | None = None,
    path: str = "/graphql",
    graphiql_path: str | None = None,
    example: str = "",
    max_threads: int = 8,
    lifespan: Lifespan | None = None,
    sockets: SocketLimits | None = _PLAIN_LIMITS,
) -> APIRouter:
    """Make a router for `app.include_router`, with or without a prefix.

    Who asks is checked by `scope_of` or by `context`, either of which may raise HTTPException to
    refuse. Without `scope_of`, `dependencies=` of `include_router` has no effect on requests; on
    sockets it has, when they are opened.

    Args:
        engine: answers the requests.
        context: makes the context value of a request; runs in the thread of the resolvers. Of a
            socket it is given a request with the headers of its handshake.
        scope_of: a FastAPI dependency, with dependencies and security schemes of its own; what it
            returns is given to `context` in the place of the request. Unless there is one,
            requests do not pass FastAPI's dependencies, which is quicker.
        path: where GraphQL is served.
        graphiql_path: where the GraphiQL page is served, such as "/"; None for nowhere.
        example: the query that GraphiQL starts with.
        max_threads: the most requests that are answered at one time; further ones wait.
        lifespan: entered before the first request and left after the last one.
        sockets: the limits of graphql-transport-ws at the same path; None serves no sockets.
    """
    threads = RequestThreads(max_threads)
    router = APIRouter(lifespan=_around(threads, lifespan))
    page = None
    if graphiql_path is not None:
        page = posixpath.relpath(graphiql_path, posixpath.dirname(path))
        router.routes.extend(_graphiql_routes(path, graphiql_path, example))
    endpoint = GraphQLEndpoint(engine, context, threads, graphiql=page)
    if scope_of is None:
        router.routes.append(Route(path, endpoint, name="graphql"))
    else:
        _add_operation(router, path, endpoint, scope_of)
    if sockets is not None:
        _add_socket(router, path, socket_app(engine, context, threads, sockets, scope_of=scope_of))
    return router


def graphql_app(
    engine: GraphQLEngine,
    context: Callable[[Any], object],
    *,
    scope_of: Callable[..., Any] | None = None,
    path: str = "/graphql",
    graphiql_path: str | None = None,
    example: str = "",
    max_threads: int = 8,
    lifespan: Lifespan | None = None,
    sockets: SocketLimits | None = _PLAIN_LIMITS,
) -> FastAPI:
    """Make an application of its own, to be served or to be mounted under a prefix.

    An application that mounts this one must enter its lifespan itself where `lifespan` matters,
    for Starlette starts that of the outermost application only.

    Args:
        engine: answers the requests.
        context: makes the context value of a request; runs in the thread of the resolvers. Of a
            socket it is given a request with the headers of its handshake.
        scope_of: a FastAPI dependency, with dependencies and security schemes of its own; what it
            returns is given to `context` in the place of the request. Unless there is one,
            requests do not pass FastAPI's dependencies, which is quicker.
        path: where GraphQL is served.
        graphiql_path: where the GraphiQL page is served, such as "/"; None for nowhere.
        example: the query that GraphiQL starts with.
        max_threads: the most requests that are answered at one time; further ones wait.
        lifespan: entered before the first request and left after the last one; its state is
            the application's.
        sockets: the limits of graphql-transport-ws at the same path; None serves no sockets.
    """
    router = graphql_router(
        engine,
        context,
        scope_of=scope_of,
        path=path,
        graphiql_path=graphiql_path,
        example=example,
        max_threads=max_threads,
        lifespan=lifespan,
        sockets=sockets,
    )
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # With its lifespan.
    app.include_router(router)
    return app


def _add_operation(
    router: APIRouter, path: str, endpoint: GraphQLEndpoint, scope_of: Callable[..., Any]
) -> None:
    """Serve an endpoint as a path operation, so that FastAPI solves what it depends on."""
    check_dependency(scope_of)

    async def graphql(request: Request, given: Annotated[Any, Depends(scope_of)]) -> Response:
        return await endpoint.answer(request, given)

    router.add_api_route(
        path, graphql, methods=list(_METHODS), name="graphql", include_in_schema=False
    )


def _add_socket(router: APIRouter, path: str, served: SocketApp) -> None:
    """Serve sockets by a route of FastAPI, so that dependencies of the router hold for them."""

    async def graphql_socket(websocket: WebSocket) -> None:
        await served(websocket.scope, websocket.receive, websocket.send)

    router.add_api_websocket_route(path, graphql_socket, name="graphql-socket")


def _around(threads: RequestThreads, lifespan: Lifespan | None) -> Lifespan:
    if lifespan is None:
        return threads.lifespan

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        # The threads close first: no request may see what the inner lifespan has already closed.
        async with lifespan(app) as state, threads.lifespan(app):
            yield state

    return both


def _graphiql_routes(path: str, graphiql_path: str, example: str) -> list[Route]:
    folder = posixpath.dirname(graphiql_path)
    # URLs relative to the page hold under any prefix, mount point or proxy.
    html = graphiql.page(posixpath.relpath(path, folder), example=example)

    async def page(_request: Request) -> Response:
        return HTMLResponse(html, headers=graphiql.PAGE_HEADERS)

    def asset(request: Request) -> Response:
        try:
            media_type, content = graphiql.asset(request.path_params["name"])
        except NotFound:
            raise HTTPException(status_code=404) from None
        return Response(content, media_type=media_type, headers=graphiql.ASSET_HEADERS)

    return [
        Route(graphiql_path, page, name="graphiql"),
        Route(posixpath.join(folder, graphiql.ASSETS, "{name}"), asset, name="graphiql-asset"),
    ]
