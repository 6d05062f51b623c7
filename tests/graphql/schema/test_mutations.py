"""Changes end to end: what they do, and how each refusal says where it is."""

import json

import pytest

from energycore.errors import VersionConflict
from energycore.graphql.schema.charges import MAX_DETAILED_ERRORS
from energycore.graphql.schema.ids import device_id

BATTERY = {"capacityWh": 10_000, "maxChargeW": 5_000, "maxDischargeW": 5_000}
STATE = "device { id version ... on StorageDevice { mode dispatch dispatchParametersJson } }"


def only_error(payload):
    (error,) = payload["userErrors"]
    return error["code"], error["path"]


def device(client, ident, fields):
    return client.ask(f"query ($id: ID!) {{ device(id: $id) {{ {fields} }} }}", id=ident)["device"]


def stored_wh(client, ident):
    """The charge that the next tick begins with, which only a tick shows."""
    client.services.ticking.tick(client.scope)
    return device(client, ident, "state { storedWh }")["state"]["storedWh"]


def test_a_battery_holds_half_of_its_capacity_unless_told_otherwise(client):
    half = client.register("half", "battery", spec={"battery": BATTERY})
    told = client.register("told", spec={"battery": {**BATTERY, "storedWh": 1_234.567}})
    nulls = {**BATTERY, "storedWh": None, "chargeEfficiency": None}
    client.register("nulls", spec={"battery": nulls})
    assert stored_wh(client, half["id"]) == 5_000.0
    assert stored_wh(client, told["id"]) == 1_234.567


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": ""}, "INVALID_VALUE", ["name"]),
        ({"name": " a"}, "INVALID_VALUE", ["name"]),
        ({"tags": ["ok", ""]}, "INVALID_VALUE", ["tags"]),
        ({"externalId": ""}, "INVALID_VALUE", ["externalId"]),
        ({"siteId": "nonsense"}, "NOT_FOUND", ["siteId"]),
        ({"maxGapSeconds": 300}, "INVALID_VALUE", ["maxGapSeconds"]),
        ({"maxGapSeconds": 0, "dataSource": "REPORTED"}, "INVALID_VALUE", ["maxGapSeconds"]),
        ({"gapPolicy": "LINEAR"}, "INVALID_VALUE", ["gapPolicy"]),
        (
            {"spec": {"battery": {**BATTERY, "capacityWh": 0}}},
            "INVALID_VALUE",
            ["spec", "battery", "capacityWh"],
        ),
        (
            {"spec": {"battery": {**BATTERY, "storedWh": 10_001}}},
            "STORED_ENERGY_OUT_OF_BOUNDS",
            ["spec", "battery", "storedWh"],
        ),
        (
            {"spec": {"battery": {**BATTERY, "storedWh": 1}}, "dataSource": "REPORTED"},
            "INVALID_VALUE",
            ["spec", "battery", "storedWh"],
        ),
        (
            {"spec": {"electricVehicle": {**BATTERY, "maxStateOfCharge": 0}}},
            "INVALID_VALUE",
            ["spec", "electricVehicle", "maxStateOfCharge"],
        ),
        (
            {"spec": {"appliance": {"averagePowerW": 100, "dutyCycle": 2}}},
            "INVALID_VALUE",
            ["spec", "appliance", "dutyCycle"],
        ),
    ],
)
def test_a_registration_is_refused_where_it_is_wrong(client, given, code, path):
    given = {"name": "x", "spec": {"solarPanel": {"ratedPowerW": 1}}, **given}
    payload = client.change("registerDevice", "device { id }", **given)
    assert payload["device"] is None
    assert only_error(payload) == (code, ["input", *path])
    assert client.ask("{ devices { totalCount } }")["devices"]["totalCount"] == 0


ALL_WRONG = {
    "name": " x",
    "tags": [""],
    "externalId": "",
    "spec": {"battery": {**BATTERY, "capacityWh": 0, "maxChargeW": -1, "minStateOfCharge": 2}},
}


def test_all_fields_that_are_wrong_are_told_at_once(client):
    battery = client.register("b", "battery")["id"]
    site = client.site()["id"]
    given = {"id": battery, "maxGapSeconds": None, **ALL_WRONG}
    del given["externalId"]
    wrong_site = {"name": "", "timeZone": "Mars/Base", "latitude": 91, "externalId": ""}
    for mutation, answer, sent, paths in (
        ("registerDevice", "device", ALL_WRONG, ["tags", "externalId"]),
        ("updateDevice", "device", given, ["maxGapSeconds", "tags"]),
        ("registerSite", "site", wrong_site, ["timeZone", "latitude", "externalId"]),
        ("updateSite", "site", {"id": site, "name": None, "timeZone": None}, ["timeZone"]),
    ):
        payload = client.change(mutation, f"{answer} {{ id }}", **sent)
        assert payload[answer] is None
        found = {tuple(error["path"]): error["code"] for error in payload["userErrors"]}
        expected: set[tuple[str, ...]] = {("input", path) for path in ("name", *paths)}
        if answer == "device":
            names = ("capacityWh", "maxChargeW", "minStateOfCharge")
            expected |= {("input", "spec", "battery", name) for name in names}
        assert set(found) == expected
        assert set(found.values()) <= {"INVALID_VALUE", "UNKNOWN_TIME_ZONE"}
        assert len(payload["userErrors"]) == len(expected)
    assert device(client, battery, "version") == {"version": 1}


def test_a_refusal_names_the_field_as_the_client_knows_it(client):
    spec = {"battery": {**BATTERY, "maxChargeW": -1.5}}
    (error,) = client.change("registerDevice", name="x", spec=spec)["userErrors"]
    assert error["message"] == "maxChargeW must be above 0 and at most 100,000,000 W, not -1.5"
    given = {"name": "x", "spec": {"solarPanel": {"ratedPowerW": 1}}, "maxGapSeconds": 300}
    (error,) = client.change("registerDevice", **given)["userErrors"]
    assert error["message"] == "maxGapSeconds must be absent for a simulated device, not 300"


def test_a_number_too_large_for_a_float_is_refused(client):
    query = """mutation { registerDevice(input: {name: "x", spec: {solarPanel: {
      ratedPowerW: %s}}}) { device { id } userErrors { code path } } }"""
    assert client.refused(query % "1e400") == "BAD_USER_INPUT"
    payload = client.ask(query % "1e300")["registerDevice"]
    assert payload["device"] is None
    assert only_error(payload) == ("INVALID_VALUE", ["input", "spec", "solarPanel", "ratedPowerW"])


def test_exactly_one_kind_must_be_given(client):
    register = """mutation ($spec: DeviceSpecInput!) {
      registerDevice(input: {name: "x", spec: $spec}) { userErrors { code } } }"""
    both = {"solarPanel": {"ratedPowerW": 1}, "appliance": {"averagePowerW": 1}}
    for spec in ({}, both, {"solarPanel": None}):
        assert client.refused(register, spec=spec) == "BAD_USER_INPUT"


def test_registering_again_under_an_external_id_returns_the_first(client):
    first = client.register("a", externalId="key")
    again = client.change(
        "registerDevice",
        "device { id name externalId }",
        name="b",
        externalId="key",
        spec={"battery": BATTERY},
    )
    assert again == {
        "device": {"id": first["id"], "name": "a", "externalId": "key"},
        "userErrors": [],
    }
    assert client.site(externalId="key") == client.site(externalId="key", name="Other")
    assert client.of("other").register("a", externalId="key")["id"] != first["id"]


def test_a_name_is_free_once_within_a_site(client):
    home, barn = client.site()["id"], client.site(name="Barn")["id"]
    client.register("a", siteId=home)
    moving = client.register("a", siteId=barn)["id"]
    payload = client.change(
        "registerDevice", name="a", siteId=home, spec={"solarPanel": {"ratedPowerW": 1}}
    )
    assert only_error(payload) == ("NAME_TAKEN", ["input", "name"])
    payload = client.change("updateDevice", "device { id }", id=moving, siteId=home)
    assert payload["device"] is None
    assert only_error(payload) == ("NAME_TAKEN", ["input", "name"])


def test_an_update_changes_what_is_given_and_keeps_what_is_absent(client):
    home = client.site()["id"]
    first = client.register("a", "battery", siteId=home, tags=["x", "y"])
    fields = "device { name version tags site { id } ... on Battery { capacityWh maxChargeW } }"
    kept = {
        "name": "a",
        "version": 1,
        "tags": ["x", "y"],
        "site": {"id": home},
        "capacityWh": 13_500.0,
        "maxChargeW": 5_000.0,
    }

    def update(**given):
        payload = client.change("updateDevice", fields, id=first["id"], **given)
        assert payload["userErrors"] == []
        return payload["device"]

    assert update() == kept
    assert update(name="b") == {**kept, "name": "b", "version": 2}
    assert update(tags=["z"])["tags"] == ["z"]
    assert update(tags=None)["tags"] == []
    assert update(siteId=None)["site"] is None
    assert update(siteId=home)["site"] == {"id": home}
    changed = update(spec={"battery": BATTERY})
    assert (changed["capacityWh"], changed["maxChargeW"]) == (10_000.0, 5_000.0)
    assert (changed["name"], changed["version"]) == ("b", 7)
    assert update(name="c", spec={"battery": BATTERY})["name"] == "c"


def test_the_gaps_of_a_reported_device_are_filled_as_its_owner_says(client):
    fields = "device { gapPolicy maxGapSeconds version }"

    def shown(policy, seconds, version):
        return {"gapPolicy": policy, "maxGapSeconds": seconds, "version": version}

    spec = {"solarPanel": {"ratedPowerW": 1}}
    given = {"dataSource": "REPORTED", "gapPolicy": "LINEAR", "maxGapSeconds": 900, "spec": spec}
    assert client.change("registerDevice", fields, name="a", **given)["device"] == shown(
        "LINEAR", 900.0, 1
    )
    for name, absent in (("b", {}), ("c", {"gapPolicy": None, "maxGapSeconds": None})):
        given = {"name": name, "dataSource": "REPORTED", "spec": spec, **absent}
        payload = client.change("registerDevice", fields, **given)
        assert payload["device"] == shown("HOLD", 300.0, 1)
    ident = client.register("d", dataSource="REPORTED")["id"]

    def update(**given):
        payload = client.change("updateDevice", fields, id=ident, **given)
        assert payload["userErrors"] == []
        return payload["device"]

    assert update(gapPolicy="NONE") == shown("NONE", 300.0, 2)
    assert update(maxGapSeconds=60) == shown("NONE", 60.0, 3)
    assert update(gapPolicy="NONE", maxGapSeconds=60) == shown("NONE", 60.0, 3)
    payload = client.change("updateDevice", fields, id=ident, maxGapSeconds=86_401)
    assert only_error(payload) == ("INVALID_VALUE", ["input", "maxGapSeconds"])


def test_an_update_of_ratings_keeps_the_charge_unless_one_is_given(client):
    ident = client.register("a", spec={"battery": {**BATTERY, "storedWh": 7_000}})["id"]
    smaller = {"battery": {**BATTERY, "capacityWh": 8_000}}
    assert client.change("updateDevice", id=ident, spec=smaller)["userErrors"] == []
    assert stored_wh(client, ident) == 7_000.0
    too_small = {"battery": {**BATTERY, "capacityWh": 6_000}}
    payload = client.change("updateDevice", "device { id }", id=ident, spec=too_small)
    assert payload["device"] is None
    assert only_error(payload) == (
        "STORED_ENERGY_OUT_OF_BOUNDS",
        ["input", "spec", "battery", "storedWh"],
    )
    given = {"battery": {**BATTERY, "capacityWh": 6_000, "storedWh": 1_000}}
    assert client.change("updateDevice", id=ident, spec=given)["userErrors"] == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": None}, "INVALID_VALUE", ["name"]),
        ({"spec": None}, "INVALID_VALUE", ["spec"]),
        ({"name": ""}, "INVALID_VALUE", ["name"]),
        ({"siteId": "nonsense"}, "NOT_FOUND", ["siteId"]),
        ({"tags": [" "]}, "INVALID_VALUE", ["tags"]),
        ({"maxGapSeconds": 60}, "INVALID_VALUE", ["maxGapSeconds"]),
        ({"maxGapSeconds": None}, "INVALID_VALUE", ["maxGapSeconds"]),
        ({"gapPolicy": "NONE"}, "INVALID_VALUE", ["gapPolicy"]),
        ({"gapPolicy": None}, "INVALID_VALUE", ["gapPolicy"]),
        ({"spec": {"appliance": {"averagePowerW": 1}}}, "KIND_CHANGED", ["spec"]),
        (
            {"spec": {"solarPanel": {"ratedPowerW": 0}}},
            "INVALID_VALUE",
            ["spec", "solarPanel", "ratedPowerW"],
        ),
    ],
)
def test_an_update_is_refused_where_it_is_wrong(client, given, code, path):
    ident = client.register("a")["id"]
    payload = client.change("updateDevice", "device { id }", id=ident, **given)
    assert payload["device"] is None
    assert only_error(payload) == (code, ["input", *path])
    assert device(client, ident, "version") == {"version": 1}


def test_a_version_conflict_returns_the_device_as_it_is_now(client):
    ident = client.register("a")["id"]
    first = client.change("updateDevice", "device { name }", id=ident, expectedVersion=1, name="b")
    assert first == {"device": {"name": "b"}, "userErrors": []}
    second = client.change(
        "updateDevice", "device { name version }", id=ident, expectedVersion=1, name="c"
    )
    assert second["device"] == {"name": "b", "version": 2}
    assert only_error(second) == (VersionConflict.code, ["input", "expectedVersion"])


def test_a_site_changes_and_its_coordinates_are_cleared_together(client):
    site = client.site(latitude=52.5, longitude=13.4)
    fields = "site { name timeZone latitude longitude version }"

    def update(**given):
        return client.change("updateSite", fields, id=site["id"], **given)

    assert update(name="House", timeZone="Europe/Lisbon")["site"] == {
        "name": "House",
        "timeZone": "Europe/Lisbon",
        "latitude": 52.5,
        "longitude": 13.4,
        "version": 2,
    }
    assert only_error(update(latitude=None)) == ("INVALID_VALUE", ["input", "latitude"])
    assert only_error(update(latitude=91)) == ("INVALID_VALUE", ["input", "latitude"])
    assert only_error(update(timeZone="Mars")) == ("UNKNOWN_TIME_ZONE", ["input", "timeZone"])
    assert only_error(update(name=None)) == ("INVALID_VALUE", ["input", "name"])
    cleared = update(latitude=None, longitude=None)["site"]
    assert (cleared["latitude"], cleared["longitude"]) == (None, None)
    payload = client.change("updateSite", fields, id="nonsense", name="x")
    assert only_error(payload) == ("NOT_FOUND", ["input", "id"])


def test_a_site_that_cannot_be_is_refused(client):
    payload = client.change("registerSite", "site { id }", name="x", timeZone="Berlin")
    assert payload["site"] is None
    assert only_error(payload) == ("UNKNOWN_TIME_ZONE", ["input", "timeZone"])


def test_an_inactive_device_is_out_of_the_totals_until_it_is_reactivated(client):
    ident = client.register("a")["id"]
    count = "{ energySummary { deviceCount } }"
    assert client.ask(count) == {"energySummary": {"deviceCount": 1}}
    fields = "device { isActive version }"
    for _ in range(2):
        payload = client.change("deactivateDevice", fields, id=ident)
        assert payload["device"] == {"isActive": False, "version": 2}
    assert client.ask(count) == {"energySummary": {"deviceCount": 0}}
    payload = client.change("reactivateDevice", fields, id=ident)
    assert payload["device"] == {"isActive": True, "version": 3}
    assert client.ask(count) == {"energySummary": {"deviceCount": 1}}


def test_a_mode_is_done_from_the_next_tick_on(client, clock):
    ident = client.register("a", spec={"battery": {**BATTERY, "chargeEfficiency": 1.0}})["id"]
    payload = client.change("setStorageMode", STATE, id=ident, mode="CHARGING", powerW=600)
    assert payload["userErrors"] == []
    assert payload["device"]["mode"] == "CHARGING"
    client.services.ticking.tick(client.scope)
    fields = "mode state { at powerW storedWh stateOfCharge mode isStale }"
    shown = device(client, ident, f"... on StorageDevice {{ {fields} }}")
    assert shown == {
        "mode": "CHARGING",
        "state": {
            "at": "2026-06-01T10:00:00.000Z",
            "powerW": -600.0,
            "storedWh": 5_000.0,
            "stateOfCharge": 0.5,
            "mode": "CHARGING",
            "isStale": False,
        },
    }
    clock.move(minutes=1)
    client.services.ticking.tick(client.scope)
    state = device(client, ident, "state { storedWh }")["state"]
    assert state == {"storedWh": 5_010.0}
    clock.move(minutes=3)
    assert device(client, ident, "state { isStale }")["state"] == {"isStale": True}


@pytest.mark.parametrize(
    ("mode", "power_w", "code"),
    [
        ("CHARGING", 5_000.5, "INVALID_VALUE"),
        ("CHARGING", 0, "INVALID_VALUE"),
        ("DISCHARGING", -1, "INVALID_VALUE"),
        ("IDLE", 1, "INVALID_VALUE"),
    ],
)
def test_a_power_that_the_storage_cannot_do_is_refused(client, mode, power_w, code):
    ident = client.register("a", spec={"battery": BATTERY})["id"]
    payload = client.change("setStorageMode", STATE, id=ident, mode=mode, powerW=power_w)
    assert payload["device"] is None
    assert only_error(payload) == (code, ["input", "powerW"])


def test_only_active_simulated_storage_takes_commands(client):
    panel = client.register("panel")["id"]
    reported = client.register("reported", "battery", dataSource="REPORTED")["id"]
    inactive = client.register("inactive", "battery")["id"]
    client.change("deactivateDevice", id=inactive)
    for ident, code in (
        (panel, "DEVICE_IS_NOT_STORAGE"),
        (reported, "DEVICE_IS_REPORTED"),
        (inactive, "DEVICE_IS_INACTIVE"),
        ("nonsense", "NOT_FOUND"),
    ):
        mode = client.change("setStorageMode", id=ident, mode="IDLE")
        dispatch = client.change("setDispatch", id=ident, strategy="manual")
        assert only_error(mode) == only_error(dispatch) == (code, ["input", "id"])


def test_a_dispatch_strategy_is_chosen_with_its_parameters_until_a_mode_is_set(client):
    ident = client.register("a", "battery")["id"]
    chosen = client.change(
        "setDispatch",
        STATE,
        id=ident,
        strategy="self_consumption",
        parametersJson='{"priority": 3}',
    )
    assert chosen["userErrors"] == []
    assert chosen["device"]["dispatch"] == "self_consumption"
    assert json.loads(chosen["device"]["dispatchParametersJson"]) == {"priority": 3}
    assert chosen["device"]["version"] == 2
    by_hand = client.change("setStorageMode", STATE, id=ident, mode="DISCHARGING")
    assert (by_hand["device"]["dispatch"], by_hand["device"]["version"]) == ("manual", 3)


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"strategy": "clever"}, "UNKNOWN_DISPATCH", "strategy"),
        ({"strategy": "manual", "parametersJson": '{"priority": 1}'}, "INVALID_VALUE", None),
        ({"strategy": "self_consumption", "parametersJson": "{"}, "INVALID_VALUE", None),
        ({"strategy": "self_consumption", "parametersJson": "[]"}, "INVALID_VALUE", None),
        ({"strategy": "self_consumption", "parametersJson": "null"}, "INVALID_VALUE", None),
        (
            {"strategy": "self_consumption", "parametersJson": '{"priority": 101}'},
            "INVALID_VALUE",
            None,
        ),
        (
            {"strategy": "self_consumption", "parametersJson": '{"priority": "1"}'},
            "INVALID_VALUE",
            None,
        ),
    ],
)
def test_a_strategy_that_cannot_be_is_refused(client, given, code, path):
    ident = client.register("a", "battery")["id"]
    payload = client.change("setDispatch", STATE, id=ident, **given)
    assert payload["device"] is None
    assert only_error(payload) == (code, ["input", path or "parametersJson"])


RECORD = "acceptedCount duplicateCount conflictCount rejectedCount"


def test_readings_of_a_reported_device_become_its_state(client):
    ident = client.register("a", "battery", dataSource="REPORTED", maxGapSeconds=900)["id"]
    reading = {"deviceId": ident, "at": "2026-06-01T12:00:00.250+02:00", "powerW": 1_234.567}
    readings = [{**reading, "storedWh": 6_750}, {**reading, "storedWh": 6_750}]
    payload = client.change("recordReadings", RECORD, readings=readings)
    assert payload == {
        "acceptedCount": 1,
        "duplicateCount": 1,
        "conflictCount": 0,
        "rejectedCount": 0,
        "userErrors": [],
    }
    fields = "maxGapSeconds ... on Battery { mode } state { at powerW storedWh stateOfCharge }"
    assert device(client, ident, fields) == {
        "maxGapSeconds": 900.0,
        "mode": "DISCHARGING",
        "state": {
            "at": "2026-06-01T10:00:00.250Z",
            "powerW": 1_234.567,
            "storedWh": 6_750.0,
            "stateOfCharge": 0.5,
        },
    }


def test_each_rejected_reading_says_which_it_is_and_the_others_are_stored(client):
    reported = client.register("a", dataSource="REPORTED")["id"]
    simulated = client.register("b")["id"]
    at = "2026-06-01T10:00:00Z"
    good = {"deviceId": reported, "at": at, "powerW": 1}
    bad = [
        ({"deviceId": simulated}, "DEVICE_IS_SIMULATED"),
        ({"deviceId": "nonsense"}, "NOT_FOUND"),
        ({"deviceId": device_id(9_999)}, "NOT_FOUND"),
        ({"at": "2026-06-01T10:06:00Z"}, "INSTANT_OUT_OF_RANGE"),
        ({"at": "1800-01-01T00:00:00Z"}, "INSTANT_OUT_OF_RANGE"),
        ({"at": "9999-12-31T23:59:59-23:59"}, "INSTANT_OUT_OF_RANGE"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "INSTANT_OUT_OF_RANGE"),
        ({"at": "2026-06-01T09:59:60Z"}, "INVALID_VALUE"),
        ({"at": "2026-06-01T09:59:00"}, "INSTANT_WITHOUT_ZONE"),
        ({"at": "yesterday"}, "INVALID_VALUE"),
        ({"deviceId": 10**30}, "NOT_FOUND"),
        ({"deviceId": "\N{SNOWMAN}" * 1_000}, "NOT_FOUND"),
        ({"powerW": 1e9}, "INVALID_VALUE"),
        ({"storedWh": 1}, "INVALID_VALUE"),
        ({"powerW": 2}, "CONFLICT"),
    ]
    readings = [good, *({**good, **change} for change, _ in bad)]
    payload = client.change("recordReadings", RECORD, readings=readings)
    counts = [payload[name] for name in RECORD.split()]
    assert counts == [1, 0, 0, len(bad)]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [
        (code, ["input", "readings", str(index)]) for index, (_, code) in enumerate(bad, 1)
    ]
    messages = [error["message"] for error in payload["userErrors"]]
    assert messages[1] == "there is no device 'nonsense'"
    assert messages[7] == "at must be a datetime with an offset, not '2026-06-01T09:59:60Z'"
    assert messages[8] == "at must be a datetime with an offset, not 2026-06-01T09:59:00"
    assert messages[12].startswith("powerW must be")
    assert max(map(len, messages)) < 200


def test_many_rejected_readings_are_all_counted_and_the_first_are_told(client):
    reading = {"deviceId": "nonsense", "at": "2026-06-01T10:00:00Z", "powerW": 1}
    payload = client.change("recordReadings", RECORD, readings=[reading] * 130)
    assert payload["rejectedCount"] == 130
    assert len(payload["userErrors"]) == MAX_DETAILED_ERRORS
    assert client.change("recordReadings", RECORD, readings=[])["rejectedCount"] == 0


def test_a_reading_that_nothing_can_measure_is_refused_and_the_others_are_stored(client):
    ident = client.register("a", "battery", dataSource="REPORTED")["id"]
    parts = {
        "powerW: 5": None,
        "powerW: 1e300": "powerW must be finite and at most 1e+08 W, not 1e+300",
        "powerW: -1e300": "powerW must be finite and at most 1e+08 W, not -1e+300",
        f"powerW: 1{'0' * 300}": "powerW must be finite and at most 1e+08 W, not 1e+300",
        "powerW: 1, storedWh: 1e300": (
            "storedWh must be at least 0 and at most 13500 Wh, not 1e+300"
        ),
    }
    readings = ", ".join(
        f'{{deviceId: "{ident}", at: "2026-06-01T09:59:0{index}Z", {part}}}'
        for index, part in enumerate(parts)
    )
    errors = "userErrors { message path }"
    payload = client.ask(
        f"mutation {{ recordReadings(input: {{readings: [{readings}]}}) {{ {RECORD} {errors} }} }}"
    )["recordReadings"]
    assert [payload[name] for name in RECORD.split()] == [1, 0, 0, 4]
    assert payload["userErrors"] == [
        {"message": message, "path": ["input", "readings", str(index)]}
        for index, message in enumerate(parts.values())
        if message
    ]
    assert device(client, ident, "state { powerW }") == {"state": {"powerW": 5.0}}


def test_a_value_of_another_type_refuses_the_request_and_says_which(client):
    ident = client.register("a", dataSource="REPORTED")["id"]
    good = {"deviceId": ident, "at": "2026-06-01T10:00:00Z", "powerW": 1}
    record = """mutation ($readings: [ReadingInput!]!) {
      recordReadings(input: {readings: $readings}) { acceptedCount } }"""
    for bad, code in (
        ({"at": 1_780_315_200}, "INVALID_VALUE"),
        ({"at": None}, "BAD_USER_INPUT"),
        ({"powerW": "5"}, "BAD_USER_INPUT"),
    ):
        response = client.respond(record, readings=[good, {**good, **bad}])
        (error,) = response["errors"]
        assert error["extensions"]["code"] == code
        assert f"[1].{next(iter(bad))}" in error["message"]
    assert device(client, ident, "state { at }") == {"state": None}


@pytest.mark.parametrize(
    ("policy", "counts", "power_w"),
    [
        ({}, [1, 1, 0, 1], 1.0),
        ({"onConflict": None}, [1, 1, 0, 1], 1.0),
        ({"onConflict": "REJECT"}, [1, 1, 0, 1], 1.0),
        ({"onConflict": "FIRST"}, [1, 1, 1, 0], 1.0),
        ({"onConflict": "LAST"}, [1, 1, 1, 0], 2.0),
    ],
)
def test_the_policy_says_which_of_two_values_of_an_instant_counts(client, policy, counts, power_w):
    ident = client.register("a", dataSource="REPORTED")["id"]
    at = "2026-06-01T10:00:00Z"
    readings = [{"deviceId": ident, "at": at, "powerW": power} for power in (1, 1, 2)]
    payload = client.change("recordReadings", RECORD, readings=readings, **policy)
    assert [payload[name] for name in RECORD.split()] == counts
    assert [error["code"] for error in payload["userErrors"]] == ["CONFLICT"] * counts[-1]
    shown = f'readings(from: "{at}", to: "2026-06-02T00:00:00Z") {{ nodes {{ powerW }} }}'
    assert device(client, ident, shown)["readings"]["nodes"] == [{"powerW": power_w}]


def test_there_is_no_other_policy(client):
    record = """mutation ($policy: ConflictPolicy) {
      recordReadings(input: {readings: [], onConflict: $policy}) { acceptedCount } }"""
    assert client.refused(record, policy="newest") == "BAD_USER_INPUT"


def test_commands_to_devices_of_another_tenant_change_nothing(client):
    ids = client.home()
    other = client.of("other")
    reading = {"deviceId": ids["battery"], "at": "2026-06-01T10:00:00Z", "powerW": 1}
    assert other.change("recordReadings", RECORD, readings=[reading])["rejectedCount"] == 1
    for mutation, given in (
        ("setStorageMode", {"mode": "CHARGING"}),
        ("setDispatch", {"strategy": "self_consumption"}),
        ("updateDevice", {"name": "stolen"}),
        ("deactivateDevice", {}),
    ):
        payload = other.change(mutation, "device { id }", id=ids["battery"], **given)
        assert payload["device"] is None
        assert only_error(payload) == ("NOT_FOUND", ["input", "id"])
    fields = "name version isActive ... on Battery { mode dispatch }"
    assert device(client, ids["battery"], fields) == {
        "name": "battery",
        "version": 1,
        "isActive": True,
        "mode": "IDLE",
        "dispatch": "manual",
    }
