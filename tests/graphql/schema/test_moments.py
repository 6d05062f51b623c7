"""A request is answered from one state of the storage, at one instant, and leaves nothing open."""

from contextlib import closing, contextmanager

import attrs
import pytest
from sqlalchemy import text

from energycore.errors import StorageUnavailable
from energycore.protocols.scope import Scope
from energycore.services.suite import Services
from energycore.storage.sql.store import SqlStorage
from energycore.wiring.connect import open_storage
from tests.graphql.schema.conftest import Client

TODAY = 'from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z"'
HISTORY = f"history({TODAY}, interval: HOUR) {{ buckets {{ readingCount coverage netWh }} }}"
EVERYTHING = f"""
  energySummary {{ at chargeW }}
  devices {{ nodes {{
    state {{ at powerW }} ... on StorageDevice {{ mode }}
    {HISTORY} readings({TODAY}) {{ nodes {{ at powerW }} pageInfo {{ hasPreviousPage }} }}
  }} }}
  sites {{ nodes {{
    summary {{ at chargeW }} devices {{ nodes {{ state {{ powerW }} }} totalCount }} {HISTORY}
  }} }}
  energySummaries(groupBy: TAG) {{ nodes {{ summary {{ at chargeW }} }} }}
  energyHistory({TODAY}, interval: HOUR, filter: {{ kinds: [BATTERY] }}) {{
    buckets {{ readingCount minPowerW maxPowerW }}
  }}
"""


class Interrupted:
    """Answers, with something that happens after the first of all answers."""

    def __init__(self, insight, happens):
        self._insight = insight
        self._happens = happens

    @contextmanager
    def snapshot(self, scope):
        with self._insight.snapshot(scope) as insight:
            yield Interrupted(insight, self._happens)

    def __getattr__(self, name):
        ask = getattr(self._insight, name)
        if not callable(ask):
            return ask

        def answer(*args):
            found = ask(*args)
            if self._happens:
                self._happens.pop()(self._insight)
            return found

        return answer


class Counted:
    """A storage that counts the reading transactions that were begun, and those still open."""

    def __init__(self, storage):
        self.storage = storage
        self.begun = self.open = 0

    @contextmanager
    def transaction(self, *, write):
        with self.storage.transaction(write=write) as work:
            self.begun += not write
            self.open += 1
            try:
                yield work
            finally:
                self.open -= 1

    def close(self):
        self.storage.close()


def interrupted(client, *happens):
    """The same client, with something that happens after its first read, each time it tries."""
    insight = Interrupted(client.services.insight, list(happens))
    return Client(client.engine, attrs.evolve(client.services, insight=insight), client.scope)


def idle_battery(client):
    site = client.site()["id"]
    battery = client.register("wall", "battery", siteId=site, tags=["cellar"])["id"]
    client.services.ticking.tick(client.scope)
    return battery


def over(engine, storage, clock):
    """A client of a storage."""
    keys = iter(range(1_000, 9_000))
    services = Services.over(storage, clock, draw_noise_key=lambda: next(keys), seed=7)
    return Client(engine, services, Scope("acme"))


@pytest.mark.parametrize("rest", ["", "__typename @include(if: true)"], ids=["plan", "core"])
def test_a_tick_between_two_fields_is_seen_by_none_of_them(client, clock, rest):
    battery = idle_battery(client)
    query = f"{{ {EVERYTHING} {rest} }}"
    ticks = []

    def tick(_insight):
        client.change("setStorageMode", "device { id }", id=battery, mode="CHARGING")
        clock.move(minutes=5)
        ticks.append(client.services.ticking.tick(client.scope))

    before = client.ask(query)
    assert interrupted(client, tick).ask(query) == before
    assert ticks
    after = client.ask(query)
    assert after["energySummary"]["chargeW"] == 5_000.0
    assert after["devices"]["nodes"][0]["state"]["powerW"] == -5_000.0


@pytest.fixture(params=["memory://", "sqlite://"])
def counted(request):
    """In memory, where transactions of SQLite take turns: one left open would stop all others."""
    with closing(open_storage(request.param)) as storage:
        yield Counted(storage)


@pytest.fixture
def counting(engine, counted, clock):
    """A client of that storage, with a battery, and its identity."""
    own = over(engine, counted, clock)
    return own, idle_battery(own)


@pytest.mark.parametrize(
    ("query", "transactions"),
    [
        ("{ __typename }", 0),
        ('{ node(id: "nonsense") { id } nodes(ids: []) { id } }', 0),
        (f"{{ {EVERYTHING} }}", 1),
        (f"{{ {EVERYTHING} __typename @include(if: true) }}", 1),
    ],
)
def test_a_query_begins_one_transaction_and_none_where_it_reads_nothing(
    counting, counted, query, transactions
):
    client, _ = counting
    counted.begun = 0
    client.ask(query)
    assert (counted.begun, counted.open) == (transactions, 0)


def test_each_change_of_a_request_is_answered_with_what_it_made(counting, counted):
    client, battery = counting
    change = "setStorageMode(input: { id: $id, mode: %s }) { device { state { at } %s } }"
    shown = "... on StorageDevice { mode dispatch }"
    counted.begun = 0
    answer = client.ask(
        f"mutation ($id: ID!) {{ a: {change % ('CHARGING', shown)}"
        f" b: {change % ('DISCHARGING', shown)} }}",
        id=battery,
    )
    assert answer["a"]["device"]["mode"] == "CHARGING"
    assert answer["b"]["device"]["mode"] == "DISCHARGING"
    assert (counted.begun, counted.open) == (2, 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database whose connections are pooled."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = request.getfixturevalue("postgresql_url")
    with closing(open_storage(url)) as storage:
        yield storage


@pytest.fixture
def pooled(engine, database, clock):
    """A client of that database, with a battery."""
    own = over(engine, database, clock)
    idle_battery(own)
    return own


def test_a_request_ends_its_transaction_itself(pooled, database):
    """And does not leave it to whoever collects what is no longer used."""
    kept = []

    class Keeping:
        def snapshot(self, scope):
            kept.append(pooled.services.insight.snapshot(scope))
            return kept[-1]

    client = Client(pooled.engine, attrs.evolve(pooled.services, insight=Keeping()), pooled.scope)
    client.ask(f"{{ {EVERYTHING} }}")
    assert len(kept) == 1
    assert in_use(database) == 0


def in_use(database):
    """How many connections are not in the pool."""
    return database.engine.pool.checkedout()


def codes(response):
    return {error["extensions"]["code"] for error in response["errors"]}


def raise_a_fault(_insight):
    raise ZeroDivisionError


def run(insight, statement):
    """Run a statement in the transaction of the request."""
    with insight.storage.transaction(write=False) as work:
        return work.devices._session.read(text(statement))


# Both counts may fail without the rest of the answer.
COUNTS = "{ devices { totalCount } sites { totalCount } }"


@pytest.mark.parametrize("query", [f"{{ {EVERYTHING} }}", COUNTS])
def test_a_fault_between_two_reads_leaves_no_connection_behind(pooled, database, query):
    response = interrupted(pooled, raise_a_fault, raise_a_fault).respond(query)
    assert codes(response) == {"INTERNAL_ERROR"}
    assert in_use(database) == 0
    assert pooled.ask(query)


def test_a_refused_list_leaves_no_connection_behind(pooled, database):
    query = '{ devices { totalCount } others: devices(after: "nonsense") { totalCount } }'
    assert codes(pooled.respond(query)) == {"INVALID_CURSOR"}
    assert in_use(database) == 0


def test_after_a_statement_that_failed_nothing_more_is_read_in_that_request(pooled, database):
    """Whatever the database would do: one answers on within the transaction, another does not."""

    def fail(insight):
        with pytest.raises(StorageUnavailable):
            run(insight, "SELECT * FROM nowhere")

    response = interrupted(pooled, fail, fail).respond(COUNTS)
    assert codes(response) == {"STORAGE_UNAVAILABLE"}
    assert in_use(database) == 0
    assert pooled.ask(COUNTS) == {"devices": {"totalCount": 1}, "sites": {"totalCount": 1}}


def test_a_connection_that_breaks_within_a_request_is_given_back(postgresql_url, engine, clock):
    with closing(open_storage(postgresql_url)) as database:
        assert isinstance(database, SqlStorage)
        pooled = over(engine, database, clock)
        idle_battery(pooled)

        def cut(insight):
            number = run(insight, "SELECT pg_backend_pid()").scalar_one()
            with database.connection(write=True) as other:
                other.execute(text(f"SELECT pg_terminate_backend({number})"))

        response = interrupted(pooled, cut, cut).respond(COUNTS)
        assert codes(response) == {"STORAGE_UNAVAILABLE"}
        assert in_use(database) == 0
        # What was read before is answered, for nothing takes it back.
        answer = interrupted(pooled, cut).ask("{ devices { nodes { name } } }")
        assert answer == {"devices": {"nodes": [{"name": "wall"}]}}
        assert in_use(database) == 0
        assert pooled.ask(COUNTS)
