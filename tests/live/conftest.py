"""The frameworks, and the client that they are asked by."""

import contextlib
from pathlib import Path

import pytest

from tests.live.worlds import WORLDS, World
from tests.support import npm, redis
from tests.support.brokers import NoBroker


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Path:
    """A folder with the packages of package.json."""
    manifest = Path(__file__).with_name("package.json")
    return npm.install(pytestconfig, manifest)


@pytest.fixture(params=WORLDS)
def make(request, tmp_path):
    """Start a server by one of the frameworks, with these limits."""
    with contextlib.ExitStack() as stack:

        def start(**options: object) -> World:
            return stack.enter_context(WORLDS[request.param](tmp_path, **options))

        yield start


@pytest.fixture(scope="session")
def redis_url():
    """The URL of a server, as a channel takes it."""
    try:
        with redis.server() as url:
            yield url.replace("redis+socket://", "unix://")
    except NoBroker as error:
        pytest.skip(str(error))
