"""GraphQL in a Django project: forged requests, permissions, GraphiQL, and the whole schema."""

import io
import json
import logging
import time
from contextlib import ExitStack

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

import energycore as ec
from energycore.graphql import graphiql
from energycore.wiring.clocks import SystemClock, TickClock
from energycore.wiring.tenants import RECHECK_S
from energycore_django import access, energy
from energycore_django.permissions import anyone, logged_in, staff
from energycore_django.routes import project_urls

ASK = json.dumps({"query": "{ devices { nodes { name kind } totalCount } }"})
REGISTER = json.dumps(
    {
        "query": """mutation { registerDevice(input: {name: "Roof",
        spec: {solarPanel: {ratedPowerW: 5000}}}) { device { name } userErrors { code } } }"""
    }
)


class Urls:
    """A URLconf of the settings in force."""

    def __init__(self):
        self.urlpatterns = project_urls()


@pytest.fixture
def serve(sqlite_alias, caplog):
    """Put GraphQL at the root of a project with these settings; what it stores is forgotten."""
    caplog.set_level(logging.CRITICAL, logger="django.request")
    with ExitStack() as stack:
        stack.enter_context(transaction.atomic(using=sqlite_alias))

        def project(*, debug=False, **own):
            stack.enter_context(override_settings(ENERGYCORE=own, DEBUG=debug))
            stack.enter_context(override_settings(ROOT_URLCONF=Urls()))

        yield project
        transaction.set_rollback(True, using=sqlite_alias)


@pytest.fixture
def client():
    """A browser, which sends cookies and is held to the protection against forged requests."""
    return Client(enforce_csrf_checks=True)


def ask(client, body=ASK, **headers):
    return client.post("/graphql", body, content_type="application/json", headers=headers)


def log_in(client, **more):
    user = get_user_model().objects.create_user("ada", password="secret", **more)
    client.force_login(user)


def refusal(response):
    assert response.status_code == 403
    assert response["content-type"].startswith("application/json")
    (error,) = response.json()["errors"]
    return error["extensions"]["code"], error["message"]


def token_of(client):
    """The token that the GraphiQL page sends."""
    page = client.get("/").content.decode()
    text = page.split('data-headers="')[1].split('"')[0].replace("&quot;", '"')
    return json.loads(text)


def test_the_schema_is_that_of_energycore(serve, client):
    serve(AUTHORIZE=anyone)
    assert ask(client, REGISTER).json() == {
        "data": {"registerDevice": {"device": {"name": "Roof"}, "userErrors": []}}
    }
    assert ask(client).json()["data"]["devices"] == {
        "nodes": [{"name": "Roof", "kind": "SOLAR_PANEL"}],
        "totalCount": 1,
    }
    assert [record.device.name for record in energy().devices().items] == ["Roof"]


def test_it_shows_the_tenant_of_the_settings(serve, client):
    serve(AUTHORIZE=anyone, TENANT="acme")
    energy("other").register(ec.SolarPanel(name="Other", rated_power_w=1))
    energy("acme").register(ec.SolarPanel(name="Own", rated_power_w=1))
    assert [node["name"] for node in ask(client).json()["data"]["devices"]["nodes"]] == ["Own"]


def test_the_tenant_of_a_request_is_what_the_hook_says(serve, client):
    for tenant in ("acme", "beta", "default"):
        energy(tenant).register(ec.SolarPanel(name=f"of {tenant}", rated_power_w=1))
    serve(AUTHORIZE=anyone, TENANT_OF=lambda request: request.headers["x-tenant"])
    for tenant in ("acme", "beta"):
        (node,) = ask(client, **{"x-tenant": tenant}).json()["data"]["devices"]["nodes"]
        assert node["name"] == f"of {tenant}"


def test_a_hook_that_refuses_the_request_is_a_refusal(serve, client):
    def closed(request):
        raise PermissionDenied("this customer has left")

    serve(AUTHORIZE=anyone, TENANT_OF=closed)
    with CaptureQueriesContext(connections["default"]) as seen:
        assert refusal(ask(client)) == ("NOT_ALLOWED", "this customer has left")
    assert len(seen) == 0


@pytest.mark.parametrize("wrong", [None, 7, "", " x", "a" * 300])
def test_a_hook_that_names_no_tenant_never_means_that_of_the_settings(serve, client, wrong):
    energy().register(ec.SolarPanel(name="swordfish", rated_power_w=1))
    serve(AUTHORIZE=anyone, TENANT_OF=lambda request: wrong)
    with CaptureQueriesContext(connections["default"]) as seen:
        response = ask(client)
    code = response.json()["errors"][0]["extensions"]["code"]
    assert code == ("INVALID_VALUE" if isinstance(wrong, str) else "SCOPE_REQUIRED")
    assert "swordfish" not in response.content.decode()
    assert len(seen) == 0


def test_each_account_can_be_a_tenant(serve, client):
    serve(AUTHORIZE=anyone, TENANT_OF="energycore_django.tenancy.each_user")
    assert refusal(ask(client)) == ("NOT_ALLOWED", "log in first")
    log_in(client)
    user = get_user_model().objects.get(username="ada")
    energy(f"user-{user.pk}").register(ec.SolarPanel(name="hers", rated_power_w=1))
    (node,) = ask(client, authorization="Bearer x").json()["data"]["devices"]["nodes"]
    assert node["name"] == "hers"


def test_a_clock_that_was_set_in_another_process_is_seen(serve, client, monkeypatch):
    """`energy` once kept the clock of a tenant for the life of the process."""
    serve(AUTHORIZE=anyone)
    energy().register(ec.SolarPanel(name="Roof", rated_power_w=1))
    energy().accelerate(60)
    assert isinstance(energy().clock, SystemClock)
    monkeypatch.setattr(access._TENANTS, "_monotonic", lambda: time.monotonic() + RECHECK_S)
    assert isinstance(energy().clock, TickClock)


def test_without_debug_one_has_to_be_staff(serve, client):
    """An account that everybody can make may not steer devices."""
    serve()
    assert refusal(ask(client)) == ("NOT_ALLOWED", "log in first")
    log_in(client)
    assert refusal(ask(client, authorization="Bearer x")) == (
        "NOT_ALLOWED",
        "this is for staff only",
    )
    get_user_model().objects.filter(username="ada").update(is_staff=True)
    assert client.get("/graphql", {"query": "{ devices { totalCount } }"}).status_code == 200


def test_with_debug_anyone_may_ask(serve, client):
    serve(debug=True)
    assert ask(client).status_code == 200


def test_a_projects_own_hook_decides(serve, client):
    def only_ada(request):
        if request.headers.get("x-name") != "ada":
            raise PermissionDenied("only Ada may")

    serve(AUTHORIZE=only_ada)
    assert refusal(ask(client)) == ("NOT_ALLOWED", "only Ada may")
    assert ask(client, **{"x-name": "ada"}).status_code == 200


def test_staff_is_who_may_use_the_admin(serve, client):
    serve(AUTHORIZE=staff, GRAPHIQL=True)
    log_in(client)
    response = client.get("/graphql", {"query": "{ devices { totalCount } }"})
    assert refusal(response) == ("NOT_ALLOWED", "this is for staff only")
    assert client.get("/").status_code == 403
    get_user_model().objects.filter(username="ada").update(is_staff=True)
    assert client.get("/").status_code == 200


def test_a_fault_of_the_hook_lets_nobody_in_and_is_masked(serve, client):
    def broken(request):
        raise RuntimeError("swordfish")

    serve(AUTHORIZE=broken)
    response = ask(client)
    assert response.status_code == 500
    assert "swordfish" not in response.content.decode()


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic YTpi"}, {"x-csrftoken": "x"}])
def test_a_browser_that_is_logged_in_needs_the_token(serve, client, headers):
    """Another site can have it send its cookies, and a password that it remembers."""
    serve()
    log_in(client)
    code, message = refusal(ask(client, REGISTER, **headers))
    assert (code, "CSRF" in message) == ("NOT_ALLOWED", True)
    assert energy().devices().items == ()


def test_a_password_of_the_browser_is_no_token(serve, client):
    serve(AUTHORIZE=anyone)
    assert "CSRF" in refusal(ask(client, authorization="Basic YTpi"))[1]


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_who_brings_a_token_of_an_api_needs_no_other(serve, client, scheme):
    """No browser sends one by itself."""
    serve(AUTHORIZE=logged_in)
    log_in(client)
    assert ask(client, REGISTER, authorization=f"{scheme} abc").status_code == 200


def test_graphiql_sends_the_token(serve, client):
    serve(GRAPHIQL=True, AUTHORIZE=logged_in)
    log_in(client)
    headers = token_of(client)
    assert list(headers) == ["x-csrftoken"]
    assert ask(client, REGISTER, **headers).json()["data"]["registerDevice"]["userErrors"] == []


def test_graphiql_is_served_where_it_is_on_from_here_alone(serve, client):
    serve(debug=True)
    page = client.get("/")
    assert page["content-security-policy"] == graphiql.CONTENT_SECURITY_POLICY
    assert "http" not in page.content.decode().replace("http-equiv", "")
    for name in graphiql.ASSET_NAMES:
        assert client.get(f"/graphiql-assets/{name}").status_code == 200
    assert client.get("/graphiql-assets/nothing.js").status_code == 404
    assert "GraphiQL at /" in client.get("/graphql").json()["errors"][0]["message"]


def test_graphiql_is_off_without_debug(serve, client):
    serve(AUTHORIZE=anyone)
    assert client.get("/").status_code == 404
    assert "GraphiQL" not in client.get("/graphql").content.decode()


def test_a_body_beyond_the_limit_is_refused(serve, client):
    serve(AUTHORIZE=anyone, LIMITS={"MAX_BODY_BYTES": 100})
    assert ask(client, " " * 101).status_code == 413


def test_a_body_beyond_djangos_limit_is_refused_alike(serve, client):
    serve(AUTHORIZE=anyone)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        assert ask(client).status_code == 413


@pytest.mark.parametrize("cookies", [False, True])
def test_a_form_is_no_question(serve, client, cookies):
    """Refused without being read, whoever sends it."""
    serve(AUTHORIZE=anyone)
    if cookies:
        log_in(client)
    assert client.post("/graphql", {"query": "{ devices { totalCount } }"}).status_code == 415


@pytest.mark.parametrize("name", ["東", "ü"])
def test_a_query_string_that_is_not_escaped_is_refused(serve, name):
    """Under ASGI Django has decoded it already: nothing else may become of it."""
    serve(AUTHORIZE=anyone)
    asked = f'query={{devices(filter:{{nameContains:"{name}"}}){{totalCount}}}}'.encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/graphql",
        "query_string": asked,
        "headers": [],
    }
    request = ASGIRequest(scope, io.BytesIO())
    assert Urls().urlpatterns[0].callback(request).status_code == 400


@pytest.mark.parametrize("atomic", [False, True])
def test_an_asynchronous_view_is_one_transaction_where_requests_are(serve, sqlite_alias, atomic):
    """Django itself refuses ATOMIC_REQUESTS for a coroutine."""
    connection = connections[sqlite_alias]
    depths = []
    serve(AUTHORIZE=lambda _request: depths.append(len(connection.savepoint_ids)))
    view = project_urls(is_async=True)[0].callback
    asked = b"query={devices{totalCount}}"
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": asked, "headers": []}
    own = connections.settings[sqlite_alias]
    own["ATOMIC_REQUESTS"] = atomic
    try:
        assert vars(view)["_non_atomic_requests"] == {"default"}
        assert async_to_sync(view)(ASGIRequest(scope, io.BytesIO())).status_code == 200
    finally:
        own["ATOMIC_REQUESTS"] = False
    assert depths == [len(connection.savepoint_ids) + atomic]


def test_a_list_costs_one_statement_for_ten_devices_and_for_five_hundred(
    serve, client, sqlite_alias
):
    """Devices and their tags."""
    serve(AUTHORIZE=anyone)
    registered = 0
    body = json.dumps({"query": "{ devices(first: 500) { nodes { id name kind tags } } }"})
    for count in (10, 500):
        for number in range(registered, count):
            energy().register(
                ec.SolarPanel(name=f"Roof {number}", rated_power_w=1), tags=[f"roof {number}"]
            )
        registered = count
        with CaptureQueriesContext(connections[sqlite_alias]) as seen:
            nodes = ask(client, body).json()["data"]["devices"]["nodes"]
        assert len(nodes) == count
        assert len(seen) == 1


def test_a_mutation_is_a_part_of_the_requests_transaction(serve, client, sqlite_alias):
    """What a view of the project rolls back is not there."""
    serve(AUTHORIZE=anyone)
    with transaction.atomic(using=sqlite_alias):
        ask(client, REGISTER)
        transaction.set_rollback(True, using=sqlite_alias)
    assert energy().devices().items == ()
