"""Each web framework, as a real server that the HTTP suite can ask.

A framework is added by writing one function like `fastapi` and naming it in FRAMEWORKS.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

import django
import uvicorn
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import QuietWSGIRequestHandler

from energycore.graphql.http import GraphQLEngine
from energycore_django.routes import graphql_urls
from energycore_fastapi import graphql_app

__all__ = ["FRAMEWORKS", "REFUSE_EARLY", "TAKE_PIECES", "Serve", "asgi_server"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django.settings")
django.setup()

# Serves an engine, with GraphQL at /graphql and GraphiQL at /, under the URL that it gives.
Serve = Callable[[GraphQLEngine], AbstractContextManager[str]]


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextlib.contextmanager
def asgi_server(app: Any, **options: Any) -> Iterator[str]:
    """Serve an ASGI application on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        given: dict[str, Any] = {"log_level": "warning", "access_log": False, "ws": "none"}
        config = uvicorn.Config(app, **given | options)
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert server.listening.wait(timeout=30), "the server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def fastapi(engine: GraphQLEngine) -> Iterator[str]:
    """Serve by FastAPI under uvicorn."""
    app = graphql_app(
        engine,
        lambda request: request.headers.get("x-name", "nobody"),
        graphiql_path="/",
        example="{ greeting }",
    )
    with asgi_server(app) as url:
        yield url


def _django_urls(engine: GraphQLEngine, *, is_async: bool = False) -> ModuleType:
    """URLs of a Django project that serves an engine."""
    urls = ModuleType("urls")
    vars(urls)["urlpatterns"] = graphql_urls(
        engine,
        lambda request: request.headers.get("x-name", "nobody"),
        graphiql_path="",
        example="{ greeting }",
        is_async=is_async,
    )
    return urls


def _django_asgi(urls: ModuleType) -> AbstractContextManager[str]:
    class Request(ASGIRequest):
        urlconf = urls  # type: ignore[assignment] # the stubs know names of modules only

    handler = ASGIHandler()
    handler.request_class = Request
    return asgi_server(handler)


def django_async(engine: GraphQLEngine) -> AbstractContextManager[str]:
    """Serve by an asynchronous view of Django under uvicorn."""
    return _django_asgi(_django_urls(engine, is_async=True))


def django_sync(engine: GraphQLEngine) -> AbstractContextManager[str]:
    """Serve by a synchronous view of Django under uvicorn."""
    return _django_asgi(_django_urls(engine))


@contextlib.contextmanager
def django_wsgi(engine: GraphQLEngine) -> Iterator[str]:
    """Serve by the WSGI server of Django's own tests."""

    class Request(WSGIRequest):
        urlconf = _django_urls(engine)  # type: ignore[assignment] # the stubs know names only

    handler = WSGIHandler()
    handler.request_class = Request
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    server.set_app(handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


FRAMEWORKS: dict[str, Serve] = {
    "fastapi": fastapi,
    "django-async": django_async,
    "django-sync": django_sync,
    "django-wsgi": django_wsgi,
}
# Django has read a body before a view is called, and goes by its length where it speaks WSGI.
REFUSE_EARLY = ("fastapi",)
TAKE_PIECES = ("fastapi", "django-async", "django-sync")
