"""What a subscription tells, and when; the real application, with sockets made by hand."""

import asyncio

import pytest

from energycore.graphql import GraphQLContext
from energycore.graphql.live.feeds import MAX_PENDING
from energycore.protocols.channel import Change
from energycore.protocols.scope import Scope
from energycore.testing.contract import panel
from tests.graphql.live.sockets import Socket, serving

STATES = """subscription ($filter: DeviceFilter) {
  deviceStates(filter: $filter) { name state { powerW } } }"""
SUMMARY = "subscription { energySummary { at netPowerW deviceCount } }"


async def told(socket, identity="one"):
    """The powers by name of the next message of deviceStates."""
    message = await socket.next()
    assert (message["id"], message["type"]) == (identity, "next"), message
    assert "errors" not in message["payload"], message
    states = message["payload"]["data"]["deviceStates"]
    return {s["name"]: s["state"] and s["state"]["powerW"] for s in states}


async def summed(socket):
    message = await socket.next()
    assert message["type"] == "next", message
    return message["payload"]["data"]["energySummary"]["netPowerW"]


def run(coroutine):
    return asyncio.run(coroutine)


def test_first_comes_what_is_selected_then_what_changes(engine, home):
    home.panels(3)
    home.report(1.0, 0)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        assert await told(socket) == {"Panel 0": 1.0, "Panel 1": None, "Panel 2": None}
        home.report(2.0, 1, 2)
        assert await told(socket) == {"Panel 1": 2.0, "Panel 2": 2.0}
        home.panels(1)
        assert await told(socket) == {"Panel 3": None}
        home.energy.deactivate(home.ids[0])
        assert await told(socket) == {"Panel 0": 1.0}
        assert socket.none()
        await socket.gone()

    run(main())


def test_a_filter_selects_what_is_told(engine, home):
    home.panels(3)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe("{ devices { nodes { id } } }", id="ids")
        nodes = (await socket.next())["payload"]["data"]["devices"]["nodes"]
        await socket.next()
        socket.subscribe(STATES, filter={"ids": [node["id"] for node in nodes[:2]]})
        assert set(await told(socket)) == {"Panel 0", "Panel 1"}
        home.report(1.0, 2)
        home.report(2.0, 1)
        assert await told(socket) == {"Panel 1": 2.0}
        await socket.gone()

    run(main())


def test_the_first_message_comes_even_if_nothing_is_selected(engine, home):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        assert await told(socket) == {}
        home.panels(1)
        assert await told(socket) == {"Panel 0": None}
        await socket.gone()

    run(main())


def test_a_message_has_at_most_500_devices_and_further_ones_follow(engine, home):
    home.many(1_100)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        pages = [await told(socket) for _ in range(3)]
        assert [len(page) for page in pages] == [500, 500, 100]
        assert len(pages[0] | pages[1] | pages[2]) == 1_100
        # More than a change names, so that all are told again.
        home.report(1.0)
        pages = [await told(socket) for _ in range(3)]
        assert [len(page) for page in pages] == [500, 500, 100]
        assert set((pages[0] | pages[1] | pages[2]).values()) == {1.0}
        home.report(2.0, *range(600))
        pages = [await told(socket) for _ in range(2)]
        assert [len(page) for page in pages] == [500, 100]
        await socket.gone()

    run(main())


def test_a_client_that_does_not_read_gets_the_newest_and_nothing_queues(engine, home):
    home.panels(2)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        await told(socket)
        socket.reads.clear()
        home.report(0.5, 0)
        await socket.writing.wait()
        for number in range(1, 101):
            home.report(float(number))
        await asyncio.sleep(0)
        socket.reads.set()
        # What was being written when it stopped to read, and then the newest at once.
        assert await told(socket) == {"Panel 0": 0.5}
        assert await told(socket) == {"Panel 0": 100.0, "Panel 1": 100.0}
        home.report(101.0, 1)
        assert await told(socket) == {"Panel 1": 101.0}
        await socket.gone()

    run(main())


def test_changes_of_very_many_devices_add_up_to_all_that_are_selected(engine, home):
    home.many(MAX_PENDING + 501)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        first = [await told(socket) for _ in range(6)]
        assert sum(map(len, first)) == len(home.ids)
        socket.reads.clear()
        home.report(1.0, 0)
        await socket.writing.wait()
        for begin in range(0, len(home.ids), 900):
            home.report(2.0, *range(begin, min(begin + 900, len(home.ids))))
        socket.reads.set()
        assert await told(socket) == {"Panel 0": 1.0}
        states: dict[str, float] = {}
        while len(states) < len(home.ids):
            states |= await told(socket)
        assert set(states.values()) == {2.0}
        await socket.gone()

    run(main())


def test_the_summary_comes_when_it_changes_and_not_when_only_time_passes(engine, home):
    home.panels(2)

    async def main():
        app = serving(engine, home.services, summary_s=0.001, heartbeat_s=3_600)
        socket = await Socket(app).opened()
        socket.subscribe(SUMMARY)
        assert await summed(socket) == 0.0
        home.report(10.0, 0)
        assert await summed(socket) == 10.0
        # The same again changes the instant only.
        home.report(10.0, 0)
        home.report(20.0, 0)
        assert await summed(socket) == 20.0
        assert socket.none()
        await socket.gone()

    run(main())


def test_many_changes_within_the_least_time_are_one_summary(engine, home):
    home.panels(1)

    async def main():
        app = serving(engine, home.services, summary_s=0.3, heartbeat_s=3_600)
        socket = await Socket(app).opened()
        socket.subscribe(SUMMARY)
        await summed(socket)
        for number in range(1, 51):
            home.report(float(number))
        assert await summed(socket) == 50.0
        assert socket.none()
        await socket.gone()

    run(main())


def test_the_summary_is_repeated_as_a_heartbeat(engine, home):
    home.panels(1)

    async def main():
        app = serving(engine, home.services, heartbeat_s=0.05)
        socket = await Socket(app).opened()
        socket.subscribe(SUMMARY)
        assert [await summed(socket) for _ in range(4)] == [0.0] * 4
        await socket.gone()

    run(main())


def test_another_tenant_hears_nothing(engine, home):
    home.panels(1)
    other = home.energy.for_tenant("other")

    def context(_scope, payload):
        return GraphQLContext(services=home.services, scope=Scope(payload["tenant"]))

    async def main():
        socket = Socket(serving(engine, home.services, context))
        await socket.event()
        socket.send("connection_init", payload={"tenant": "other"})
        await socket.next()
        socket.subscribe(STATES)
        assert await told(socket) == {}
        home.report(1.0)
        other.register(panel("Other"))
        assert await told(socket) == {"Other": None}
        await socket.gone()

    run(main())


def test_a_fault_is_told_masked_and_what_it_kept_back_is_told_later(engine, home, caplog):
    home.panels(1)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        await told(socket)
        home.services.storage.close()
        home.services.channel.publish(Change("acme", frozenset(home.ids)))
        message = await socket.next()
        assert message["type"] == "next"
        (error,) = message["payload"]["errors"]
        assert error["extensions"]["code"] == "STORAGE_UNAVAILABLE"
        assert "closed" not in error["message"]
        await socket.gone()

    run(main())


@pytest.mark.parametrize("limit", [1, 3])
def test_finished_operations_free_their_slot(engine, home, limit):
    home.panels(1)

    async def main():
        socket = await Socket(serving(engine, home.services, max_operations=limit)).opened()
        for number in range(limit):
            socket.subscribe(STATES, id=f"s{number}")
            await told(socket, f"s{number}")
        socket.subscribe("{ devices { totalCount } }", id="more")
        refused = await socket.next()
        assert (refused["id"], refused["type"]) == ("more", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        for _ in range(20):
            socket.send("complete", id="s0")
            while True:
                # The slot is free when nothing of the operation is executed any more.
                socket.subscribe("{ __typename }", id="query")
                answer = await socket.next()
                if answer["type"] == "next":
                    break
            assert (await socket.next())["type"] == "complete"
            while True:
                socket.subscribe(STATES, id="s0")
                answer = await socket.next()
                if answer["type"] == "next":
                    break
        await socket.gone()

    run(main())


def test_an_operation_that_is_ended_is_told_nothing_and_its_id_is_free(engine, home):
    home.panels(1)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        await told(socket)
        socket.send("complete", id="one")
        socket.send("ping")
        assert (await socket.next())["type"] == "pong"
        home.report(1.0)
        socket.subscribe(STATES)
        assert await told(socket) == {"Panel 0": 1.0}
        await socket.gone()
        assert socket.none()

    run(main())
    assert home.services.channel._listening == {}


def test_queries_and_mutations_are_answered_and_complete(engine, home):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(
            """mutation { registerDevice(input: {name: "Roof",
              spec: {solarPanel: {ratedPowerW: 1}}}) { device { name } } }"""
        )
        answer = await socket.next()
        assert answer["payload"]["data"]["registerDevice"]["device"] == {"name": "Roof"}
        assert await socket.next() == {"id": "one", "type": "complete"}
        socket.subscribe("{ devices { nodes { name } } }")
        answer = await socket.next()
        assert answer["payload"]["data"]["devices"]["nodes"] == [{"name": "Roof"}]
        assert await socket.next() == {"id": "one", "type": "complete"}
        await socket.gone()

    run(main())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { a: energySummary { at } b: energySummary { at } }", "GRAPHQL_VALIDATION"),
        ("subscription { deviceStates(filter: {kinds: [TOASTER]}) { id } }", "GRAPHQL_VALIDATION"),
        ("subscription ($f: DeviceFilter!) { deviceStates(filter: $f) { id } }", "BAD_USER_INPUT"),
        ("{ node(id: 1e400) { id } }", "BAD_USER_INPUT"),
        ("{ " + "a: __typename " * 5_000 + "}", "LIMIT_EXCEEDED"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(60)) + " }", "LIMIT_EXCEEDED"),
    ],
)
def test_what_http_refuses_is_refused_here(engine, home, query, code):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(query)
        answer = await socket.next()
        assert (answer["id"], answer["type"]) == ("one", "error")
        assert answer["payload"][0]["extensions"]["code"].startswith(code)
        await socket.gone()

    run(main())


def test_a_thousand_idle_sockets_and_a_hundred_that_listen_leave_nothing_behind(engine, home):
    home.panels(1)

    async def main():
        app = serving(engine, home.services)
        idle = [await Socket(app).opened() for _ in range(1_000)]
        active = [await Socket(app).opened() for _ in range(100)]
        for socket in active:
            socket.subscribe(STATES)
        for socket in active:
            assert await told(socket) == {"Panel 0": None}
        home.report(1.0)
        for socket in active:
            assert await told(socket) == {"Panel 0": 1.0}
        assert app.open_sockets == 1_100
        assert all(socket.none() for socket in idle)
        for socket in active[:50]:
            socket.send("complete", id="one")
        for socket in [*idle, *active]:
            await socket.gone()
        assert app.open_sockets == 0
        assert len(asyncio.all_tasks()) == 1

    run(main())
    assert home.services.channel._listening == {}
