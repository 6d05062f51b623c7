"""A Redis server for channels."""

from collections.abc import Iterator

import pytest

from tests.support import redis
from tests.support.brokers import NoBroker


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a server, as a channel takes it."""
    try:
        with redis.server() as url:
            # A socket in the file system has another scheme in Celery.
            yield url.replace("redis+socket://", "unix://")
    except NoBroker as error:
        pytest.skip(str(error))
