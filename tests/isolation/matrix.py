"""The matrix of isolation: what the owner, another tenant and somebody without a scope see.

Each field of each object type has a row, and each root field is called. A new one without is a
failure: add its row here, and think about whose it is. `probes.py` has the arguments.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

__all__ = [
    "CALLS",
    "CHANGES",
    "COMMON",
    "EMPTY",
    "EVENTS",
    "MATRIX",
    "OWN",
    "REFUSED",
    "REQUIRED",
    "SAME",
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
    OWN: "id name site tags externalId maxGapSeconds state history readings",
    SAME: "registeredAt kind isActive dataSource gapPolicy version",
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
            OWN: "id name timeZone latitude longitude externalId devices summary history",
            SAME: "registeredAt version",
        },
    ),
    "SolarPanel": (_OF_DEVICES, {OWN: "ratedPowerW"}),
    "Battery": (_OF_DEVICES, _OF_STORAGE),
    "ElectricVehicle": (_OF_DEVICES, _OF_STORAGE),
    "Appliance": (_OF_DEVICES, {OWN: "averagePowerW dutyCycle meanOnTimeS"}),
    "DeviceState": ({OWN: "powerW storedWh stateOfCharge", SAME: "at mode isStale"},),
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
    "Reading": ({OWN: "powerW storedWh", SAME: "at"},),
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
    "Site.timeZone": {"UTC"},
    "SolarPanel.maxGapSeconds": {60.0},
    "SolarPanel.ratedPowerW": {1.0},
    "GroupSummary.key": {"SOLAR_PANEL", "BATTERY", "ELECTRIC_VEHICLE", "APPLIANCE"},
}
"""Values that only some tenants have at a field by chance; zero is one of them everywhere."""

_DAY: Final = 'from: "2026-06-01T11:00:00Z", to: "2026-06-01T13:00:00Z"'

REQUIRED: Final = {
    "from": '"2026-06-01T11:00:00Z"',
    "to": '"2026-06-01T13:00:00Z"',
    "interval": "QUARTER_HOUR",
}
"""What is given for an argument that a nested field cannot do without."""

CALLS: Final = {
    # First, as it leads to every type.
    "Query.nodes": "nodes(ids: [$site, $panel, $battery, $vehicle, $appliance])",
    "Query.node site": "node(id: $site)",
    "Query.node panel": "node(id: $panel)",
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
    "Mutation.updateSite refused": 'updateSite(input: {id: "nonsense"})',
    "Mutation.updateDevice refused": 'updateDevice(input: {id: "nonsense"})',
    "Mutation.deactivateDevice": "deactivateDevice(input: {id: $appliance})",
    "Mutation.reactivateDevice": "reactivateDevice(input: {id: $appliance})",
    "Mutation.setStorageMode": "setStorageMode(input: {id: $battery, mode: IDLE})",
    "Mutation.setDispatch": 'setDispatch(input: {id: $battery, strategy: "manual"})',
    "Mutation.recordReadings": "recordReadings(input: {readings: [{deviceId: $panel,"
    ' at: "2026-06-01T12:02:30Z", powerW: 1},'
    ' {deviceId: "nonsense", at: "2026-06-01T12:02:30Z", powerW: 1}]})',
}
"""How mutations are called, likewise."""

EVENTS: Final = {
    "Subscription.deviceStates": ("deviceStates", "DeviceStatesEvent"),
    "Subscription.energySummary": ("energySummary", "SummaryEvent"),
}
"""How subscriptions are called, and the class of the event that one of their answers is about."""
