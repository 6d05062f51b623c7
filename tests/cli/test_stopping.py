"""How `energycore serve` ends: at every moment, whatever is under way, and never with a trace."""

import asyncio
import json
import logging
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from functools import partial

import pytest

from energycore.cli.stopping import CutOffRequests
from energycore.jobs.stopping import StopRequested, StopSignals
from tests.cli.served import DEADLINE_S, running

SITE = 'mutation { registerSite(input: {name: "Hut", timeZone: "UTC"}) { site { id } } }'
REGISTER = json.dumps({"query": SITE}).encode()

# Runs the command, and sends itself a signal at the n-th event of a name that Python audits, from
# within the event: there an exception of a handler would break or be lost.
INTERRUPTED = """
import gc, signal, sys
wanted, number = sys.argv[1], int(sys.argv[2])
left = int(sys.argv[3])

def reached(*what):
    global left
    if wanted in " ".join(map(str, what)):
        left -= 1
        if left == 0:
            signal.raise_signal(number)

def collected(phase, info):
    if "uvicorn" in sys.modules:
        reached("collection", phase)

class Lost:
    def __del__(self):
        if "uvicorn" in sys.modules:
            reached("lost object")

def audited(event, arguments):
    reached(event, *arguments[:1])
    if event == "sqlite3.connect":
        Lost()

gc.callbacks.append(collected)
sys.addaudithook(audited)
sys.argv = ["energycore", "serve", "--demo", "--port", "0"]
from energycore.cli import main
main()
"""

MOMENTS = [
    "import uvicorn 1",
    "import energycore_fastapi.app 1",
    "cli/home.toml 1",
    "socket.bind 1",
    "sqlite3.connect 1",
    "import alembic.command 1",
    "lost object 1",
    "collection start 1",
    "collection stop 3",
    "socket.__new__ 3",
]


def at(moment, number, folder):
    """Start a server that gets a signal at a moment, and wait for its end."""
    event, _, count = moment.rpartition(" ")
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED, event, str(int(number)), count],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


@pytest.fixture
def stop():
    signals = StopSignals()
    with signals.caught():
        yield signals


def test_a_signal_is_a_wish_that_is_looked_at(stop, capfd):
    stop.check()
    signal.raise_signal(signal.SIGINT)
    assert stop.asked
    with pytest.raises(StopRequested):
        stop.check()
    assert capfd.readouterr().err == "stopping; Ctrl-C again ends at once\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_ends_the_server_that_it_comes_before_or_after(number, capfd):
    class Server:
        should_exit = False

    server, signals, started = Server(), StopSignals(), []
    before = signal.getsignal(number)
    with signals.caught():
        for later in (server, Server()):
            signals.ends_by(partial(setattr, later, "should_exit", True))
            started.append(later)
            signal.raise_signal(number)
    assert started == [server]
    assert server.should_exit
    assert signal.getsignal(number) is before


def test_only_what_a_server_cuts_off_is_left_out_of_its_log(caplog):
    logger, cut_off = logging.getLogger("uvicorn.error"), CutOffRequests()
    with cut_off.watched():
        for _ in range(2):
            try:
                raise asyncio.CancelledError
            except asyncio.CancelledError as error:
                logger.error("Exception in ASGI application\n", exc_info=error)
        logger.error("Cancel %s running task(s), timeout graceful shutdown exceeded", 2)
        logger.error("something else")
    logger.error("Cancel %s running task(s), timeout graceful shutdown exceeded", 1)
    assert cut_off.count == 2
    assert [record.getMessage()[:9] for record in caplog.records] == ["something", "Cancel 1 "]


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_whenever_ctrl_c_comes_the_start_ends_quietly(moment, tmp_path):
    done = at(moment, signal.SIGINT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("stopping; Ctrl-C again ends at once\nstopped\n"), done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def locked(path):
    """A database that nobody else can write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def waiting_request(server):
    """A request that waits for the database, sent off for sure before the block begins."""
    url = server.client.base_url
    with socket.create_connection((url.host, url.port)) as client:
        head = f"POST /graphql HTTP/1.1\r\nhost: {url.host}\r\ncontent-type: application/json\r\n"
        client.sendall(f"{head}content-length: {len(REGISTER)}\r\n\r\n".encode() + REGISTER)
        server.ask("{ __typename }")
        yield client


@pytest.mark.slow
def test_a_request_and_a_tick_that_do_not_end_are_cut_off_in_a_line_each(tmp_path):
    patient = "sqlite:///energycore.db?timeout=600"
    with running(tmp_path, "--database", patient, "--demo", "--speed", "3600") as server:
        with locked(tmp_path / "energycore.db"), waiting_request(server) as client:
            assert server.stop(signal.SIGTERM) == 0
            assert client.recv(12) == b"HTTP/1.1 500"
        # Totals may be rolled up at that moment, or not.
        said = [line for line in server.errors.splitlines() if "a roll-up was" not in line]
    assert said[-4:] == [
        "stopping; Ctrl-C again ends at once",
        "a tick was cut off after 5 s: the next start runs it again",
        "1 request was cut off after 5 s",
        "stopped",
    ]


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(tmp_path):
    patient = "sqlite:///energycore.db?timeout=600"
    with (
        running(tmp_path, "--database", patient, "--no-tick") as server,
        locked(tmp_path / "energycore.db"),
        waiting_request(server),
    ):
        server.process.send_signal(signal.SIGINT)
        server.until(lambda: "stopping" in server.errors)
        assert server.stop() == 128 + signal.SIGINT
        assert server.errors == "stopping; Ctrl-C again ends at once\n"
    with sqlite3.connect(tmp_path / "energycore.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
