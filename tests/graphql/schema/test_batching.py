"""A request costs as many statements for a long list as for a short one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from energycore.graphql.schema.cursors import Listing, encode_key
from energycore.graphql.schema.ids import device_id
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.wiring.connect import open_storage

NESTED = """{
  devices(first: %d) {
    nodes {
      id name kind site { name timeZone } state { at powerW storedWh mode }
      ... on StorageDevice { capacityWh mode dispatch }
    }
    edges { node { state { powerW } site { id } ... on StorageDevice { mode } } }
    totalCount
  }
}"""
TODAY = 'from: "2026-05-31T00:00:00Z", to: "2026-06-02T00:00:00Z"'
HISTORY = f"history({TODAY}, interval: %s) {{ interval buckets {{ netWh maxPowerW }} }}"
AFTER = encode_key(Listing(Scope("acme"), "readings"), 1_780_308_000_000_000)
READINGS = f"""readings({TODAY}, first: 2, after: "{AFTER}") {{
  nodes {{ at powerW storedWh }} pageInfo {{ hasNextPage hasPreviousPage }} }}"""
NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) {
  id ... on Device { state { powerW } site { name } } ... on StorageDevice { mode } } }"""
SUMMARIES = """{ sites { nodes { name summary { deviceCount netPowerW } } } }"""
STORAGES = """{ energySummary { storageDevices(first: %d) {
  nodes { name mode state { storedWh } site { name } } } } }"""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """SQLite, for memory runs no statements."""
    opened = open_storage(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture
def statements():
    """Every statement that any engine runs."""
    seen: list[str] = []

    def listen(_connection, _cursor, statement, *_rest):
        if statement != "BEGIN":
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    yield seen
    event.remove(Engine, "before_cursor_execute", listen)


def cost(client, statements, query, **variables):
    """The statements of a request."""
    statements.clear()
    client.ask(query, **variables)
    return len(statements)


def register(client, devices):
    """Register devices of three kinds in 20 sites."""
    sites = [client.site(name=f"s{number}")["id"] for number in range(20)]
    kinds = ("battery", "solarPanel", "electricVehicle")
    for number in range(devices):
        client.register(
            f"d{number}", kinds[number % 3], siteId=sites[number % 20], tags=[f"t{number % 25}"]
        )


@pytest.fixture
def fleet(client):
    register(client, 500)
    client.services.ticking.tick(client.scope)
    return client


def test_statements_do_not_grow_with_the_length_of_a_list(fleet, statements):
    few, many = (cost(fleet, statements, NESTED % size) for size in (10, 500))
    assert 0 < few == many <= 14
    few, many = (cost(fleet, statements, STORAGES % size) for size in (10, 300))
    assert 0 < few == many <= 10
    few, many = (
        cost(fleet, statements, NODES, ids=[device_id(n) for n in range(1, size + 1)])
        for size in (10, 500)
    )
    assert 0 < few == many <= 12


def test_statements_do_not_grow_with_the_number_of_sites_that_show_their_totals(fleet, statements):
    all_sites = cost(fleet, statements, SUMMARIES)
    assert 0 < cost(fleet, statements, SUMMARIES.replace("sites", "sites(first: 2)")) == all_sites


def test_the_devices_of_all_sites_of_a_list_load_their_states_together(fleet, statements):
    query = "{ sites(first: %d) { nodes { devices { nodes { %s } } } } }"
    for number in (2, 20):
        bare = cost(fleet, statements, query % (number, "id"))
        nested = cost(fleet, statements, query % (number, "state { powerW } site { name }"))
        assert nested - bare == 2, "one for the states, one for the sites"


@pytest.mark.parametrize(
    "query",
    [
        "{ sites(first: %d) { nodes { devices { nodes { id } } } } }",
        """{ sites(first: %d) { nodes {
          devices(first: 2, orderBy: {field: NAME}) { nodes { id } totalCount }
          rest: devices(last: 1, filter: {kinds: [BATTERY]}) { totalCount pageInfo { endCursor } }
        } } }""",
        "{ sites(first: %d) { nodes { summary { storageDevices { nodes { id } totalCount } } } } }",
        *(
            f"{{ energySummaries(groupBy: {group}, first: %d) {{ nodes {{ key summary {{"
            " storageDevices { nodes { id mode state { at } } totalCount } } } } }"
            for group in ("SITE", "TAG", "KIND")
        ),
        """{ sites(first: 3) { nodes { devices(first: %d) { nodes { site { devices {
          nodes { site { summary { storageDevices { totalCount } } } } } } } } } } }""",
    ],
)
def test_statements_do_not_grow_with_the_number_of_parents_of_lists(fleet, statements, query):
    few, some, many = (cost(fleet, statements, query % parents) for parents in (1, 10, 20))
    assert 0 < few == some == many <= 16


@pytest.fixture(params=["readings", "totals"])
def past(request, client, clock):
    """A fleet with some minutes behind it: in readings, or also rolled up."""
    register(client, 120)
    for _ in range(9):
        client.services.ticking.tick(client.scope)
        clock.move(minutes=1)
    if request.param == "totals":
        clock.move(days=2)
        client.services.upkeep.run(client.scope)
    return client


def test_statements_do_not_grow_with_the_number_of_histories(past, statements):
    for interval in ("QUARTER_HOUR", "HOUR", "DAY", "MONTH"):
        history = HISTORY % interval
        for query in (
            f"{{ devices(first: %d) {{ nodes {{ {history} }} }} }}",
            f"{{ sites(first: %d) {{ nodes {{ {history} }} }} }}",
            f"{{ sites(first: %d) {{ nodes {{ devices {{ nodes {{ {history} }} }} }} }} }}",
        ):
            few, some, many = (cost(past, statements, query % size) for size in (1, 10, 20))
            assert 0 < few == some == many <= 20


def test_statements_do_not_grow_with_the_number_of_pages_of_readings(past, statements):
    few, some, many = (
        cost(past, statements, f"{{ devices(first: {size}) {{ nodes {{ {READINGS} }} }} }}")
        for size in (1, 10, 120)
    )
    assert 0 < few == some == many <= 8


def test_what_is_not_asked_for_is_not_loaded(fleet, statements):
    bare = cost(fleet, statements, "{ devices { nodes { id name } } }")
    assert cost(fleet, statements, "{ devices { nodes { id state { at } } } }") > bare
    assert bare <= 3


def test_an_id_that_nothing_can_have_costs_nothing(client, statements):
    assert cost(client, statements, '{ node(id: "nonsense") { id } device(id: "x") { id } }') == 0
