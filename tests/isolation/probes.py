"""Questions with something of another tenant in one argument, for every argument that there is.

Each argument and each field of an input has a probe, or a reason why there is nothing to probe. A
new one without either is a failure: add it here, and think about whose things it can name.
"""

from collections.abc import Callable
from typing import Any, Final

import attrs

from tests.isolation.worlds import World

__all__ = ["KEYS", "NEUTRAL", "NEUTRAL_INPUTS", "PROBES", "Probe"]

_DAY: Final = 'from: "2026-06-01T11:00:00Z", to: "2026-06-01T13:00:00Z"'


@attrs.frozen
class Probe:
    """A question with something of another tenant in one argument.

    Args:
        covers: the arguments and fields of inputs that it tries.
        query: takes the variable `x`.
        value: what `x` is, out of the world of whoever owns it.
    """

    covers: tuple[str, ...]
    query: str
    value: Callable[[World], Any]


def _of(name: str) -> Callable[[World], Any]:
    return lambda world: world.values[name]


def _ids(world: World) -> list[str]:
    return [world.values[name] for name in ("site", "panel", "battery", "vehicle", "appliance")]


_DEVICE: Final = "{ __typename id name externalId tags state { powerW } site { id name } }"
_SITE: Final = "{ __typename id name externalId devices { totalCount nodes { id name } } }"
_PAGE: Final = (
    f"{{ totalCount nodes {_DEVICE} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }}"
)
_SUMS: Final = "{ productionW consumptionW deviceCount storageDevices { totalCount nodes { id } } }"
_BUCKETS: Final = "{ buckets { readingCount producedWh consumedWh coverage } }"
_ERRORS: Final = "userErrors { code message path }"
_HISTORY: Final = f'energyHistory({_DAY}, interval: HOUR, timeZone: "UTC", filter: %s) {_BUCKETS}'

_FILTERS: Final = {
    "ids": ("[ID!]", "{ids: $x}", lambda world: _ids(world)[1:]),
    "siteIds": ("[ID!]", "{siteIds: $x}", lambda world: [world.values["site"]]),
    "tags": ("[String!]", "{tags: $x}", lambda world: [world.values["tag"]]),
    "nameContains": ("String", "{nameContains: $x}", _of("name")),
}
_FILTERED: Final = {
    "Query.devices(filter:)": f"devices(filter: %s) {_PAGE}",
    "Query.energySummary(filter:)": f"energySummary(filter: %s) {_SUMS}",
    "Query.energySummaries(filter:)": "energySummaries(groupBy: TAG, filter: %s)"
    f" {{ nodes {{ key summary {_SUMS} }} }}",
    "Query.energyHistory(filter:)": _HISTORY,
    "Site.devices(filter:)": f"sites {{ nodes {{ name devices(filter: %s) {_PAGE} }} }}",
}


def _filters() -> list[Probe]:
    return [
        Probe(
            (place, f"DeviceFilter.{name}"),
            f"query ($x: {kind}) {{ {call % given} }}",
            value,
        )
        for name, (kind, given, value) in _FILTERS.items()
        for place, call in _FILTERED.items()
    ]


def _cursors() -> list[Probe]:
    edges = "{ edges { cursor } pageInfo { hasNextPage hasPreviousPage } }"
    readings = f"devices {{ nodes {{ readings({_DAY}, after: $x) {edges} }} }}"
    lists = [
        (("Query.devices",), "deviceCursor", f"devices(%s: $x) {edges}"),
        (("Query.sites",), "siteCursor", f"sites(%s: $x) {edges}"),
        (("Site.devices",), "deviceCursor", f"sites {{ nodes {{ devices(%s: $x) {edges} }} }}"),
        (
            ("EnergySummary.storageDevices",),
            "storageCursor",
            f"energySummary {{ storageDevices(%s: $x) {edges} }}",
        ),
    ]
    found = [
        Probe(
            tuple(f"{place}({side}:)" for place in places),
            f"query ($x: String) {{ {call % side} }}",
            _of(name),
        )
        for places, name, call in lists
        for side in ("after", "before")
    ]
    groups = f"query ($x: String) {{ energySummaries(groupBy: TAG, after: $x) {edges} }}"
    found.append(Probe(("Query.energySummaries(after:)",), groups, _of("groupCursor")))
    kinds = ("SolarPanel", "Battery", "ElectricVehicle", "Appliance")
    places = tuple(f"{kind}.readings(after:)" for kind in kinds)
    found.append(Probe(places, f"query ($x: String) {{ {readings} }}", _of("readingCursor")))
    return found


def _mutation(
    name: str, given: str, value: str, *inputs: str, answer: str = f"device {_DEVICE}"
) -> Probe:
    kind = "ID!" if value in ("site", "panel", "battery", "vehicle", "appliance") else "String!"
    query = f"mutation ($x: {kind}) {{ {name}(input: {{{given}}}) {{ {answer} {_ERRORS} }} }}"
    covers = (f"Mutation.{name}(input:)", *inputs)
    return Probe(covers, query, _of(value))


_SPEC: Final = "spec: {solarPanel: {ratedPowerW: 1}}"
_OWN_PANEL: Final = "OWN_PANEL"
_AT: Final = 'at: "2026-06-01T12:01:00Z"'

PROBES: Final = [
    Probe(("Query.node(id:)",), "query ($x: ID!) { node(id: $x) { __typename id } }", _of("panel")),
    Probe(("Query.node(id:)",), "query ($x: ID!) { node(id: $x) { __typename id } }", _of("site")),
    Probe(("Query.nodes(ids:)",), "query ($x: [ID!]!) { nodes(ids: $x) { id } }", _ids),
    Probe(
        ("Query.device(id:)",), f"query ($x: ID!) {{ device(id: $x) {_DEVICE} }}", _of("vehicle")
    ),
    Probe(("Query.site(id:)",), f"query ($x: ID!) {{ site(id: $x) {_SITE} }}", _of("site")),
    *_filters(),
    *_cursors(),
    _mutation(
        "updateSite", 'id: $x, name: "new"', "site", "UpdateSiteInput.id", answer="site { id }"
    ),
    _mutation("updateDevice", 'id: $x, name: "new"', "panel", "UpdateDeviceInput.id"),
    _mutation("updateDevice", "id: $x, expectedVersion: 9", "panel", "UpdateDeviceInput.id"),
    _mutation("deactivateDevice", "id: $x", "battery", "DeviceIdInput.id"),
    _mutation("reactivateDevice", "id: $x", "battery", "DeviceIdInput.id"),
    _mutation("setStorageMode", "id: $x, mode: CHARGING", "battery", "SetStorageModeInput.id"),
    _mutation("setDispatch", 'id: $x, strategy: "manual"', "battery", "SetDispatchInput.id"),
    _mutation("setDispatch", 'id: $x, strategy: "manual"', "panel", "SetDispatchInput.id"),
    _mutation(
        "recordReadings",
        f"readings: [{{deviceId: $x, {_AT}, powerW: 1}}], onConflict: LAST",
        "panel",
        "RecordReadingsInput.readings",
        "ReadingInput.deviceId",
        answer="acceptedCount duplicateCount conflictCount rejectedCount",
    ),
    _mutation(
        "registerDevice", f'name: "x", {_SPEC}, siteId: $x', "site", "RegisterDeviceInput.siteId"
    ),
    _mutation(
        "updateDevice",
        f'id: "{_OWN_PANEL}", siteId: $x',
        "site",
        "UpdateDeviceInput.siteId",
    ),
]
"""What is refused, or found empty, whoever owns it.

`OWN_PANEL` and `OWN_SITE` stand for ids of whoever asks.
"""

_NEW: Final = "device { name externalId tags site { name } version state { powerW } }"
KEYS: Final = [
    _mutation(
        "registerDevice",
        f"name: $x, {_SPEC}",
        "name",
        "RegisterDeviceInput.name",
        answer=_NEW,
    ),
    _mutation(
        "registerDevice",
        f'name: "by tag", {_SPEC}, tags: [$x]',
        "tag",
        "RegisterDeviceInput.tags",
        answer=_NEW,
    ),
    _mutation(
        "registerDevice",
        f'name: "by key", {_SPEC}, externalId: $x',
        "deviceKey",
        "RegisterDeviceInput.externalId",
        answer=_NEW,
    ),
    _mutation(
        "registerSite",
        'name: $x, timeZone: "UTC"',
        "siteName",
        "RegisterSiteInput.name",
        answer="site { name version }",
    ),
    _mutation(
        "registerSite",
        'name: "by key", timeZone: "UTC", externalId: $x',
        "siteKey",
        "RegisterSiteInput.externalId",
        answer="site { name externalId version }",
    ),
    _mutation(
        "updateDevice",
        f'id: "{_OWN_PANEL}", name: $x',
        "name",
        "UpdateDeviceInput.name",
    ),
    _mutation(
        "updateDevice",
        f'id: "{_OWN_PANEL}", tags: [$x]',
        "tag",
        "UpdateDeviceInput.tags",
    ),
    _mutation(
        "updateSite",
        'id: "OWN_SITE", name: $x',
        "siteName",
        "UpdateSiteInput.name",
        answer="site { name version }",
    ),
]
"""Names, tags and keys of another tenant are free: they are taken as if nobody had them."""

NEUTRAL: Final = {
    "first": "a number",
    "last": "a number",
    "from": "an instant",
    "to": "an instant",
    "interval": "an enum",
    "timeZone": "the name of a zone, which belongs to nobody",
    "orderBy": "enums",
    "groupBy": "an enum",
}
"""Arguments of any field that can name nothing of a tenant's."""

NEUTRAL_INPUTS: Final = {
    "DeviceFilter.kinds": "enums",
    "DeviceFilter.isActive": "a flag",
    "DeviceFilter.dataSources": "enums",
    "DeviceOrder.field": "an enum",
    "DeviceOrder.direction": "an enum",
    "RegisterSiteInput.timeZone": "the name of a zone, which belongs to nobody",
    "RegisterSiteInput.latitude": "a number",
    "RegisterSiteInput.longitude": "a number",
    "UpdateSiteInput.timeZone": "the name of a zone, which belongs to nobody",
    "UpdateSiteInput.latitude": "a number",
    "UpdateSiteInput.longitude": "a number",
    "RegisterDeviceInput.dataSource": "an enum",
    "RegisterDeviceInput.maxGapSeconds": "a number",
    "RegisterDeviceInput.gapPolicy": "an enum",
    "RegisterDeviceInput.spec": "ratings",
    "UpdateDeviceInput.expectedVersion": "a number, tried with the id of another tenant",
    "UpdateDeviceInput.maxGapSeconds": "a number",
    "UpdateDeviceInput.gapPolicy": "an enum",
    "UpdateDeviceInput.spec": "ratings",
    "SetStorageModeInput.mode": "an enum",
    "SetStorageModeInput.powerW": "a number",
    "SetDispatchInput.strategy": "the name of a strategy, which belongs to nobody",
    "SetDispatchInput.parametersJson": "numbers",
    "RecordReadingsInput.onConflict": "an enum",
    "ReadingInput.at": "an instant",
    "ReadingInput.powerW": "a number",
    "ReadingInput.storedWh": "a number",
    "DeviceSpecInput.appliance": "ratings",
    "DeviceSpecInput.battery": "ratings",
    "DeviceSpecInput.electricVehicle": "ratings",
    "DeviceSpecInput.solarPanel": "ratings",
    **{
        f"{kind}Input.{name}": "a number"
        for kind, names in {
            "Appliance": "averagePowerW dutyCycle meanOnTimeS",
            "SolarPanel": "ratedPowerW",
            **dict.fromkeys(
                ("Battery", "ElectricVehicle"),
                "capacityWh maxChargeW maxDischargeW chargeEfficiency dischargeEfficiency"
                " minStateOfCharge maxStateOfCharge storedWh",
            ),
        }.items()
        for name in names.split()
    },
}
"""Fields of inputs that can name nothing of a tenant's."""
