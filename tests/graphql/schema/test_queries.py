"""Questions end to end: lists, pages, filters, IDs, sites."""

import pytest

from energycore.graphql.schema.ids import device_id, site_id
from energycore.graphql.schema.opaque import reveal

PAGE = """
query ($filter: DeviceFilter, $orderBy: DeviceOrder,
       $first: Int, $after: String, $last: Int, $before: String) {
  devices(filter: $filter, orderBy: $orderBy,
          first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id name } }
    nodes { name }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""


def page(client, **variables):
    found = client.ask(PAGE, **variables)["devices"]
    names = [edge["node"]["name"] for edge in found["edges"]]
    assert names == [node["name"] for node in found["nodes"]]
    cursors = [edge["cursor"] for edge in found["edges"]]
    assert found["pageInfo"]["startCursor"] == (cursors[0] if cursors else None)
    assert found["pageInfo"]["endCursor"] == (cursors[-1] if cursors else None)
    return names, found["pageInfo"], found["totalCount"]


def names(client, **chosen):
    return set(page(client, filter=chosen)[0])


def test_a_device_of_each_kind_shows_its_type_ratings_and_site(client):
    client.home()
    data = client.ask(
        """{ devices { nodes {
          __typename id name kind tags isActive dataSource maxGapSeconds registeredAt version
          externalId state { at }
          site { name timeZone latitude }
          ... on SolarPanel { ratedPowerW }
          ... on StorageDevice { capacityWh maxChargeW maxDischargeW mode dispatch
                                 dispatchParametersJson }
          ... on Battery { chargeEfficiency minStateOfCharge }
          ... on Appliance { averagePowerW dutyCycle meanOnTimeS }
        } } }"""
    )
    panel, battery, vehicle, appliance = data["devices"]["nodes"]
    shared = {
        "tags": [],
        "isActive": True,
        "dataSource": "SIMULATED",
        "maxGapSeconds": 60.0,
        "registeredAt": "2026-06-01T10:00:00.000Z",
        "version": 1,
        "externalId": None,
        "state": None,
        "site": {"name": "Home", "timeZone": "Europe/Berlin", "latitude": None},
    }
    storage = {"mode": "IDLE", "dispatch": "manual", "dispatchParametersJson": "{}"}
    assert panel == {
        **shared,
        "__typename": "SolarPanel",
        "id": panel["id"],
        "name": "solarPanel",
        "kind": "SOLAR_PANEL",
        "ratedPowerW": 5_000.0,
    }
    assert battery == {
        **shared,
        **storage,
        "__typename": "Battery",
        "id": battery["id"],
        "name": "battery",
        "kind": "BATTERY",
        "capacityWh": 13_500.0,
        "maxChargeW": 5_000.0,
        "maxDischargeW": 4_000.0,
        "chargeEfficiency": 0.96,
        "minStateOfCharge": 0.0,
    }
    assert vehicle["__typename"] == "ElectricVehicle"
    assert vehicle["capacityWh"] == 60_000.0
    assert appliance["averagePowerW"] == 600.0
    assert (appliance["dutyCycle"], appliance["meanOnTimeS"]) == (0.4, 1_200.0)


def test_pages_lead_forward_and_backward_through_the_list(client):
    expected = [f"d{number}" for number in range(7)]
    for name in expected:
        client.register(name)
    order = {"field": "NAME"}
    seen: list[str] = []
    after = None
    while True:
        found, info, count = page(client, orderBy=order, first=3, after=after)
        assert count == 7
        assert info["hasPreviousPage"] is bool(seen)
        seen += found
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    assert seen == expected
    back: list[str] = []
    before = None
    while True:
        found, info, _ = page(client, orderBy=order, last=3, before=before)
        assert info["hasNextPage"] is bool(back)
        back = found + back
        before = info["startCursor"]
        if not info["hasPreviousPage"]:
            break
    assert back == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["b", "C", "a"]),
        ({"field": "REGISTERED_AT", "direction": "DESC"}, ["a", "C", "b"]),
        ({"field": "NAME"}, ["a", "b", "C"]),
        ({"field": "NAME", "direction": "DESC"}, ["C", "b", "a"]),
        ({"field": "RATED_POWER"}, ["a", "C", "b"]),
    ],
)
def test_a_list_comes_in_the_order_asked_for(client, clock, order, expected):
    for name, rated in (("b", 3_000), ("C", 2_000), ("a", 1_000)):
        client.register(name, spec={"solarPanel": {"ratedPowerW": rated}})
        clock.move(seconds=1)
    assert page(client, orderBy=order)[0] == expected
    first = page(client, orderBy=order, first=1)
    rest = page(client, orderBy=order, after=first[1]["endCursor"])
    assert first[0] + rest[0] == expected


def test_a_page_holds_a_hundred_unless_asked_and_500_at_most(client):
    for number in range(101):
        client.register(f"d{number}")
    assert len(page(client)[0]) == 100
    assert len(page(client, first=None, last=None)[0]) == 100
    assert len(page(client, first=500)[0]) == 101
    assert page(client, first=0)[0] == []
    assert client.refused(PAGE, first=501) == "PAGE_TOO_LARGE"
    assert client.refused(PAGE, last=501) == "PAGE_TOO_LARGE"
    assert client.refused(PAGE, first=-1) == "INVALID_VALUE"
    assert client.refused(PAGE, first=1, last=1) == "INVALID_VALUE"


def test_a_cursor_of_another_order_or_list_is_refused(client):
    client.register("a")
    client.site()
    cursor = page(client, orderBy={"field": "NAME"})[1]["endCursor"]
    site_cursor = client.ask("{ sites { pageInfo { endCursor } } }")["sites"]["pageInfo"]
    assert page(client, orderBy={"field": "NAME"}, after=cursor)[0] == []
    for order in ("RATED_POWER", "REGISTERED_AT"):
        assert client.refused(PAGE, orderBy={"field": order}, after=cursor) == "INVALID_CURSOR"
    descending = {"field": "NAME", "direction": "DESC"}
    assert client.refused(PAGE, orderBy=descending, before=cursor) == "INVALID_CURSOR"
    assert client.refused(PAGE, after=site_cursor["endCursor"]) == "INVALID_CURSOR"
    assert client.refused(PAGE, after="nonsense") == "INVALID_CURSOR"
    assert client.refused('{ sites(after: "nonsense") { totalCount } }') == "INVALID_CURSOR"


def test_every_filter_that_is_given_must_match(client):
    home, barn = client.site()["id"], client.site(name="Barn")["id"]
    roof = client.register("Roof", siteId=home, tags=["south", "new"])["id"]
    client.register("Wall", "battery", siteId=home, tags=["new"])
    client.register("Meter", siteId=barn, dataSource="REPORTED")
    client.register("Car", "electricVehicle")
    client.change("deactivateDevice", id=roof)
    assert names(client) == {"Roof", "Wall", "Meter", "Car"}
    assert names(client, ids=[roof]) == {"Roof"}
    assert names(client, kinds=["BATTERY", "ELECTRIC_VEHICLE"]) == {"Wall", "Car"}
    assert names(client, siteIds=[home]) == {"Roof", "Wall"}
    assert names(client, tags=["new", "other"]) == {"Roof", "Wall"}
    assert names(client, nameContains="a") == {"Wall", "Car"}
    assert names(client, nameContains="ROOF") == {"Roof"}
    assert names(client, isActive=False) == {"Roof"}
    assert names(client, dataSources=["REPORTED"]) == {"Meter"}
    assert names(client, siteIds=[home], kinds=["BATTERY"], tags=["south"]) == set()
    assert names(client, siteIds=[home], kinds=None, tags=["south"]) == {"Roof"}
    assert names(client, ids=[]) == set()
    assert names(client, ids=["nonsense", site_id(1), device_id(99)]) == set()
    assert names(client, ids=["nonsense", roof]) == {"Roof"}


def test_the_length_of_a_list_is_counted_only_where_it_is_asked_for(client, monkeypatch):
    client.register("a")
    asked = []
    insight = type(client.services.insight)
    count = insight.count

    def counting(*given):
        asked.append(1)
        return count(*given)

    monkeypatch.setattr(insight, "count", counting)
    client.ask("{ devices { nodes { id } pageInfo { hasNextPage } } }")
    assert asked == []
    assert client.ask("{ devices(first: 0) { totalCount } }") == {"devices": {"totalCount": 1}}
    assert asked == [1]


def test_an_object_is_found_by_its_id_again(client):
    ids = client.home()
    data = client.ask(
        """query ($ids: [ID!]!, $device: ID!, $site: ID!) {
          nodes(ids: $ids) { __typename id }
          one: node(id: $device) { __typename id ... on Device { name } }
          two: node(id: $site) { __typename ... on Site { name } }
          device(id: $device) { id name }
          site(id: $site) { id name }
        }""",
        ids=[ids["site"], "nonsense", ids["battery"], device_id(9_999), ids["battery"]],
        device=ids["battery"],
        site=ids["site"],
    )
    assert data["nodes"] == [
        {"__typename": "Site", "id": ids["site"]},
        None,
        {"__typename": "Battery", "id": ids["battery"]},
        None,
        {"__typename": "Battery", "id": ids["battery"]},
    ]
    assert data["one"] == {"__typename": "Battery", "id": ids["battery"], "name": "battery"}
    assert data["two"] == {"__typename": "Site", "name": "Home"}
    assert data["device"] == {"id": ids["battery"], "name": "battery"}
    assert data["site"] == {"id": ids["site"], "name": "Home"}


def test_ids_of_different_objects_differ_and_of_another_type_find_nothing(client):
    ids = client.home()
    assert len(set(ids.values())) == 5
    asked = "query ($id: ID!) { device(id: $id) { id } }"
    assert client.ask(asked, id=ids["site"]) == {"device": None}
    asked = "query ($id: ID!) { site(id: $id) { id } }"
    assert client.ask(asked, id=ids["battery"]) == {"site": None}


def test_more_than_500_ids_at_once_are_refused(client):
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert client.refused(asked, ids=["x"] * 501) == "PAGE_TOO_LARGE"
    assert client.ask(asked, ids=["x"] * 500) == {"nodes": [None] * 500}


def test_a_site_lists_its_own_devices_and_pages_through_them(client):
    home, barn = client.site()["id"], client.site(name="Barn")["id"]
    for name in ("a", "b", "c"):
        client.register(name, siteId=home)
    client.register("d", siteId=barn)
    asked = """query ($filter: DeviceFilter, $after: String) { sites { totalCount nodes { name
      devices(filter: $filter, orderBy: {field: NAME}, first: 2, after: $after) {
        nodes { name site { name } } totalCount pageInfo { hasNextPage endCursor }
      } } } }"""
    sites = client.ask(asked)["sites"]
    assert sites["totalCount"] == 2
    first, second = (site["devices"] for site in sites["nodes"])
    assert [node["name"] for node in first["nodes"]] == ["a", "b"]
    assert {node["site"]["name"] for node in first["nodes"]} == {"Home"}
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert [node["name"] for node in second["nodes"]] == ["d"]
    assert second["totalCount"] == 1
    rest = client.ask(asked, after=first["pageInfo"]["endCursor"])["sites"]["nodes"][0]
    assert [node["name"] for node in rest["devices"]["nodes"]] == ["c"]
    other = client.ask(asked, filter={"siteIds": [barn]})["sites"]["nodes"]
    assert [len(site["devices"]["nodes"]) for site in other] == [0, 1]


def test_sites_are_paged_in_the_order_of_registration(client):
    for name in ("c", "a", "b"):
        client.site(name=name)
    asked = """query ($after: String, $first: Int, $last: Int) {
      sites(after: $after, first: $first, last: $last) {
        edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage } } }"""
    sites = client.ask(asked, first=2)["sites"]
    assert [edge["node"]["name"] for edge in sites["edges"]] == ["c", "a"]
    assert sites["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    rest = client.ask(asked, after=sites["edges"][-1]["cursor"])["sites"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["b"]
    last = client.ask(asked, last=1)["sites"]
    assert [edge["node"]["name"] for edge in last["edges"]] == ["b"]


def test_tenants_do_not_see_each_other(client):
    ids = client.home()
    other = client.of("other")
    other.site(name="Elsewhere")
    own = other.register("own")["id"]
    asked = """query ($id: ID!, $site: ID!, $ids: [ID!]!) {
      node(id: $id) { id } device(id: $id) { id } site(id: $site) { id } nodes(ids: $ids) { id }
      devices(filter: {ids: $ids}) { totalCount nodes { id } }
      sites { nodes { name } }
      energySummary { deviceCount }
      energySummaries(groupBy: KIND) { nodes { key } }
    }"""
    data = other.ask(asked, id=ids["battery"], site=ids["site"], ids=[ids["battery"], own])
    assert data == {
        "node": None,
        "device": None,
        "site": None,
        "nodes": [None, {"id": own}],
        "devices": {"totalCount": 1, "nodes": [{"id": own}]},
        "sites": {"nodes": [{"name": "Elsewhere"}]},
        "energySummary": {"deviceCount": 1},
        "energySummaries": {"nodes": [{"key": "SOLAR_PANEL"}]},
    }


def test_a_foreign_id_is_refused_in_the_words_of_a_missing_one(client):
    ids = client.home()
    other = client.of("other")
    for sent in (ids["battery"], ids["site"], device_id(9_999), "nonsense", ""):
        for mutation in ("updateDevice", "deactivateDevice", "reactivateDevice"):
            payload = other.change(mutation, "device { id }", id=sent)
            assert payload == {
                "device": None,
                "userErrors": [
                    {
                        "code": "NOT_FOUND",
                        "message": f"there is no device {sent!r}",
                        "path": ["input", "id"],
                    }
                ],
            }
        payload = other.change("registerDevice", name="x", spec=SOLAR, siteId=sent)
        (error,) = payload["userErrors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "siteId"])
        assert error["message"] == f"there is no site {sent!r}"


SOLAR = {"solarPanel": {"ratedPowerW": 1}}


def test_no_number_of_storage_is_shown(client):
    ids = client.home()
    assert reveal(ids["battery"]) != ids["battery"]
    payload = client.change("updateDevice", "device { id }", id=ids["battery"], siteId="x")
    assert payload["userErrors"][0]["message"] == "there is no site 'x'"


def test_a_request_without_a_scope_is_refused_before_anything_is_read(client, monkeypatch):
    monkeypatch.setattr(
        type(client.services.storage), "transaction", lambda *_, **__: pytest.fail("was asked")
    )
    client.scope = None
    for asked in (
        "{ devices { nodes { id } } }",
        "{ sites { nodes { id } } }",
        "{ energySummary { deviceCount } }",
        '{ node(id: "x") { id } }',
        'mutation { deactivateDevice(input: {id: "x"}) { userErrors { code } } }',
    ):
        assert client.refused(asked) == "SCOPE_REQUIRED"


def test_a_fault_is_masked(client, monkeypatch):
    def fail(*_given, **_named):
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(type(client.services.insight), "states", fail)
    client.register("a")
    response = client.respond("{ devices { nodes { name state { at } } } }")
    assert response["data"] == {"devices": {"nodes": [{"name": "a", "state": None}]}}
    assert response["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "swordfish" not in str(response)
