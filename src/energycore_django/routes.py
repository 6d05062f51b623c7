"""URL patterns of a GraphQL engine and of GraphiQL."""

import posixpath
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.urls import URLPattern
from django.urls import path as pattern

from energycore.graphql import GraphQLContext, GraphQLEngine, build_engine, graphiql
from energycore_django.access import energy
from energycore_django.conf import DjangoSettings, current, problems
from energycore_django.permissions import anyone, staff
from energycore_django.tenancy import tenant_of
from energycore_django.views import (
    async_graphql_view,
    graphiql_asset,
    graphiql_page,
    graphql_view,
)

__all__ = ["graphql_urls", "project_urls"]


def graphql_urls(
    engine: GraphQLEngine,
    context: Callable[[HttpRequest], object],
    *,
    path: str = "graphql",
    graphiql_path: str | None = None,
    example: str = "",
    authorize: Callable[[HttpRequest], None] | None = None,
    is_async: bool = False,
) -> list[URLPattern]:
    """URL patterns for `include`.

    Args:
        engine: answers the requests.
        context: makes the context value of a request.
        path: where GraphQL is served.
        graphiql_path: where GraphiQL is served, such as ""; None for nowhere.
        example: the query that GraphiQL starts with.
        authorize: raises PermissionDenied to refuse a request.
        is_async: whether the view is a coroutine, for ASGI.
    """
    hint = None
    patterns: list[URLPattern] = []
    if graphiql_path is not None:
        hint = posixpath.relpath(f"/{graphiql_path}", posixpath.dirname(f"/{path}"))
        folder = posixpath.dirname(graphiql_path)
        endpoint = posixpath.relpath(f"/{path}", f"/{folder}")
        page = graphiql_page(endpoint, example=example, authorize=authorize)
        assets = posixpath.join(folder, graphiql.ASSETS, "<str:name>")
        patterns = [
            pattern(graphiql_path, page, name="energycore-graphiql"),
            pattern(assets, graphiql_asset, name="energycore-graphiql-asset"),
        ]
    make = async_graphql_view if is_async else graphql_view
    view = make(engine, context, authorize=authorize, graphiql_path=hint)
    return [pattern(path, view, name="energycore-graphql"), *patterns]  # type: ignore[arg-type] # either is a view


def project_urls(*, is_async: bool = False) -> list[URLPattern]:
    """The patterns of the project's own data, as its settings say."""
    # The system checks, which come after the URLs, say what is wrong; so does each request.
    own = DjangoSettings() if problems() else current()
    return graphql_urls(
        _engine(own.max_body_bytes),
        _context,
        graphiql_path="" if own.graphiql else None,
        example=graphiql.EXAMPLE,
        authorize=_authorize,
        is_async=is_async,
    )


@cache
def _engine(max_body_bytes: int) -> GraphQLEngine:
    return build_engine(max_body_bytes=max_body_bytes)


def _context(request: HttpRequest) -> GraphQLContext:
    own = energy(tenant_of(request))
    return GraphQLContext(services=own.services, scope=own.scope)


def _authorize(request: HttpRequest) -> None:
    hook = current().authorize
    if hook is None:
        hook = anyone if settings.DEBUG else staff
    hook(request)
