"""npm's graphql-ws against each framework, under a real server."""

import pytest

from tests.live.clients import node

pytestmark = pytest.mark.npm

STATES = "subscription { deviceStates { name state { powerW } } }"
SUMMARY = "subscription { energySummary { netPowerW deviceCount } }"
REGISTER = """mutation ($name: String!) { registerDevice(input: {
  name: $name, spec: {solarPanel: {ratedPowerW: 1}}}) { device { name } } }"""


def powers(data):
    return {s["name"]: s["state"] and s["state"]["powerW"] for s in data["deviceStates"]}


def test_first_comes_what_there_is_and_then_what_changes(make, installed):
    world = make(summary_s=0.01)
    world.panel("Roof")
    with node(installed, world.url) as client:
        client.subscribe(STATES)
        assert powers(client.data()) == {"Roof": None}
        client.subscribe(SUMMARY, id="two")
        assert client.data("two")["energySummary"] == {"netPowerW": 0.0, "deviceCount": 1}
        world.report(5.5)
        assert powers(client.data()) == {"Roof": 5.5}
        assert client.data("two")["energySummary"]["netPowerW"] == 5.5


def test_queries_and_mutations_are_answered_and_complete(make, installed):
    world = make()
    with node(installed, world.url) as client:
        client.subscribe(STATES, id="states")
        assert powers(client.data("states")) == {}
        client.subscribe(REGISTER, name="New")
        assert client.data() == {"registerDevice": {"device": {"name": "New"}}}
        client.next("complete", id="one")
        # A mutation over the same socket is a change like any other.
        assert powers(client.data("states")) == {"New": None}
        client.subscribe("{ devices { nodes { name } } }", id="two")
        assert client.data("two") == {"devices": {"nodes": [{"name": "New"}]}}
        client.next("complete", id="two")


def test_after_a_reconnection_the_first_message_is_what_there_is_now(make, installed):
    world = make()
    world.panel("Roof")
    world.panel("Shed")
    with node(installed, world.url, retryAttempts=5) as client:
        client.subscribe(STATES)
        assert set(powers(client.data())) == {"Roof", "Shed"}
        client.cut()
        client.next("closed")
        world.report(7.0)
        client.reconnect()
        client.next("connected")
        assert powers(client.data()) == {"Roof": 7.0, "Shed": 7.0}


def test_an_operation_that_the_client_ends_frees_its_slot(make, installed):
    world = make(max_operations=1)
    world.panel("Roof")
    with node(installed, world.url) as client:
        client.subscribe(STATES)
        client.data()
        client.subscribe("{ __typename }", id="two")
        (error,) = client.next("error", id="two")["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        client.end()
        client.next("complete", id="one")
        client.subscribe(STATES, id="three")
        assert powers(client.data("three")) == {"Roof": None}


def test_a_refused_document_is_an_error_of_the_operation_and_not_of_the_socket(make, installed):
    world = make()
    with node(installed, world.url) as client:
        client.subscribe("{ nonsense }")
        (error,) = client.next("error", id="one")["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        client.subscribe("{ devices { totalCount } }", id="two")
        assert client.data("two") == {"devices": {"totalCount": 0}}


def test_the_client_is_let_in_by_what_it_says_at_the_beginning(make, installed):
    world = make()
    world.let_in.clear()
    world.let_in.add("1234")
    token = {"Authorization": "Bearer 1234"}
    for given in ({"connectionParams": token}, {"headers": token}):
        with node(installed, world.url, **given) as client:
            client.subscribe(STATES)
            assert powers(client.data()) == {}
    for wrong in ({}, {"connectionParams": {"Authorization": "Bearer 4321"}}):
        with node(installed, world.url, **wrong) as client:
            client.subscribe(STATES)
            assert client.next("closed")["code"] == 4403


def test_a_client_whose_permission_ends_is_closed(make, installed):
    world = make(recheck_s=0.2)
    with node(installed, world.url) as client:
        client.subscribe(STATES)
        client.data()
        world.let_in.clear()
        assert client.next("closed")["code"] == 4403


def test_pings_go_both_ways(make, installed):
    world = make(ping_s=0.3)
    with node(installed, world.url, keepAlive=100) as client:
        client.subscribe(STATES)
        client.data()
        client.next("pong", received=True)
    with node(installed, world.url) as client:
        client.subscribe(STATES)
        client.data()
        for _ in range(4):
            client.next("ping", received=True)
            client.next("pong", received=False)


@pytest.mark.parametrize("protocol", ["graphql-ws", "soap"])
def test_another_protocol_is_refused(make, installed, protocol):
    world = make()
    with node(installed, world.url, protocols=[protocol]) as client:
        client.subscribe(STATES)
        # The library looks at what the handshake has agreed on before any close frame comes.
        closed = client.next("error", id="one")
        assert closed["errors"] is None


def test_a_page_of_another_origin_is_refused(make, installed):
    world = make()
    with node(installed, world.url, headers={"origin": "https://evil.example"}) as client:
        client.subscribe(STATES)
        client.next("error", id="one")
    host = world.url.split("/")[2]
    with node(installed, world.url, headers={"origin": f"http://{host}"}) as client:
        client.subscribe(STATES)
        client.data()
