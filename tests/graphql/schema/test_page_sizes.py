"""Each list costs as many statements for 500 items as for one, on SQLite and on PostgreSQL."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from sqlalchemy import Engine, event

import energycore as ec
from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest
from energycore.graphql.schema.ids import device_id, site_id
from energycore.services.ingestion import NewReading
from tests.support import postgresql

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIZES = (1, 10, 500)
METER = 1_000
NESTED = """id name kind tags site { name timeZone } state { at powerW stateOfCharge }
  history(from: "2026-06-01T11:00:00Z", to: "2026-06-01T12:00:00Z", interval: HOUR) {
    buckets { netWh } }
  ... on StorageDevice { mode dispatch capacityWh }"""
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

LISTS: dict[str, Callable[[int], str]] = {
    "Query.devices": lambda size: (
        f"{{ devices(first: {size}) {{ totalCount nodes {{ {NESTED} }} {PAGE} }} }}"
    ),
    "Query.nodes": lambda size: (
        f"{{ nodes(ids: {json.dumps([device_id(n) for n in range(1, size + 1)])}) "
        f"{{ id ... on Device {{ {NESTED} }} }} }}"
    ),
    "Query.sites": lambda size: (
        f"{{ sites(first: {size}) {{ totalCount nodes {{ name summary {{ netPowerW storage "
        f"{{ storedWh }} storageDevices(first: 1) {{ totalCount nodes {{ mode }} }} }} "
        f"devices(first: 1) {{ totalCount nodes {{ state {{ powerW }} site {{ id }} }} }} }} "
        f"{PAGE} }} }}"
    ),
    "Query.energySummaries": lambda size: (
        f"{{ energySummaries(groupBy: TAG, first: {size}) {{ nodes {{ key summary {{ netPowerW "
        f"storageDevices(first: 1) {{ totalCount nodes {{ state {{ storedWh }} }} }} }} }} "
        f"{PAGE} }} }}"
    ),
    "Site.devices": lambda size: (
        f'{{ site(id: "{site_id(1)}") {{ devices(first: {size}) {{ totalCount nodes '
        f"{{ {NESTED} }} {PAGE} }} }} }}"
    ),
    "EnergySummary.storageDevices": lambda size: (
        f"{{ energySummary {{ storageDevices(first: {size}) {{ totalCount nodes {{ {NESTED} }} "
        f"{PAGE} }} }} }}"
    ),
    "Device.readings": lambda size: (
        f'{{ device(id: "{device_id(METER)}") {{ readings(from: "2026-06-01T00:00:00Z", '
        f'to: "2026-06-02T00:00:00Z", first: {size}) {{ nodes {{ at powerW }} {PAGE} }} }} }}'
    ),
    "EnergyHistory.buckets": lambda size: (
        f'{{ device(id: "{device_id(METER)}") {{ history(from: "2026-05-20T00:00:00Z", '
        f'to: "{(datetime(2026, 5, 20, tzinfo=UTC) + size * timedelta(minutes=15)).isoformat()}", '
        "interval: QUARTER_HOUR) { buckets { netWh coverage maxPowerW } } } }"
    ),
}


class Clock:
    def now(self) -> datetime:
        return NOON


Ask = Callable[[str], tuple[Any, int]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ask(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    engine: GraphQLEngine,
) -> Iterator[Ask]:
    """Asks, and counts the statements."""
    if request.param == "postgresql":
        with postgresql.new_database(request.getfixturevalue("postgresql_server")) as url:
            yield from _asker(url, engine)
    else:
        yield from _asker(f"sqlite:///{tmp_path_factory.mktemp('sizes') / 'home.db'}", engine)


def _asker(url: str, engine: GraphQLEngine) -> Iterator[Ask]:
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with ec.connect(url, clock=Clock()) as energy:
        _fill(energy)
        context = GraphQLContext(services=energy.services, scope=energy.scope)

        def ask(query: str) -> tuple[Any, int]:
            body = json.dumps({"query": query}).encode()
            headers = {"content-type": "application/json"}
            seen.clear()
            asked = HttpRequest(method="POST", headers=headers, body=body)
            answer = json.loads(engine.respond(asked, context).body)
            assert "errors" not in answer, answer["errors"]
            return answer["data"], len(seen)

        event.listen(Engine, "before_cursor_execute", listen)
        try:
            yield ask
        finally:
            event.remove(Engine, "before_cursor_execute", listen)


def _fill(energy: ec.Energy) -> None:
    """500 sites; 500 batteries of 500 tags in the first, and a panel or the meter in the others."""
    sites = [
        energy.register_site(ec.Site(name=f"s{number}", time_zone="Europe/Berlin"))
        for number in range(500)
    ]
    for number in range(500):
        battery = ec.Battery(
            name=f"b{number}", capacity_wh=5_000, max_charge_w=1_000, max_discharge_w=1_000
        )
        energy.register(battery, site=sites[0], tags=[f"t{number}"])
    panel = ec.SolarPanel(name="p", rated_power_w=5_000)
    for site in sites[1:]:
        energy.register(panel, site=site)
    meter = ec.SolarPanel(name="m", rated_power_w=5_000)
    energy.register(meter, data_source=ec.DataSource.REPORTED)
    energy.services.ingestion.record(
        energy.scope,
        [
            NewReading(device_id=METER, at=NOON - timedelta(minutes=number), power_w=number)
            for number in range(500)
        ],
    )
    energy.tick(NOON)


def items(data: Any) -> int:
    """The length of the outermost list of an answer, wherever it is."""
    while isinstance(data, dict):
        data = data["nodes"] if "nodes" in data else next(iter(data.values()))
    return len(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_statements_whatever_its_length(ask, name):
    costs = []
    for size in SIZES:
        data, statements = ask(LISTS[name](size))
        assert items(data["nodes"] if name == "Query.nodes" else data) == size
        costs.append(statements)
    assert 0 < costs[0] == costs[1] == costs[2] <= 20, costs


def test_every_list_of_the_schema_is_among_those(engine):
    pages = {
        f"{type_.name}.{name}"
        for type_ in engine.schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    kinds = {"Appliance", "Battery", "ElectricVehicle", "SolarPanel"}
    pages = {"Device.readings" if page.split(".")[0] in kinds else page for page in pages}
    assert pages | {"Query.nodes", "EnergyHistory.buckets"} == set(LISTS)
