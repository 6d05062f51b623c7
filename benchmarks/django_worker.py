"""`python -m benchmarks.django_worker NAME FILE`: a contestant, asked by its standard input.

Each line there is `QUESTION COUNT`; for it the process asks its own WSGI application so often, and
prints the CPU time that it took [s] and the answer, as JSON.
"""

import importlib
import json
import sys
import time
from io import BytesIO
from typing import Any, Final

from benchmarks.django_project import configure, sqlite_database

__all__ = ["CONTESTANTS", "main"]

CONTESTANTS: Final = {
    "own": ("benchmarks.django_own", ()),
    "strawberry": ("benchmarks.django_strawberry", ()),
    "graphene": ("benchmarks.django_graphene", ("graphene_django",)),
}


def main(name: str, file: str) -> None:
    """Serve one contestant."""
    module, apps = CONTESTANTS[name]
    configure(sqlite_database(file), module, apps)
    from django.core.handlers.wsgi import WSGIHandler

    contestant = importlib.import_module(module)
    application = WSGIHandler()
    for line in sys.stdin:
        question, count = line.split()
        body = json.dumps({"query": contestant.QUERIES[question]}).encode()
        answer = b""
        begin = time.process_time_ns()
        for _ in range(int(count)):
            answer = _ask(application, body)
        seconds = (time.process_time_ns() - begin) / 1e9
        print(json.dumps({"seconds": seconds, "answer": json.loads(answer)}), flush=True)


def _ask(application: Any, body: bytes) -> bytes:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/graphql",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ACCEPT": "application/json",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    response = application(environ, lambda status, headers, *_: statuses.append(status))
    try:
        answer = b"".join(response)
    finally:
        response.close()
    if not statuses[0].startswith("200"):
        raise AssertionError(f"{statuses[0]}: {answer.decode()}")
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])
