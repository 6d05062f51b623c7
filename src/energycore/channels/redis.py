"""Changes between processes, through the publish and subscribe commands of Redis."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

from energycore.channels.local import LocalChannel
from energycore.errors import UnsupportedChannel
from energycore.extras import load_extra
from energycore.protocols.channel import MAX_CHANGED, Change, Listening, Wake

__all__ = ["RedisChannel"]

_LOG: Final = logging.getLogger(__name__)
_PUBLISH_S: Final = 0.05
_REST_S: Final = 1.0
_CONNECT_S: Final = 2.0
_CHECK_S: Final = 1.0
_PATIENCE_S: Final = 3.0
_FIRST_S: Final = 0.5
_MIN_BACKOFF_S: Final = 0.05
_MAX_BACKOFF_S: Final = 5.0
_MAX_OWED: Final = 1_000


class RedisChannel:
    """Tells listeners in this process at once, and those in others through a Redis server.

    What is stored never depends on Redis: while it cannot be reached, whoever publishes is held up
    for 50 ms, at most once a second, and what it could not tell is told later, as a change of any
    device. A listener that lost its connection is told the same as soon as it has one again.

    Args:
        url: of the server; the database's number is part of the name under which changes are
            published, for Redis itself does not keep them apart.
        prefix: begins that name.

    Raises:
        UnsupportedChannel: the URL cannot be read.
        MissingExtra: redis is not installed.
    """

    def __init__(self, url: str, *, prefix: str = "energycore") -> None:
        self._redis: Any = load_extra("redis", feature="A channel over Redis", extra="redis")
        self._retry: Any = load_extra("redis.retry", feature="A channel over Redis", extra="redis")
        self._backoff: Any = load_extra(
            "redis.backoff", feature="A channel over Redis", extra="redis"
        )
        self._url = url
        self._local = LocalChannel()
        self._own = uuid4().hex
        try:
            self._sender = self._client(_PUBLISH_S, _PUBLISH_S)
        except ValueError as error:
            raise UnsupportedChannel(f"the URL of the channel cannot be read: {error}") from None
        number = self._sender.connection_pool.connection_kwargs.get("db") or 0
        self._topic: Final = f"{prefix}:{number}:changes"
        self._turn = threading.Lock()
        self._owed: set[str] = set()
        self._rest_until_s = 0.0
        self._reader: _Reader | None = None
        self._closed = False

    def _client(self, connect_s: float, wait_s: float) -> Any:
        return self._redis.Redis.from_url(
            self._url,
            socket_connect_timeout=connect_s,
            socket_timeout=wait_s,
            retry=self._retry.Retry(self._backoff.NoBackoff(), 0),
            retry_on_error=[],
            health_check_interval=0,
        )

    def publish(self, change: Change) -> None:
        """Tell the listeners of the tenant, here and elsewhere."""
        self._local.publish(change)
        if self._closed:
            return
        with self._turn:
            if time.monotonic() < self._rest_until_s:
                self._owe(change.tenant)
                return
            owed = [Change(tenant) for tenant in sorted(self._owed - {change.tenant})]
            first = Change(change.tenant) if change.tenant in self._owed else change
            self._send([first, *owed])

    def repay(self) -> None:
        """Tell what could not be told before, if the time for it has come."""
        with self._turn:
            if self._owed and time.monotonic() >= self._rest_until_s:
                self._send([Change(tenant) for tenant in sorted(self._owed)])

    def _send(self, changes: list[Change]) -> None:
        try:
            with self._sender.pipeline(transaction=False) as pipeline:
                for change in changes:
                    pipeline.publish(self._topic, _encoded(self._own, change))
                pipeline.execute()
        except (self._redis.RedisError, OSError) as error:
            if not self._owed:
                _LOG.warning("changes cannot be told to other processes: %s", error)
            self._rest_until_s = time.monotonic() + _REST_S
            for change in changes:
                self._owe(change.tenant)
        else:
            self._owed.clear()

    def _owe(self, tenant: str) -> None:
        if len(self._owed) < _MAX_OWED:
            self._owed.add(tenant)

    def subscribe(self, tenant: str, wake: Wake) -> Listening:
        """Be told of each change of a tenant, wherever it is published.

        The first one waits for the connection, but not for long: what is missed until there is
        one is made good like what a lost connection missed.
        """
        listening = self._local.subscribe(tenant, wake)
        with self._turn:
            if self._reader is None and not self._closed:
                self._reader = _Reader(self, self._client(_CONNECT_S, _CONNECT_S), self._topic)
                self._reader.start()
            reader = self._reader
        if reader is not None:
            reader.connected.wait(_FIRST_S)
        return listening

    def hear(self, text: bytes) -> None:
        """Tell the listeners here what another process has published."""
        for change in _decoded(self._own, text):
            self._local.publish(change)

    def anything_may_have_changed(self) -> None:
        """Tell all listeners here."""
        self._local.publish_to_all()

    def close(self) -> None:
        """Give the connections back and forget all listeners."""
        self._closed = True
        with self._turn:
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()
        self._local.close()
        self._sender.close()


class _Reader(threading.Thread):
    """Hears what is published, over a connection that it renews."""

    def __init__(self, channel: RedisChannel, client: Any, topic: str) -> None:
        super().__init__(name="energycore-changes", daemon=True)
        self._channel = channel
        self._client = client
        self._topic = topic
        self._stopping = threading.Event()
        self.connected = threading.Event()

    def stop(self) -> None:
        """End, in a few seconds at most: a server that does not answer is not waited for."""
        self._stopping.set()
        self.join(_CHECK_S + _CONNECT_S)

    def run(self) -> None:
        """Listen until stopped."""
        # Whoever subscribes waits so long for the first connection, and has missed nothing then.
        nothing_missed_until_s = time.monotonic() + _FIRST_S / 2
        backoff_s = _MIN_BACKOFF_S
        while not self._stopping.is_set():
            try:
                with self._client.pubsub() as pubsub:
                    pubsub.subscribe(self._topic)
                    for text in self._heard(pubsub):
                        if text is not None:
                            self._channel.hear(text)
                            continue
                        backoff_s = _MIN_BACKOFF_S
                        self.connected.set()
                        if time.monotonic() > nothing_missed_until_s:
                            self._channel.anything_may_have_changed()
            except Exception as error:  # noqa: BLE001 - whatever it is, listening goes on
                _LOG.warning("changes in other processes are not heard of: %s", error)
                nothing_missed_until_s = 0.0
                self.connected.clear()
                self._stopping.wait(backoff_s)
                backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)
        self._client.close()

    def _heard(self, pubsub: Any) -> Iterator[bytes | None]:
        """What is published, and None where the server has confirmed that it will tell it."""
        heard_s = time.monotonic()
        while not self._stopping.is_set():
            message = pubsub.get_message(timeout=_CHECK_S)
            self._channel.repay()
            now_s = time.monotonic()
            if message is None:
                if now_s - heard_s > _PATIENCE_S:
                    raise TimeoutError(f"the server has not answered for {_PATIENCE_S:g} s")
                # Answered where the server is there: a connection can be dead without a word.
                pubsub.ping()
                continue
            heard_s = now_s
            if message["type"] == "subscribe":
                yield None
            elif message["type"] == "message":
                yield message["data"]


def _encoded(origin: str, change: Change) -> bytes:
    ids = None if change.device_ids is None else sorted(change.device_ids)
    return json.dumps([origin, change.tenant, ids], separators=(",", ":")).encode("utf-8")


def _decoded(own: str, text: bytes) -> Iterator[Change]:
    """The change that another process published; nothing of our own, and of nonsense."""
    try:
        origin, tenant, ids = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        origin = tenant = ids = None
    if origin == own:
        return
    known = isinstance(tenant, str) and (ids is None or _are_ids(ids))
    if not known:
        _LOG.warning("a message of %d bytes among the changes is none", len(text))
        return
    yield Change(tenant, None if ids is None else frozenset(ids))


def _are_ids(ids: object) -> bool:
    return (
        isinstance(ids, list)
        and len(ids) <= MAX_CHANGED
        and all(isinstance(one, int) and not isinstance(one, bool) for one in ids)
    )
