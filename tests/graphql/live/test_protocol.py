"""graphql-transport-ws to the letter: which close code each mistake gets, and every limit."""

import asyncio
import json

import pytest

from energycore.errors import InvalidValue, NotAllowed, StorageUnavailable
from energycore.graphql import GraphQLContext
from energycore.graphql.live import SocketLimits
from energycore.protocols.scope import Scope
from tests.graphql.live.sockets import Socket, serving

STATES = "subscription { deviceStates { name } }"


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"bytes": b'{"type": "ping"}'}, 4400),
        ({"text": "rubbish"}, 4400),
        ({"text": "[]"}, 4400),
        ({"text": "null"}, 4400),
        ({"text": '{"type": null}'}, 4400),
        ({"text": '{"type": ["ping"]}'}, 4400),
        ({"text": '{"type": "start", "id": "1", "payload": {"query": "{ a }"}}'}, 4400),
        ({"text": '{"type": "connection_terminate"}'}, 4400),
        ({"text": '{"type": "connection_ack"}'}, 4400),
        ({"text": '{"type": "ping", "payload": 1}'}, 4400),
        ({"text": '{"type": "ping", "payload": {"a": NaN}}'}, 4400),
        ({"text": '{"type": "ping", "payload": {"a": "\\ud800"}}'}, 4400),
        ({"text": '{"type": "ping", "payload": {"a": "' + "\ud800" + '"}}'}, 4400),
        ({"text": "[" * 50_000}, 4400),
        ({"text": '{"type": "subscribe", "payload": {"query": "{ a }"}}'}, 4400),
        ({"text": '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}'}, 4400),
        ({"text": '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}'}, 4400),
        ({"text": json.dumps({"type": "complete", "id": "x" * 129})}, 4400),
        ({"text": '{"type": "subscribe", "id": "1"}'}, 4400),
        ({"text": '{"type": "subscribe", "id": "1", "payload": {}}'}, 4400),
        ({"text": '{"type": "subscribe", "id": "1", "payload": {"query": 1}}'}, 4400),
        (
            {
                "text": '{"type": "subscribe", "id": "1",'
                ' "payload": {"query": "{ a }", "variables": []}}'
            },
            4400,
        ),
        ({"text": '{"type": "connection_init"}'}, 4429),
        ({"text": "x" * 262_145}, 1009),
        ({"text": "é" * 131_073}, 1009),
    ],
)
def test_each_mistake_has_its_code(engine, home, event, code):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.put(**event)
        assert await socket.closed() == code

    run(main())


def test_nothing_is_answered_before_connection_init(engine, home):
    """CVE-2026-35523: an operation that starts without it."""

    async def main():
        app = serving(engine, home.services)
        for kind in ("query", "subscribe"):
            socket = Socket(app)
            await socket.event()
            query = "{ devices { totalCount } }" if kind == "query" else STATES
            socket.subscribe(query)
            socket.send("connection_init")
            event = await socket.event()
            assert (event["type"], event["code"]) == ("websocket.close", 4401)
            await socket.gone()

    run(main())


def test_pings_are_answered_with_their_payload_before_and_after_the_beginning(engine, home):
    async def main():
        socket = Socket(serving(engine, home.services))
        await socket.event()
        socket.send("ping", payload={"a": [1]})
        assert await socket.next() == {"type": "pong", "payload": {"a": [1]}}
        socket.send("pong")
        socket.send("connection_init")
        assert (await socket.next())["type"] == "connection_ack"
        socket.send("ping")
        assert await socket.next() == {"type": "pong"}
        await socket.gone()

    run(main())


def test_an_id_that_is_in_use_ends_the_socket(engine, home):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        await socket.next()
        socket.subscribe(STATES)
        assert await socket.closed() == 4409

    run(main())


def test_the_end_of_an_unknown_operation_is_no_mistake(engine, home):
    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.send("complete", id="gone")
        socket.send("ping")
        assert (await socket.next())["type"] == "pong"
        await socket.gone()

    run(main())


@pytest.mark.parametrize("offered", [[], ["graphql-ws"], ["graphql-ws", "soap"]])
def test_only_one_protocol_is_spoken(engine, home, offered):
    async def main():
        socket = Socket(serving(engine, home.services), subprotocols=offered)
        assert (await socket.event())["subprotocol"] is None
        assert await socket.closed() == 4406

    run(main())


def test_a_client_that_says_nothing_is_closed(engine, home):
    async def main():
        socket = Socket(serving(engine, home.services, init_timeout_s=0.05))
        await socket.event()
        assert await socket.closed() == 4408

    run(main())


def test_a_client_that_has_begun_is_not_closed_by_the_timeout_of_the_beginning(engine, home):
    async def main():
        app = serving(engine, home.services, init_timeout_s=0.05, ping_s=0.2)
        socket = await Socket(app).opened()
        assert await socket.next() == {"type": "ping"}
        socket.send("pong")
        assert await socket.next() == {"type": "ping"}
        await socket.gone()

    run(main())


def test_a_client_that_answers_no_ping_is_closed(engine, home):
    async def main():
        socket = await Socket(serving(engine, home.services, ping_s=0.05)).opened()
        assert await socket.closed() == 4499

    run(main())


def origin(name, host=b"energy.example.com", scheme="ws"):
    headers = [(b"host", host)]
    if name is not None:
        headers.append((b"origin", name))
    return {"headers": headers, "scheme": scheme}


@pytest.mark.parametrize(
    ("handshake", "allowed", "is_served"),
    [
        (origin(None), (), True),
        (origin(b"https://energy.example.com"), (), True),
        (origin(b"http://energy.example.com"), (), True),
        (origin(b"HTTPS://Energy.example.com"), (), True),
        (origin(b"https://energy.example.com:443"), (), True),
        (origin(b"http://energy.example.com", scheme="wss"), (), False),
        (origin(b"http://127.0.0.1:8000", b"127.0.0.1:8000"), (), True),
        (origin(b"http://127.0.0.1:8001", b"127.0.0.1:8000"), (), False),
        (origin(b"https://evil.example"), (), False),
        (origin(b"https://energy.example.com.evil.example"), (), False),
        (origin(b"https://evil.example/energy.example.com"), (), False),
        (origin(b"null"), (), False),
        (origin(b""), (), False),
        (origin(b"file://energy.example.com"), (), False),
        (origin(b"https://app.example.com"), ("https://app.example.com",), True),
        (origin(b"http://app.example.com"), ("https://app.example.com",), False),
        (origin(b"https://evil.example"), ("*",), True),
    ],
)
def test_pages_of_other_origins_are_refused_before_the_socket_is_open(
    engine, home, handshake, allowed, is_served
):
    async def main():
        socket = Socket(serving(engine, home.services, allowed_origins=allowed), **handshake)
        event = await socket.event()
        assert event["type"] == ("websocket.accept" if is_served else "websocket.close")
        await socket.gone()

    run(main())


def test_sockets_beyond_the_limit_are_told_to_come_later_and_free_places_are_given(engine, home):
    async def main():
        app = serving(engine, home.services, max_sockets=2)
        one, two = Socket(app), await Socket(app).opened()
        await one.event()
        third = Socket(app)
        await third.event()
        assert await third.closed() == 1013
        await one.gone()
        fourth = await Socket(app).opened()
        assert app.open_sockets == 2
        await two.gone()
        await fourth.gone()
        assert app.open_sockets == 0

    run(main())


class Door:
    """Tells who a client is until it is shut."""

    def __init__(self, services):
        self.services = services
        self.error = None
        self.tenant = "acme"
        self.payloads = []

    def __call__(self, _scope, payload):
        self.payloads.append(payload)
        if self.error is not None:
            raise self.error
        return GraphQLContext(services=self.services, scope=Scope(self.tenant))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAllowed("log in first"), 4403),
        (StorageUnavailable("the password is swordfish"), 1013),
        (RuntimeError("the password is swordfish"), 4500),
    ],
)
def test_a_client_that_is_refused_is_told_so_and_no_secret(engine, home, error, code):
    door = Door(home.services)
    door.error = error

    async def main():
        socket = Socket(serving(engine, home.services, door))
        await socket.event()
        socket.send("connection_init", payload={"token": "1234"})
        event = await socket.event()
        assert (event["type"], event["code"]) == ("websocket.close", code)
        assert "swordfish" not in event["reason"]
        await socket.gone()

    run(main())
    assert door.payloads == [{"token": "1234"}]


@pytest.mark.parametrize("how", ["in time", "with the next operation"])
@pytest.mark.parametrize("what", ["permission", "tenant"])
def test_a_client_that_loses_its_permission_is_closed(engine, home, how, what):
    door = Door(home.services)

    async def main():
        recheck_s = 0.05 if how == "in time" else None
        app = serving(engine, home.services, door, recheck_s=recheck_s)
        socket = await Socket(app).opened()
        socket.subscribe(STATES)
        await socket.next()
        if what == "permission":
            door.error = NotAllowed("logged out")
        else:
            door.tenant = "other"
        if how != "in time":
            socket.subscribe("{ devices { totalCount } }", id="two")
        assert await socket.closed() == 4403

    run(main())
    assert home.services.channel._listening == {}


def test_a_server_that_says_that_the_client_has_gone_is_believed(engine, home, caplog):
    home.panels(1)

    async def main():
        socket = await Socket(serving(engine, home.services)).opened()
        socket.subscribe(STATES)
        await socket.next()
        socket.has_gone = True
        socket.writing.clear()
        home.report(1.0)
        await socket.writing.wait()
        await socket.gone()

    run(main())
    assert home.services.channel._listening == {}
    assert caplog.records == []


@pytest.mark.parametrize(
    "given",
    [
        {"max_sockets": 0},
        {"max_operations": True},
        {"max_message_bytes": "1 MB"},
        {"init_timeout_s": 0},
        {"ping_s": float("nan")},
        {"summary_s": None},
        {"heartbeat_s": -1},
        {"allowed_origins": "https://app.example.com"},
        {"allowed_origins": ["app.example.com"]},
        {"allowed_origins": ["https://app.example.com/path"]},
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(given):
    with pytest.raises(InvalidValue) as refused:
        SocketLimits(**given)
    assert refused.value.field == next(iter(given))


def test_limits_that_are_off_are_named():
    assert SocketLimits().switched_off() == []
    limits = SocketLimits(max_sockets=None, recheck_s=None, allowed_origins=["*"])
    assert limits.switched_off() == ["max_sockets", "recheck_s", "allowed_origins"]
