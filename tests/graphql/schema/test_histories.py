"""Histories as a client sees them: right buckets, plain refusals, and nothing loaded twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from energycore.errors import ArchiveUnavailable, ResolutionNotKept, StorageUnavailable
from energycore.graphql.documents import Document, DocumentCache, DocumentRules
from energycore.graphql.plans import Plan
from energycore.graphql.schema.context import GraphQLContext
from energycore.graphql.schema.histories import MAX_HISTORIES
from energycore.protocols.records import DeviceFilter
from energycore.services.histories import Histories
from energycore.telemetry.tiers import Retention
from tests.graphql.schema.conftest import Client

BUCKET = """interval startAt endAt coverage readingCount meanPowerW minPowerW maxPowerW
            producedWh consumedWh netWh meanStateOfCharge"""
HISTORY = f"requestedInterval interval timeZone buckets {{ {BUCKET} }}"
ARGUMENTS = "from: $from, to: $to, interval: $interval, timeZone: $timeZone"
OF_DEVICES = f"devices {{ nodes {{ name history({ARGUMENTS}) {{ %s }} }} }}"
OF_SITES = f"sites {{ nodes {{ name history({ARGUMENTS}) {{ %s }} }} }}"
OF_FILTER = f"energyHistory(filter: $filter, {ARGUMENTS}) {{ %s }}"
READINGS = "devices { nodes { readings(from: $from, to: $to) { nodes { at } } } }"
MORNING = {"from": "2026-06-01T06:00:00Z", "to": "2026-06-01T10:00:00Z", "interval": "HOUR"}
VARIABLES = {
    "from": "DateTime!",
    "to": "DateTime!",
    "interval": "Interval!",
    "timeZone": "String",
    "filter": "DeviceFilter",
    "ids": "[ID!]!",
}

EITHER = pytest.mark.parametrize(
    "rest", ["", "__typename @include(if: true)"], ids=["plan", "core"]
)
"""Both ways in which a query is executed: what a plan cannot do is left to graphql-core."""


def asking(*fields):
    """A query for these fields, which declares the variables that they use."""
    text = " ".join(fields)
    declared = (f"${name}: {type_}" for name, type_ in VARIABLES.items() if f"${name}" in text)
    return f"query ({', '.join(declared)}) {{ {text} }}"


def query(field, shown=HISTORY, rest=""):
    """A query for histories, to be answered by a plan or by graphql-core."""
    return asking(field % shown, rest)


def record(client, ident, *readings):
    """Store readings: an instant, a power, and with a storage its charge."""
    given = [
        {
            "deviceId": ident,
            "at": at.isoformat() if isinstance(at, datetime) else f"2026-06-01T{at}Z",
            "powerW": power_w,
            "storedWh": rest[0] if rest else None,
        }
        for at, power_w, *rest in readings
    ]
    payload = client.change("recordReadings", "rejectedCount", readings=given)
    assert payload == {"rejectedCount": 0, "userErrors": []}


def minutes(start, count, power_w=60.0, step=1):
    """Readings of one power, one each minute."""
    return [(start + timedelta(minutes=step * number), power_w) for number in range(count)]


@pytest.fixture
def home(client):
    """A battery and a panel that report, in Berlin."""
    site = client.site()["id"]
    wall = client.register("wall", "battery", siteId=site, dataSource="REPORTED")["id"]
    roof = client.register("roof", siteId=site, dataSource="REPORTED", maxGapSeconds=3_600)["id"]
    record(
        client,
        wall,
        ("06:00:00", -1_200, 1_350),
        ("06:05:00", 600, 2_700),
        ("06:10:00", 600, 1_350),
        ("09:58:00", 0, 6_750),
    )
    record(client, roof, ("07:30:00", 1_000.5), ("08:00:00", 2_000), ("08:59:59.999", 0))
    return {"site": site, "wall": wall, "roof": roof}


@EITHER
def test_a_history_says_what_is_known_of_each_bucket(client, home, rest):
    nodes = client.ask(query(OF_DEVICES, rest=rest), **MORNING)["devices"]["nodes"]
    wall, roof = (node["history"] for node in nodes)
    shown = {"requestedInterval": "HOUR", "interval": "HOUR", "timeZone": "Europe/Berlin"}
    assert {key: wall[key] for key in shown} == {key: roof[key] for key in shown} == shown
    assert wall["buckets"][0] == {
        "interval": "HOUR",
        "startAt": "2026-06-01T06:00:00.000Z",
        "endAt": "2026-06-01T07:00:00.000Z",
        "coverage": 0.25,
        "readingCount": 3,
        "meanPowerW": 0.0,
        "minPowerW": -1_200.0,
        "maxPowerW": 600.0,
        "producedWh": 100.0,
        "consumedWh": 100.0,
        "netWh": 0.0,
        "meanStateOfCharge": pytest.approx((0.1 + 0.2 + 0.1) / 3, rel=1e-12),
    }
    empty = dict.fromkeys(wall["buckets"][1])
    assert wall["buckets"][1] == {
        **empty,
        "interval": "HOUR",
        "startAt": "2026-06-01T07:00:00.000Z",
        "endAt": "2026-06-01T08:00:00.000Z",
        "coverage": 0.0,
        "readingCount": 0,
    }
    assert [bucket["producedWh"] for bucket in roof["buckets"]] == [
        None,
        500.25,
        pytest.approx(2_000 * 3_599.999 / 3_600, rel=1e-15),
        0.0,
    ]
    assert [bucket["meanStateOfCharge"] for bucket in roof["buckets"]] == [None] * 4
    # The newest power holds until now, and never beyond: the last bucket ends with the clock.
    assert wall["buckets"][3]["coverage"] == pytest.approx(120 / 3_600)


@EITHER
def test_a_site_and_a_filter_add_their_devices_up(client, home, rest):
    site = client.ask(query(OF_SITES, rest=rest), **MORNING)["sites"]["nodes"][0]["history"]
    assert site["timeZone"] == "Europe/Berlin"
    every = client.ask(query(OF_FILTER, rest=rest), **MORNING, timeZone="Europe/Berlin")
    assert every["energyHistory"] == site
    both = {"siteIds": [home["site"]]}
    assert client.ask(query(OF_FILTER, rest=rest), **MORNING, filter=both) == every
    for name in ("wall", "roof"):
        one = client.ask(query(OF_FILTER, rest=rest), **MORNING, filter={"nameContains": name})
        (alone,) = (
            node["history"]
            for node in client.ask(query(OF_DEVICES), **MORNING)["devices"]["nodes"]
            if node["name"] == name
        )
        assert one["energyHistory"] == alone
    nobody = client.ask(query(OF_FILTER, rest=rest), **MORNING, filter={"ids": ["nonsense"]})
    assert nobody["energyHistory"]["timeZone"] == "UTC"
    assert {bucket["coverage"] for bucket in nobody["energyHistory"]["buckets"]} == {0.0}


def test_every_number_is_the_one_that_the_service_gives(client, home):
    request = client.services.histories.request(
        datetime(2026, 5, 31, 22, 30, tzinfo=UTC), datetime(2026, 6, 1, 10, 7, tzinfo=UTC), "hour"
    )
    given = {"from": "2026-05-31T22:30:00Z", "to": "2026-06-01T10:07:00Z", "interval": "HOUR"}
    found = client.services.histories.of_filter(
        client.scope, DeviceFilter(kinds=("battery", "solar_panel")), request
    )
    kinds = {"kinds": ["BATTERY", "SOLAR_PANEL"]}
    shown = client.ask(query(OF_FILTER), **given, filter=kinds)["energyHistory"]["buckets"]
    assert len(shown) == len(found.buckets) == 13
    for json, bucket in zip(shown, found.buckets, strict=True):
        assert datetime.fromisoformat(json["startAt"]) == bucket.start
        assert datetime.fromisoformat(json["endAt"]) == bucket.end
        assert (json["interval"], json["readingCount"]) == ("HOUR", bucket.reading_count)
        assert json["coverage"] == bucket.coverage
        assert json["meanPowerW"] == bucket.mean_power_w
        assert (json["minPowerW"], json["maxPowerW"]) == (bucket.min_power_w, bucket.max_power_w)
        assert (json["producedWh"], json["consumedWh"]) == (bucket.produced_wh, bucket.consumed_wh)
        assert (json["netWh"], json["meanStateOfCharge"]) == (
            bucket.net_wh,
            bucket.mean_state_of_charge,
        )


@pytest.mark.parametrize(
    ("time_zone", "edges"),
    [
        (None, ["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]),
        ("Asia/Kathmandu", ["2026-10-24T18:15:00.000Z", "2026-10-25T18:15:00.000Z"]),
    ],
)
def test_days_are_those_of_the_zone_that_is_asked_for(client, clock, time_zone, edges):
    site = client.site()["id"]
    ident = client.register("a", siteId=site, dataSource="REPORTED", maxGapSeconds=900)["id"]
    begins = datetime(2026, 10, 24, 12, tzinfo=UTC)
    clock.at = begins + timedelta(days=2)
    record(client, ident, *minutes(begins, 4 * 48, step=15))
    given = {"from": "2026-10-24T12:00:00Z", "to": "2026-10-26T12:00:00Z", "interval": "DAY"}
    fields = "timeZone buckets { startAt endAt producedWh }"
    for field in (OF_DEVICES, OF_SITES, OF_FILTER):
        answer = client.ask(query(field, fields), **given, timeZone=time_zone)
        ((name, found),) = answer.items()
        history = found if name == "energyHistory" else found["nodes"][0]["history"]
        assert history["timeZone"] == time_zone or "Europe/Berlin"
        first, day, last = history["buckets"]
        assert (first["startAt"], last["endAt"]) == (
            "2026-10-24T12:00:00.000Z",
            "2026-10-26T12:00:00.000Z",
        )
        assert [day["startAt"], day["endAt"]] == [first["endAt"], last["startAt"]] == edges
        hours = 25.0 if time_zone is None else 24.0
        assert day["producedWh"] == hours * 60.0


WORDS: list[tuple[dict[str, Any], str, str]] = [
    ({"timeZone": "Mars"}, "UNKNOWN_TIME_ZONE", "timeZone must be an IANA time zone name"),
    ({"timeZone": ""}, "UNKNOWN_TIME_ZONE", "timeZone must be an IANA time zone name"),
    ({"timeZone": "../etc/passwd"}, "UNKNOWN_TIME_ZONE", "timeZone must be an IANA"),
    ({"to": MORNING["from"]}, "INVALID_VALUE", "to must be after from (2026-06-01T06:00:00+00:00)"),
    ({"to": "2026-06-01T05:00:00Z"}, "INVALID_VALUE", "to must be after from"),
    ({"to": "2026-06-01T08:00:00.0004+02:00"}, "INVALID_VALUE", "to must be after from"),
    ({"from": "1800-01-01T00:00:00Z"}, "INSTANT_OUT_OF_RANGE", "from must be between the years"),
    ({"to": "9999-12-31T23:59:59-23:59"}, "INSTANT_OUT_OF_RANGE", "to must be between the years"),
    ({"from": "2026-06-01T06:00:00"}, "INSTANT_WITHOUT_ZONE", "from must be a datetime with an"),
    ({"to": "2026-06-01T09:59:60Z"}, "INVALID_VALUE", "to must be a datetime with an offset"),
    ({"from": "yesterday"}, "INVALID_VALUE", "from must be a datetime with an offset"),
    ({"from": 1_780_315_200}, "INVALID_VALUE", "Variable '$from' "),
    ({"interval": "YEAR"}, "BAD_USER_INPUT", "Variable '$interval' "),
    ({"interval": "day"}, "BAD_USER_INPUT", "Variable '$interval' "),
    (
        {"from": "2025-01-01T00:00:00Z", "interval": "QUARTER_HOUR"},
        "TOO_MANY_BUCKETS",
        "range must be of at most 10000 buckets",
    ),
]


@pytest.mark.parametrize("field", [OF_DEVICES, OF_SITES, OF_FILTER], ids=["device", "site", "all"])
@pytest.mark.parametrize(("wrong", "code", "message"), WORDS)
def test_a_wrong_argument_is_refused_in_the_words_of_the_schema(
    client, home, field, wrong, code, message
):
    response = client.respond(query(field), **{**MORNING, **wrong})
    (error,) = response["errors"]
    assert (error["extensions"], error["message"][: len(message)]) == ({"code": code}, message)
    assert response.get("data") is None


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [case for case in WORDS if case[0].keys() <= {"from", "to"}],
)
def test_readings_refuse_the_same_ranges(client, home, wrong, code, message):
    given = {"from": MORNING["from"], "to": MORNING["to"], **wrong}
    (error,) = client.respond(asking(READINGS), **given)["errors"]
    assert (error["extensions"], error["message"][: len(message)]) == ({"code": code}, message)


def test_a_filter_over_several_zones_must_name_one(client, home):
    tokyo = client.site(name="Tokyo", timeZone="Asia/Tokyo")["id"]
    client.register("there", siteId=tokyo)
    some = {"kinds": ["SOLAR_PANEL", "BATTERY"]}
    (error,) = client.respond(query(OF_FILTER), **MORNING, filter=some)["errors"]
    assert error["extensions"] == {"code": "TIME_ZONE_REQUIRED"}
    assert error["message"] == "timeZone must be named: the devices are in several time zones"
    asked = client.ask(query(OF_FILTER), **MORNING, filter=some, timeZone="Asia/Tokyo")
    assert asked["energyHistory"]["timeZone"] == "Asia/Tokyo"
    # Devices that are listed have a site each, and so a zone each.
    nodes = client.ask(query(OF_DEVICES), **MORNING)["devices"]["nodes"]
    zones = [node["history"]["timeZone"] for node in nodes]
    assert zones == ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo"]


@pytest.fixture
def asked(monkeypatch):
    """What the service of histories is asked, in order."""
    calls: list[tuple[str, object]] = []

    def listen(name, what):
        method = getattr(Histories, name)

        def listening(self, *args, **named):
            calls.append((name, what(args, named)))
            return method(self, *args, **named)

        monkeypatch.setattr(Histories, name, listening)

    listen("of_devices", lambda args, _: len(args[1]))
    listen("of_sites", lambda args, _: len(args[1]))
    listen("of_filter", lambda _, named: named["extremes"])
    return calls


@EITHER
def test_the_extremes_of_a_filter_are_looked_up_once_and_only_where_they_are_asked_for(
    client, home, asked, rest
):
    both = {"siteIds": [home["site"]]}
    cheap = client.ask(query(OF_FILTER, "buckets { netWh }", rest), **MORNING, filter=both)
    assert asked == [("of_filter", False)]
    asked.clear()
    fields = "buckets { minPowerW maxPowerW netWh } again: buckets { maxPowerW }"
    whole = client.ask(query(OF_FILTER, fields, rest), **MORNING, filter=both)["energyHistory"]
    assert asked == [("of_filter", False), ("of_filter", True)]
    net = [{"netWh": bucket["netWh"]} for bucket in whole["buckets"]]
    assert net == cheap["energyHistory"]["buckets"]
    assert [bucket["maxPowerW"] for bucket in whole["again"]] == [600.0, None, None, 0.0]
    # Those of all devices are kept, and come with the rest.
    asked.clear()
    client.ask(query(OF_FILTER, fields, rest), **MORNING, filter={})
    assert asked == [("of_filter", True)]


@EITHER
def test_siblings_are_looked_up_together(client, home, asked, rest):
    client.site(name="Barn")
    shown = f"name history({ARGUMENTS}) {{ buckets {{ netWh maxPowerW }} interval }}"
    devices = f"devices {{ nodes {{ {shown} }} edges {{ node {{ {shown} }} }} }}"
    client.ask(asking(devices, f"sites {{ nodes {{ {shown} {devices} }} }}", rest), **MORNING)
    assert sorted(asked) == [("of_devices", 2), ("of_sites", 2)]
    asked.clear()
    day = f"day: history({ARGUMENTS.replace('$interval', 'DAY')}) {{ interval }}"
    client.ask(asking(f"devices {{ nodes {{ {shown} {day} }} }}", rest), **MORNING)
    assert asked == [("of_devices", 2)] * 2, "one for each question"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ResolutionNotKept("only days of Mars are kept"), "only days of Mars are kept"),
        (ArchiveUnavailable("/mnt/secret is gone"), "The server cannot answer this now"),
        (StorageUnavailable("secret:5432 is gone"), "The server cannot answer this now"),
    ],
)
def test_what_failed_for_one_of_a_list_is_not_tried_for_the_others(
    client, home, monkeypatch, caplog, error, shown
):
    tried = []

    def fail(*given, **named):
        tried.append(given)
        raise type(error)(error.message)

    for name in ("of_devices", "first_readings"):
        monkeypatch.setattr(Histories, name, fail)
    nodes = f"nodes(ids: $ids) {{ ... on Device {{ history({ARGUMENTS}) {{ interval }} }} }}"
    by_core = "__typename @include(if: true)"
    ids = [home["wall"], home["roof"], home["wall"]]
    response = client.respond(asking(nodes, by_core), ids=ids, **MORNING)
    assert response["data"]["nodes"] == [None] * 3
    assert [e["extensions"]["code"] for e in response["errors"]] == [error.code] * 3
    assert {e["message"] for e in response["errors"]} == {shown}
    assert len(tried) == 1
    assert "secret" not in str(response)
    # The log of a fault tells where it happened, however often it was told.
    faults = [entry for entry in caplog.records if entry.name == "energycore.graphql"]
    assert len(faults) == (0 if isinstance(error, ResolutionNotKept) else 1)
    assert all("in fail" in caplog.text for _ in faults)
    page = {"from": MORNING["from"], "to": MORNING["to"]}
    assert client.refused(asking(READINGS), **page) == error.code


@pytest.fixture
def small(client):
    """The same services with histories of at most 20 buckets."""
    histories = attrs.evolve(client.services.histories, max_buckets=20)
    services = attrs.evolve(client.services, histories=histories)
    return Client(client.engine, services, client.scope)


def test_the_histories_of_a_request_have_a_limit_together(small):
    hours = {"from": "2026-06-01T00:00:00Z", "to": "2026-06-01T16:00:00Z", "interval": "HOUR"}
    for number in range(MAX_HISTORIES):
        small.register(f"d{number}")
    small.site()
    assert len(small.ask(query(OF_DEVICES), **hours)["devices"]["nodes"]) == MAX_HISTORIES
    more = {
        "another list": f"again: {OF_DEVICES}",
        "sites": OF_SITES,
        "a filter": OF_FILTER,
    }
    for name, field in more.items():
        shown = asking(OF_DEVICES % "interval", field % "interval")
        (error,) = small.respond(shown, **hours)["errors"]
        assert error["extensions"] == {"code": "TOO_MANY_BUCKETS"}, name
        assert "of at most 200 buckets in all histories of a request" in error["message"]
    small.register("one more")
    (error,) = small.respond(query(OF_DEVICES), **hours)["errors"]
    assert error["message"].endswith("not '220 hours'")
    assert small.refused(query(OF_FILTER), **{**hours, "to": "2026-06-01T17:00:00Z"}) == (
        "TOO_MANY_BUCKETS"
    )


def test_a_count_that_no_int_holds_is_refused_and_never_cut(client, home, monkeypatch):
    of_filter = Histories.of_filter

    def many(*given, **named):
        history = of_filter(*given, **named)
        buckets = [attrs.evolve(bucket, reading_count=1 << 31) for bucket in history.buckets]
        return attrs.evolve(history, buckets=tuple(buckets))

    monkeypatch.setattr(Histories, "of_filter", many)
    asked = query(OF_FILTER, "buckets { readingCount }")
    response = client.respond(asked, **MORNING)
    assert response["data"] is None
    assert response["errors"][0]["extensions"] == {"code": "INVALID_VALUE"}
    assert response["errors"][0]["message"].startswith("readingCount must be at most 2147483647")
    assert client.ask(query(OF_FILTER, "buckets { netWh }"), **MORNING)


def test_a_request_without_a_scope_is_refused(client, monkeypatch):
    monkeypatch.setattr(
        type(client.services.storage), "transaction", lambda *_, **__: pytest.fail("was asked")
    )
    client.scope = None
    assert client.refused(query(OF_FILTER), **MORNING) == "SCOPE_REQUIRED"


def test_another_tenant_sees_nothing_of_it(client, home):
    other = client.of("other")
    shown = "buckets { readingCount coverage netWh minPowerW }"
    nothing = {"readingCount": 0, "coverage": 0.0, "netWh": None, "minPowerW": None}
    for filter_ in ({}, {"ids": [home["wall"]]}, {"siteIds": [home["site"]]}):
        answer = other.ask(query(OF_FILTER, shown), **MORNING, filter=filter_)
        assert answer["energyHistory"]["buckets"] == [nothing] * 4


def test_a_plan_answers_every_field_of_a_history(client, home):
    """Or else each test of both ways would test the slow one twice."""
    everything = asking(OF_DEVICES % HISTORY, OF_SITES % HISTORY, OF_FILTER % HISTORY, READINGS)
    documents, rules = (
        DocumentCache(),
        DocumentRules(schema=client.engine.schema, limits=client.engine.limits),
    )
    document = documents.load(rules, everything)
    assert isinstance(document, Document)
    plan = document.plan(None)
    assert isinstance(plan, Plan)
    context = GraphQLContext(services=client.services, scope=client.scope)
    with context.open_operation() as operation:
        assert plan.run(operation, MORNING) == client.ask(everything, **MORNING)


@pytest.fixture
def aged(client, home, clock):
    """Nine months later, by upkeep that has let go of readings and quarter-hours."""
    clock.move(days=270)
    client.services.upkeep.run(client.scope)
    assert client.services.upkeep.retention == Retention()
    return home


def test_where_only_coarser_totals_are_left_the_history_says_so(client, aged):
    fields = "requestedInterval interval buckets { interval startAt endAt readingCount netWh }"
    for field in (OF_DEVICES, OF_SITES):
        ((_, found),) = client.ask(query(field, fields), **MORNING).items()
        history = found["nodes"][0]["history"]
        assert (history["requestedInterval"], history["interval"]) == ("HOUR", "DAY")
        (bucket,) = history["buckets"]
        assert bucket["interval"] == "DAY"
        assert (bucket["startAt"], bucket["endAt"]) == (
            "2026-05-31T22:00:00.000Z",
            "2026-06-01T22:00:00.000Z",
        )
        assert bucket["readingCount"] > 0


def test_a_zone_whose_days_are_not_kept_is_refused_and_told(client, aged):
    days = {"from": "2026-05-31T00:00:00Z", "to": "2026-06-03T00:00:00Z", "interval": "DAY"}
    for field in (OF_DEVICES, OF_SITES):
        (error,) = client.respond(query(field), **days, timeZone="Asia/Tokyo")["errors"]
        assert error["extensions"] == {"code": "RESOLUTION_NOT_KEPT"}
        assert error["message"].endswith("is none of Asia/Tokyo: ask for the time zone of the site")
        assert client.ask(query(field), **days)


def test_the_extremes_of_a_part_are_null_where_its_readings_are_gone(client, aged):
    """And those of a device, a site and of all are kept."""
    days = {"from": "2026-05-31T22:00:00Z", "to": "2026-06-01T22:00:00Z", "interval": "DAY"}
    fields = "buckets { netWh maxPowerW }"
    part = {"nameContains": "roof"}
    alone = client.ask(query(OF_FILTER, fields), **days, filter=part)["energyHistory"]["buckets"]
    nodes = client.ask(query(OF_DEVICES, fields), **days)["devices"]["nodes"]
    (kept,) = nodes[1]["history"]["buckets"]
    assert kept["maxPowerW"] == 2_000.0
    assert alone == [{"netWh": kept["netWh"], "maxPowerW": None}]
    site = client.ask(query(OF_SITES, fields), **days)["sites"]["nodes"][0]["history"]
    assert site["buckets"][0]["maxPowerW"] is not None
