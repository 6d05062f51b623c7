"""What tests need of a broker of messages, whichever it is."""

import contextlib
import socket
import subprocess
import time
from typing import Any

from kombu import Connection
from redis.exceptions import RedisError

__all__ = ["NoBroker", "answering", "forget", "free_port", "transport_options"]

_DEADLINE_S = 60
_PAUSE_S = 0.05
_UNREACHABLE = (OSError, RedisError)


class NoBroker(Exception):
    """This machine has no such broker in any of the places that the tests look at."""


def transport_options(url: str, name: str) -> dict[str, Any]:
    """How a project of this name keeps to itself on a broker that others use as well."""
    if not url.startswith("redis"):
        return {}
    # What a worker has not acknowledged after this time is given to the next one that starts.
    return {"global_keyprefix": f"{name}:", "visibility_timeout": 1}


def forget(url: str, name: str) -> None:
    """Remove from a broker all that a project of this name has left there."""
    with Connection(url) as connection:
        channel: Any = connection.channel()
        if url.startswith("redis"):
            for key in list(channel.client.scan_iter(match=f"{name}:*")):
                channel.client.delete(key)
        else:
            channel.queue_delete(name)
            channel.exchange_delete(name)


def answering(url: str, process: "subprocess.Popen[Any]") -> str:
    """The URL, as soon as the process that serves it answers."""
    end = time.monotonic() + _DEADLINE_S
    while not _answers(url):
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < end, f"{url} takes too long"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PAUSE_S)
    return url


def _answers(url: str) -> bool:
    with Connection(url, connect_timeout=1) as connection:
        try:
            connection.connect()
        except _UNREACHABLE:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
