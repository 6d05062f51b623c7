"""A full disk refuses readings with an error, keeps what it has, and goes on when there is room."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import energycore as ec
from energycore.errors import StorageUnavailable
from tests.crash.load import BATCH, Standing, batch, prepare

SIZE_MB = 24


@contextmanager
def small_disk():
    """A file system in memory that holds little; mounting one takes the rights of root."""
    folder = Path(tempfile.mkdtemp(prefix="energycore-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        folder.rmdir()
        if os.environ.get("CI") and os.geteuid() == 0:
            raise RuntimeError(done.stderr)
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, server):
    """A database on a small disk: its URL, and the disk."""
    with small_disk() as disk:
        if request.param == "sqlite":
            yield f"sqlite:///{disk / 'home.db'}", disk
            return
        with tablespace(server, disk) as url:
            yield url, disk


@contextmanager
def tablespace(server, disk):
    """A database whose tables lie on the disk; the server's own log and journal do not."""
    import psycopg

    place = disk / "tables"
    place.mkdir()
    if server.user:
        disk.chmod(0o755)
        shutil.chown(place, server.user)
    dsn = server.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        connection.execute("CREATE DATABASE small TABLESPACE small")
        try:
            yield server.url.replace("/postgres?", "/small?")
        finally:
            connection.execute("DROP DATABASE small WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


def fill(energy, ids, acknowledge):
    """Send batches until one is refused; how many were acknowledged."""
    acknowledged = 0
    for number in range(2_000):
        try:
            energy.services.ingestion.record(energy.scope, batch(ids, number))
        except StorageUnavailable:
            if acknowledge == "whatever happens":
                acknowledged += 1
            return acknowledged
        acknowledged += 1
    raise AssertionError("the disk is too large")


def stored(energy, ids):
    return len(energy.readings(ids, Standing.first(), Standing().now()))


def test_what_was_committed_is_stored_and_it_recovers_by_itself(database):
    url, disk = database
    with ec.connect(url, clock=Standing()) as energy:
        ids = prepare(energy)
        ballast = disk / "ballast"
        free = shutil.disk_usage(disk).free
        ballast.write_bytes(bytes(max(0, free - 9_000_000)))
        acknowledged = fill(energy, ids, "when stored")
        assert acknowledged > 0
        assert stored(energy, ids) == acknowledged * BATCH
        ballast.unlink()
        result = energy.services.ingestion.record(energy.scope, batch(ids, acknowledged))
        assert result.accepted == BATCH
        assert stored(energy, ids) == (acknowledged + 1) * BATCH


def test_an_acknowledgement_of_what_was_refused_is_caught_here(database):
    url, disk = database
    with ec.connect(url, clock=Standing()) as energy:
        ids = prepare(energy)
        free = shutil.disk_usage(disk).free
        (disk / "ballast").write_bytes(bytes(max(0, free - 9_000_000)))
        assert stored(energy, ids) != fill(energy, ids, "whatever happens") * BATCH
