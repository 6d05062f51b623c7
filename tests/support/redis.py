"""A Redis server for tests: one that is named, or one started for them."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

from tests.support.brokers import NoBroker, answering

__all__ = ["server"]

VARIABLE = "ENERGYCORE_TEST_REDIS"


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Give the URL of a server, as Celery takes it.

    Looked for in this order: the environment variable, redis-server on the PATH.

    Raises:
        NoBroker: none of these is here.
    """
    if named := os.environ.get(VARIABLE):
        yield named
    elif program := shutil.which("redis-server"):
        with _throwaway(program) as url:
            yield url
    else:
        raise NoBroker(f"no Redis: set {VARIABLE}=redis://host:6379/0, or install redis-server")


@contextlib.contextmanager
def _throwaway(program: str) -> Iterator[str]:
    """Run a server of our own, on a socket in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="energycore-") as folder:
        socket = f"{folder}/redis.sock"
        settings = ("--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder)
        process = subprocess.Popen([program, *settings], stdout=subprocess.DEVNULL)
        try:
            yield answering(f"redis+socket://{socket}", process)
        finally:
            process.terminate()
            process.wait()
