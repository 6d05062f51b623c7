"""Codes of exceptions that clients of the GraphQL API meet: refusals of values and of changes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from energycore import errors
from energycore.graphql.limits import Limits
from tools.reference_pages.error_examples import BATTERY, HOME, METER, ROOF, Asked, Raised
from tools.reference_pages.texts import Text

__all__ = ["DOMAIN_TEXTS"]

_TODAY = 'from: "2026-06-01T00:00:00Z", to: "2026-06-01T06:00:00Z"'


def _change(mutation: str, given: str) -> Asked:
    query = f"""mutation {{
  {mutation}(input: {{{given}}}) {{
    userErrors {{ code message path }}
  }}
}}"""
    return Asked(query)


def _record(device: str, at: str, power_w: float) -> Asked:
    query = f"""mutation {{
  recordReadings(input: {{readings: [
    {{deviceId: "{device}", at: "{at}", powerW: {power_w}}}
  ]}}) {{
    acceptedCount
    rejectedCount
    userErrors {{ code message path }}
  }}
}}"""
    return Asked(query)


DOMAIN_TEXTS: Final[Mapping[str, Text]] = {
    "CLOCK_IS_SIMULATED": Text(
        when="A reported device is registered in a database whose clock runs faster than the "
        "wall's, or the clock of a database with reported devices is to be accelerated.",
        do="Keep simulations and real devices in databases of their own.",
        example=Raised(
            lambda: errors.ClockIsSimulated(
                "this database runs on an accelerated clock: it takes no reported devices"
            )
        ),
    ),
    "CONFLICT": Text(
        when="A reading has other values than the one that is stored for the same device and "
        "instant, and the policy is REJECT; or two changes at the same moment contradict each "
        "other.",
        do="Ask what is stored. To let the newer reading count, send `onConflict: LAST`; to leave "
        "the older one, `onConflict: FIRST`.",
        example=Asked(
            f"""mutation {{
  recordReadings(input: {{readings: [
    {{deviceId: "{METER}", at: "2026-06-01T11:00:00Z", powerW: 1}}
    {{deviceId: "{METER}", at: "2026-06-01T11:00:00Z", powerW: 2}}
  ]}}) {{
    acceptedCount
    userErrors {{ code message path }}
  }}
}}"""
        ),
    ),
    "DEVICE_IS_INACTIVE": Text(
        when="A command or a reading is for a device that was taken out of service.",
        do="Reactivate it with `reactivateDevice` if it is in service again.",
        example=Asked(
            f"""mutation {{
  deactivateDevice(input: {{id: "{BATTERY}"}}) {{ device {{ isActive }} }}
  setStorageMode(input: {{id: "{BATTERY}", mode: CHARGING}}) {{
    userErrors {{ code message path }}
  }}
}}"""
        ),
    ),
    "DEVICE_IS_NOT_STORAGE": Text(
        when="A mode or a dispatch strategy is set for a device that keeps no energy.",
        do="Ask for `... on StorageDevice`: what matches takes such commands.",
        example=_change("setStorageMode", f'id: "{ROOF}", mode: CHARGING'),
    ),
    "DEVICE_IS_REPORTED": Text(
        when="A mode or a dispatch strategy is set for a storage whose data source is REPORTED.",
        do="Command the real device; what it does then comes back as readings.",
        example=Raised(
            lambda: errors.DeviceIsReported("Wall reports what it does; it takes no commands")
        ),
    ),
    "DEVICE_IS_SIMULATED": Text(
        when="A reading is sent for a device whose data source is SIMULATED.",
        do="Register the real device with `dataSource: REPORTED`.",
        example=_record(ROOF, "2026-06-01T11:00:00Z", 1_200),
    ),
    "INSTANT_OUT_OF_RANGE": Text(
        when="A reading lies in the future of the server's clock, or an instant so far away that "
        "it cannot be meant.",
        do="Check the clock of the device and whether its time is in UTC.",
        example=_record(METER, "2026-06-02T11:00:00Z", 300),
    ),
    "INSTANT_WITHOUT_ZONE": Text(
        when="An instant ends without `Z` or an offset such as `+02:00`.",
        do="Add the offset. It is not guessed: in autumn one local time stands for two instants.",
        example=_record(METER, "2026-06-01T11:00:00", 300),
    ),
    "INVALID_CURSOR": Text(
        when="`after` or `before` is not a cursor of this list: cut, changed, of another list, "
        "order or tenant.",
        do="Send back `endCursor` or `startCursor` as it came, with the same `orderBy`. To change "
        "the order, begin at the first page. [How to page](../../how-to/page-through-lists.md).",
        example=Asked('{ devices(after: "nonsense") { nodes { name } } }'),
    ),
    "INVALID_VALUE": Text(
        when="A value has the right type but cannot be held: a power of zero, an empty name, an "
        "end that is not after its beginning.",
        do="The message says what the field takes, `path` where it stands in the input. All fields "
        "that are wrong are told at once.",
        example=_change(
            "registerDevice",
            'name: "", spec: {battery: {capacityWh: 0, maxChargeW: 5000, maxDischargeW: 5000}}',
        ),
    ),
    "KIND_CHANGED": Text(
        when="The `spec` of an update is of another kind than the device.",
        do="Deactivate the device and register a new one: its history is of another thing.",
        example=_change(
            "updateDevice", f'id: "{ROOF}", spec: {{appliance: {{averagePowerW: 100}}}}'
        ),
    ),
    "NAME_TAKEN": Text(
        when="The site has a device of that name already, or another registration the same "
        "external id.",
        do="Choose another name. To make a registration safe to repeat, send an `externalId`: the "
        "second time returns the first device.",
        example=_change(
            "registerDevice",
            f'name: "Roof", siteId: "{HOME}", spec: {{solarPanel: {{ratedPowerW: 100}}}}',
        ),
    ),
    "NOT_ALLOWED": Text(
        when="A program writes where it may only read, such as in a transaction without `write`, "
        "or through a Django model that another path has to fill.",
        do="The message says what to use instead.",
        example=Raised(
            lambda: errors.NotAllowed(
                "this transaction only reads: ask for transaction(write=True)"
            )
        ),
    ),
    "NOT_FOUND": Text(
        when="An ID in the input of a mutation is of nothing that this caller may see: it never "
        "was, is of another type, or belongs to another tenant. The three look the same. In a "
        "query the answer is null instead, and in a filter it matches nothing.",
        do="Look the object up by its `externalId` or name; IDs of another server do not fit.",
        example=_change("deactivateDevice", 'id: "nonsense"'),
    ),
    "PAGE_TOO_LARGE": Text(
        when="`first` or `last` is above 500, or more than 500 `ids` are asked for at once.",
        do="Ask for at most 500 and take the next page with `after`. "
        "[How to page](../../how-to/page-through-lists.md).",
        example=Asked("{ devices(first: 501) { nodes { name } } }"),
    ),
    "READING_TOO_OLD": Text(
        when="A reading is of a day whose readings were rolled up and let go, without an archive.",
        do="Send readings within the time that raw readings are kept, 7 days unless set otherwise; "
        "or keep an [archive](../../how-to/archive-readings.md), which takes late readings.",
        example=Raised(
            lambda: errors.ReadingTooOld(
                "at",
                datetime(2026, 5, 1, 12, tzinfo=UTC),
                "of a day whose readings are still kept or archived",
            )
        ),
    ),
    "RESOLUTION_NOT_KEPT": Text(
        when="A history asks for days or months in another time zone than the site's, for a time "
        "of which only days or months in the site's zone are left; or cuts through such a day.",
        do="Leave `timeZone` out, or begin and end at the midnights of the site's zone.",
        example=Raised(
            lambda: errors.ResolutionNotKept(
                "only days of Europe/Berlin are kept, which cannot be cut at 2026-06-01T12:00Z"
            )
        ),
    ),
    "STORED_ENERGY_OUT_OF_BOUNDS": Text(
        when="`storedWh` is below what the storage may be emptied to, or above what fits; also "
        "when new ratings do not hold the energy that is inside.",
        do="Send a `storedWh` between the bounds that the message names.",
        example=_change(
            "registerDevice",
            'name: "Cellar", spec: {battery: {capacityWh: 5000, maxChargeW: 2000, '
            "maxDischargeW: 2000, storedWh: 6000}}",
        ),
    ),
    "TIME_ZONE_REQUIRED": Text(
        when="A history of devices in several time zones is asked for without `timeZone`.",
        do="Name the zone whose calendar is meant, or choose devices of one zone by the filter.",
        example=Asked(f"{{ energyHistory({_TODAY}, interval: HOUR) {{ timeZone }} }}"),
    ),
    "TOO_MANY_BUCKETS": Text(
        when="A range has more intervals than one history may hold (10,000), or the histories of a "
        "request together more than ten times that.",
        do="Ask for a shorter range, longer intervals or fewer histories at once.",
        example=Asked(
            f"""{{
  device(id: "{ROOF}") {{
    history(from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z", interval: QUARTER_HOUR) {{
      timeZone
    }}
  }}
}}""",
            options={"limits": Limits(max_cost=None)},
        ),
    ),
    "UNKNOWN_DISPATCH": Text(
        when="The strategy of `setDispatch` is not the name of one.",
        do="Use one of the names in the message.",
        example=_change("setDispatch", f'id: "{BATTERY}", strategy: "magic"'),
    ),
    "UNKNOWN_TIME_ZONE": Text(
        when="A time zone is not in the IANA database: an abbreviation, an offset, a typing error.",
        do="Use a name such as `Europe/Berlin`; `UTC` is one, `CEST` and `+02:00` are none.",
        example=_change("registerSite", 'name: "Base", timeZone: "Mars/Base"'),
    ),
    "VERSION_CONFLICT": Text(
        when="`expectedVersion` is not the version that the device has now: somebody else changed "
        "it since it was read. The answer holds the device as it is now.",
        do="Look at that device, decide again, and repeat with its `version`. "
        "[How to change without overwriting others]"
        "(../../how-to/ask-over-graphql.md#change-without-overwriting-others).",
        example=Asked(
            f"""mutation {{
  updateDevice(input: {{id: "{ROOF}", expectedVersion: 7, name: "South roof"}}) {{
    device {{ name version }}
    userErrors {{ code message path }}
  }}
}}"""
        ),
    ),
}
