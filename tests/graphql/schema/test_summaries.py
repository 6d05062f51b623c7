"""Totals end to end: they equal the states that they are of, and their groups."""

import math
from decimal import Decimal

import pytest

SUMMARY = """
  at productionW consumptionW netPowerW generationW dischargeW loadW chargeW
  deviceCount silentCount storage { capacityWh storedWh stateOfCharge deviceCount }
"""
STATES = (
    """{ devices { nodes {
      id kind state { powerW storedWh mode } ... on StorageDevice { capacityWh mode } } }
    energySummary { storageDevices { nodes { id capacityWh state { storedWh } } totalCount }"""
    + SUMMARY
    + "} }"
)


def exact(values):
    """The sum of milliwatts as decimal numbers, for floats would hide the last digit."""
    return float(sum((Decimal(str(value)) for value in values), Decimal(0)))


def test_the_summary_equals_the_states_to_the_last_digit_tick_after_tick(client, clock):
    ids = client.home()
    client.change("setStorageMode", id=ids["battery"], mode="CHARGING", powerW=3_333.333)
    client.change("setStorageMode", id=ids["electricVehicle"], mode="DISCHARGING")
    seen = set()
    for _ in range(5):
        client.services.ticking.tick(client.scope)
        data = client.ask(STATES)
        nodes, summary = data["devices"]["nodes"], data["energySummary"]
        powers = {node["id"]: node["state"]["powerW"] for node in nodes}
        storages = [node for node in nodes if "capacityWh" in node]
        stored = [node["state"]["storedWh"] for node in storages]
        assert summary["productionW"] == exact(power for power in powers.values() if power > 0)
        assert summary["consumptionW"] == exact(-power for power in powers.values() if power < 0)
        assert summary["netPowerW"] == exact(powers.values())
        assert summary["chargeW"] == 3_333.333 == -powers[ids["battery"]]
        assert summary["dischargeW"] == powers[ids["electricVehicle"]]
        assert summary["generationW"] == powers[ids["solarPanel"]]
        assert summary["loadW"] == -powers[ids["appliance"]]
        assert summary["storage"] == {
            "capacityWh": 73_500.0,
            "storedWh": exact(stored),
            "stateOfCharge": sum(round(value * 1_000) for value in stored) / 73_500_000,
            "deviceCount": 2,
        }
        assert (summary["deviceCount"], summary["silentCount"]) == (4, 0)
        assert summary["storageDevices"]["nodes"] == [
            {
                "id": node["id"],
                "capacityWh": node["capacityWh"],
                "state": {"storedWh": node["state"]["storedWh"]},
            }
            for node in storages
        ]
        assert [node["mode"] for node in storages] == ["CHARGING", "DISCHARGING"]
        seen.add(tuple(stored))
        clock.move(minutes=1)
    assert len(seen) == 5


def test_a_silent_device_is_counted_and_never_taken_for_zero(client, clock):
    client.home()
    empty = client.ask(STATES)["energySummary"]
    assert (empty["deviceCount"], empty["silentCount"]) == (4, 4)
    assert empty["storage"] == {
        "capacityWh": 0.0,
        "storedWh": 0.0,
        "stateOfCharge": None,
        "deviceCount": 0,
    }
    assert empty["storageDevices"]["totalCount"] == 2
    client.services.ticking.tick(client.scope)
    clock.move(minutes=3)
    silent = client.ask(STATES)["energySummary"]
    assert (silent["deviceCount"], silent["silentCount"]) == (4, 4)
    assert silent["productionW"] == 0.0


def test_a_summary_is_of_the_devices_that_match(client):
    ids = client.home()
    client.register("elsewhere")
    client.services.ticking.tick(client.scope)
    asked = "query ($f: DeviceFilter) { energySummary(filter: $f) { deviceCount productionW } }"
    found = client.ask(asked, f={"siteIds": [ids["site"]], "kinds": ["SOLAR_PANEL"]})
    one = "query ($id: ID!) { device(id: $id) { state { powerW } } }"
    power = client.ask(one, id=ids["solarPanel"])
    expected = {"deviceCount": 1, "productionW": power["device"]["state"]["powerW"]}
    assert found["energySummary"] == expected
    assert client.ask(asked, f={"ids": ["nonsense"]})["energySummary"]["deviceCount"] == 0


GROUPS = """query ($by: SummaryGroup!, $filter: DeviceFilter, $first: Int, $after: String,
                   $last: Int) {
  energySummaries(groupBy: $by, filter: $filter, first: $first, after: $after) {
    edges { cursor }
    nodes { key summary { deviceCount netPowerW
      storageDevices(last: $last) { totalCount nodes { name } pageInfo { hasPreviousPage } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def groups(client, by, **variables):
    found = client.ask(GROUPS, by=by, **variables)["energySummaries"]
    return {
        node["key"]: (
            node["summary"]["deviceCount"],
            [storage["name"] for storage in node["summary"]["storageDevices"]["nodes"]],
        )
        for node in found["nodes"]
    }


@pytest.fixture
def fleet(client):
    """Two sites, two tags, and devices without either."""
    home, barn = client.site()["id"], client.site(name="Barn")["id"]
    client.register("h1", "battery", siteId=home, tags=["a", "b"])
    client.register("h2", "solarPanel", siteId=home, tags=["a"])
    client.register("b1", "electricVehicle", siteId=barn, tags=["b"])
    client.register("n1", "battery", tags=["a"])
    client.register("n2", "battery")
    client.register("n3", "appliance")
    client.services.ticking.tick(client.scope)
    return home, barn


def test_totals_are_grouped_by_site(client, fleet):
    home, barn = fleet
    expected = {home: (2, ["h1"]), barn: (1, ["b1"]), None: (3, ["n1", "n2"])}
    assert groups(client, "SITE") == expected
    assert list(groups(client, "SITE")) == [home, barn, None]
    assert groups(client, "SITE", filter={"siteIds": [barn]}) == {barn: (1, ["b1"])}


def test_totals_are_grouped_by_kind(client, fleet):
    assert groups(client, "KIND") == {
        "APPLIANCE": (1, []),
        "BATTERY": (3, ["h1", "n1", "n2"]),
        "ELECTRIC_VEHICLE": (1, ["b1"]),
        "SOLAR_PANEL": (1, []),
    }


def test_totals_are_grouped_by_tag_and_a_device_with_two_tags_counts_in_both(client, fleet):
    assert groups(client, "TAG") == {
        "a": (3, ["h1", "n1"]),
        "b": (2, ["h1", "b1"]),
        None: (2, ["n2"]),
    }
    assert groups(client, "TAG", filter={"tags": ["a"]}) == {
        "a": (3, ["h1", "n1"]),
        "b": (1, ["h1"]),
    }


def test_the_sum_over_sites_or_kinds_is_the_whole(client, fleet):
    whole = client.ask("{ energySummary { netPowerW } }")["energySummary"]["netPowerW"]
    for by in ("SITE", "KIND"):
        nodes = client.ask(GROUPS, by=by)["energySummaries"]["nodes"]
        assert exact(node["summary"]["netPowerW"] for node in nodes) == whole


@pytest.mark.parametrize("by", ["SITE", "KIND", "TAG"])
def test_groups_are_paged_by_key(client, fleet, by):
    whole = client.ask(GROUPS, by=by)["energySummaries"]
    keys = [node["key"] for node in whole["nodes"]]
    seen: list[str | None] = []
    after = None
    while True:
        found = client.ask(GROUPS, by=by, first=1, after=after)["energySummaries"]
        info = found["pageInfo"]
        assert info["hasPreviousPage"] is bool(seen)
        seen += [node["key"] for node in found["nodes"]]
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    assert seen == keys
    assert client.ask(GROUPS, by=by, after=after)["energySummaries"]["nodes"] == []
    assert client.refused(GROUPS, by=by, first=501) == "PAGE_TOO_LARGE"
    others = {"SITE": "KIND", "KIND": "TAG", "TAG": "SITE"}
    assert client.refused(GROUPS, by=others[by], after=after) == "INVALID_CURSOR"


@pytest.mark.parametrize("by", ["SITE", "KIND", "TAG"])
def test_groups_come_in_the_order_of_the_key_that_is_shown(client, by):
    """Site 10 has another place by its ID than by its number, and a tag by code point."""
    for number, kind in enumerate(["battery", "appliance", "electricVehicle"] * 4):
        home = client.site(name=f"s{number}")["id"]
        tags = [f"{'aBÄ_'[number % 4]}{number}"]
        client.register(f"d{number}", kind, siteId=home, tags=tags)
    client.register("nowhere")
    whole = client.ask(GROUPS, by=by)["energySummaries"]
    keys = [node["key"] for node in whole["nodes"]]
    shown = [key for key in keys if key is not None]
    assert shown == sorted(shown)
    assert None not in keys[:-1]
    seen: list[str | None] = []
    after = None
    for _ in keys:
        page = client.ask(GROUPS, by=by, first=1, after=after)["energySummaries"]
        seen += [node["key"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == keys
    assert after == whole["pageInfo"]["endCursor"]


def test_the_storages_of_a_group_that_no_filter_describes_are_paged_too(client):
    for number in range(5):
        client.register(f"s{number}", "battery")
        client.register(f"t{number}", "battery", tags=["x"])
    asked = """query ($first: Int, $after: String, $last: Int, $before: String) {
      energySummaries(groupBy: TAG) { nodes { key summary { storageDevices(
        first: $first, after: $after, last: $last, before: $before) {
          totalCount nodes { name }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } } }"""

    def untagged(**page):
        node = client.ask(asked, **page)["energySummaries"]["nodes"][-1]
        assert node["key"] is None
        found = node["summary"]["storageDevices"]
        assert found["totalCount"] == 5
        return [storage["name"] for storage in found["nodes"]], found["pageInfo"]

    first, info = untagged(first=2)
    assert (first, info["hasNextPage"]) == (["s0", "s1"], True)
    assert untagged(first=0)[0] == untagged(last=0)[0] == []
    rest, info = untagged(after=info["endCursor"])
    assert (rest, info["hasNextPage"]) == (["s2", "s3", "s4"], False)
    assert info["hasPreviousPage"] is True
    last, info = untagged(last=2)
    assert (last, info["hasPreviousPage"]) == (["s3", "s4"], True)
    assert info["hasNextPage"] is False
    before, info = untagged(last=3, before=info["startCursor"])
    assert (before, info["hasPreviousPage"]) == (["s0", "s1", "s2"], False)
    assert info["hasNextPage"] is True


def test_inactive_storage_is_not_behind_a_total(client, fleet):
    ident = client.ask('{ devices(filter: {nameContains: "n2"}) { nodes { id } } }')
    client.change("deactivateDevice", id=ident["devices"]["nodes"][0]["id"])
    asked = """query ($f: DeviceFilter) {
      energySummary(filter: $f) { storageDevices { totalCount } } }"""
    count = [
        client.ask(asked, f=chosen)["energySummary"]["storageDevices"]["totalCount"]
        for chosen in ({}, {"isActive": True}, {"isActive": False}, {"kinds": ["APPLIANCE"]})
    ]
    assert count == [3, 3, 0, 0]


def test_each_site_of_a_list_has_its_own_totals_one_without_devices_too(client, fleet):
    client.site(name="Empty")
    asked = """{ sites { nodes { name summary {
      deviceCount netPowerW storageDevices { nodes { name } } } } } }"""
    sites = client.ask(asked)["sites"]["nodes"]
    counts = [(site["name"], site["summary"]["deviceCount"]) for site in sites]
    assert counts == [("Home", 2), ("Barn", 1), ("Empty", 0)]
    names = [[n["name"] for n in s["summary"]["storageDevices"]["nodes"]] for s in sites]
    assert names == [["h1"], ["b1"], []]
    one = client.ask("query ($id: ID!) { site(id: $id) { summary { netPowerW } } }", id=fleet[0])
    assert math.isclose(
        one["site"]["summary"]["netPowerW"], sites[0]["summary"]["netPowerW"], rel_tol=0
    )
