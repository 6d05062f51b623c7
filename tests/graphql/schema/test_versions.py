"""Eight writers change one device at a time: nothing is lost, and losers see what won."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import energycore as ec
from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest
from energycore.graphql.schema.ids import device_id
from energycore_fastapi import create_app
from tests.http.frameworks import asgi_server

WRITERS, UPDATES = 8, 100
SEEN = "query ($id: ID!) { device(id: $id) { name version } }"
UPDATE = """mutation ($input: UpdateDeviceInput!) { updateDevice(input: $input) {
  device { name version } userErrors { code path } } }"""

Ask = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(params=["sqlite", "postgresql", "sqlite over http"])
def way(request: pytest.FixtureRequest) -> str:
    """The database, and how it is asked."""
    way: str = request.param
    return way


@pytest.fixture
def energy(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ec.Energy]:
    url = f"sqlite:///{tmp_path / 'home.db'}"
    if way == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with ec.connect(url) as energy:
        yield energy


@pytest.fixture
def ask(way: str, energy: ec.Energy, engine: GraphQLEngine) -> Iterator[Ask]:
    """Asks in this process, or over HTTP."""
    if not way.endswith("http"):
        context = GraphQLContext(services=energy.services, scope=energy.scope)

        def ask_engine(query: str, variables: dict[str, Any]) -> Any:
            body = json.dumps({"query": query, "variables": variables}).encode()
            headers = {"content-type": "application/json"}
            asked = HttpRequest(method="POST", headers=headers, body=body)
            return _data(json.loads(engine.respond(asked, context).body))

        yield ask_engine
        return
    with asgi_server(create_app(energy)) as url, httpx.Client(base_url=url) as client:

        def ask_server(query: str, variables: dict[str, Any]) -> Any:
            asked = {"query": query, "variables": variables}
            return _data(client.post("/graphql", json=asked, timeout=60).json())

        yield ask_server


def _data(answer: Any) -> Any:
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def write(ask: Ask, ident: str, begin: threading.Barrier) -> tuple[int, int]:
    """Count the device's name up, as often as said; returns successes and conflicts."""
    seen = ask(SEEN, {"id": ident})["device"]
    begin.wait(timeout=60)
    done = conflicts = 0
    while done < UPDATES:
        given = {
            "id": ident,
            "expectedVersion": seen["version"],
            "name": str(int(seen["name"]) + 1),
        }
        payload = ask(UPDATE, {"input": given})["updateDevice"]
        current = payload["device"]
        if payload["userErrors"]:
            error = {"code": "VERSION_CONFLICT", "path": ["input", "expectedVersion"]}
            assert payload["userErrors"] == [error]
            assert current["version"] > seen["version"]
            conflicts += 1
        else:
            assert current == {"name": given["name"], "version": seen["version"] + 1}
            done += 1
        seen = current
    return done, conflicts


@pytest.mark.slow
def test_no_update_is_lost_and_who_loses_gets_the_current_device(energy, ask):
    record = energy.register(ec.SolarPanel(name="0", rated_power_w=5_000))
    ident = device_id(record.id)
    begin = threading.Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, ask, ident, begin) for _ in range(WRITERS)]
        counts = [writer.result(timeout=300) for writer in writers]
    assert [done for done, _ in counts] == [UPDATES] * WRITERS
    assert sum(conflicts for _, conflicts in counts) > 0, "nobody was in anybody's way"
    total = WRITERS * UPDATES
    assert ask(SEEN, {"id": ident})["device"] == {"name": str(total), "version": total + 1}
