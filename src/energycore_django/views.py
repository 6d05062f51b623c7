"""Views that carry bytes between Django and a GraphQL engine, and serve GraphiQL."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, Final

import attrs
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.middleware.csrf import get_token
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from energycore.errors import NotAllowed, NotFound
from energycore.graphql import graphiql
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.http import HttpRequest as Asked
from energycore.graphql.http import HttpResponse as Answer
from energycore.graphql.negotiation import is_json

__all__ = ["async_graphql_view", "graphiql_asset", "graphiql_page", "graphql_view"]

Context = Callable[[HttpRequest], object]
Authorize = Callable[[HttpRequest], None]

_READ: Final = {
    "accept": "HTTP_ACCEPT",
    "content-type": "CONTENT_TYPE",
    "content-encoding": "HTTP_CONTENT_ENCODING",
}
_TOKENS: Final = ("bearer", "token")


def graphql_view(
    engine: GraphQLEngine,
    context: Context,
    *,
    authorize: Authorize | None = None,
    graphiql_path: str | None = None,
) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view, for WSGI and, in a thread of Django's, for ASGI.

    Requests that a browser sends along with cookies or a password of its own are checked against
    forgery as by `csrf_protect`; those with a token in `Authorization` are not.

    Args:
        engine: answers the requests.
        context: makes the context value of a request.
        authorize: raises PermissionDenied to refuse a request.
        graphiql_path: where GraphiQL is, as seen from here; None for nowhere.
    """
    carrier = _Carrier(engine, context, authorize, graphiql_path)

    def graphql(request: HttpRequest) -> HttpResponse:
        return carrier.answer(request)

    view: Callable[[HttpRequest], HttpResponse] = csrf_exempt(graphql)
    return view


def async_graphql_view(
    engine: GraphQLEngine,
    context: Context,
    *,
    authorize: Authorize | None = None,
    graphiql_path: str | None = None,
) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """Make the same as a coroutine, for ASGI: one hop to a thread for each request."""
    carrier = _Carrier(engine, context, authorize, graphiql_path)

    def in_thread(request: HttpRequest) -> HttpResponse:
        # ATOMIC_REQUESTS, which Django does not do for a coroutine.
        with ExitStack() as stack:
            for alias, own in connections.settings.items():
                if own["ATOMIC_REQUESTS"]:
                    stack.enter_context(transaction.atomic(using=alias))
            return carrier.answer(request)

    async def graphql(request: HttpRequest) -> HttpResponse:
        return await sync_to_async(in_thread)(request)

    view: Callable[[HttpRequest], Awaitable[HttpResponse]]
    view = transaction.non_atomic_requests(csrf_exempt(graphql))
    return view


def graphiql_page(
    endpoint: str, *, example: str = "", authorize: Authorize | None = None
) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of GraphiQL; it sends the token that Django asks of browsers.

    Args:
        endpoint: where GraphQL is, as seen from the page.
        example: the query that it starts with.
        authorize: raises PermissionDenied to refuse a request.
    """

    def page(request: HttpRequest) -> HttpResponse:
        if authorize is not None:
            authorize(request)
        html = graphiql.page(endpoint, example=example, headers={"x-csrftoken": get_token(request)})
        return HttpResponse(html, headers=graphiql.PAGE_HEADERS)

    return page


def graphiql_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a script or a style of GraphiQL."""
    try:
        media_type, content = graphiql.asset(name)
    except NotFound:
        raise Http404(name) from None
    return HttpResponse(content, content_type=media_type, headers=graphiql.ASSET_HEADERS)


@attrs.frozen
class _Carrier:
    """Answers one request in one thread."""

    engine: GraphQLEngine
    context: Context
    authorize: Authorize | None
    graphiql_path: str | None

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Check where a request comes from, and answer it."""
        # What is no JSON is refused without being read.
        is_question = request.method != "POST" or is_json(request.META.get("CONTENT_TYPE"))
        if not (is_question and _may_be_forged(request)):
            return self._answer(request)
        answered: list[HttpResponse] = []

        def passed(request: HttpRequest) -> HttpResponse:
            answered.append(self._answer(request))
            return answered[0]

        response: HttpResponse = csrf_protect(passed)(request)
        if answered:
            return response
        asked = _asked(request, b"", None)
        return _refused(self.engine.fail(asked, NotAllowed("the CSRF token is missing or wrong")))

    def _answer(self, request: HttpRequest) -> HttpResponse:
        body = _body_of(request, self.engine.limits.max_body_bytes)
        hint = graphiql.located(request.path, self.graphiql_path)
        asked = _asked(request, body or b"", hint if request.method == "GET" else None)
        if body is None:
            return _sent(self.engine.too_large(asked))
        try:
            if self.authorize is not None:
                self.authorize(request)
            context = self.context(request)
        except PermissionDenied as error:
            return _refused(self.engine.fail(asked, NotAllowed(str(error) or "permission denied")))
        except Exception as error:  # noqa: BLE001 - the engine masks and logs it
            return _sent(self.engine.fail(asked, error))
        return _sent(self.engine.respond(asked, context))


def _may_be_forged(request: HttpRequest) -> bool:
    """Whether a browser could have been made to send this by another site, as its user."""
    scheme = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    if scheme in _TOKENS:
        return False
    return bool(request.COOKIES or scheme or request.META.get("REMOTE_USER"))


def _asked(request: HttpRequest, body: bytes, hint: str | None) -> Asked:
    return Asked(
        method=request.method or "",
        headers={name: request.META[key] for name, key in _READ.items() if request.META.get(key)},
        query_string=request.META.get("QUERY_STRING", "").encode(
            # The one was decoded as UTF-8, the other byte by byte.
            "utf-8" if isinstance(request, ASGIRequest) else "latin-1",
            "surrogateescape",
        ),
        body=body,
        graphiql=hint,
    )


def _body_of(request: HttpRequest, limit: int) -> bytes | None:
    """The body; None if it is longer than the limit."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        return None
    try:
        body = request.body
    except RequestDataTooBig:
        return None
    except UnreadablePostError:
        raise Http404("the client went away") from None
    return body if len(body) <= limit else None


def _refused(answer: Answer) -> HttpResponse:
    return _sent(attrs.evolve(answer, status=403))


def _sent(answer: Answer) -> HttpResponse:
    headers: dict[str, Any] = dict(answer.headers)
    response = HttpResponse(answer.body, status=answer.status, headers=headers)
    if "content-type" not in headers:
        del response["content-type"]
    return response
