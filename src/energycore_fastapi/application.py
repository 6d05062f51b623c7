"""Puts a GraphQL engine and GraphiQL into a FastAPI router or a mountable application."""

import posixpath
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from energycore.errors import NotFound
from energycore.graphql import graphiql
from energycore.graphql.http import GraphQLEngine
from energycore_fastapi.endpoint import GraphQLEndpoint
from energycore_fastapi.threads import RequestThreads

__all__ = ["Lifespan", "graphql_app", "graphql_router"]

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def graphql_router(
    engine: GraphQLEngine,
    context: Callable[[Request], object],
    *,
    path: str = "/graphql",
    graphiql_path: str | None = None,
    example: str = "",
    max_threads: int = 8,
    lifespan: Lifespan | None = None,
) -> APIRouter:
    """Make a router for `app.include_router`, with or without a prefix.

    Requests do not pass FastAPI's dependencies, and `dependencies=` of `include_router` has no
    effect on them: check who asks in `context`, and raise HTTPException there to refuse.

    Args:
        engine: answers the requests.
        context: makes the context value of a request; runs in the thread of the resolvers.
        path: where GraphQL is served.
        graphiql_path: where the GraphiQL page is served, such as "/"; None for nowhere.
        example: the query that GraphiQL starts with.
        max_threads: the most requests that are answered at one time; further ones wait.
        lifespan: entered before the first request and left after the last one.
    """
    threads = RequestThreads(max_threads)
    router = APIRouter(lifespan=_around(threads, lifespan))
    page = None
    if graphiql_path is not None:
        page = posixpath.relpath(graphiql_path, posixpath.dirname(path))
        router.routes.extend(_graphiql_routes(path, graphiql_path, example))
    endpoint = GraphQLEndpoint(engine, context, threads, graphiql=page)
    router.routes.append(Route(path, endpoint, name="graphql"))
    return router


def graphql_app(
    engine: GraphQLEngine,
    context: Callable[[Request], object],
    *,
    path: str = "/graphql",
    graphiql_path: str | None = None,
    example: str = "",
    max_threads: int = 8,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Make an application of its own, to be served or to be mounted under a prefix.

    An application that mounts this one must enter its lifespan itself where `lifespan` matters,
    for Starlette starts that of the outermost application only.

    Args:
        engine: answers the requests.
        context: makes the context value of a request; runs in the thread of the resolvers.
        path: where GraphQL is served.
        graphiql_path: where the GraphiQL page is served, such as "/"; None for nowhere.
        example: the query that GraphiQL starts with.
        max_threads: the most requests that are answered at one time; further ones wait.
        lifespan: entered before the first request and left after the last one; its state is
            the application's.
    """
    router = graphql_router(
        engine,
        context,
        path=path,
        graphiql_path=graphiql_path,
        example=example,
        max_threads=max_threads,
        lifespan=lifespan,
    )
    app = FastAPI(lifespan=router.lifespan_context, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(router.routes)
    return app


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
