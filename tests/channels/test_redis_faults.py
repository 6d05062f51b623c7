"""Redis hangs, goes, and comes back: nobody who stores is held up, and nothing stays unheard."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from energycore.channels import open_channel
from energycore.protocols.channel import Change
from energycore.testing.channels import Heard
from tests.support.brokers import answering, free_port

TENANT = "acme"
# Far above what a publication may take, and far below the seconds that a client waits by default.
SOON_S = 1.0


@contextlib.contextmanager
def own_server(port):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on the PATH")
    command = [program, "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield answering(f"redis://127.0.0.1:{port}/0", process), process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


class Proxy:
    """Carries bytes to a server until it is told to cut all connections."""

    def __init__(self, port):
        self.loop = asyncio.new_event_loop()
        self.target = port
        self.port = free_port()
        self.writers = set()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,))
        self.thread.start()
        assert ready.wait(10)

    def run(self, ready):
        self.stopping = asyncio.Event()
        self.loop.run_until_complete(self.serve(ready))

    async def serve(self, ready):
        async with await asyncio.start_server(self.carry, "127.0.0.1", self.port):
            ready.set()
            await self.stopping.wait()
            self.drop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def carry(self, reader, writer):
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self.writers |= {writer, up_writer}
        await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))

    def drop(self):
        while self.writers:
            self.writers.pop().close()

    def cut(self):
        self.loop.call_soon_threadsafe(self.drop)

    def close(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join()
        self.loop.close()


async def pipe(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(4_096):
            writer.write(data)
            await writer.drain()
    writer.close()


def published(channel, change):
    """How long a publication takes [s]; it never raises."""
    start_s = time.monotonic()
    channel.publish(change)
    return time.monotonic() - start_s


@pytest.fixture
def opened():
    with contextlib.ExitStack() as stack:

        def one(url):
            channel = open_channel(url)
            stack.callback(channel.close)
            return channel

        yield one


def test_a_server_that_hangs_holds_nobody_up_and_is_made_good_for(opened):
    with own_server(free_port()) as (url, process):
        here, there = opened(url), opened(url)
        own, other = Heard(here, TENANT), Heard(there, TENANT)
        os.kill(process.pid, signal.SIGSTOP)
        change = Change(TENANT, frozenset({1}))
        took_s = [published(here, change) for _ in range(50)]
        # Of fifty, one waited for the server, and the others did not even try.
        assert sum(took_s) < SOON_S
        assert [own.next() for _ in took_s] == [change] * 50
        assert other.none()
        os.kill(process.pid, signal.SIGCONT)
        other.until(change)


def test_a_server_that_is_killed_and_comes_back_is_made_good_for(opened):
    port = free_port()
    with own_server(port) as (url, process):
        here, there = opened(url), opened(url)
        own, other = Heard(here, TENANT), Heard(there, TENANT)
        process.kill()
        process.wait()
        assert published(here, Change(TENANT, frozenset({2}))) < SOON_S
        assert own.next() == Change(TENANT, frozenset({2}))
    with own_server(port):
        other.until(Change(TENANT, frozenset({2})))


def test_a_connection_that_is_cut_is_renewed_and_anything_may_have_changed(opened, redis_url):
    with own_server(free_port()) as (url, _):
        proxy = Proxy(int(url.rpartition(":")[2].partition("/")[0]))
        try:
            here, there = opened(url), opened(f"redis://127.0.0.1:{proxy.port}/0")
            other = Heard(there, TENANT)
            here.publish(Change(TENANT, frozenset({3})))
            assert other.next() == Change(TENANT, frozenset({3}))
            proxy.cut()
            assert other.next() == Change(TENANT)
            here.publish(Change(TENANT, frozenset({4})))
            other.until(Change(TENANT, frozenset({4})))
        finally:
            proxy.close()


def test_without_a_server_listeners_of_the_process_are_told_all_the_same(opened):
    channel = opened(f"redis://127.0.0.1:{free_port()}/0")
    own = Heard(channel, TENANT)
    assert published(channel, Change(TENANT)) < SOON_S
    assert own.next() == Change(TENANT)


@pytest.mark.parametrize(
    "text",
    [
        b"rubbish",
        b"[]",
        b"\xff\xfe",
        b'["x", 1, null]',
        b'["x", "acme", "all"]',
        b'["x", "acme", [1.5]]',
        b'["x", "acme", [' + b",".join([b"1"] * 1_001) + b"]]",
        b"[" * 100_000,
    ],
)
def test_nonsense_on_the_channel_is_no_change(opened, redis_url, text, caplog):
    import redis

    here, there = opened(redis_url), opened(redis_url)
    other = Heard(there, TENANT)
    with redis.Redis.from_url(redis_url) as client:
        client.publish("energycore:0:changes", text)
    here.publish(Change(TENANT, frozenset({5})))
    assert other.next() == Change(TENANT, frozenset({5}))
    assert "is none" in caplog.text
