"""Upkeep on PostgreSQL killed at many moments: nothing is lost, and nothing is archived twice."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

import energycore as ec
from tests.cli.served import DEADLINE_S
from tests.cli.test_upkeep_killed import DAYS, END, KEPT, KILLED, MOMENTS, PER_DAY, QUARTER, START

pytestmark = pytest.mark.slow


@pytest.fixture
def url(postgresql_url):
    """A database with two weeks of quarter-hours of two devices."""
    with ec.connect(postgresql_url) as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        for name in ("Tea", "Coffee"):
            energy.register(
                ec.Appliance(name=name, average_power_w=100),
                site=site,
                data_source=ec.DataSource.REPORTED,
                max_gap=QUARTER,
            )
        energy.record(
            [
                ec.NewReading(device_id=device_id, at=START + n * QUARTER, power_w=n % 97 - 40.5)
                for device_id in (1, 2)
                for n in range(PER_DAY * DAYS)
            ]
        )
    return postgresql_url


def known(url):
    """Every reading, and histories of all by hour, day and month."""
    with ec.connect(url) as energy:
        batch = energy.readings([1, 2], START, END)
        return (
            [batch.device_id.tolist(), batch.at_us.tolist(), batch.power_mw.tolist()],
            [
                energy.history(START - timedelta(days=1), END, interval, of=of).buckets
                for interval in ("hour", "day", "month")
                for of in (None, 1, energy.site(1))
            ],
        )


def test_killed_at_any_moment_it_loses_nothing_and_archives_nothing_twice(url, tmp_path):
    """Eleven kills, while it writes, reads back, takes over, and begins the next day."""
    command = ["upkeep", "--database", url, "--archive", str(tmp_path / "archive"), *KEPT]
    before = known(url)
    assert len(MOMENTS) >= 10
    for moment, count in MOMENTS:
        done = subprocess.run(
            [sys.executable, "-c", KILLED, moment, str(count), *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert done.returncode == -signal.SIGKILL, (moment, count, done.stdout, done.stderr)
        assert known(url) == before, (moment, count)
    for _ in range(2):
        program = "from energycore.cli import main; main()"
        subprocess.run([sys.executable, "-c", program, *command], check=True, timeout=DEADLINE_S)
    assert known(url) == before
    with ec.connect(url) as energy, energy.services.storage.transaction(write=False) as work:
        days = work.telemetry.days(energy.scope, start_day=0, end_day=1 << 20)
    assert len(days) == DAYS
    assert not any(day.has_rows or day.is_lost for day in days)
    kept = [day.file for day in days if day.file is not None]
    assert sum(file.rows for file in kept) == 2 * PER_DAY * DAYS
    files = sorted(path.name for path in tmp_path.rglob("*.parquet"))
    assert sorted(file.name.rpartition("/")[2] for file in kept) == files
