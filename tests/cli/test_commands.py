"""The short commands, the errors they share, and what they load."""

import json
import os
import sqlite3
import subprocess
import sys
from importlib.metadata import metadata, version

import pytest
from typer.testing import CliRunner

import energycore as ec
from energycore.cli.app import app
from energycore.graphql import sdl
from energycore.jobs.sentences import pace
from energycore.storage.sql.schema import HEAD
from tests.cli.runs import refusal, run
from tests.support import contract

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return "sqlite:///energycore.db"


def python(program):
    """Run a program in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ
    )


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout == f"energycore {version('energycore')}\n"


def test_the_schema_is_printed_as_the_server_has_it():
    printed = run("schema").stdout
    assert printed == sdl()
    assert printed == contract.PRINTED.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    ["", "simulate", "serve", "tick", "history", "import", "upkeep", "migrate", "schema", "doctor"],
)
def test_every_command_explains_itself_in_80_columns(command):
    output = run(*command.split(), "--help").stdout
    assert "Usage:" in output
    assert max(map(len, output.splitlines())) <= 80


def test_a_wrong_use_ends_with_2_and_no_trace():
    for arguments in (["fly"], ["simulate"], ["simulate", "x.toml", "--days", "many"]):
        assert "Traceback" not in run(*arguments, code=2).output
    assert "--demo" in run("serve", "x.toml", "--demo", code=2).stderr


def test_a_tick_runs_once_at_its_instant(url):
    with ec.connect(url) as energy:
        energy.register(ROOF)
    at = ("--at", "2026-06-01T12:00:00Z")
    assert "ticks run: 1, readings stored: 1" in run("tick", "--database", url, *at).stdout
    assert (
        "ticks run: 0 (already stored up to 2026-06-01T12:00:00Z), readings stored: 0"
        in run("tick", "--database", url, *at).stdout
    )
    assert "ticks run: 2" in run("tick", "--at", "2026-06-01T12:02Z").stdout


def test_a_tick_of_an_accelerated_database_is_its_next(url):
    with ec.connect(url) as energy:
        energy.register(ROOF)
        energy.accelerate(60)
    run("tick", "--at", "2026-06-01T12:00Z")
    assert "at 2026-06-01T12:01:00+00:00, ticks run: 1" in run("tick").stdout
    assert "at 2026-06-01T12:02:00+00:00, ticks run: 1" in run("tick").stdout


def test_an_instant_needs_an_offset_and_the_step(url):
    ec.connect(url).close()
    without_offset = refusal("tick", "--at", "2026-06-01T12:00")
    assert "an offset, such as 2026-06-01T12:00Z or" in without_offset
    assert without_offset.endswith("not '2026-06-01T12:00' (INSTANT_WITHOUT_ZONE)\n")
    assert refusal("tick", "--at", "2026-06-01T14:00:30+02:00") == (
        "error: at must be a whole multiple of the step of 60 s, such as 2026-06-01T12:00:00Z,"
        " not '2026-06-01T14:00:30+02:00' (TICK_MISALIGNED)\n"
    )
    assert "at must be an instant" in refusal("tick", "--at", "noon")
    for far in ("1812-01-01T00:00Z", "2290-01-01T00:00Z", "2500-01-01T00:00Z"):
        assert refusal("tick", "--at", far).endswith(f"not '{far}' (INSTANT_OUT_OF_RANGE)\n")


def test_a_tick_without_devices_says_why_nothing_happens(url):
    ec.connect(url).close()
    assert "ticks run: 0 (there are no devices), readings stored: 0" in run("tick").stdout


def test_only_serve_makes_a_database(url, tmp_path):
    for arguments in (["tick"], ["tick", "--database", url], ["migrate", url]):
        told = refusal(*arguments)
        assert f"there is no database {tmp_path / 'energycore.db'}" in told
        assert "energycore serve makes one" in told
    assert "not there yet" in run("doctor", "--database", url).stdout
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_memory_is_shown_as_it_is_written():
    for url in ("memory://", "sqlite://", "sqlite:///:memory:"):
        assert f"Database {url}\n" in run("doctor", "--database", url).stdout


@pytest.mark.parametrize(("speed", "words"), [(1, "1 second a"), (60, "60 seconds a")])
def test_a_pace_is_told_in_words(speed, words):
    assert pace(speed) == f"{words} second"


def test_a_database_that_is_none_is_told_in_a_line():
    assert "(UNSUPPORTED_DATABASE)" in refusal("tick", "--database", "mysql://h/x")
    assert "(UNSUPPORTED_DATABASE)" in refusal("migrate", "nonsense")
    away = "sqlite:////no/such/folder/x.db"
    assert "(STORAGE_UNAVAILABLE)" in refusal("serve", "--port", "0", "--database", away)
    assert "sqlite:///x.db" in refusal("tick", "--database", "sqlite://x.db")


def test_migrate_says_whether_there_was_anything_to_do(url):
    sqlite3.connect("energycore.db").execute("VACUUM")
    assert run("migrate", url).stdout == f"{url} was brought up to date\n"
    assert run("migrate", url).stdout == f"{url} is up to date\n"


def test_an_outdated_database_names_the_remedy(url):
    ec.connect(url).close()
    with sqlite3.connect("energycore.db") as database:
        database.execute("UPDATE energycore_schema SET version_num = '9999'")
    assert "pip install --upgrade energycore (SCHEMA_OUTDATED)" in refusal("tick")
    assert "(SCHEMA_OUTDATED)" in refusal("doctor")


def test_the_doctor_says_what_is_installed_and_makes_no_database(url, tmp_path):
    output = run("doctor").stdout
    assert "Python" in output
    assert "Time zones" in output
    assert "appliance, battery, electric_vehicle, solar_panel" in output
    for extra in metadata("energycore").get_all("Provides-Extra") or ():
        assert (f"\n{extra} " in output) is (extra != "all")
    assert "not there yet" in output
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_looks_into_a_database(url):
    with ec.connect(url) as energy:
        site = energy.register_site(ec.Site(name="Home"))
        energy.register(ROOF, site=site)
        meter = ec.Appliance(name="Meter", average_power_w=100)
        energy.register(meter, data_source=ec.DataSource.REPORTED)
    run("tick", "--at", "2026-06-01T12:00Z")
    lines = [" ".join(line.split()) for line in run("doctor").stdout.splitlines()]
    assert "Database sqlite:///energycore.db" in lines
    assert f"Schema {HEAD}" in lines
    assert "Sites 1" in lines
    assert "Devices 2 (1 simulated, 1 reported; 0 inactive)" in lines
    assert "Shard 1 step 60 s, newest tick 2026-06-01T12:00:00+00:00" in lines
    assert "Clock the wall clock" in lines
    assert any(line.startswith("Kind sqlite 3.") for line in lines)


def test_the_doctor_tells_an_accelerated_clock(url):
    with ec.connect(url) as energy:
        energy.register(ROOF)
        energy.accelerate(60)
    run("tick", "--at", "2026-06-01T12:00Z")
    words = " ".join(run("doctor").stdout.split())
    assert "accelerated, 60 seconds a second, at 2026-06-01T12:01:00+00:00" in words
    assert "takes no reported devices" in words


def test_the_doctor_leaves_an_empty_database_empty(url, tmp_path):
    sqlite3.connect(tmp_path / "energycore.db").execute("VACUUM")
    assert "the first use makes the tables" in run("doctor", "--database", url).stdout
    with sqlite3.connect(tmp_path / "energycore.db") as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.postgresql
def test_the_doctor_looks_into_postgresql_and_hides_the_password(postgresql_url):
    output = run("doctor", "--database", postgresql_url).stdout
    assert "postgresql" in output
    assert "the first use makes the tables" in output


def test_a_password_is_never_printed():
    secret = "postgresql+psycopg://me:sesame@127.0.0.1:1/x"
    result = CliRunner().invoke(app, ["doctor", "--database", secret])
    assert result.exit_code == 1
    assert "sesame" not in result.output
    assert "(STORAGE_UNAVAILABLE)" in result.stderr


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_command_says_what_to_install(missing):
    done = python(
        f"import sys; sys.modules[{missing!r}] = None; import energycore.cli as c; c.main()"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        'error: the command line needs more packages: run pip install "energycore[cli]"'
        " (MISSING_EXTRA)\n"
    )


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi"])
def test_serving_without_its_extra_says_what_to_install(missing, tmp_path):
    program = (
        f"import os, sys; os.chdir({str(tmp_path)!r}); sys.modules[{missing!r}] = None;"
        "sys.argv = ['energycore', 'serve', '--demo', '--port', '0'];"
        "import energycore.cli as c; c.main()"
    )
    done = python(program)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert 'run pip install "energycore[fastapi]" (MISSING_EXTRA)' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_loads_only_what_it_needs():
    program = (
        "import json, sys\n"
        "sys.argv = ['energycore', '--version']\n"
        "import energycore.cli as c\n"
        "try: c.main()\n"
        "except SystemExit: print(json.dumps(sorted(sys.modules)))\n"
    )
    loaded = json.loads(python(program).stdout.splitlines()[-1])
    heavy = {"numpy", "sqlalchemy", "graphql", "cattrs", "fastapi", "uvicorn", "pandas"}
    assert not heavy & set(loaded)


def test_python_dash_m_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "energycore", "--version"], capture_output=True, text=True
    )
    assert done.stdout == run("--version").stdout
