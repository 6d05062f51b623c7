"""What only the FastAPI adapter has to prove of sockets: where they are, and who is there."""

import contextlib

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from websockets.exceptions import InvalidStatus

from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.graphql import GraphQLContext, build_engine
from energycore.graphql.live import SocketLimits
from energycore.protocols.scope import Scope
from energycore.wiring.connect import connect
from energycore_fastapi import create_app, graphql_app, graphql_router
from energycore_fastapi.sockets import CONNECTION_INIT
from tests.http.frameworks import asgi_server
from tests.live.clients import raw

NAMES = "{ devices { nodes { name } } }"


@pytest.fixture(scope="module")
def engine():
    return build_engine()


@pytest.fixture
def energy():
    with connect("memory://") as opened:
        for tenant in ("one", "two"):
            opened.for_tenant(tenant).register(SolarPanel(name=tenant, rated_power_w=1.0))
        yield opened


def tenant(energy, name):
    return lambda _request: GraphQLContext(services=energy.services, scope=Scope(name))


@contextlib.contextmanager
def served(app):
    with asgi_server(app, ws="auto") as url:
        yield url.replace("http", "ws", 1)


def names(client):
    client.subscribe(NAMES)
    return [node["name"] for node in client.next()["payload"]["data"]["devices"]["nodes"]]


def test_sockets_are_where_requests_are_under_any_prefix(engine, energy):
    app = FastAPI()
    app.mount("/one", graphql_app(engine, tenant(energy, "one")))
    app.include_router(graphql_router(engine, tenant(energy, "two"), path="/ask"), prefix="/two")
    with served(app) as url:
        for path, expected in (("/one/graphql", "one"), ("/two/ask", "two")):
            with raw(url + path) as client:
                assert names(client.init()) == [expected]
        with pytest.raises(InvalidStatus), raw(f"{url}/graphql"):
            pass


def test_without_limits_there_are_no_sockets(energy):
    app = create_app(energy, sockets=None)
    with served(app) as url, pytest.raises(InvalidStatus), raw(f"{url}/graphql"):
        pass


def test_limits_are_those_that_are_given(energy):
    app = create_app(energy, sockets=SocketLimits(max_message_bytes=100))
    with served(app) as url, raw(f"{url}/graphql") as client:
        client.init().subscribe("{ __typename }" + " " * 100)
        assert client.closed()[0] == 1009


def test_the_context_sees_a_request_with_what_the_client_says(engine, energy):
    seen = []

    def context(request):
        seen.append(
            (
                request.method,
                request.url.scheme,
                request.headers.get("authorization"),
                request.cookies.get("session"),
                request.query_params.get("a"),
                request.scope[CONNECTION_INIT],
            )
        )
        return tenant(energy, "one")(request)

    with served(graphql_app(engine, context)) as url:
        for headers, payload in (
            ({"cookie": "session=1"}, {"Authorization": "Bearer 1"}),
            ({"authorization": "Bearer 2"}, {"authorization": "Bearer 1"}),
            ({}, {"authorization": ["Bearer 1"]}),
            ({}, {"authorization": "Bearer ü\n"}),
        ):
            with raw(f"{url}/graphql?a=b", additional_headers=headers) as client:
                client.init(**payload)
    assert seen == [
        ("GET", "http", "Bearer 1", "1", "b", {"Authorization": "Bearer 1"}),
        ("GET", "http", "Bearer 2", None, "b", {"authorization": "Bearer 1"}),
        ("GET", "http", None, None, "b", {"authorization": ["Bearer 1"]}),
        ("GET", "http", None, None, "b", {"authorization": "Bearer ü\n"}),
    ]


@pytest.mark.parametrize(("status", "code"), [(401, 4403), (403, 4403), (503, 1013), (500, 4500)])
def test_an_exception_of_the_framework_refuses_the_client(engine, status, code):
    def context(_request):
        raise HTTPException(status, "no")

    with served(graphql_app(engine, context)) as url, raw(f"{url}/graphql") as client:
        client.send("connection_init")
        assert client.closed()[0] == code
