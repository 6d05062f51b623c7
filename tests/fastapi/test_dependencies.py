"""`Depends(get_energy)` in the path operations of a project, asked by a real client."""

import contextlib
import threading
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.requests import HTTPConnection
from starlette.testclient import TestClient

import energycore as ec
from energycore.errors import (
    ArchiveDamaged,
    InvalidSettings,
    InvalidValue,
    ScopeRequired,
    StorageUnavailable,
)
from energycore_fastapi import create_app, get_energy, get_scope, provide_energy
from tests.http.frameworks import asgi_server

OwnEnergy = Annotated[ec.Energy, Depends(get_energy)]
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)

router = APIRouter()


@router.get("/names")
def names(energy: OwnEnergy) -> list[str]:
    return [record.device.name for record in energy.devices().items]


@router.get("/thread")
def thread(energy: OwnEnergy) -> list[int]:
    return [id(energy), threading.get_ident()]


@router.post("/roofs/{name}")
def add(name: str, energy: OwnEnergy, rated_power_w: float = 1.0) -> int:
    return energy.register(ec.SolarPanel(name=name, rated_power_w=rated_power_w)).id


@router.get("/devices/{number}")
def device(number: int, energy: OwnEnergy) -> str:
    return energy.device(number).device.name


@router.post("/devices/{number}/charge")
def charge(number: int, energy: OwnEnergy) -> None:
    energy.set_mode(number, ec.StorageMode.CHARGING, power_w=1.0)


@pytest.fixture
def energy():
    with ec.connect("memory://") as opened:
        yield opened


def of_header(connection: HTTPConnection) -> ec.Scope:
    """The tenant of a request, by a header: what an application would read from a token."""
    tenant = connection.headers.get("x-tenant")
    if tenant is None:
        raise HTTPException(status_code=401, detail="who are you?")
    return ec.Scope(tenant)


def app_over(energy, **options):
    app = FastAPI()
    provide_energy(app, energy, **options)
    app.include_router(router)
    return app


@contextlib.contextmanager
def served(app):
    with asgi_server(app) as url, httpx.Client(base_url=url) as client:
        yield client


def test_a_path_operation_works_with_the_database_of_its_application(energy):
    energy.register(ROOF)
    with served(app_over(energy)) as client:
        assert client.get("/names").json() == ["Roof"]


def test_the_tenant_is_that_of_the_request(energy):
    energy.register(ROOF)
    with served(app_over(energy, scope_of=of_header)) as client:
        acme, other = ({"x-tenant": name} for name in ("acme", "other"))
        assert client.post("/roofs/Shed", headers=acme).status_code == 200
        assert client.get("/names", headers=acme).json() == ["Shed"]
        assert client.get("/names", headers=other).json() == []
        assert client.get("/names", headers={"x-tenant": "default"}).json() == ["Roof"]
        refused = client.get("/names")
        assert (refused.status_code, refused.json()) == (401, {"detail": "who are you?"})


def test_what_is_somebody_elses_looks_like_what_does_not_exist(energy):
    own = energy.for_tenant("acme").register(ROOF).id
    with served(app_over(energy, scope_of=of_header)) as client:
        foreign = client.get(f"/devices/{own}", headers={"x-tenant": "other"})
        missing = client.get(f"/devices/{own + 1}", headers={"x-tenant": "other"})
        assert foreign.status_code == missing.status_code == 404
        assert foreign.text.replace(str(own), "N") == missing.text.replace(str(own + 1), "N")
        assert client.get(f"/devices/{own}", headers={"x-tenant": "acme"}).json() == "Roof"


def test_two_applications_in_one_process_have_two_databases(energy):
    with ec.connect("memory://") as other:
        energy.register(ROOF)
        with served(app_over(energy)) as one, served(app_over(other)) as two:
            assert (one.get("/names").json(), two.get("/names").json()) == (["Roof"], [])


def test_an_application_that_is_mounted_has_its_own_database(energy):
    with ec.connect("memory://") as inner:
        inner.register(ROOF)
        outer = app_over(energy)
        outer.mount("/inner", app_over(inner))
        with served(outer) as client:
            assert client.get("/names").json() == []
            assert client.get("/inner/names").json() == ["Roof"]


def test_graphql_and_a_path_operation_of_one_application_see_the_same(energy):
    app = create_app(energy, scope_of=of_header)
    app.include_router(router)
    acme = {"x-tenant": "acme"}
    with served(app) as client:
        assert client.post("/roofs/Shed", headers=acme).status_code == 200
        asked = {"query": "{ devices { nodes { name } } }"}
        answer = client.post("/graphql", json=asked, headers=acme).json()
        assert answer == {"data": {"devices": {"nodes": [{"name": "Shed"}]}}}


def query_scope(tenant: str) -> ec.Scope:
    return ec.Scope(tenant)


async def query_scope_by_a_coroutine(tenant: Annotated[ec.Scope, Depends(query_scope)]) -> ec.Scope:
    return tenant


@pytest.mark.parametrize("scope_of", [query_scope, query_scope_by_a_coroutine])
def test_what_tells_the_tenant_is_a_dependency_with_its_own(energy, scope_of):
    with served(app_over(energy, scope_of=scope_of)) as client:
        client.post("/roofs/Shed", params={"tenant": "acme"})
        assert client.get("/names", params={"tenant": "acme"}).json() == ["Shed"]
        assert client.get("/names", params={"tenant": "other"}).json() == []
        assert client.get("/names").status_code == 422


def test_a_test_replaces_what_tells_the_tenant(energy):
    energy.for_tenant("acme").register(ROOF)
    app = app_over(energy, scope_of=of_header)
    app.dependency_overrides[get_scope] = lambda: ec.Scope("acme")
    with served(app) as client:
        assert client.get("/names").json() == ["Roof"]


def test_a_websocket_of_the_project_has_the_database_too(energy):
    app = app_over(energy, scope_of=of_header)
    energy.for_tenant("acme").register(ROOF)

    @app.websocket("/live")
    async def live(websocket: WebSocket, energy: OwnEnergy) -> None:
        await websocket.accept()
        await websocket.send_json((await run_in_threadpool(energy.devices)).items[0].device.name)

    with TestClient(app).websocket_connect("/live", headers={"x-tenant": "acme"}) as socket:
        assert socket.receive_json() == "Roof"


@pytest.mark.parametrize("told", [None, "acme"])
def test_who_tells_no_scope_sees_nothing(energy, told):
    app = app_over(energy, scope_of=lambda: told)
    with pytest.raises(ScopeRequired):
        TestClient(app).get("/names")


def test_what_cannot_be_a_dependency_is_refused(energy):
    with pytest.raises(InvalidValue, match="request needs an annotation"):
        app_over(energy, scope_of=lambda request: energy.scope)


def test_the_event_loop_is_left_alone(energy):
    """Telling the tenant and the path operation both run in other threads than the loop's."""
    loops, threads = [], []

    async def note_loop() -> None:
        loops.append(threading.get_ident())

    def scope_of() -> ec.Scope:
        threads.append(threading.get_ident())
        return ec.Scope("default")

    app = FastAPI(dependencies=[Depends(note_loop)])
    provide_energy(app, energy, scope_of=scope_of)
    app.include_router(router)
    with served(app) as client:
        given, ident = client.get("/thread").json()
    assert given == id(energy)
    assert not {ident, *threads} & set(loops)
    assert len(loops) == len(threads) == 1


def test_what_energycore_refuses_has_a_status_and_its_code(energy):
    roof = energy.register(ROOF)
    with served(app_over(energy)) as client:
        answers = [
            client.get("/devices/77"),
            client.post("/roofs/Roof", params={"rated_power_w": -1}),
            client.post("/roofs/Roof"),
            client.post(f"/devices/{roof.id}/charge"),
        ]
    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [
        (404, "NOT_FOUND"),
        (422, "INVALID_VALUE"),
        (409, "NAME_TAKEN"),
        (409, "DEVICE_IS_NOT_STORAGE"),
    ]
    assert answers[1].json()["detail"].startswith("rated_power_w must be above 0")


def failing(energy, error):
    app = app_over(energy)

    @app.get("/fails")
    def fails() -> None:
        raise error

    return TestClient(app, raise_server_exceptions=False)


def test_a_database_that_is_away_is_told_without_its_name(energy):
    answer = failing(energy, StorageUnavailable("no host db.example")).get("/fails")
    assert answer.status_code == 503
    assert answer.json() == {"detail": "try again later", "code": "STORAGE_UNAVAILABLE"}


def test_any_other_error_of_energycore_is_a_fault(energy):
    answer = failing(energy, ArchiveDamaged("/var/secret.parquet")).get("/fails")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


def test_an_application_without_a_database_says_what_is_missing(energy):
    app = FastAPI()
    app.include_router(router)
    with pytest.raises(InvalidSettings, match=r"call provide_energy\(app, energy\)"):
        TestClient(app).get("/names")


def test_a_database_that_comes_too_late_is_refused(energy):
    """Starlette would pass over the handler of refusals."""
    app = app_over(energy)
    assert TestClient(app).get("/names").json() == []
    with pytest.raises(InvalidSettings, match="answers already"):
        provide_energy(app, energy)


def test_without_its_overrides_an_application_is_open_to_nobody(energy):
    app = app_over(energy, scope_of=of_header)
    app.dependency_overrides = {}
    with served(app) as client:
        answer = client.get("/names")
    assert answer.status_code == 500
