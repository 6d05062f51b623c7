"""A server that may be killed, for all tests of this folder."""

import os

import pytest

from tests.crash.servers import server_to_kill
from tests.support.postgresql import NoServer


@pytest.fixture(scope="module")
def server():
    """Without the programs of PostgreSQL a skip, in CI a failure."""
    try:
        with server_to_kill() as running:
            yield running
    except NoServer as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
