"""Each web framework, as a real server that the HTTP suite can ask.

A framework is added by writing one function like `fastapi` and naming it in FRAMEWORKS.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import uvicorn

from energycore.graphql.http import GraphQLEngine
from energycore_fastapi import graphql_app

__all__ = ["FRAMEWORKS", "Serve", "asgi_server"]

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
def asgi_server(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none")
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


FRAMEWORKS: dict[str, Serve] = {"fastapi": fastapi}
