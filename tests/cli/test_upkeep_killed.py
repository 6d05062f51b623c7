"""`energycore upkeep` killed at many moments: nothing is lost, and nothing is archived twice."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

import energycore as ec
from energycore.protocols.records import DeviceFilter
from tests.cli.served import DEADLINE_S, energycore, signalled
from tests.cli.terminals import in_terminal

pytestmark = pytest.mark.slow

START = datetime(2024, 6, 1, tzinfo=UTC)
DAYS = 16
END = START + timedelta(days=DAYS)
QUARTER = timedelta(minutes=15)
PER_DAY = 96
KEPT = ("--keep-quarter-hours", "forever", "--keep-days", "forever")
COMMAND = ("upkeep", "--archive", "archive", *KEPT)

# Runs the command, and kills itself at the n-th event of a name that Python audits, which is right
# before the thing itself happens.
KILLED = """
import os, signal, sys
wanted, left = sys.argv[1], int(sys.argv[2])

def audited(event, arguments):
    global left
    if "energycore.services.archiving" not in sys.modules:
        return
    if wanted in " ".join([event, *map(str, arguments)]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(audited)
sys.argv = ["energycore", *sys.argv[3:]]
from energycore.cli import main
main()
"""

# A file is begun under another name, and then gets its own; it is opened to be read back; the
# folder of the next day is made. The higher the count, the more days the same run archives before.
MOMENTS = [
    *((".part ", count) for count in (1, 2, 3, 4)),
    *((".parquet r ", count) for count in (1, 2, 3, 5)),
    *(("os.mkdir", count) for count in (1, 2, 3)),
]

# Upkeep that does not announce a file before it writes it, and so forgets the one of a killed run.
FORGETFUL = """
import os, signal, sys
from energycore.services.archiving import Archiving, Retired

is_killed = sys.argv[-1] == "killed"

def move(self, scope, known, batch, archive):
    name = archive.new_name(scope, known.day)
    file = archive.write(scope, known.day, batch, name=name)
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)
    with self.storage.transaction(write=True) as work:
        dropped = work.telemetry.drop_day(scope, known.day, revision=known.revision, file=file)
    return Retired(is_dropped=dropped, is_archived=True, readings=len(batch))
"""

# Upkeep that lets readings go before they are in the archive.
HASTY = """
import os, signal, sys
from energycore.protocols.archive import ArchivedFile
from energycore.services.archiving import Archiving, Retired

is_killed = sys.argv[-1] == "killed"

def move(self, scope, known, batch, archive):
    name = archive.new_name(scope, known.day)
    file = ArchivedFile(name=name, day=known.day, rows=len(batch), size_bytes=1)
    with self.storage.transaction(write=True) as work:
        dropped = work.telemetry.drop_day(scope, known.day, revision=known.revision, file=file)
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)
    archive.write(scope, known.day, batch, name=name)
    return Retired(is_dropped=dropped, is_archived=True, readings=len(batch))
"""

RUN_BROKEN = """
Archiving._move = move
if is_killed:
    sys.argv.pop()
from energycore.cli import main
main()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database with two weeks of quarter-hours of two devices."""
    path = tmp_path_factory.mktemp("made") / "energycore.db"
    with ec.connect(f"sqlite:///{path}") as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        for device in (
            ec.SolarPanel(name="Roof", rated_power_w=5_000),
            ec.Appliance(name="Tea", average_power_w=100),
        ):
            reported = ec.DataSource.REPORTED
            energy.register(device, site=site, data_source=reported, max_gap=QUARTER)
        energy.record(
            [
                ec.NewReading(device_id=device_id, at=START + n * QUARTER, power_w=n % 97 - 40.5)
                for device_id in (1, 2)
                for n in range(PER_DAY * DAYS)
            ]
        )
    return path


@pytest.fixture
def folder(made, tmp_path):
    shutil.copy(made, tmp_path)
    return tmp_path


def connected(folder):
    url = f"sqlite:///{folder / 'energycore.db'}"
    return ec.connect(url)


def known(folder):
    """All that anybody can ask: every reading, and histories by hour, day and month."""
    with connected(folder) as energy:
        histories, scope = energy.services.histories, energy.scope
        answers = []
        for interval in ("hour", "day", "month"):
            request = histories.request(START - timedelta(days=1), END, interval, "Europe/Berlin")
            answers.append(histories.of_devices(scope, [1, 2], request))
            answers.append(histories.of_sites(scope, [1], request))
            answers.append(histories.of_filter(scope, DeviceFilter(), request))
        batch = energy.readings([1, 2], START, END)
        columns = (batch.device_id, batch.at_us, batch.power_mw)
        return answers, [column.tolist() for column in columns]


def archived(folder):
    return sorted(path.name for path in (folder / "archive").rglob("*.parquet"))


def check_finished(folder):
    """Every day is in the archive once, and nothing else is."""
    with connected(folder) as energy, energy.services.storage.transaction(write=False) as work:
        days = work.telemetry.days(energy.scope, start_day=0, end_day=1 << 20)
    assert len(days) == DAYS
    assert not any(day.has_rows or day.is_lost for day in days)
    assert sum(day.file.rows for day in days) == 2 * PER_DAY * DAYS
    assert sorted(day.file.name.rpartition("/")[2] for day in days) == archived(folder)


def killed(folder, moment, count):
    """Run upkeep, which kills itself at a moment."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, moment, str(count), *COMMAND],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == -signal.SIGKILL, (moment, count, done.stdout, done.stderr)


def test_killed_at_any_moment_of_archiving_it_loses_nothing_and_archives_nothing_twice(folder):
    before = known(folder)
    for moment, count in MOMENTS:
        killed(folder, moment, count)
        assert known(folder) == before, (moment, count)
    done = energycore(folder, *COMMAND)
    assert "archived " in done.stdout
    assert known(folder) == before
    check_finished(folder)
    again = energycore(folder, *COMMAND)
    assert "archived" not in again.stdout
    check_finished(folder)


@pytest.mark.parametrize(("program", "caught_by"), [(FORGETFUL, check_finished), (HASTY, known)])
def test_an_upkeep_that_is_not_safe_is_noticed(folder, program, caught_by):
    command = [sys.executable, "-c", program + RUN_BROKEN, *COMMAND]
    done = subprocess.run([*command, "killed"], cwd=folder, capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == -signal.SIGKILL, done.stderr
    subprocess.run(command, cwd=folder, capture_output=True, timeout=DEADLINE_S)
    with pytest.raises((AssertionError, ec.EnergycoreError)):
        caught_by(folder)


def marked_days(folder):
    with closing(sqlite3.connect(folder / "energycore.db")) as database:
        (count,) = database.execute("SELECT count(DISTINCT day) FROM energycore_mark").fetchone()
    return count


@pytest.mark.parametrize("rolled", [1, 8])
def test_killed_while_it_rolls_up_it_goes_on_from_there(folder, rolled):
    before = known(folder)
    is_due = range(1, DAYS + 2 - rolled)
    status, _ = signalled(folder, COMMAND, lambda: marked_days(folder) in is_due, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert marked_days(folder) > 0
    assert known(folder) == before
    done = energycore(folder, *COMMAND)
    assert f"archived {2 * PER_DAY * DAYS:,} readings of {DAYS} days" in done.stdout
    assert known(folder) == before
    check_finished(folder)


def test_ctrl_c_ends_it_between_two_steps_and_the_next_run_does_the_rest(folder):
    before = known(folder)
    status, said = signalled(folder, COMMAND, lambda: len(archived(folder)) > 2, signal.SIGINT)
    assert (status, said) == (
        130,
        "stopping; Ctrl-C again ends at once\nstopped: run it again to go on from here\n",
    )
    count = len(archived(folder))
    assert 2 < count < DAYS
    assert known(folder) == before
    done = energycore(folder, *COMMAND)
    assert f"readings of {DAYS - count} days" in done.stdout
    assert known(folder) == before
    check_finished(folder)


@pytest.mark.skipif(os.name != "posix", reason="terminals are another thing elsewhere")
def test_progress_is_shown_on_a_terminal_only(folder):
    shutil.copy(folder / "energycore.db", folder / "other.db")
    shown = in_terminal(folder, *COMMAND)
    assert "rolling up" in shown
    assert "archiving" in shown
    done = energycore(folder, *COMMAND, "--database", "sqlite:///other.db", "--archive", "other")
    assert done.stderr == ""
    assert "archiving" not in done.stdout
    assert f"archived {2 * PER_DAY * DAYS:,} readings" in done.stdout
