"""CPU time of what is made to hurt: probes that are refused, and the dearest requests allowed.

Each shape of a request is widened until the default limits allow no more. What is left is worked
out by graphql-core, which is the slow way, over SQLite, whose work counts as this process's own.
"""

import gc
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs

import energycore as ec
from benchmarks.measure import Line, cpu_seconds
from energycore.graphql import (
    GraphQLContext,
    GraphQLEngine,
    HttpRequest,
    HttpResponse,
    build_engine,
)
from energycore.graphql.documents import DocumentCache, DocumentRules, Refusal
from energycore.graphql.schema.ids import device_id
from tests.support.probes import PROBES

__all__ = ["lines"]

_PROBE_MS: Final = 20
_WORST_MS: Final = 250
_ROUNDS: Final = 3
_SITES: Final = 500
_DEVICES: Final = 1_000
_TICKS: Final = 65
_START: Final = datetime(2026, 6, 1, 10, tzinfo=UTC)

_DEVICE: Final = """id name kind tags externalId isActive dataSource maxGapSeconds gapPolicy
  registeredAt version state { at powerW storedWh stateOfCharge mode isStale } site { id name }
  ... on StorageDevice { capacityWh maxChargeW maxDischargeW mode dispatch }"""
_BUCKET: Final = "startAt endAt coverage readingCount meanPowerW minPowerW maxPowerW netWh"
# What no plan knows, so that graphql-core works it out, and what fails when a plan is nearly done,
# so that graphql-core does all of it again.
_LAST: Final = ("is: __typename @include(if: true)", 'bad: devices(after: "x") { totalCount }')
_HOURS: Final = 'from: "2026-05-31T10:00:00Z", to: "TO", interval: QUARTER_HOUR'


def _no_variables(_size: int) -> Mapping[str, Any]:
    return {}


@attrs.frozen
class Shape:
    """A kind of request, of any size up to the largest that is no error by itself."""

    query: str
    most: int = 500
    variables: Callable[[int], Mapping[str, Any]] = attrs.field(default=_no_variables)
    is_bounded: bool = True

    def request(self, size: int, last: str = "") -> tuple[str, Mapping[str, Any]]:
        """The query, with one more field, and its variables."""
        query = self.query.replace("SIZE", str(size)).replace("TO", _to(size))
        if query.startswith(("{", "query")):
            query = f"{query[: query.rindex('}')]} {last} }}"
        return query, self.variables(size)


def _to(size: int) -> str:
    return f"{_START - timedelta(days=1) + timedelta(minutes=15 * size):%Y-%m-%dT%H:%M:%SZ}"


_SHAPES: Final[Mapping[str, Shape]] = {
    "devices": Shape(f"{{ devices(first: SIZE) {{ nodes {{ {_DEVICE} }} }} }}"),
    "devices-bare": Shape(
        "{ "
        + " ".join(
            f'a{n}: devices(first: SIZE, filter: {{nameContains: "{n}"}}) {{ nodes {{ id }} }}'
            for n in range(8)
        )
        + " }"
    ),
    "devices-counted": Shape(
        "{ " + " ".join(f"a{n}: devices(first: SIZE) {{ totalCount }}" for n in range(8)) + " }"
    ),
    "devices-edges": Shape(
        f"{{ devices(first: SIZE) {{ edges {{ cursor node {{ {_DEVICE} }} }} }} }}"
    ),
    "sites-devices": Shape(
        "{ sites(first: SIZE) { nodes { id devices(first: 4) { nodes { id name state { at } } } } "
        "} }"
    ),
    "sites-devices-empty": Shape(
        "{ sites(first: SIZE) { nodes { devices(first: 4) { pageInfo { hasNextPage } } } } }"
    ),
    "devices-site-devices": Shape(
        "{ devices(first: SIZE) { nodes { site { devices(first: 4) { nodes { id } } } } } }"
    ),
    "sites-summaries": Shape(
        "{ sites(first: SIZE) { nodes { summary { netPowerW generationW loadW chargeW storage {"
        " storedWh } storageDevices(first: 3) { nodes { id mode } } } } } }"
    ),
    "groups": Shape(
        "{ energySummaries(groupBy: SITE, first: SIZE) { nodes { key summary { netPowerW"
        " storageDevices(first: 4) { nodes { id } } } } } }"
    ),
    "device-histories": Shape(
        f'{{ devices(first: SIZE) {{ nodes {{ history(from: "2026-06-01T09:00:00Z", to:'
        f' "2026-06-01T13:00:00Z", interval: QUARTER_HOUR) {{ buckets {{ {_BUCKET} }} }} }} }} }}'
    ),
    "device-histories-bare": Shape(
        '{ devices(first: SIZE) { nodes { history(from: "2026-06-01T09:00:00Z", to:'
        ' "2026-06-01T13:00:00Z", interval: QUARTER_HOUR) { timeZone } } } }'
    ),
    "device-history-ranges": Shape(
        f"{{ devices(first: 10) {{ nodes {{ history({_HOURS}) {{ buckets {{ netWh }} }} }} }} }}",
        20_000,
    ),
    "site-histories": Shape(
        f'{{ sites(first: SIZE) {{ nodes {{ history(from: "2026-06-01T09:00:00Z", to:'
        f' "2026-06-01T13:00:00Z", interval: QUARTER_HOUR) {{ buckets {{ {_BUCKET} }} }} }} }} }}'
    ),
    "history": Shape(f"{{ energyHistory({_HOURS}) {{ buckets {{ {_BUCKET} }} }} }}", 20_000),
    "history-bare": Shape(f"{{ energyHistory({_HOURS}) {{ buckets {{ netWh }} }} }}", 20_000),
    "history-of-part": Shape(
        f"{{ energyHistory({_HOURS}, filter: {{isActive: true}}) {{ buckets {{ {_BUCKET} }} }} }}",
        20_000,
        is_bounded=False,
    ),
    "readings": Shape(
        '{ devices(first: 40) { nodes { readings(from: "2026-06-01T09:00:00Z", to:'
        ' "2026-06-02T13:00:00Z", first: SIZE) { nodes { at powerW storedWh } } } } }'
    ),
    "readings-bare": Shape(
        '{ devices(first: 100) { nodes { readings(from: "2026-06-01T09:00:00Z", to:'
        ' "2026-06-02T13:00:00Z", first: SIZE) { pageInfo { hasNextPage } } } } }'
    ),
    "wrong-histories": Shape(
        '{ devices(first: SIZE) { nodes { history(from: "x", to: "y", interval: HOUR) {'
        " buckets { netWh } } } } }"
    ),
    "wrong-readings": Shape(
        '{ devices(first: SIZE) { nodes { readings(from: "2026-06-01T09:00:00Z", to:'
        ' "2026-06-02T13:00:00Z", after: "x", first: 1) { nodes { at } } } } }'
    ),
    "wrong-pages": Shape(
        '{ sites(first: SIZE) { nodes { devices(first: 1, after: "x") { totalCount } } } }'
    ),
    "many-ids": Shape(
        "query ($f: DeviceFilter) { sites(first: 20) { nodes { devices(first: 1, filter: $f) {"
        " totalCount } } } }",
        20_000,
        lambda size: {"f": {"ids": [device_id(n) for n in range(size)]}},
    ),
    "nodes": Shape(
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Device {{ {_DEVICE} }} }} }}",
        500,
        lambda size: {"ids": [device_id(n) for n in range(1, size + 1)]},
    ),
    "introspection": Shape(
        "{ __schema { types { name fields { name args { name type { name ofType { name } } } type {"
        " name ofType { name ofType { name } } } } inputFields { name } } } }"
    ),
    "registrations": Shape(
        "mutation { "
        + " ".join(
            f'a{n}: registerDevice(input: {{name: "new SIZE {n}", spec: {{appliance: '
            f"{{averagePowerW: 5}}}}}}) {{ device {{ {_DEVICE} }} userErrors {{ code }} }}"
            for n in range(10)
        )
        + " }"
    ),
    "recorded-readings": Shape(
        "mutation ($r: [ReadingInput!]!) { recordReadings(input: {readings: $r}) { rejectedCount"
        " userErrors { code } } }",
        20_000,
        lambda size: {
            "r": [
                {"deviceId": device_id(n % _DEVICES + 1), "at": _to(n), "powerW": 1.0}
                for n in range(size)
            ]
        },
    ),
    "fields": Shape("{ energySummary { " + "netPowerW deviceCount " * 50 + "} }"),
    "wide-document": Shape(
        "{ "
        + " ".join(
            f"{'' if r == 0 else f'a{r}: '}energySummary {{"
            "productionW consumptionW netPowerW generationW dischargeW loadW chargeW"
            " storage { capacityWh storedWh stateOfCharge deviceCount }"
            " storageDevices(first: 1) { nodes { "
            + _DEVICE.replace("state {", "state @include(if: true) {")
            + " } } }"
            for r in range(5)
        )
        + " }"
    ),
}


@attrs.define
class _Clock:
    at: datetime = _START

    def now(self) -> datetime:
        return self.at


def lines() -> Iterator[Line]:
    """The dearest probe, and each shape at its widest."""
    with tempfile.TemporaryDirectory() as folder:
        clock = _Clock()
        with ec.connect(f"sqlite:///{Path(folder) / 'fleet.db'}", clock=clock) as energy:
            _fill(energy, clock)
            context = GraphQLContext(services=energy.services, scope=energy.scope)
            yield from _probe_lines(context)
            yield from _shape_lines(context)


def _probe_lines(context: GraphQLContext) -> Iterator[Line]:
    engine = build_engine()
    times = {}
    for name, probe in PROBES.items():
        request = HttpRequest(
            method="POST", headers={"content-type": probe.media_type}, body=probe.body
        )

        def refuse(request: HttpRequest = request) -> HttpResponse:
            return engine.respond(request, context)

        times[name] = _least(refuse) * 1e3
    worst = max(times, key=times.__getitem__)
    yield Line(
        name="graphql-probes",
        figure=f"{times[worst]:.1f} ms of CPU",
        ratio=times[worst],
        limit=_PROBE_MS,
        note=f"ms for the dearest of {len(times)} probes: {worst}",
    )


def _shape_lines(context: GraphQLContext) -> Iterator[Line]:
    engine = build_engine()
    for name, shape in _SHAPES.items():
        found = max(
            (_at_its_widest(engine, context, shape, last) for last in _LAST),
            key=lambda one: one.milli,
        )
        codes = f", refused as {', '.join(found.codes)}" if found.codes else ""
        yield Line(
            name=f"limit-{name}",
            figure=f"{found.milli:.0f} ms of CPU",
            ratio=found.milli,
            limit=_WORST_MS if shape.is_bounded else None,
            note=f"ms for size {found.size}, cost {found.cost},"
            f" {found.milli / found.cost * 1e3:.1f} us each{codes}",
        )


@attrs.frozen(kw_only=True)
class _Found:
    size: int
    cost: int
    milli: float
    codes: list[str]


def _at_its_widest(
    engine: GraphQLEngine, context: GraphQLContext, shape: Shape, last: str
) -> _Found:
    size, cost = _widest(engine, shape, last)
    request = _posted(*shape.request(size, last))

    def cold() -> HttpResponse:
        # Documents that no cache has are parsed and validated as well.
        return attrs.evolve(engine, documents=DocumentCache()).respond(request, context)

    errors = json.loads(cold().body).get("errors", ())
    codes = sorted({error["extensions"]["code"] for error in errors})
    return _Found(size=size, cost=cost, milli=_least(cold) * 1e3, codes=codes)


def _widest(engine: GraphQLEngine, shape: Shape, last: str) -> tuple[int, int]:
    """The greatest size that the limits allow, and its cost."""
    rules = DocumentRules(schema=engine.schema)
    size, beyond, cost = 0, shape.most + 1, 0
    while beyond - size > 1:
        tried = (size + beyond) // 2
        found = _cost(rules, *shape.request(tried, last))
        if found is None:
            beyond = tried
        else:
            size, cost = tried, found
    return size, cost


def _cost(rules: DocumentRules, query: str, variables: Mapping[str, Any]) -> int | None:
    """What a request costs; None where a limit refuses it."""
    document = rules.check(query)
    if isinstance(document, Refusal):
        return None
    cost = document.cost(None, variables)
    limits = rules.limits
    is_long = len(_posted(query, variables).body) > limits.max_body_bytes
    return None if is_long or cost > (limits.max_cost or 0) else cost


def _posted(query: str, variables: Mapping[str, Any]) -> HttpRequest:
    return HttpRequest(
        method="POST",
        headers={"content-type": "application/json"},
        body=json.dumps({"query": query, "variables": variables}).encode(),
    )


def _least(work: Callable[[], object]) -> float:
    """The least CPU time [s] of some calls: what the work takes where nothing disturbs it."""
    gc.collect()
    return min(cpu_seconds(work) for _ in range(_ROUNDS))


def _fill(energy: ec.Energy, clock: _Clock) -> None:
    kinds: tuple[Callable[[str], ec.Device], ...] = (
        lambda name: ec.SolarPanel(name=name, rated_power_w=5_000),
        lambda name: ec.Appliance(name=name, average_power_w=600),
        lambda name: ec.Battery(
            name=name, capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000
        ),
        lambda name: ec.ElectricVehicle(
            name=name, capacity_wh=60_000, max_charge_w=11_000, max_discharge_w=11_000
        ),
    )
    sites = [
        energy.register_site(ec.Site(name=f"Site {n:03}", time_zone="Europe/Berlin")).id
        for n in range(_SITES)
    ]
    for number in range(_DEVICES):
        energy.register(
            kinds[number % 4](f"Device {number:03}"), site=sites[number // 2], tags=("all",)
        )
    for _ in range(_TICKS):
        energy.tick(clock.at)
        clock.at += timedelta(minutes=1)
    energy.upkeep()
