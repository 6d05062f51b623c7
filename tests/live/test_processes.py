"""A change in one process reaches a socket of another through Redis."""

import os
import subprocess
import sys

import pytest

from tests.cli.served import running
from tests.live.clients import raw
from tests.live.worlds import fastapi

pytestmark = pytest.mark.slow

STATES = "subscription { deviceStates { name state { powerW } } }"
REGISTER = """mutation { registerDevice(input: {
  name: "Roof", spec: {solarPanel: {ratedPowerW: 1}}}) { device { id } } }"""


def states(client):
    message = client.next()
    assert message["type"] == "next", message
    return message["payload"]["data"]["deviceStates"]


def energycore(*arguments, **environment):
    command = [sys.executable, "-m", "energycore", *arguments]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_tick_of_a_command_reaches_the_socket_of_a_server(tmp_path, redis_url, by):
    with fastapi(tmp_path, channel=redis_url) as world, raw(world.url) as client:
        client.init().subscribe(STATES)
        assert states(client) == []
        client.subscribe(REGISTER, id="two")
        (mine,) = [m for m in (client.next() for _ in range(3)) if m["id"] == "one"]
        assert mine["payload"]["data"]["deviceStates"] == [{"name": "Roof", "state": None}]
        database = ("--database", f"sqlite:///{tmp_path / 'energy.db'}")
        if by == "option":
            energycore("tick", *database, "--channel", redis_url)
        else:
            energycore("tick", *database, ENERGYCORE_CHANNEL=redis_url)
        (state,) = states(client)
        assert (state["name"], state["state"] is None) == ("Roof", False)


def test_a_socket_of_one_server_hears_of_a_mutation_at_another(tmp_path, redis_url):
    options = ("--no-tick", "--channel", redis_url)
    with running(tmp_path, *options) as one, running(tmp_path, *options) as other:
        address = str(one.client.base_url).replace("http", "ws", 1).rstrip("/")
        assert f"{address}/graphql" in one.output
        with raw(f"{address}/graphql") as client:
            client.init().subscribe(STATES)
            assert states(client) == []
            other.ask(REGISTER)
            assert states(client) == [{"name": "Roof", "state": None}]
            # An open socket does not keep the server from ending.
            assert one.stop() == 0
        other.stop()
