"""The matrix of isolation: what the owner, another tenant and somebody without a scope see.

Each field of each object type has a row; each argument and each field of an input has a probe or a
reason why there is nothing to probe; each subscription has both. A new one without is a failure:
add its row here, and think about whose it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from tests.isolation.worlds import World

__all__ = [
    "CALLS",
    "CHANGES",
    "COMMON",
    "EMPTY",
    "EVENTS",
    "KEYS",
    "MATRIX",
    "NEUTRAL",
    "NEUTRAL_INPUTS",
    "OWN",
    "PROBES",
    "REFUSED",
    "REQUIRED",
    "SAME",
    "Probe",
    "Row",
]

OWN: Final = "its own, which no other tenant has"
SAME: Final = "the same as any tenant"
EMPTY: Final = "nothing of the owner's: null, an empty list, or things of its own"
REFUSED: Final = "SCOPE_REQUIRED, before any statement is sent"


@attrs.frozen
class Row:
    """Who sees what at a field."""

    owner: str
    other: str = EMPTY
    nobody: str = REFUSED


_OF_DEVICES: Final = {
    OWN: "id name site tags externalId maxGapSeconds registeredAt state history readings",
    SAME: "kind isActive dataSource gapPolicy version",
}
_OF_STORAGE: Final = {
    OWN: "capacityWh maxChargeW maxDischargeW chargeEfficiency dischargeEfficiency"
    " minStateOfCharge maxStateOfCharge",
    SAME: "mode dispatch dispatchParametersJson",
}
_OF_PAGES: Final = {OWN: "edges nodes", SAME: "pageInfo totalCount"}
_OF_EDGES: Final = {OWN: "cursor node"}

_FIELDS: Final[dict[str, tuple[Mapping[str, str], ...]]] = {
    "Query": (
        {OWN: "node nodes device devices site sites energySummary energySummaries energyHistory"},
    ),
    "Mutation": (
        {
            OWN: "registerSite updateSite registerDevice updateDevice deactivateDevice"
            " reactivateDevice setStorageMode setDispatch recordReadings"
        },
    ),
    "Subscription": ({OWN: "deviceStates energySummary"},),
    "Site": (
        {
            OWN: "id name timeZone latitude longitude externalId registeredAt devices summary"
            " history",
            SAME: "version",
        },
    ),
    "SolarPanel": (_OF_DEVICES, {OWN: "ratedPowerW"}),
    "Battery": (_OF_DEVICES, _OF_STORAGE),
    "ElectricVehicle": (_OF_DEVICES, _OF_STORAGE),
    "Appliance": (_OF_DEVICES, {OWN: "averagePowerW dutyCycle meanOnTimeS"}),
    "DeviceState": ({OWN: "at powerW storedWh stateOfCharge", SAME: "mode isStale"},),
    "EnergySummary": (
        {
            OWN: "productionW consumptionW netPowerW generationW dischargeW loadW chargeW storage"
            " storageDevices",
            SAME: "at deviceCount silentCount",
        },
    ),
    "StorageSummary": ({OWN: "capacityWh storedWh stateOfCharge", SAME: "deviceCount"},),
    "EnergyHistory": ({OWN: "timeZone buckets", SAME: "requestedInterval interval"},),
    "EnergyBucket": (
        {
            OWN: "meanPowerW producedWh consumedWh netWh meanStateOfCharge minPowerW maxPowerW"
            " coverage",
            SAME: "interval readingCount startAt endAt",
        },
    ),
    "Reading": ({OWN: "at powerW storedWh"},),
    "GroupSummary": ({OWN: "key summary"},),
    "PageInfo": ({OWN: "startCursor endCursor", SAME: "hasNextPage hasPreviousPage"},),
    "DeviceConnection": (_OF_PAGES,),
    "SiteConnection": (_OF_PAGES,),
    "StorageDeviceConnection": (_OF_PAGES,),
    "GroupSummaryConnection": ({OWN: "edges nodes", SAME: "pageInfo"},),
    "ReadingConnection": ({OWN: "edges nodes", SAME: "pageInfo"},),
    "DeviceEdge": (_OF_EDGES,),
    "SiteEdge": (_OF_EDGES,),
    "StorageDeviceEdge": (_OF_EDGES,),
    "GroupSummaryEdge": (_OF_EDGES,),
    "ReadingEdge": (_OF_EDGES,),
    "SitePayload": ({OWN: "site", SAME: "userErrors"},),
    "DevicePayload": ({OWN: "device", SAME: "userErrors"},),
    "RecordReadingsPayload": (
        {SAME: "acceptedCount duplicateCount conflictCount rejectedCount userErrors"},
    ),
    "UserError": ({SAME: "code path message"},),
}

MATRIX: Final = {
    f"{type_}.{name}": Row(owner)
    for type_, parts in _FIELDS.items()
    for part in parts
    for owner, names in part.items()
    for name in names.split()
}
"""A row for each field of each object type."""

COMMON: Final[dict[str, set[Any]]] = {
    "Appliance.maxGapSeconds": {60.0},
    "Battery.maxGapSeconds": {60.0},
    "EnergyBucket.coverage": {0.0, 1.0},
    "EnergyHistory.timeZone": {"UTC"},
    "Site.registeredAt": {"2026-06-01T12:15:00.000Z"},
    "Site.timeZone": {"UTC"},
    "SolarPanel.registeredAt": {"2026-06-01T12:15:00.000Z"},
    "GroupSummary.key": {"SOLAR_PANEL", "BATTERY", "ELECTRIC_VEHICLE", "APPLIANCE"},
}
"""Values beside its own that any tenant has at a field; zero is one everywhere."""

_DAY: Final = 'from: "2026-06-01T11:00:00Z", to: "2026-06-01T13:00:00Z"'

REQUIRED: Final = {
    "from": '"2026-06-01T11:00:00Z"',
    "to": '"2026-06-01T13:00:00Z"',
    "interval": "QUARTER_HOUR",
}
"""What is given for an argument that a nested field cannot do without."""

CALLS: Final = {
    "Query.node site": "node(id: $site)",
    "Query.node panel": "node(id: $panel)",
    "Query.nodes": "nodes(ids: [$site, $panel, $battery, $vehicle, $appliance])",
    "Query.device panel": "device(id: $panel)",
    "Query.device battery": "device(id: $battery)",
    "Query.site": "site(id: $site)",
    "Query.devices": "devices(first: 5)",
    "Query.devices by id": "devices(first: 5, filter: {ids: [$panel, $battery]})",
    "Query.sites": "sites(first: 5)",
    "Query.energySummary": "energySummary",
    "Query.energySummary by site": "energySummary(filter: {siteIds: [$site]})",
    "Query.energySummaries by site": "energySummaries(groupBy: SITE, first: 5)",
    "Query.energySummaries by kind": "energySummaries(groupBy: KIND, first: 5)",
    "Query.energySummaries by tag": "energySummaries(groupBy: TAG, filter: {tags: [$tag]})",
    "Query.energyHistory": f'energyHistory({_DAY}, interval: QUARTER_HOUR, timeZone: "UTC")',
    "Query.energyHistory by id": f"energyHistory({_DAY}, interval: HOUR, filter: {{ids: [$panel]}},"
    ' timeZone: "UTC")',
}
"""How root fields are called, each with the ids and words of one tenant."""

CHANGES: Final = {
    "Mutation.registerSite": 'registerSite(input: {name: $siteName, timeZone: "UTC"})',
    "Mutation.updateSite": "updateSite(input: {id: $site, name: $siteName})",
    "Mutation.registerDevice": "registerDevice(input: {name: $tag,"
    " spec: {solarPanel: {ratedPowerW: 1}}})",
    "Mutation.updateDevice": "updateDevice(input: {id: $panel, name: $name})",
    "Mutation.updateDevice refused": 'updateDevice(input: {id: "nonsense"})',
    "Mutation.deactivateDevice": "deactivateDevice(input: {id: $appliance})",
    "Mutation.reactivateDevice": "reactivateDevice(input: {id: $appliance})",
    "Mutation.setStorageMode": "setStorageMode(input: {id: $battery, mode: IDLE})",
    "Mutation.setDispatch": 'setDispatch(input: {id: $battery, strategy: "manual"})',
    "Mutation.recordReadings": "recordReadings(input: {readings: [{deviceId: $panel,"
    ' at: "2026-06-01T12:14:00Z", powerW: 1}]})',
}
"""How mutations are called, likewise."""

EVENTS: Final = {
    "Subscription.deviceStates": ("deviceStates", "DeviceStatesEvent"),
    "Subscription.energySummary": ("energySummary", "SummaryEvent"),
}
"""How subscriptions are called, and the class of the event that one of their answers is about."""


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
"""Names, tags and keys of another tenant are free: what uses them succeeds as if nobody had them."""

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
