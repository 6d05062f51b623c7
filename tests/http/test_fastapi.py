"""What only the FastAPI adapter has to prove: mounting, including, lifespans, threads."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from contextvars import ContextVar

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from energycore.errors import NotFound
from energycore.graphql.http import GraphQLEngine
from energycore_fastapi import graphql_app, graphql_router
from energycore_fastapi.threads import RequestThreads
from tests.http.frameworks import asgi_server
from tests.http.toy import make_schema

ASK = {"query": "{ greeting }"}


@pytest.fixture(scope="module")
def engine():
    return GraphQLEngine(make_schema())


def named(name):
    return lambda _request: name


def greeting(client, path):
    return client.post(path, json=ASK).json()["data"]["greeting"]


@contextlib.contextmanager
def asked(app):
    """A client of an application that is served, and whose lifespan has ended afterwards."""
    with asgi_server(app) as url, httpx.Client(base_url=url) as client:
        yield client


def alive():
    return {t for t in threading.enumerate() if t.name.startswith("energycore-graphql")}


@pytest.fixture
def ended():
    """Whether all threads have ended that were started for requests since the test began."""
    before = alive()
    return lambda: alive() <= before


def test_two_mounted_applications_and_a_router_serve_side_by_side(engine):
    app = FastAPI()
    app.mount("/one", graphql_app(engine, named("one"), graphiql_path="/"))
    app.mount("/two", graphql_app(engine, named("two"), path="/api/graphql"))
    app.include_router(
        graphql_router(engine, named("three"), graphiql_path="/ide"), prefix="/three"
    )
    app.include_router(graphql_router(engine, named("four")))
    with asked(app) as client:
        assert greeting(client, "/one/graphql") == "Hello you, one"
        assert greeting(client, "/two/api/graphql") == "Hello you, two"
        assert greeting(client, "/three/graphql") == "Hello you, three"
        assert greeting(client, "/graphql") == "Hello you, four"
        assert client.get("/two/").status_code == 404


@pytest.mark.parametrize(
    ("page", "prefix"), [("/one/", "/one"), ("/three/ide", "/three"), ("/two/deep/ide", "/two")]
)
def test_graphiql_finds_everything_under_a_prefix(engine, page, prefix):
    app = Starlette(
        routes=[
            Mount("/one", graphql_app(engine, named("x"), graphiql_path="/")),
            Mount("/two", graphql_app(engine, named("x"), graphiql_path="/deep/ide")),
            Mount("/three", graphql_app(engine, named("x"), graphiql_path="/ide")),
        ]
    )
    with asked(app) as client:
        html = client.get(page).text
        base = client.base_url.join(page)
        endpoint = base.join(html.split('data-endpoint="')[1].split('"')[0])
        assert endpoint.path == f"{prefix}/graphql"
        assert greeting(client, str(endpoint)) == "Hello you, x"
        script = base.join(html.split('script src="')[1].split('"')[0])
        assert client.get(script).status_code == 200


def test_without_a_path_there_is_no_graphiql_and_no_other_page(engine):
    with asked(graphql_app(engine, named("x"))) as client:
        for path in ("/", "/docs", "/redoc", "/openapi.json", "/graphiql-assets/start.js"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize("included", [False, True])
def test_the_lifespan_of_the_caller_surrounds_all_requests_and_keeps_its_state(
    engine, included, ended
):
    events = []

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        events.append("start")
        yield {"name": "state"}
        events.append("stop")
        events.append(f"threads ended: {ended()}")

    def context(request):
        events.append("request")
        return request.state.name

    if included:
        app = FastAPI()
        app.include_router(graphql_router(engine, context, lifespan=lifespan))
    else:
        app = graphql_app(engine, context, lifespan=lifespan)
    with asked(app) as client:
        assert greeting(client, "/graphql") == "Hello you, state"
    assert events == ["start", "request", "stop", "threads ended: True"]


def test_an_application_may_be_started_again(engine, ended):
    app = graphql_app(engine, named("again"))
    for _ in range(2):
        with asked(app) as client:
            assert greeting(client, "/graphql") == "Hello you, again"
        assert ended()


def test_resolvers_and_context_share_a_thread_that_is_not_the_event_loops(engine):
    threads = []

    def context(_request):
        threads.append(threading.current_thread().name)

    with asked(graphql_app(engine, context)) as client:
        response = client.post("/graphql", json={"query": "{ thread }"})
        threads.append(response.json()["data"]["thread"])
    assert threads[0] == threads[1]
    assert threads[0].startswith("energycore-graphql")


def test_a_refusal_of_the_context_is_a_graphql_error(engine):
    def context(_request):
        raise NotFound("tenant", "acme")

    with asked(graphql_app(engine, context)) as client:
        (error,) = client.post("/graphql", json=ASK).json()["errors"]
    assert error == {"message": "there is no tenant 'acme'", "extensions": {"code": "NOT_FOUND"}}


def test_an_http_exception_of_the_context_is_answered_by_the_application(engine):
    def context(_request):
        raise HTTPException(status_code=401, headers={"www-authenticate": "Bearer"})

    with asked(graphql_app(engine, context)) as client:
        response = client.post("/graphql", json=ASK)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_fault_of_the_context_is_masked(engine, caplog):
    def context(_request):
        raise RuntimeError("the password is swordfish")

    with asked(graphql_app(engine, context)) as client:
        response = client.post("/graphql", json=ASK)
    assert response.status_code == 500
    assert "swordfish" not in response.text
    assert "RuntimeError" in caplog.text
    assert "swordfish" not in caplog.text


def run_endpoint(app, *messages):
    """Send ASGI messages to an application and return those that it sends."""
    sent = []
    waiting = list(messages)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_a_request_whose_client_goes_away_is_never_taken_for_a_whole_one(engine):
    """What came so far is a complete mutation, but its sender did not say that it is."""
    asked: list[object] = []
    route = graphql_router(engine, asked.append).routes[0]
    assert isinstance(route, Route)
    app = route.app
    body = b'{"query": "mutation { rename(name: \\"x\\") }"}'
    piece = {"type": "http.request", "body": body, "more_body": True}
    assert run_endpoint(app, piece, {"type": "http.disconnect"}) == []
    assert not asked
    assert run_endpoint(app, {"type": "http.request", "body": body})[0]["status"] == 200
    assert len(asked) == 1


def run_in_threads(max_threads, make):
    """Run what `make` gives for a set of threads in a loop of its own, and end the threads."""

    async def main():
        threads = RequestThreads(max_threads)
        async with threads.lifespan(None):
            return await make(threads)

    return asyncio.run(main())


def test_a_request_that_does_not_end_is_not_waited_for_longer_than_the_patience():
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait()

    async def main():
        threads = RequestThreads(2, patience_s=0)
        async with threads.lifespan(None):
            given_up = asyncio.ensure_future(threads.run(work))
            await asyncio.to_thread(begun.wait)
            given_up.cancel()
        assert not go_on.is_set()

    asyncio.run(main())
    go_on.set()


def test_no_more_requests_run_at_one_time_than_there_are_threads():
    running, most = [], []
    barrier = threading.Barrier(3)

    def work():
        running.append(1)
        most.append(len(running))
        barrier.wait(timeout=30)
        running.pop()

    run_in_threads(3, lambda threads: asyncio.gather(*(threads.run(work) for _ in range(9))))
    assert len(most) == 9
    assert max(most) <= 3


def test_work_sees_the_context_variables_of_its_request():
    variable = ContextVar("variable", default="unset")

    async def both(threads):
        variable.set("set")
        return await threads.run(variable.get)

    assert run_in_threads(1, both) == "set"


def test_an_exception_of_the_work_comes_back_and_the_thread_goes_on():
    def fail():
        raise KeyError("x")

    async def both(threads):
        with pytest.raises(KeyError):
            await threads.run(fail)
        return await threads.run(lambda: 1)

    assert run_in_threads(1, both) == 1


def test_work_that_was_given_up_before_it_began_is_not_done():
    done = []
    begun, go = threading.Event(), threading.Event()

    def slow():
        begun.set()
        return go.wait(timeout=30)

    async def give_up(threads):
        first = asyncio.ensure_future(threads.run(slow))
        second = asyncio.ensure_future(threads.run(lambda: done.append(1)))
        await asyncio.get_running_loop().run_in_executor(None, begun.wait, 30)
        second.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await second
        go.set()
        return await first, await threads.run(lambda: "next")

    assert run_in_threads(1, give_up) == (True, "next")
    assert not done


def test_work_that_was_given_up_while_it_ran_disturbs_nobody():
    begun, go = threading.Event(), threading.Event()
    problems: list[object] = []

    def slow():
        begun.set()
        return go.wait(timeout=30)

    async def give_up(threads):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, problem: problems.append(problem))
        first = asyncio.ensure_future(threads.run(slow))
        await loop.run_in_executor(None, begun.wait, 30)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        go.set()
        return await threads.run(lambda: "next")

    assert run_in_threads(1, give_up) == "next"
    assert not problems


def test_threads_of_a_forgotten_application_end():
    before = alive()
    started = asyncio.run(RequestThreads(2).run(alive)) - before
    assert len(started) == 2
    for thread in started:
        thread.join(timeout=30)
        assert not thread.is_alive()


NEVER_CLOSED = """
import asyncio
from energycore_fastapi.threads import RequestThreads
threads = RequestThreads(2)
print(asyncio.run(threads.run(lambda: "done")))
"""


def test_a_process_ends_though_its_application_was_never_closed():
    done = subprocess.run([sys.executable, "-c", NEVER_CLOSED], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, [b"done"])


def test_without_fastapi_one_line_says_what_to_install():
    program = "import sys; sys.modules['fastapi'] = None; import energycore_fastapi"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith(
        'energycore_fastapi needs more packages: run pip install "energycore[fastapi]"'
    )
    assert "During handling" not in done.stderr
