"""Projects of processes over one PostgreSQL database, and what is written down of their ticks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

import energycore as ec
from energycore.wiring.clocks import SystemClock
from energycore.wiring.connect import connect
from tests.support import postgresql

__all__ = [
    "DEADLINE_S",
    "START",
    "Process",
    "Project",
    "advances",
    "check_exactly_once",
    "clock",
    "project_of",
    "until",
]

DEADLINE_S: Final = 120
_PAUSE_S: Final = 0.05
START: Final = datetime(2026, 6, 1, 9, 0, 20, tzinfo=UTC)
HOME: Final = (
    ec.SolarPanel(name="Roof", rated_power_w=5_000, noise_key=1),
    ec.Battery(
        name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=5_000, noise_key=2
    ),
    ec.Appliance(name="Kettle", average_power_w=200, noise_key=3),
)

# What the database itself writes down of every tick that is committed, once for each time.
WRITTEN_DOWN: Final = """
CREATE TABLE advance (position bigserial PRIMARY KEY, tenant_id text, at_us bigint);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO advance (tenant_id, at_us) VALUES (NEW.tenant_id, NEW.last_tick_us);
    RETURN NEW;
END $$;
CREATE TRIGGER written_down AFTER UPDATE OF last_tick_us ON energycore_shard
    FOR EACH ROW EXECUTE FUNCTION write_down();
"""


def clock(minutes: float, speed: float = 0.0) -> dict[str, Any]:
    """What a project is told of its clock.

    Args:
        minutes: how long after `START` it is now.
        speed: how many times as fast as the computer's clock it runs; by default it stands.
    """
    start = START + timedelta(minutes=minutes)
    since = SystemClock().now()
    return {"start": start.isoformat(), "since": since.isoformat(), "speed": speed}


class Process:
    """A command of a project, in a group of processes of its own."""

    def __init__(
        self, command: list[str], env: dict[str, str], log: Path, cwd: Path | None = None
    ) -> None:
        self._log = log
        with log.open("w") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8")

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, while this is running."""
        until(holds, self)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its exit status."""
        self.popen.send_signal(number)
        return self.popen.wait(DEADLINE_S)

    def kill(self) -> None:
        """End it and all that it has started, in the middle of whatever they do."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(DEADLINE_S)


def until(holds: Callable[[], object], *processes: Process) -> None:
    """Wait until something holds, while all these processes run."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        for process in processes:
            assert process.popen.poll() is None, f"it ended:\n{process.said}"
        told = "\n".join(process.said for process in processes)
        assert time.monotonic() < end, f"it takes too long:\n{told}"
        # Looks again soon, and at once if the process ends.
        with suppress(subprocess.TimeoutExpired):
            processes[0].popen.wait(_PAUSE_S)


class Project:
    """A Django project over a database of its own, whose processes end with it."""

    def __init__(self, url: str, given: dict[str, Any], folder: Path, stack: ExitStack) -> None:
        self.url = url
        self.given = given
        self._folder = folder
        self._stack = stack
        self._count = 0

    def process(self, *command: str) -> Process:
        """Start a module of Python, such as django or celery."""
        self._count += 1
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.django.celery_settings",
            "ENERGYCORE_TEST_PROJECT": json.dumps(self.given),
            "PYTHONUNBUFFERED": "1",
        }
        log = self._folder / f"{self._count}.log"
        process = Process([sys.executable, "-m", *command], env, log)
        self._stack.callback(process.kill)
        return process

    def manage(self, *arguments: str) -> Process:
        """Start a management command."""
        return self.process("django", *arguments)

    def worker(self) -> Process:
        """Start a worker, and wait until it takes tasks."""
        process = self.process(
            *("celery", "--app=tests.django.celery_app", "worker", "--concurrency=1"),
            *("--loglevel=INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        )
        process.until(lambda: " ready." in process.said)
        return process

    def beat(self) -> Process:
        """Start a beat that knows of no other."""
        schedule = self._folder / f"beat-{self._count}"
        return self.process(
            *("celery", "--app=tests.django.celery_app", "beat", "--loglevel=INFO"),
            *(f"--schedule={schedule}", f"--pidfile={schedule}.pid"),
        )

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type, unused-ignore] # a text of the tests
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding_states(self) -> Iterator[None]:
        """Within the block a tick comes as far as the last thing that it writes, and waits."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("SELECT 1 FROM energycore_device_state FOR UPDATE")
            yield
            connection.rollback()

    def waiting(self) -> list[str]:
        """What the ticks do that wait for others, as they wrote it in SQL."""
        select = "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
        return [query for (query,) in self.sql(f"{select} AND wait_event_type = 'Lock'")]

    def is_waiting(self) -> bool:
        """Whether somebody waits for what `holding_states` holds."""
        return any("energycore_device_state" in query for query in self.waiting())

    def unreachable(self) -> None:
        """Close all connections to the database, and allow no new ones."""
        self._as_administrator("ALLOW_CONNECTIONS false")
        self._administrate(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{self.given['database']['NAME']}'"
        )

    def reachable(self) -> None:
        """Allow connections again."""
        self._as_administrator("ALLOW_CONNECTIONS true")

    def _as_administrator(self, change: str) -> None:
        self._administrate(f'ALTER DATABASE "{self.given["database"]["NAME"]}" {change}')

    def _administrate(self, statement: str) -> None:
        dsn = self._dsn.replace(self.given["database"]["NAME"], "postgres")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type, unused-ignore] # a name cannot be bound

    @property
    def _dsn(self) -> str:
        return self.url.replace(postgresql.DRIVER, "postgresql://", 1)

    def energy(self, tenant: str = "default") -> ec.Energy:
        """The database as anybody else opens it."""
        return connect(self.url, tenant=tenant, clock=_Standing(START))


@contextmanager
def project_of(
    url: str, given: dict[str, Any], folder: Path, tenants: tuple[str, ...] = ("default",)
) -> Iterator[Project]:
    """A project over an empty database, in which each tenant has a home that ticked once."""
    with ExitStack() as stack:
        project = Project(url, given, folder, stack)
        migrated = project.manage("migrate", "energycore", "--verbosity=0")
        assert migrated.popen.wait(DEADLINE_S) == 0, migrated.said
        for tenant in tenants:
            with project.energy(tenant) as energy:
                _settle(energy)
                energy.tick()
        project.sql(WRITTEN_DOWN)
        yield project


def _settle(energy: ec.Energy) -> list[int]:
    """Register the home, and give the identities of its devices."""
    site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
    steered = {"battery": "self_consumption"}
    return [
        energy.register(device, site=site, dispatch=steered.get(device.kind)).id for device in HOME
    ]


class _Standing:
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def advances(project: Project, tenant: str = "default") -> list[datetime]:
    """Where the shard of a tenant stood after each of its ticks that was committed, in order."""
    rows = project.sql(f"SELECT at_us FROM advance WHERE tenant_id = '{tenant}' ORDER BY position")
    return [datetime.fromtimestamp(at_us / 1e6, UTC) for (at_us,) in rows]


def check_exactly_once(project: Project) -> None:
    """Every tick up to the newest happened once, and moved each device once.

    What was stored is what a database in memory stores, where nothing happens twice.
    """
    ends = advances(project)
    assert ends == sorted(set(ends))
    with project.energy() as energy, ec.connect("memory://", clock=_Standing(ends[-1])) as other:
        first, end = START.replace(second=0), ends[-1] + timedelta(minutes=1)
        ids = _settle(other)
        other.tick(since=first)
        stored, expected = energy.readings(ids, first, end), other.readings(ids, first, end)
        for column in ("device_id", "at_us", "power_mw", "stored_mwh"):
            assert getattr(stored, column).tolist() == getattr(expected, column).tolist()
