"""A real server with several workers that all tick: the database lets each tick happen once."""

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import energycore as ec
from energycore_fastapi import ticking
from tests.django.celery_projects import HOME, START, WRITTEN_DOWN, Process, clock
from tests.fastapi.worker_app import TENANTS
from tests.support import postgresql

slow = pytest.mark.slow
MINUTE = timedelta(minutes=1)
FIRST = START.replace(second=0)
ROUND = re.compile(r"worker (\d+) begins a round")
STARTED = re.compile(r"Started server process \[(\d+)\]")

# As WRITTEN_DOWN, which is for PostgreSQL.
WRITTEN_DOWN_BY_SQLITE = """
CREATE TABLE advance (position INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id TEXT, at_us BIGINT);
CREATE TRIGGER written_down AFTER UPDATE OF last_tick_us ON energycore_shard BEGIN
    INSERT INTO advance (tenant_id, at_us) VALUES (NEW.tenant_id, NEW.last_tick_us);
END;
"""


class StoppedClock:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


def settle(energy):
    """Register the home, and give the identities of its devices."""
    site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
    steered = {"battery": "self_consumption"}
    return [
        energy.register(device, site=site, dispatch=steered.get(device.kind)).id for device in HOME
    ]


class SqliteFile:
    """What a test does to a file behind the back of the workers."""

    def __init__(self, url):
        self._path = url.removeprefix("sqlite:///")
        self.written_down = WRITTEN_DOWN_BY_SQLITE

    def sql(self, statement):
        with closing(sqlite3.connect(self._path, timeout=60)) as database:
            database.executescript(statement)

    def rows(self, statement):
        with closing(sqlite3.connect(self._path, timeout=60)) as database:
            return database.execute(statement).fetchall()


class PostgresqlServer:
    """The same of a database of PostgreSQL."""

    def __init__(self, url):
        self.dsn = url.replace(postgresql.DRIVER, "postgresql://", 1)
        self.written_down = WRITTEN_DOWN

    def sql(self, statement):
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)

    def rows(self, statement):
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    @contextmanager
    def holding_states(self):
        """Within the block a tick comes as far as the last thing that it writes, and waits."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("SELECT 1 FROM energycore_device_state FOR UPDATE")
            yield
            connection.rollback()

    def waiting(self):
        """What those do that wait for a lock."""
        select = "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
        return [query for (query,) in self.rows(f"{select} AND wait_event_type = 'Lock'")]


class Workers:
    """A database in which each tenant has a home that ticked once, and servers over it."""

    def __init__(self, url, database, folder):
        self.url = url
        self.database = database
        self._folder = folder
        self._servers = []
        for tenant in TENANTS:
            with self.energy(tenant) as energy:
                settle(energy)
                energy.tick()
        database.sql(database.written_down)

    def energy(self, tenant="default"):
        return ec.connect(self.url, tenant=tenant, clock=StoppedClock(START))

    def serve(self, workers=3, speed=120.0):
        """Start a server, and wait until all its workers run."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        env = os.environ | {
            "ENERGYCORE_DATABASE_URL": self.url,
            "TEST_CLOCK": json.dumps(clock(0, speed=speed)),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "uvicorn", "--factory", "tests.fastapi.worker_app:create"]
        command += ["--port", str(port), "--workers", str(workers)]
        server = Process(command, env, self._folder / f"{port}.log")
        self._servers.append(server)
        server.until(lambda: server.said.count("Application startup complete") >= workers)
        return server

    def kill_all(self):
        for server in self._servers:
            server.kill()

    def advances(self, tenant="default"):
        """Where the shard of a tenant stood after each committed tick, in order."""
        select = f"SELECT at_us FROM advance WHERE tenant_id = '{tenant}' ORDER BY position"
        rows = self.database.rows(select)
        return [datetime.fromtimestamp(at_us / 1e6, UTC) for (at_us,) in rows]

    def advanced(self, by):
        """Whether each tenant has been moved so many times from now on, as a question."""
        before = {tenant: len(self.advances(tenant)) for tenant in TENANTS}
        return lambda: all(len(self.advances(t)) >= count + by for t, count in before.items())

    def check_exactly_once(self):
        """Every tick up to the newest happened once, and moved each device once.

        What was stored is what a database in memory stores, where nothing happens twice.
        """
        for tenant in TENANTS:
            ends = self.advances(tenant)
            assert ends == sorted(set(ends))
            end = ends[-1] + MINUTE
            with self.energy(tenant) as energy:
                page = energy.devices()
                ids = [record.id for record in page.items]
                with ec.connect("memory://", clock=StoppedClock(ends[-1])) as other:
                    theirs = settle(other)
                    other.tick(since=FIRST)
                    stored = energy.readings(ids, FIRST, end)
                    expected = other.readings(theirs, FIRST, end)
                    for column in ("at_us", "power_mw", "stored_mwh"):
                        found, wanted = (getattr(b, column).tolist() for b in (stored, expected))
                        assert found == wanted, column


@pytest.fixture
def on_sqlite(tmp_path):
    url = f"sqlite:///{tmp_path / 'home.db'}"
    workers = Workers(url, SqliteFile(url), tmp_path)
    yield workers
    workers.kill_all()


@pytest.fixture
def on_postgresql(postgresql_url, tmp_path):
    workers = Workers(postgresql_url, PostgresqlServer(postgresql_url), tmp_path)
    yield workers
    workers.kill_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def workers(request):
    """Workers on each database in turn."""
    return request.getfixturevalue(f"on_{request.param}")


@slow
def test_with_three_workers_each_tick_happens_once(workers):
    server = workers.serve(workers=3)
    pids = STARTED.findall(server.said)
    server.until(workers.advanced(5))
    server.until(lambda: set(ROUND.findall(server.said)) == set(pids))
    assert server.stop() == 0
    assert len(pids) == 3
    assert len(ROUND.findall(server.said)) > len(workers.advances())
    assert "Traceback" not in server.said
    workers.check_exactly_once()


@slow
def test_workers_that_are_killed_one_by_one_lose_and_repeat_no_tick(workers):
    server = workers.serve(workers=3)
    for pid in STARTED.findall(server.said):
        server.until(workers.advanced(1))
        os.kill(int(pid), signal.SIGKILL)
    server.until(lambda: len(STARTED.findall(server.said)) >= 6)
    server.until(workers.advanced(3))
    assert server.stop() == 0
    workers.check_exactly_once()


@slow
def test_a_worker_that_is_killed_within_a_tick_leaves_it_to_the_next(on_postgresql):
    database = on_postgresql.database
    with database.holding_states():
        server = on_postgresql.serve(workers=2)
        server.until(
            lambda: any("energycore_device_state" in query for query in database.waiting())
        )
        for pid in STARTED.findall(server.said):
            os.kill(int(pid), signal.SIGKILL)
        server.until(lambda: len(STARTED.findall(server.said)) == 4)
    server.until(on_postgresql.advanced(3))
    assert server.stop() == 0
    on_postgresql.check_exactly_once()


@slow
def test_a_tick_waits_for_a_database_that_is_away(on_postgresql):
    name = on_postgresql.url.rpartition("/")[2]
    administrator = PostgresqlServer(f"{on_postgresql.url.rpartition('/')[0]}/postgres")
    server = on_postgresql.serve(workers=2)
    server.until(on_postgresql.advanced(1))
    administrator.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    administrator.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    server.until(lambda: "a tick is put off" in server.said)
    administrator.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    server.until(on_postgresql.advanced(2))
    assert server.stop() == 0
    assert "Traceback" not in server.said
    on_postgresql.check_exactly_once()


def test_the_end_of_the_application_does_not_wait_for_the_next_tick(caplog):
    """It is a minute away by a clock that stands still."""
    jobs = {"energycore-tick", "energycore-roll-up"}

    def running():
        return jobs & {thread.name for thread in threading.enumerate()}

    async def application(energy):
        async with ticking(energy):
            assert running() == jobs

    with ec.connect("memory://", clock=StoppedClock(START)) as energy:
        asyncio.run(application(energy))
    assert running() == set()
    assert caplog.records == []
