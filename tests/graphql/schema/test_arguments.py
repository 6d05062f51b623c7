"""Whatever stands in the arguments of a query: the answer is right, or a typed refusal."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import energycore as ec
from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest
from energycore.graphql.schema.ids import device_id, site_id
from tools.reference_pages.domain_texts import DOMAIN_TEXTS
from tools.reference_pages.limit_texts import LIMIT_TEXTS
from tools.reference_pages.server_texts import SERVER_TEXTS

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPECTED = {*DOMAIN_TEXTS, *LIMIT_TEXTS, *SERVER_TEXTS} - {"INTERNAL_ERROR"}
NAMES = ("Straße", "STRASSE", "ﬁn", "Roof", "roof", "i̇stanbul", "İSTANBUL", "%_", "😀", "a'b")
TAGS = ("roof", "Roof", "ü", "😀", "%")


class Clock:
    def now(self) -> datetime:
        return NOON


@attrs.frozen(kw_only=True)
class Known:
    """What the model knows of a device."""

    id: str
    site: str | None
    name: str
    kind: str
    tags: frozenset[str]
    is_active: bool
    data_source: str
    rated_w: float


@attrs.frozen
class Asker:
    """Asks an engine about a fleet that never changes."""

    engine: GraphQLEngine
    energy: ec.Energy
    fleet: tuple[Known, ...]

    def respond(self, query: str, variables: Any) -> tuple[int, Any]:
        context = GraphQLContext(services=self.energy.services, scope=self.energy.scope)
        request = HttpRequest(
            method="POST",
            headers={"content-type": "application/json"},
            body=json.dumps({"query": query, "variables": variables}).encode(),
        )
        response = self.engine.respond(request, context)
        return response.status, json.loads(response.body)

    def ask(self, query: str, **variables: Any) -> Any:
        _, answer = self.respond(query, variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def asker(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    engine: GraphQLEngine,
) -> Iterator[Asker]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    url = "memory://" if request.param == "memory" else f"sqlite:///{folder / 'home.db'}"
    with ec.connect(url, clock=Clock()) as energy:
        fleet = tuple(register(energy))
        energy.tick(NOON)
        yield Asker(engine, energy, fleet)


def register(energy: ec.Energy) -> Iterator[Known]:
    """Sixty devices that differ in everything that a filter looks at."""
    sites = [energy.register_site(ec.Site(name=f"s{i}", time_zone="Asia/Kolkata")) for i in (1, 2)]
    for number in range(60):
        name, size = f"{NAMES[number % 10]}{number // 10}", 100.0 + 700 * (number % 7)
        site = (*sites, None)[number % 3]
        tags = frozenset(TAGS[number % 5 :][: number % 4])
        source = ec.DataSource.REPORTED if number % 5 == 3 else ec.DataSource.SIMULATED
        if number % 4 == 0:
            device: ec.Device = ec.SolarPanel(name=name, rated_power_w=size)
        elif number % 4 == 1:
            device = ec.Battery(
                name=name, capacity_wh=5_000, max_charge_w=size, max_discharge_w=size / 2
            )
        elif number % 4 == 2:
            device = ec.ElectricVehicle(
                name=name, capacity_wh=9_000, max_charge_w=size / 2, max_discharge_w=size
            )
        else:
            device = ec.Appliance(name=name, average_power_w=size, duty_cycle=1.0)
        record = energy.register(device, site=site, tags=tags, data_source=source)
        if is_inactive := number % 6 == 5:
            energy.deactivate(record.id)
        yield Known(
            id=device_id(record.id),
            site=None if site is None else site_id(site.id),
            name=name,
            kind=device.kind.upper(),
            tags=tags,
            is_active=not is_inactive,
            data_source=source.name,
            rated_w=device.largest_power_w,
        )


def matches(known: Known, chosen: dict[str, Any]) -> bool:
    """The filter as the schema describes it."""
    given = {name: value for name, value in chosen.items() if value is not None}
    needle = given.get("nameContains", "")
    return (
        known.id in given.get("ids", [known.id])
        and known.kind in given.get("kinds", [known.kind])
        and ("siteIds" not in given or known.site in given["siteIds"])
        and ("tags" not in given or bool(known.tags & set(given["tags"])))
        and needle.casefold() in known.name.casefold()
        and known.is_active is given.get("isActive", known.is_active)
        and known.data_source in given.get("dataSources", [known.data_source])
    )


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(values, max_size=4)


REAL = st.integers(1, 62).map(device_id)
SITES = st.integers(1, 3).map(site_id)
ODD = st.sampled_from(
    ["", "nonsense", "\x7f", "\u202e", "'; --", "Z", "=" * 300, device_id(1) + "="]
)
TEXT = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8) | ODD
)
# No text that a client may send at all.
NO_TEXT = st.sampled_from(["\x00", "\ud800", "a\x00b"])
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "ids": some(REAL | SITES | TEXT) | st.lists(REAL, max_size=40),
        "kinds": some(st.sampled_from(["SOLAR_PANEL", "BATTERY", "ELECTRIC_VEHICLE", "APPLIANCE"])),
        "siteIds": some(SITES | REAL | TEXT),
        "tags": some(st.sampled_from(TAGS) | TEXT),
        "nameContains": st.none()
        | st.sampled_from(["ss", "SS", "ß", "fi", "OO", "0", "i", "%", "_", "'", "😀", ""])
        | TEXT,
        "isActive": st.none() | st.booleans(),
        "dataSources": some(st.sampled_from(["SIMULATED", "REPORTED"])),
    },
)
KEYS = {
    "NAME": lambda known: known.name.casefold(),
    "REGISTERED_AT": lambda _: 0,
    "RATED_POWER": lambda known: known.rated_w,
}
LIST = """query ($filter: DeviceFilter, $order: DeviceOrder, $first: Int, $after: String,
                $last: Int, $before: String) {
  devices(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
          before: $before) {
    totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ORDERS = st.builds(
    lambda field, direction: {"field": field, **direction},
    st.sampled_from(sorted(KEYS)),
    st.sampled_from([{}, {"direction": "ASC"}, {"direction": "DESC"}]),
)


def expected(asker: Asker, chosen: Any, order: Any) -> list[str]:
    found = [known for known in asker.fleet if matches(known, chosen or {})]
    if order is not None:
        found.sort(key=KEYS[order["field"]])
        if order.get("direction") == "DESC":
            found.reverse()
    return [known.id for known in found]


@given(chosen=st.none() | FILTERS, order=st.none() | ORDERS)
def test_a_list_is_what_filtering_and_sorting_in_python_gives(asker, chosen, order):
    found = asker.ask(LIST, filter=chosen, order=order)["devices"]
    ids = expected(asker, chosen, order)
    assert [node["id"] for node in found["nodes"]] == ids
    assert found["totalCount"] == len(ids)


@given(chosen=FILTERS, order=ORDERS, size=st.integers(1, 20), forward=st.booleans())
@settings(max_examples=40)
def test_pages_of_any_size_add_up_to_the_list(asker, chosen, order, size, forward):
    count, place, more, end = (
        ("first", "after", "hasNextPage", "endCursor")
        if forward
        else ("last", "before", "hasPreviousPage", "startCursor")
    )
    ids: list[str] = []
    cursor, is_more = None, True
    while is_more:
        page = asker.ask(LIST, filter=chosen, order=order, **{count: size, place: cursor})
        nodes = [node["id"] for node in page["devices"]["nodes"]]
        ids = [*ids, *nodes] if forward else [*nodes, *ids]
        info = page["devices"]["pageInfo"]
        is_more, cursor = info[more], info[end]
    assert ids == expected(asker, chosen, order)


@given(chosen=st.none() | FILTERS)
def test_totals_and_groups_are_of_the_active_devices_that_match(asker, chosen):
    groups = " ".join(
        f"{group}: energySummaries(groupBy: {group}, filter: $filter, first: 500) "
        "{ nodes { key summary { deviceCount storageDevices { totalCount } } } }"
        for group in ("SITE", "KIND", "TAG")
    )
    data = asker.ask(
        "query ($filter: DeviceFilter) { energySummary(filter: $filter) { deviceCount"
        f" storageDevices {{ totalCount nodes {{ id }} }} }} {groups} }}",
        filter=chosen,
    )
    active = [known for known in asker.fleet if known.is_active and matches(known, chosen or {})]
    stored = [known.id for known in active if known.kind in ("BATTERY", "ELECTRIC_VEHICLE")]
    summary = data["energySummary"]
    assert summary["deviceCount"] == len(active)
    assert [node["id"] for node in summary["storageDevices"]["nodes"]] == stored
    assert summary["storageDevices"]["totalCount"] == len(stored)
    keys = {
        "SITE": lambda known: [known.site],
        "KIND": lambda known: [known.kind],
        "TAG": lambda known: known.tags or [None],
    }
    for group, keys_of in keys.items():
        counts: dict[Any, list[int]] = {}
        for known in active:
            for key in keys_of(known):
                count = counts.setdefault(key, [0, 0])
                count[0] += 1
                count[1] += known.id in stored
        found = {
            node["key"]: [
                node["summary"]["deviceCount"],
                node["summary"]["storageDevices"]["totalCount"],
            ]
            for node in data[group]["nodes"]
        }
        assert found == counts


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """Values of an input type as JSON: likely ones, extreme ones, now and then of another type."""
    if isinstance(type_, GraphQLNonNull):
        return values_of(type_.of_type)
    return st.none() | _given(type_)


def _given(type_: Any) -> st.SearchStrategy[Any]:
    if isinstance(type_, GraphQLList):
        return st.lists(values_of(type_.of_type), max_size=3)
    if isinstance(type_, GraphQLEnumType):
        return st.sampled_from([*type_.values, "NO_VALUE"])
    if isinstance(type_, GraphQLInputObjectType):
        required = {
            name: values_of(field.type)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        }
        optional = {
            name: values_of(field.type)
            for name, field in type_.fields.items()
            if name not in required
        }
        return st.fixed_dictionaries(required, optional=optional)
    return {
        "ID": REAL | SITES | TEXT | NO_TEXT | st.integers(-(10**30), 10**30),
        "Int": st.integers(-1, 501) | st.integers(-(10**12), 10**12) | st.sampled_from([1e300, ""]),
        "Float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "String": TEXT
        | NO_TEXT
        | st.sampled_from(["Asia/Kolkata", "UTC", "../etc/passwd", "x" * 5_000]),
        "Boolean": st.booleans() | st.just(0),
        "DateTime": st.integers(-(10**5), 10**5).map(
            lambda minutes: (NOON + timedelta(minutes=minutes)).isoformat()
        )
        | st.sampled_from(
            [
                "2026-06-01T00:00:00",
                "2026-02-30T00:00:00Z",
                "9999-12-31T23:59:59Z",
                "0001-01-01",
                "",
            ]
        ),
    }[type_.name]


def leaves(type_: Any, depth: int = 3) -> str:
    """A selection of what a type shows without arguments."""
    type_ = get_named_type(type_)
    if is_leaf_type(type_):
        return ""
    fields = [
        f"{name} {inner}".strip()
        for name, field in type_.fields.items()
        if not field.args and (is_leaf_type(get_named_type(field.type)) or depth)
        for inner in [leaves(field.type, depth - 1)]
        if inner or is_leaf_type(get_named_type(field.type))
    ]
    return f"{{ {' '.join(fields)} }}" if fields else ""


NESTED = {
    "Query": "%s",
    "Site": f'site(id: "{site_id(1)}") {{ %s }}',
    "Device": f'device(id: "{device_id(3)}") {{ %s }}',
    "EnergySummary": "energySummary { %s }",
}
FIELDS = [
    *(
        (name, "Query")
        for name in (
            "node",
            "nodes",
            "device",
            "devices",
            "site",
            "sites",
            "energySummary",
            "energySummaries",
            "energyHistory",
        )
    ),
    ("devices", "Site"),
    ("history", "Site"),
    ("history", "Device"),
    ("readings", "Device"),
    ("storageDevices", "EnergySummary"),
]


def test_every_field_of_a_query_with_arguments_is_among_those(engine):
    found = {
        (name, type_.name)
        for type_ in engine.schema.type_map.values()
        if type_.name in NESTED
        for name, field in type_.fields.items()
        if field.args
    }
    assert found == set(FIELDS)


def document(schema: GraphQLSchema, name: str, parent: str) -> str:
    field = schema.type_map[parent].fields[name]  # type: ignore[attr-defined] # an object type
    variables = ", ".join(f"${arg}: {argument.type}" for arg, argument in field.args.items())
    given = ", ".join(f"{arg}: ${arg}" for arg in field.args)
    asked = f"{name}({given}) {leaves(field.type)}"
    return f"query ({variables}) {{ {NESTED[parent] % asked} }}"


@pytest.mark.parametrize(("name", "parent"), FIELDS, ids=lambda part: part)
@given(data=st.data())
@settings(max_examples=60)
def test_any_arguments_are_answered_or_refused_by_a_typed_error(asker, name, parent, data):
    schema = asker.engine.schema
    field = schema.type_map[parent].fields[name]
    variables = data.draw(
        st.fixed_dictionaries(
            {}, optional={a: values_of(arg.type) for a, arg in field.args.items()}
        )
    )
    status, answer = asker.respond(document(schema, name, parent), variables)
    assert status in (200, 400)
    for error in answer.get("errors", []):
        assert error["extensions"]["code"] in EXPECTED
        assert "errorId" not in error["extensions"]
    assert "errors" in answer or answer["data"] is not None


@pytest.mark.parametrize("name", ["filter", "order", "first", "after", "last", "before"])
def test_a_null_argument_is_the_same_as_an_absent_one(asker, name):
    page = "{ totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } }"
    argument = {"order": "orderBy"}.get(name, name)
    absent = asker.ask(f"{{ devices {page} }}")
    assert asker.ask(f"{{ devices({argument}: null) {page} }}") == absent
    assert asker.ask(LIST, **{name: None}) == asker.ask(LIST)


@pytest.mark.parametrize(
    "name", ["ids", "kinds", "siteIds", "tags", "nameContains", "isActive", "dataSources"]
)
def test_a_filter_by_null_is_none(asker, name):
    everything = asker.ask(LIST)
    assert asker.ask(LIST, filter={name: None}) == everything
    assert asker.ask(LIST, filter=None) == asker.ask(LIST, filter={}) == everything
