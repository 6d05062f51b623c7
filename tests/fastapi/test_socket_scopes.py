"""Sockets ask the same dependency of FastAPI as requests, and each sees its own tenant only."""

import contextlib
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection, Request
from websockets.exceptions import InvalidStatus

import energycore as ec
from energycore.graphql import GraphQLContext, build_engine
from energycore.protocols.scope import Scope
from energycore_fastapi import create_app, graphql_router
from tests.http.frameworks import asgi_server
from tests.live.clients import raw

TENANTS = {"a-token": "acme", "b-token": "beta"}
NAMES = "{ devices { nodes { name } } }"


@pytest.fixture
def energy():
    with ec.connect("memory://") as opened:
        for tenant in TENANTS.values():
            opened.for_tenant(tenant).register(ec.SolarPanel(name=f"of {tenant}", rated_power_w=1))
        yield opened


def by_scheme(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    if given.credentials not in TENANTS:
        raise HTTPException(status_code=403, detail="unknown token")
    return TENANTS[given.credentials]


async def by_sub_dependency(tenant: Annotated[str, Depends(by_scheme)]) -> Scope:
    return Scope(tenant)


def by_connection(connection: HTTPConnection) -> Scope:
    token = connection.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in TENANTS:
        raise HTTPException(status_code=401, detail="who are you?")
    return Scope(TENANTS[token])


DEPENDENCIES = pytest.mark.parametrize("scope_of", [by_sub_dependency, by_connection])


@contextlib.contextmanager
def served(app):
    with asgi_server(app, ws="auto") as url:
        yield url.replace("http", "ws", 1) + "/graphql"


def names(client):
    client.subscribe(NAMES)
    return [node["name"] for node in client.next()["payload"]["data"]["devices"]["nodes"]]


@DEPENDENCIES
def test_each_socket_sees_the_tenant_of_its_token(energy, scope_of):
    with served(create_app(energy, scope_of=scope_of)) as url:
        for token, tenant in TENANTS.items():
            with raw(url) as client:
                assert names(client.init(Authorization=f"Bearer {token}")) == [f"of {tenant}"]


@DEPENDENCIES
@pytest.mark.parametrize("payload", [{}, {"Authorization": "Bearer wrong"}, {"authorization": "x"}])
def test_a_socket_without_a_token_that_is_known_is_refused(energy, scope_of, payload):
    with served(create_app(energy, scope_of=scope_of)) as url, raw(url) as client:
        client.send("connection_init", payload=payload)
        assert client.closed()[0] == 4403


def test_a_dependency_may_open_and_close_something(energy):
    events: list[object] = []

    async def opening(request: Request):
        events.append(("opened", request.headers.get("authorization")))
        yield Scope("acme")
        events.append("closed")

    with served(create_app(energy, scope_of=opening)) as url, raw(url) as client:
        assert names(client.init(Authorization="Bearer a")) == ["of acme"]
    assert events[:2] == [("opened", "Bearer a"), "closed"]


def test_a_dependency_may_be_overridden_as_in_any_application(energy):
    app = create_app(energy, scope_of=by_connection)
    app.dependency_overrides[by_connection] = lambda: Scope("beta")
    with served(app) as url, raw(url) as client:
        assert names(client.init()) == ["of beta"]


def test_a_fault_of_a_dependency_is_masked(energy):
    def broken(connection: HTTPConnection) -> Scope:
        raise RuntimeError("hunter2")

    with served(create_app(energy, scope_of=broken)) as url, raw(url) as client:
        client.send("connection_init")
        code, reason = client.closed()
    assert code == 4500
    assert "hunter2" not in reason


def test_a_path_leads_to_a_tenant(energy):
    def by_path(request: Request, tenant: str) -> Scope:
        seen.append((request.url.path, tenant))
        return Scope(tenant)

    seen: list[tuple[str, str]] = []

    def context(scope: Scope) -> GraphQLContext:
        return GraphQLContext(services=energy.services, scope=scope)

    app = FastAPI()
    router = graphql_router(build_engine(), context, scope_of=by_path)
    app.include_router(router, prefix="/{tenant}")
    with asgi_server(app, ws="auto") as url, raw(f"ws{url[4:]}/beta/graphql") as client:
        assert names(client.init()) == ["of beta"]
    assert seen[0] == ("/beta/graphql", "beta")


def test_what_a_handshake_lacks_refuses_it(energy, caplog):
    def by_required(x_key: Annotated[str, Header()]) -> Scope:
        return Scope(x_key)

    with served(create_app(energy, scope_of=by_required)) as url, raw(url) as client:
        client.send("connection_init")
        assert client.closed()[0] == 4403
    assert "fault" not in caplog.text


def test_dependencies_of_the_router_hold_for_sockets(energy):
    def gate(connection: HTTPConnection) -> None:
        if connection.headers.get("x-gate") != "open":
            raise HTTPException(status_code=403)

    def context(_request: object) -> GraphQLContext:
        return GraphQLContext(services=energy.services, scope=Scope("acme"))

    app = FastAPI()
    app.include_router(graphql_router(build_engine(), context), dependencies=[Depends(gate)])
    with served(app) as url:
        with pytest.raises(InvalidStatus), raw(url):
            pass
        with raw(url, additional_headers={"x-gate": "open"}) as client:
            assert names(client.init()) == ["of acme"]
