"""A request needs no more statements than it is said to, and never more than the limit."""

from datetime import timedelta

import pytest
from graphql import parse
from sqlalchemy import Engine, event

from energycore.graphql import Limits, build_engine
from energycore.graphql.introspection import IntrospectionSizes
from energycore.graphql.measuring import measure_document
from energycore.wiring.connect import open_storage

RANGE = 'from: "2026-05-31T00:00:00Z", to: "2026-06-02T00:00:00Z"'
BUCKETS = "{ buckets { netWh minPowerW maxPowerW } }"
READINGS = (
    f"readings({RANGE}, first: 2, after: $after)"
    " { nodes { at } pageInfo { hasPreviousPage hasNextPage } }"
)
STORAGES = "storageDevices(first: 3) { nodes { id mode state { at } } totalCount }"
QUERIES = [
    "{ devices { nodes { id name tags } } }",
    "{ devices { totalCount } }",
    "{ devices { nodes { state { at } } } }",
    "{ devices { nodes { site { name } ... on StorageDevice { mode } } totalCount } }",
    "{ sites { nodes { id } totalCount } }",
    "{ energySummary { netPowerW } }",
    f"{{ energySummary {{ {STORAGES} }} }}",
    "{ sites { nodes { summary { netPowerW } } } }",
    f"{{ sites {{ nodes {{ summary {{ {STORAGES} }} }} }} }}",
    "{ sites { nodes { devices { nodes { id state { at } } totalCount } } } }",
    *(
        f"{{ energySummaries(groupBy: {group}) {{ nodes {{ key summary {{ {STORAGES} }} }} }} }}"
        for group in ("SITE", "KIND", "TAG")
    ),
    f"query ($after: String!) {{ devices {{ nodes {{ {READINGS} }} }} }}",
    *(
        query % interval
        for interval in ("QUARTER_HOUR", "HOUR", "DAY", "WEEK", "MONTH")
        for query in (
            f"{{ devices {{ nodes {{ history({RANGE}, interval: %s) {BUCKETS} }} }} }}",
            f"{{ sites {{ nodes {{ history({RANGE}, interval: %s) {BUCKETS} }} }} }}",
            f'{{ energyHistory({RANGE}, interval: %s, timeZone: "UTC") {BUCKETS} }}',
            (
                f"{{ energyHistory({RANGE}, interval: %s, filter: {{kinds: [BATTERY]}},"
                f' timeZone: "Europe/Berlin") {BUCKETS} }}'
            ),
        )
    ),
    "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Device { state { at } } } }",
    "query ($id: ID!) { node(id: $id) { id } device(id: $id) { id } site(id: $id) { id } }",
]


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "America/St_Johns",
    "Africa/Nairobi",
    "Asia/Tokyo",
    "America/Los_Angeles",
]


@pytest.fixture
def storage(tmp_path):
    """SQLite, for memory runs no statements."""
    opened = open_storage(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(params=["raw", "rolled up", "in part"])
def past(request, client, clock):
    """Homes of several time zones with some days behind them."""
    client.engine = build_engine(limits=Limits(max_cost=None, max_repeats=None))
    sites = [client.site(name=f"s{n}", timeZone=ZONES[n])["id"] for n in range(3)]
    kinds = ("battery", "solarPanel", "electricVehicle", "appliance")
    for n in range(12):
        client.register(f"d{n}", kinds[n % 4], siteId=sites[n % 3], tags=[f"t{n % 5}"])

    def tick():
        for _ in range(5):
            client.services.ticking.tick(client.scope, max_catch_up=timedelta(minutes=1))
            clock.move(minutes=1)

    tick()
    if request.param != "raw":
        clock.move(days=2)
        client.services.upkeep.run(client.scope)
    if request.param == "in part":
        tick()
    client.ids = [
        *sites,
        client.ask("{ devices(first: 1) { nodes { id } } }")["devices"]["nodes"][0]["id"],
    ]
    first = f"readings({RANGE}, first: 1) {{ pageInfo {{ endCursor }} }}"
    node = client.ask(f"{{ devices(first: 1) {{ nodes {{ {first} }} }} }}")["devices"]["nodes"][0]
    client.after = node["readings"]["pageInfo"]["endCursor"]
    return client


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


@pytest.mark.parametrize("last", ["", "is: __typename @include(if: true)"], ids=["plan", "core"])
def test_no_request_needs_more_statements_than_it_is_said_to(past, statements, last):
    engine = past.engine
    sizes = IntrospectionSizes.of(engine.schema)
    told = []
    for query in QUERIES:
        text = f"{query[:-1]} {last} }}"
        operations, _ = measure_document(engine.schema, parse(text), sizes)
        (measure,) = operations.values()
        known = {"ids": past.ids, "id": past.ids[0], "after": past.after}
        variables = {name: value for name, value in known.items() if f"${name}:" in text}
        statements.clear()
        past.ask(text, **variables)
        told.append((len(statements), measure.statements, query))
        assert measure.statements <= 40
    assert not [one for one in told if one[0] > one[1]]
    of_one_root = [one for one in told if "device(id" not in one[2]]
    assert not [one for one in of_one_root if one[0] > 5]


@pytest.mark.parametrize("zones", [1, 3, 10])
def test_histories_need_as_many_statements_in_many_time_zones_as_in_one(
    client, clock, statements, zones
):
    """A list of homes in ten zones, some of whose days are not totalled yet, needs no more."""
    for n in range(10):
        site = client.site(name=f"s{n}", timeZone=ZONES[n % zones])["id"]
        client.register(f"d{n}", "battery", siteId=site)

    def tick():
        for _ in range(3):
            client.services.ticking.tick(client.scope, max_catch_up=timedelta(minutes=1))
            clock.move(minutes=1)

    tick()
    clock.move(days=2)
    client.services.upkeep.run(client.scope)
    tick()
    # Totals are kept of the first days, and the last minutes are read.
    until_now = RANGE.replace("06-02", "06-04")
    found = {}
    for owner in ("sites", "devices"):
        statements.clear()
        history = f"history({until_now}, interval: HOUR) {BUCKETS}"
        client.ask(f"{{ {owner} {{ nodes {{ {history} }} }} }}")
        found[owner] = len(statements)
    statements.clear()
    client.ask(f'{{ energyHistory({until_now}, interval: HOUR, timeZone: "UTC") {BUCKETS} }}')
    found["energyHistory"] = len(statements)
    assert found == {"sites": 4, "devices": 4, "energyHistory": 3}
