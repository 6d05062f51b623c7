"""`energycore upkeep`: what it says it did is what it did, and a dry run does nothing."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import energycore as ec
from tests.cli.runs import refusal, run, words

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
START = datetime(2024, 6, 3, tzinfo=UTC)
DAYS = 4
PER_DAY = 24
KEPT = ("--keep-days", "forever")
RANGE = ("--from", "2024-06-01", "--to", "2024-06-10")


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A database with some days of hourly readings that are long ago."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'energycore.db'}"
    with ec.connect(url) as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        roof = energy.register(
            ROOF, site=site, data_source=ec.DataSource.REPORTED, max_gap=timedelta(hours=1)
        )
        energy.record(
            [
                ec.NewReading(device_id=roof.id, at=START + timedelta(hours=n), power_w=n % 24)
                for n in range(DAYS * PER_DAY)
            ]
        )
    return url


def content(path):
    """All rows of all tables."""
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def history(url, interval="day"):
    output = run(
        "history", "--database", url, "--site", "Home", *RANGE, "--interval", interval, "--json"
    ).stdout
    return json.loads(output)["buckets"]


def readings(url):
    with ec.connect(url) as energy:
        return energy.readings(1, START - timedelta(days=9), START + timedelta(days=99))


def test_readings_go_into_the_archive_and_their_history_stays(url, tmp_path):
    before = history(url), history(url, "hour")
    output = run("upkeep", "--database", url, "--archive", "archive").stdout
    assert "rolled up 5 days: totals are kept up to " in output
    assert "archived 96 readings of 4 days: they left the database\n" in output
    files = list((tmp_path / "archive").rglob("*.parquet"))
    assert len(files) == DAYS
    assert content(tmp_path / "energycore.db")["energycore_reading"] == []
    assert (history(url), history(url, "hour")) == before
    assert len(readings(url)) == DAYS * PER_DAY


def test_a_second_run_archives_nothing_again(url, tmp_path):
    run("upkeep", "--database", url, "--archive", "archive")
    files = sorted((tmp_path / "archive").rglob("*.parquet"))
    output = run("upkeep", "--database", url).stdout
    assert "archived" not in output
    assert "removed" not in output
    assert sorted((tmp_path / "archive").rglob("*.parquet")) == files


def test_an_archive_is_remembered_by_a_name_that_holds_in_every_folder(url, tmp_path, monkeypatch):
    run("upkeep", "--database", url, "--archive", "archive")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with ec.connect(url) as energy:
        energy.record([ec.NewReading(device_id=1, at=START + timedelta(days=9), power_w=1.0)])
    assert "archived 1 reading of 1 day" in run("upkeep", "--database", url).stdout
    assert list(elsewhere.iterdir()) == []
    assert len(readings(url)) == DAYS * PER_DAY + 1


def test_without_an_archive_it_says_that_readings_are_gone_for_good(url, tmp_path):
    before = history(url)
    command = ("upkeep", "--database", url, "--keep-quarter-hours", "forever")
    for_good = "the readings of 4 days for good: there is no archive\n"
    assert f"would remove {for_good}" in run(*command, *KEPT, "--dry-run").stdout
    assert f"removed {for_good}" in run(*command, *KEPT).stdout
    assert content(tmp_path / "energycore.db")["energycore_reading"] == []
    assert history(url) == before


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(url, tmp_path):
    before = content(tmp_path / "energycore.db")
    command = ("upkeep", "--database", url, "--archive", "archive", "--keep-quarter-hours", "8d")
    would = run(*command, "--dry-run").stdout.splitlines()
    assert content(tmp_path / "energycore.db") == before
    assert {path.name for path in tmp_path.iterdir()} <= {
        "energycore.db",
        "energycore.db-wal",
        "energycore.db-shm",
    }
    did = run(*command).stdout.splitlines()
    assert would[0].startswith("would roll up 5 days: totals are kept up to ")
    assert did[0].startswith("rolled up 5 days: totals are kept up to ")
    assert would[1] == "would archive 96 readings of 4 days: they leave the database then"
    assert did[1] == "archived 96 readings of 4 days: they left the database"


def test_only_rolling_up_keeps_everything(url, tmp_path):
    output = run("upkeep", "--database", url, "--roll-up-only").stdout
    assert output.startswith("rolled up 5 days")
    assert output.count("\n") == 1
    tables = content(tmp_path / "energycore.db")
    assert len(tables["energycore_reading"]) == DAYS * PER_DAY


def test_totals_whose_time_is_over_are_counted_and_let_go(url):
    keep = ("--keep-raw", "1d", "--keep-quarter-hours", "1w", "--keep-days", "1y")
    output = run("upkeep", "--database", url, *keep).stdout
    assert "totals whose time is over" in output
    assert {bucket["interval"] for bucket in history(url) if bucket["coverage"]} == {"month"}
    assert "time is over" not in run("upkeep", "--database", url, *keep).stdout


def test_what_is_kept_for_ever_stays(url, tmp_path):
    keep = [f"--keep-{name}" for name in ("raw", "quarter-hours", "days")]
    arguments = [text for option in keep for text in (option, "forever")]
    assert "removed" not in run("upkeep", "--database", url, *arguments).stdout
    assert len(content(tmp_path / "energycore.db")["energycore_reading"]) == DAYS * PER_DAY


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--keep-raw", "7"],
            (
                "keep-raw must be days, weeks or years of 365 days, such as 7d, 12w or 2y, or"
                " forever, not '7' (INVALID_VALUE)"
            ),
        ),
        (
            ["--keep-raw", "91d"],
            (
                "keep-quarter-hours must be at least as long as a finer resolution is kept, not"
                " '90d' (INVALID_VALUE)"
            ),
        ),
        (["--archive", "ftp://host/x"], "archive must be a folder, "),
        (["--archive", ""], "archive must be a folder, "),
        (["--database", "sqlite:///other.db"], "there is no database "),
        (
            ["--database", "postgresql+psycopg://h/x", "--hash-partitions", "-1"],
            "hash-partitions must be from 0 to ",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(url, arguments, message):
    assert refusal("upkeep", "--database", url, *arguments).startswith(f"error: {message}")


def test_a_login_in_the_url_of_an_archive_is_refused_and_never_shown(url, tmp_path):
    error = refusal("upkeep", "--database", url, "--archive", "s3://key:sesame@bucket/prefix")
    assert "sesame" not in error
    assert "sesame" not in str(content(tmp_path / "energycore.db"))


def test_an_archive_that_is_away_stops_it_and_nothing_is_lost(url, tmp_path):
    before = history(url)
    (tmp_path / "archive").write_text("not a folder")
    error = refusal("upkeep", "--database", url, "--archive", "archive")
    assert error.endswith("(ARCHIVE_UNAVAILABLE)\n")
    assert len(content(tmp_path / "energycore.db")["energycore_reading"]) == DAYS * PER_DAY
    (tmp_path / "archive").unlink()
    assert "archived 96 readings" in run("upkeep", "--database", url).stdout
    assert history(url) == before


def test_the_doctor_tells_how_far_totals_are_and_where_the_archive_is(url, tmp_path):
    def doctor():
        lines = run("doctor", "--database", url).stdout.splitlines()
        return [" ".join(line.split()) for line in lines]

    lines = doctor()
    assert "Readings of 4 days in the database, of 0 in the archive" in lines
    assert "Totals none yet: energycore upkeep or serve computes them" in lines
    assert "Archive none" in lines
    run("upkeep", "--database", url, "--archive", "archive")
    text = " ".join(doctor())
    assert "Readings of 0 days in the database, of 4 in the archive" in text
    assert "Totals kept up to 20" in text
    # A long path goes on in the next line, and is never cut.
    assert f"Archive{tmp_path}/archive" in text.replace(" ", "")


def test_the_doctor_tells_what_is_still_to_be_rolled_up_and_what_is_gone(url):
    run("upkeep", "--database", url, "--keep-quarter-hours", "1w")
    with ec.connect(url) as energy:
        late = ec.NewReading(device_id=1, at=START + timedelta(days=99), power_w=1.0)
        assert energy.record([late]).accepted == 1
    text = " ".join(run("doctor", "--database", url).stdout.split())
    assert "of 1 day in the database, of 0 in the archive, of 4 gone for good" in text
    assert "days to be computed" in text or "1 day to be computed" in text
    assert "quarter-hours from 20" in text


def test_partitions_are_for_postgresql_only(url):
    for option in (["--hash-partitions", "4"], ["--brin"]):
        told = words(run("upkeep", "--database", url, *option, code=2).stderr)
        assert "only a PostgreSQL database has partitions" in told


def test_postgresql_gets_its_partitions_as_they_are_asked_for(postgresql_url):
    ec.connect(postgresql_url).close()
    run("upkeep", "--database", postgresql_url, "--hash-partitions", "3", "--brin")
    today = f"energycore_reading_d{datetime.now(UTC):%Y%m%d}"  # noqa: TID251 - as the command does
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass"
        assert connection.execute(parts, [today]).fetchone() == (3,)
        method = (
            "SELECT count(*) FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%% brin %%'"
        )
        assert connection.execute(method, [today]).fetchone() == (1,)
