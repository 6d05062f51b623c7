"""Who asks is told by a dependency of FastAPI, and whose data is shown by that alone."""

import contextlib
import threading
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.testclient import TestClient
from sqlalchemy import event
from starlette.requests import HTTPConnection, Request

import energycore as ec
from energycore.errors import InvalidValue
from energycore.protocols.scope import Scope
from energycore_fastapi import create_app, graphql_router

NAMES = {"query": "{ devices { nodes { name } } }"}
TENANT_OF_TOKEN = {"a-token": "acme", "b-token": "beta"}
BEARER = HTTPBearer()


@pytest.fixture
def energy(tmp_path):
    with ec.connect(f"sqlite:///{tmp_path / 'home.db'}") as opened:
        for tenant in TENANT_OF_TOKEN.values():
            opened.for_tenant(tenant).register(ec.SolarPanel(name=f"of {tenant}", rated_power_w=1))
        yield opened


def by_header(connection: HTTPConnection) -> Scope:
    tenant = TENANT_OF_TOKEN.get(connection.headers.get("x-token", ""))
    if tenant is None:
        raise HTTPException(status_code=401, headers={"www-authenticate": "X-Token"})
    return Scope(tenant)


async def by_header_async(connection: HTTPConnection) -> Scope:
    return by_header(connection)


def by_scheme(given: Annotated[HTTPAuthorizationCredentials, Depends(BEARER)]) -> str:
    if given.credentials not in TENANT_OF_TOKEN:
        raise HTTPException(status_code=403, detail="unknown token")
    return TENANT_OF_TOKEN[given.credentials]


async def by_sub_dependency(tenant: Annotated[str, Depends(by_scheme)]) -> Scope:
    return Scope(tenant)


def names(client, path="/graphql", **headers):
    answer = client.post(path, json=NAMES, headers=headers)
    assert answer.status_code == 200, answer.text
    return [node["name"] for node in answer.json()["data"]["devices"]["nodes"]]


@contextlib.contextmanager
def statements(energy):
    """What is sent to the database within the block."""
    sent = []

    def listen(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    engine = energy.services.storage.engine
    event.listen(engine, "before_cursor_execute", listen)
    yield sent
    event.remove(engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("scope_of", [by_header, by_header_async])
def test_a_dependency_tells_the_tenant_whether_it_is_a_coroutine_or_not(energy, scope_of):
    with TestClient(create_app(energy, scope_of=scope_of)) as client:
        assert names(client, **{"x-token": "a-token"}) == ["of acme"]
        assert names(client, **{"x-token": "b-token"}) == ["of beta"]


@pytest.mark.parametrize("scope_of", [by_header, by_header_async])
def test_who_is_refused_gets_the_answer_of_the_dependency_and_reads_nothing(energy, scope_of):
    with TestClient(create_app(energy, scope_of=scope_of)) as client, statements(energy) as sent:
        refused = client.post("/graphql", json=NAMES)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "X-Token")
    assert refused.json() == {"detail": "Unauthorized"}
    assert sent == []


def test_security_schemes_and_dependencies_of_the_dependency_are_solved(energy):
    with TestClient(create_app(energy, scope_of=by_sub_dependency)) as client:
        assert names(client, authorization="Bearer a-token") == ["of acme"]
        unknown = client.post("/graphql", json=NAMES, headers={"authorization": "Bearer x"})
        assert (unknown.status_code, unknown.json()) == (403, {"detail": "unknown token"})
        assert client.post("/graphql", json=NAMES).status_code in (401, 403)


def test_what_a_dependency_opens_is_closed_after_the_request(energy):
    seen = []

    def opening():
        seen.append("opened")
        yield Scope("acme")
        seen.append("closed")

    with TestClient(create_app(energy, scope_of=opening)) as client:
        assert names(client) == ["of acme"]
    assert seen == ["opened", "closed"]


@pytest.mark.parametrize("wrong", [None, "acme", 7])
def test_a_dependency_that_gives_no_scope_shows_nothing_and_asks_nothing(energy, wrong):
    with (
        TestClient(create_app(energy, scope_of=lambda: wrong)) as client,
        statements(energy) as sent,
    ):
        answer = client.post("/graphql", json=NAMES).json()
    assert answer["errors"][0]["extensions"]["code"] == "SCOPE_REQUIRED"
    assert "data" not in answer
    assert sent == []


def test_without_a_dependency_everybody_is_of_the_one_tenant(energy):
    with TestClient(create_app(energy.for_tenant("beta"))) as client:
        assert names(client, **{"x-token": "a-token"}) == ["of beta"]


def test_a_parameter_without_an_annotation_is_refused_before_it_reads_the_query_string(energy):
    with pytest.raises(InvalidValue, match="request needs an annotation"):
        create_app(energy, scope_of=lambda request: Scope("acme"))


def test_dependencies_can_be_overridden_as_those_of_any_path_operation(energy):
    app = create_app(energy, scope_of=by_header)
    app.dependency_overrides[by_header] = lambda: Scope("beta")
    with TestClient(app) as client:
        assert names(client) == ["of beta"]


def test_a_router_with_a_dependency_can_be_included_and_takes_further_ones(energy):
    from energycore.graphql import GraphQLContext, build_engine

    def context(scope: Scope) -> GraphQLContext:
        own = energy.for_tenant(scope.tenant)
        return GraphQLContext(services=own.services, scope=own.scope)

    def closed():
        raise HTTPException(status_code=418)

    router = graphql_router(build_engine(), context, scope_of=by_header)
    app = FastAPI()
    app.include_router(router, prefix="/open")
    app.include_router(router, prefix="/closed", dependencies=[Depends(closed)])
    with TestClient(app) as client:
        assert names(client, "/open/graphql", **{"x-token": "a-token"}) == ["of acme"]
        assert client.post("/closed/graphql", json=NAMES).status_code == 418


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "get": ("GET", {"params": {"query": "{ devices { nodes { name } } }"}}),
    "head": ("HEAD", {"params": {"query": "{ devices { nodes { name } } }"}}),
    "options": ("OPTIONS", {}),
    "put": ("PUT", {"json": NAMES}),
    "delete": ("DELETE", {}),
    "form": ("POST", {"data": {"query": "{ x }"}}),
    "not json": ("POST", {"content": b"{", "headers": {"content-type": "application/json"}}),
    "invalid": ("POST", {"json": {"query": "{ nothing }"}}),
    "too large": ("POST", {"json": {"query": " " * 300_000}}),
    "list": ("POST", {"json": NAMES}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_with_a_dependency_the_same_bytes_are_answered_as_without(energy, name):
    method, given = REQUESTS[name]
    answers = []
    for scope_of in (None, lambda: Scope("acme")):
        with TestClient(create_app(energy.for_tenant("acme"), scope_of=scope_of)) as client:
            answer = client.request(method, "/graphql", **given)
            answers.append((answer.status_code, dict(answer.headers), answer.content))
    assert answers[0] == answers[1]


def test_many_tenants_at_one_time_are_kept_apart(energy):
    with TestClient(create_app(energy, scope_of=by_header)) as client:
        seen = {}

        def ask(token):
            seen[token] = {tuple(names(client, **{"x-token": token})) for _ in range(20)}

        threads = [threading.Thread(target=ask, args=(token,)) for token in TENANT_OF_TOKEN]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == {"a-token": {("of acme",)}, "b-token": {("of beta",)}}


def test_a_dependency_may_read_the_body(energy):
    async def signed(request: Request) -> Scope:
        if b"devices" not in await request.body():
            raise HTTPException(status_code=403)
        return Scope("acme")

    with TestClient(create_app(energy, scope_of=signed)) as client:
        assert names(client) == ["of acme"]
        assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 403
        assert client.post("/graphql", content=b"devices" * 50_000).status_code == 413
