"""Raw readings in pages: each one once, oldest first, and those of a list of devices together."""

from datetime import UTC, datetime, timedelta

import pytest

from energycore.graphql.schema.cursors import Listing, encode_cursor, encode_key
from energycore.protocols.records import Cursor
from energycore.protocols.scope import Scope
from energycore.quantities.instants import to_epoch_us
from energycore.services.histories import Histories
from tests.graphql.schema.test_histories import record

FIRST = datetime(2026, 6, 1, 9, tzinfo=UTC)
PAGE = """query ($from: DateTime = "2026-06-01T00:00:00Z", $to: DateTime = "2026-06-02T00:00:00Z",
                 $first: Int, $after: String) {
  devices { nodes { name readings(from: $from, to: $to, first: $first, after: $after) {
    edges { cursor node { at } }
    nodes { at powerW storedWh }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } } } }"""
EITHER = pytest.mark.parametrize(
    "query", [PAGE, f"{PAGE[:-1]} __typename @include(if: true) }}"], ids=["plan", "core"]
)


def instant(second):
    """How an instant within the first hour is shown."""
    return f"2026-06-01T09:{second // 60:02d}:{second % 60:02d}.000Z"


def of(order):
    return Listing(Scope("acme"), order)


def cursor(at):
    return encode_key(of("readings"), to_epoch_us(at))


def pages(client, query=PAGE, **given):
    """The page of each device, by name."""
    shown = {}
    for node in client.ask(query, **given)["devices"]["nodes"]:
        page = node["readings"]
        cursors = [edge["cursor"] for edge in page["edges"]]
        assert [e["node"]["at"] for e in page["edges"]] == [n["at"] for n in page["nodes"]]
        info = page["pageInfo"]
        ends = (cursors[0], cursors[-1]) if cursors else (None, None)
        assert (info.pop("startCursor"), info["endCursor"]) == ends
        shown[node["name"]] = page
    return shown


def seconds(page):
    """The instants of a page as seconds since the first reading."""
    found = [datetime.fromisoformat(node["at"]) - FIRST for node in page["nodes"]]
    return [elapsed.total_seconds() for elapsed in found]


@pytest.fixture
def meters(client):
    """One device that has seven readings, one that has two, and one without any."""
    ids = {
        name: client.register(name, kind, dataSource="REPORTED")["id"]
        for name, kind in (("busy", "battery"), ("calm", "solarPanel"), ("new", "appliance"))
    }
    busy = [(FIRST + timedelta(seconds=10 * n), 1.5 * n, 1_000.001 + n) for n in range(7)]
    record(client, ids["busy"], *reversed(busy))
    record(client, ids["calm"], *((FIRST + timedelta(seconds=s), -s) for s in (15, 25)))
    return ids


@EITHER
def test_pages_lead_through_all_readings_oldest_first(client, meters, query):
    seen = []
    after = None
    for number in range(4):
        page = pages(client, query, first=2, after=after)["busy"]
        assert page["pageInfo"]["hasPreviousPage"] is (number > 0)
        assert page["pageInfo"]["hasNextPage"] is (number < 3)
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    assert seen == [
        {"at": instant(10 * n), "powerW": 1.5 * n, "storedWh": 1_000.001 + n} for n in range(7)
    ]
    assert pages(client, query, after=after)["busy"]["nodes"] == []


@EITHER
def test_every_device_of_a_list_has_the_same_page_of_its_own_readings(client, meters, query):
    first = pages(client, query, first=3)
    assert [seconds(first[name]) for name in meters] == [[0, 10, 20], [15, 25], []]
    assert [first[name]["pageInfo"]["hasNextPage"] for name in meters] == [True, False, False]
    assert first["calm"]["nodes"][0] == {"at": instant(15), "powerW": -15.0, "storedWh": None}
    rest = pages(client, query, first=3, after=first["busy"]["pageInfo"]["endCursor"])
    assert [seconds(rest[name]) for name in meters] == [[30, 40, 50], [25], []]
    assert [rest[name]["pageInfo"]["hasPreviousPage"] for name in meters] == [True, True, False]


def test_a_range_has_its_start_and_not_its_end(client, meters):
    page = pages(client, **{"from": instant(10), "to": instant(30)})["busy"]
    assert seconds(page) == [10, 20]
    assert page["pageInfo"]["hasNextPage"] is False
    offset = {"from": "2026-06-01T11:00:10+02:00", "to": "2026-06-01T14:30:30+05:30"}
    assert seconds(pages(client, **offset)["busy"]) == [10, 20]


def test_what_precedes_a_page_is_told_as_it_is_and_looked_up_only_then(client, meters, monkeypatch):
    asked = []
    first_readings = Histories.first_readings

    def listening(self, scope, ids, **named):
        asked.append(len(ids))
        return first_readings(self, scope, ids, **named)

    monkeypatch.setattr(Histories, "first_readings", listening)
    bare = PAGE.replace("hasPreviousPage", "")
    client.ask(bare, after=cursor(FIRST))
    assert asked == [3], "one page of all"
    asked.clear()
    for after, expected in (
        (FIRST - timedelta(seconds=1), [False, False, False]),
        (FIRST, [True, False, False]),
        (FIRST + timedelta(seconds=15), [True, True, False]),
        (FIRST + timedelta(days=9), [True, True, False]),
    ):
        shown = pages(client, first=1, after=cursor(after))
        assert [shown[name]["pageInfo"]["hasPreviousPage"] for name in meters] == expected
    assert asked == [3] * 8
    asked.clear()
    # A cursor before the range says nothing of what is in it.
    inside = {"from": instant(20), "after": cursor(FIRST)}
    assert seconds(pages(client, **inside)["busy"])[0] == 20
    assert pages(client, **inside)["busy"]["pageInfo"]["hasPreviousPage"] is False
    assert asked == [3, 3]


def test_a_late_reading_moves_no_page(client, meters):
    first = pages(client, first=3)["busy"]
    record(client, meters["busy"], (FIRST + timedelta(seconds=5), 99))
    rest = pages(client, first=3, after=first["pageInfo"]["endCursor"])["busy"]
    assert seconds(rest) == [30, 40, 50]
    assert seconds(pages(client)["busy"]) == [0, 5, 10, 20, 30, 40, 50, 60]


def test_a_page_holds_a_hundred_unless_asked_and_500_at_most(client, meters):
    late = [(FIRST + timedelta(seconds=100 + n), 1) for n in range(505)]
    record(client, meters["busy"], *late)
    assert len(pages(client)["busy"]["nodes"]) == 100
    assert len(pages(client, first=None)["busy"]["nodes"]) == 100
    assert len(pages(client, first=500)["busy"]["nodes"]) == 500
    empty = pages(client, first=0)
    assert [empty[name]["pageInfo"]["hasNextPage"] for name in meters] == [True, True, False]
    assert client.refused(PAGE, first=501) == "PAGE_TOO_LARGE"
    assert client.refused(PAGE, first=-1) == "INVALID_VALUE"


def test_a_cursor_of_another_list_is_refused(client, meters):
    for after in (
        "nonsense",
        "",
        encode_key(of("groups:site"), 1),
        encode_key(of("readings"), None),
        encode_key(of("readings"), 10**30),
        encode_cursor(of("devices:registered_at:asc"), Cursor(0, 1)),
    ):
        (error,) = client.respond(PAGE, after=after)["errors"]
        assert error["extensions"] == {"code": "INVALID_CURSOR"}
        assert error["message"].startswith("after must be a cursor of this list")
    devices = client.ask("{ devices { pageInfo { endCursor } } }")["devices"]
    assert client.refused(PAGE, after=devices["pageInfo"]["endCursor"]) == "INVALID_CURSOR"
    readings = pages(client)["busy"]["pageInfo"]["endCursor"]
    asked = "query ($after: String) { devices(after: $after) { totalCount } }"
    assert client.refused(asked, after=readings) == "INVALID_CURSOR"


def test_simulated_devices_have_readings_too(client, clock):
    client.register("roof")
    for _ in range(3):
        client.services.ticking.tick(client.scope)
        clock.move(minutes=1)
    page = pages(client)["roof"]
    assert [node["at"] for node in page["nodes"]] == [
        "2026-06-01T10:00:00.000Z",
        "2026-06-01T10:01:00.000Z",
        "2026-06-01T10:02:00.000Z",
    ]
