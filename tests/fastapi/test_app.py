"""The application over one database, as a real client meets it."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.graphql import build_engine
from energycore.graphql.graphiql import EXAMPLE
from energycore.protocols.scope import Scope
from energycore.wiring.connect import connect
from energycore_fastapi.app import create_app
from tests.http.frameworks import asgi_server


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def energy(tmp_path: Path):
    with connect(f"sqlite:///{tmp_path / 'home.db'}", clock=StoppedClock()) as opened:
        yield opened


@contextlib.contextmanager
def served(energy, **options):
    app = create_app(energy, **options)
    with asgi_server(app) as url, httpx.Client(base_url=url) as client:
        yield client


def names(client, **options):
    asked = {"query": "{ devices { nodes { name } } }"}
    response = client.post("/graphql", json=asked, **options)
    assert response.status_code == 200
    return [node["name"] for node in response.json()["data"]["devices"]["nodes"]]


def test_a_client_registers_a_device_and_the_database_has_it(energy):
    register = """mutation { registerDevice(input: {
      name: "Roof", spec: {solarPanel: {ratedPowerW: 5000}}}) { device { id } } }"""
    with served(energy) as client:
        answer = client.post("/graphql", json={"query": register}).json()
        assert answer["data"]["registerDevice"]["device"]["id"]
        assert names(client) == ["Roof"]
    (record,) = energy.devices().items
    assert record.device == SolarPanel(name="Roof", rated_power_w=5_000)


def test_graphiql_is_served_unless_switched_off_and_its_example_runs(energy):
    energy.register(Battery(name="Wall", capacity_wh=1, max_charge_w=1, max_discharge_w=1))
    energy.tick()
    with served(energy) as client:
        page = client.get("/")
        assert "GraphiQL" in page.text
        assert page.headers["content-type"].startswith("text/html")
        answer = client.post("/graphql", json={"query": EXAMPLE}).json()
        assert answer["data"]["devices"]["totalCount"] == 1
        assert answer["data"]["devices"]["nodes"][0]["state"]["storedWh"] == 0.5
    with served(energy, graphiql=False) as client:
        assert client.get("/").status_code == 404


def test_a_client_reports_and_asks_for_the_history(energy):
    def ask(client, query, **variables):
        return client.post("/graphql", json={"query": query, "variables": variables}).json()

    register = """mutation { registerDevice(input: {name: "Meter", dataSource: REPORTED,
      maxGapSeconds: 900, spec: {appliance: {averagePowerW: 500}}}) { device { id } } }"""
    report = """mutation ($readings: [ReadingInput!]!) { recordReadings(input: {
      readings: $readings}) { acceptedCount userErrors { code path } } }"""
    history = """query ($from: DateTime!) { devices(first: 10) { nodes {
      history(from: $from, to: "2026-06-01T10:00:00Z", interval: HOUR) {
        buckets { startAt coverage consumedWh } }
      readings(from: $from, to: "2026-06-01T10:00:00Z") { nodes { at powerW } } } } }"""
    with served(energy) as client:
        ident = ask(client, register)["data"]["registerDevice"]["device"]["id"]
        readings = [
            {"deviceId": ident, "at": at, "powerW": -400}
            for at in ("2026-06-01T11:00:00+02:00", "2026-06-01T09:15:60Z")
        ]
        answer = ask(client, report, readings=readings)["data"]["recordReadings"]
        assert answer == {
            "acceptedCount": 1,
            "userErrors": [{"code": "INVALID_VALUE", "path": ["input", "readings", "1"]}],
        }
        (node,) = ask(client, history, **{"from": "2026-06-01T08:30:00Z"})["data"]["devices"][
            "nodes"
        ]
        assert node["history"]["buckets"] == [
            {"startAt": "2026-06-01T08:30:00.000Z", "coverage": 0.0, "consumedWh": None},
            {"startAt": "2026-06-01T09:00:00.000Z", "coverage": 0.25, "consumedWh": 100.0},
        ]
        assert node["readings"]["nodes"] == [{"at": "2026-06-01T09:00:00.000Z", "powerW": -400.0}]
        refused = ask(client, history, **{"from": "2026-06-01T10:00:00Z"})
        assert refused["data"] is None
        assert refused["errors"][0]["extensions"] == {"code": "INVALID_VALUE"}


def test_the_example_fits_an_editor_of_half_a_screen():
    assert max(map(len, EXAMPLE.splitlines())) <= 45


def test_a_browser_that_opens_the_endpoint_is_shown_the_way_to_graphiql(energy):
    as_browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    outer = FastAPI()
    outer.mount("/energy", create_app(energy))
    for app, path, page in ((create_app(energy), "", "/"), (outer, "/energy", "/energy")):
        with asgi_server(app) as url, httpx.Client(base_url=url) as client:
            answer = client.get(f"{path}/graphql", headers=as_browser)
            assert answer.status_code == 400
            told = answer.json()["errors"][0]["message"]
            assert told.endswith(f"or open GraphiQL at {page} in a browser.")
            assert "GraphiQL" in client.get(page, follow_redirects=True).text


def test_health_says_whether_the_database_answers(energy):
    with served(energy) as client:
        good = client.get("/health")
        assert (good.status_code, good.json()) == (200, {"status": "ok"})
        assert client.head("/health").status_code == 200


def test_health_says_so_when_the_database_is_gone(tmp_path):
    path = tmp_path / "home.db"
    with connect(f"sqlite:///{path}") as energy, served(energy) as client:
        assert client.get("/health").status_code == 200
        energy.close()
        path.write_bytes(b"this is no database" * 1_000)
        bad = client.get("/health")
        assert bad.status_code == 503
        assert bad.json() == {"status": "unavailable", "code": "STORAGE_UNAVAILABLE"}


def test_the_tenant_is_that_of_the_request(energy):
    energy.register(SolarPanel(name="ours", rated_power_w=1))
    energy.for_tenant("acme").register(SolarPanel(name="theirs", rated_power_w=1))

    def scope_of(request: HTTPConnection) -> Scope:
        tenant = request.headers.get("x-tenant")
        if tenant is None:
            raise HTTPException(status_code=401)
        return Scope(tenant)

    with served(energy) as client:
        assert names(client, headers={"x-tenant": "acme"}) == ["ours"]
    with served(energy, scope_of=scope_of) as client:
        assert names(client, headers={"x-tenant": "acme"}) == ["theirs"]
        assert names(client, headers={"x-tenant": "nobody"}) == []
        assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 401


def test_the_work_beside_the_requests_begins_before_them_and_ends_after_them(energy):
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        energy.register(SolarPanel(name="begun", rated_power_w=1))
        yield
        seen.append("ended")

    with served(energy, lifespan=lifespan) as client:
        assert names(client) == ["begun"]
        assert seen == []
    assert seen == ["ended"]


def test_two_applications_in_one_process_keep_apart(energy):
    with connect("memory://", clock=StoppedClock()) as other:
        other.register(SolarPanel(name="other", rated_power_w=1))
        energy.register(SolarPanel(name="one", rated_power_w=1))
        with served(energy) as one, served(other) as two:
            assert (names(one), names(two)) == (["one"], ["other"])


def test_an_engine_of_ones_own_answers(energy):
    with served(energy, engine=build_engine({"battery": Battery})) as client:
        asked = {"query": '{ __type(name: "SolarPanel") { name } }'}
        assert client.post("/graphql", json=asked).json() == {"data": {"__type": None}}
