"""A PostgreSQL server that a test may kill, and start again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.support import postgresql

__all__ = ["Server", "server_to_kill"]

_ATTEMPTS = 100


@attrs.define
class Server:
    """A server of one's own, on a socket in a temporary folder."""

    programs: Path
    folder: Path
    user: str | None

    @property
    def url(self) -> str:
        """The URL of a database on it."""
        return f"{postgresql.DRIVER}energycore@/postgres?host={self.folder}"

    def new_database(self) -> str:
        """The URL of a new database, which ends with the server."""
        import psycopg  # tests without PostgreSQL run without its driver

        name = f"crash_{uuid.uuid4().hex}"
        dsn = self.url.replace(postgresql.DRIVER, "postgresql://", 1)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload, unused-ignore] # a name cannot be bound
        return self.url.replace("/postgres?", f"/{name}?")

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self.folder / ".s.PGSQL.5432"

    def start(self) -> None:
        """Start it; after a kill that succeeds once the last of its processes has gone."""
        settings = f"-c listen_addresses='' -k {self.folder} -c max_connections=40"
        for _ in range(_ATTEMPTS):
            # pg_ctl waits for the server to answer, and for recovery.
            done = self._control(f"--log={self.folder}/log", f"--options={settings}", "start")
            if done.returncode == 0:
                return
        raise RuntimeError(
            f"the server does not start:\n{(self.folder / 'log').read_text()[-2000:]}"
        )

    def kill(self) -> None:
        """End it with SIGKILL, as a failure of power would: nothing is written any more."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it for good."""
        self._control("--mode=immediate", "stop")

    def _control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            str(self.programs / "pg_ctl"),
            "--wait",
            f"--pgdata={self.folder}/data",
            *arguments,
        ]
        return subprocess.run(command, user=self.user, cwd="/", capture_output=True, text=True)


@contextlib.contextmanager
def server_to_kill() -> Iterator[Server]:
    """Make and start a server, with fsync: what it acknowledges must survive its death.

    Raises:
        NoServer: the programs of PostgreSQL are not here.
    """
    programs = postgresql.programs()
    if programs is None:
        raise postgresql.NoServer("a server that can be killed needs initdb and pg_ctl")
    user = postgresql.unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="energycore-"))
    server = Server(programs=programs, folder=folder, user=user)
    try:
        if user:
            shutil.chown(folder, user)
        subprocess.run(
            [
                str(programs / "initdb"),
                "--auth=trust",
                "--username=energycore",
                str(folder / "data"),
            ],
            user=user,
            cwd="/",
            check=True,
            capture_output=True,
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
