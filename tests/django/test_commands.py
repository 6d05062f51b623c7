"""The management commands: what they do, what they say, and how they end."""

import signal
import threading
import zoneinfo
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.db import connections
from django.test import override_settings

import energycore as ec
from energycore.protocols.records import DeviceFilter
from energycore_django import energy
from energycore_django.demo import MOST_SITES, demo_homes
from tests.django.celery_projects import (
    DEADLINE_S,
    START,
    Project,
    advances,
    check_exactly_once,
    clock,
    project_of,
    until,
)
from tests.django.conftest import database, of_url
from tests.support import postgresql

slow = pytest.mark.slow
COMMANDS = ("energycore_tick", "energycore_upkeep", "energycore_demo", "energycore_doctor")
NOON = START.replace(second=0)


class Clock:
    """Stands until it is moved."""

    at = START

    def now(self):
        return self.at


@pytest.fixture
def now(project) -> Iterator[type[Clock]]:
    """The project's clock, and a database that nothing else writes to."""
    with override_settings(ENERGYCORE={"CLOCK": Clock}):
        yield Clock
    Clock.at = START


def run(name, *arguments):
    """What a command prints."""
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def refusal(name, *arguments):
    with pytest.raises(CommandError) as refused:
        run(name, *arguments)
    return str(refused.value)


def register(tenant=None):
    return energy(tenant).register(ec.SolarPanel(name="Roof", rated_power_w=5_000))


def test_a_tick_moves_the_devices_once_and_says_so(now):
    roof = register()
    said = "at 2026-06-01T09:00:00+00:00, ticks run: "
    assert run("energycore_tick") == f"{said}1, readings stored: 1\n"
    again = f"{said}0 (already stored up to 2026-06-01T09:00:00Z), readings stored: 0\n"
    assert run("energycore_tick", "--once") == again
    assert newest(energy(), roof) == NOON


def test_a_tick_makes_up_for_those_that_are_missing(now):
    register()
    run("energycore_tick")
    now.at += timedelta(minutes=10)
    assert "ticks run: 10, readings stored: 10" in run("energycore_tick")


def test_a_command_works_for_the_tenant_that_it_is_given(now):
    register("acme")
    assert "there are no devices" in run("energycore_tick")
    assert "ticks run: 1" in run("energycore_tick", "--tenant", "acme")
    assert run("energycore_upkeep", "--tenant", "acme").startswith(("rolled up", "nothing to do"))
    doctor = run("energycore_doctor", "--tenant", "acme")
    assert "Devices             1 (1 simulated, 0 reported; 0 inactive)" in doctor
    assert "Devices             0 " in run("energycore_doctor")


def test_upkeep_rolls_up_and_removes_what_its_time_is_over(now):
    register()
    energy().tick()
    now.at += timedelta(days=9)
    energy().tick(max_catch_up=timedelta(hours=1))
    told = run("energycore_upkeep", "--dry-run")
    assert told.startswith("would roll up 3 days: totals are kept up to 2026-06-10T08:45:00")
    assert "would remove the readings of 1 day for good: there is no archive" in told
    assert run("energycore_upkeep", "--roll-up-only").startswith("rolled up 3 days")
    assert run("energycore_upkeep").startswith("removed the readings of 1 day for good")
    assert run("energycore_upkeep") == (
        "nothing to do: totals are kept up to 2026-06-10T08:45:00+00:00\n"
    )


def test_a_dry_run_of_upkeep_changes_nothing(now):
    register()
    energy().tick()
    now.at += timedelta(hours=1)
    first = run("energycore_upkeep", "--dry-run")
    assert first.startswith("would roll up 1 day")
    assert run("energycore_upkeep", "--dry-run") == first


def test_the_demo_has_every_kind_in_several_time_zones_and_days_to_look_at(now):
    said = run("energycore_demo", "--sites", "3", "--days", "2")
    assert said.startswith("registered 24 devices: the demo has 3 sites now\n")
    assert "simulated the last 2 days: 69,144 readings" in said
    sites = energy().sites().items
    assert len({record.site.zone for record in sites}) == 3
    for record in sites:
        kinds = {
            found.device.kind
            for found in energy().devices(DeviceFilter(site_ids=(record.id,))).items
        }
        assert kinds == {"solar_panel", "battery", "electric_vehicle", "appliance"}
        history = energy().history(START - timedelta(days=1), START, "hour", of=record)
        assert {bucket.coverage for bucket in history} == {1.0}
    assert energy().summary().device_count == 24


def test_a_second_run_of_the_demo_changes_nothing_and_says_so(now):
    run("energycore_demo", "--sites", "2", "--days", "1")
    before = everything()
    said = run("energycore_demo", "--sites", "2", "--days", "1")
    assert "all 2 sites of the demo are there already: nothing was registered" in said
    assert "nothing was simulated" in said
    assert everything() == before


def everything():
    with energy().services.storage.transaction(write=False) as work:
        shards = list(work.fleet.shards(energy().scope))
    return energy().sites(), energy().devices(), shards


def test_the_demo_keeps_what_was_changed(now):
    run("energycore_demo", "--sites", "1", "--days", "0")
    roof = energy().devices(DeviceFilter(kinds=("solar_panel",))).items[0]
    changed = ec.SolarPanel(name="Roof", rated_power_w=1_234)
    energy().update(roof, device=changed)
    said = run("energycore_demo", "--sites", "1", "--days", "0")
    assert said.startswith("Roof is not as in the demo: the database keeps what it has\n")
    assert energy().device(roof).device.largest_power_w == 1_234


def test_a_demo_that_was_cut_short_goes_on_where_it_was(now):
    run("energycore_demo", "--sites", "1", "--days", "0")
    energy().tick(at=NOON - timedelta(days=3))
    said = run("energycore_demo", "--sites", "1", "--days", "4")
    assert "simulated the last 4 days: 34,560 readings" in said
    assert "ticks run: 0" in run("energycore_tick")


def test_the_largest_demo_has_a_name_and_an_external_id_for_each_site():
    homes = list(demo_homes(MOST_SITES))
    assert len({home.site.name for home in homes}) == MOST_SITES
    assert len({home.site_external_id for home in homes}) == MOST_SITES
    for home in homes[:12]:
        assert home.site.time_zone in zoneinfo.available_timezones()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sites", "0"), "--sites must be from 1 to 1,000, not 0"),
        (("--days", "-1"), "--days must be from 0 to 366, not -1"),
    ],
)
def test_a_demo_of_no_size_is_refused(now, arguments, said):
    assert refusal("energycore_demo", *arguments) == said


def test_the_doctor_tells_settings_database_and_contents(now):
    run("energycore_demo", "--sites", "1", "--days", "1")
    said = run("energycore_doctor")
    for line in (
        "TENANT              default",
        "RETENTION           raw 7 days, quarter_hour 90 days, day 730 days, month for ever",
        "CLOCK               tests.django.test_commands.Clock",
        "ARCHIVE             not set",
        "Schema              0002",
        "Sites               1",
        "Devices             8 (8 simulated, 0 reported; 0 inactive)",
        "Shard ",
        "newest tick 2026-06-01T09:00:00+00:00",
        "Readings            of 2 days in the database, of 0 in the archive",
        "Totals              kept up to 2026-06-01T08:45:00+00:00",
        "Device kinds        appliance, battery, electric_vehicle, solar_panel",
    ):
        assert line in said
    assert said.endswith("Nothing is wrong.\n")


def test_the_doctor_says_what_to_run_where_nothing_moves_or_is_rolled_up(now):
    tick = "No device has moved {}: run manage.py energycore_tick --loop, or Celery's beat.\n"
    totals = "Totals are more than a day behind: run manage.py energycore_upkeep.\n"
    assert "run manage.py" not in run("energycore_doctor")
    register()
    assert tick.format("yet") in run("energycore_doctor")
    run("energycore_tick")
    assert "run manage.py" not in run("energycore_doctor")
    run("energycore_upkeep")
    assert "run manage.py" not in run("energycore_doctor")
    now.at += timedelta(days=2)
    said = run("energycore_doctor")
    assert tick.format("since 2026-06-01T09:00:00Z") in said
    assert said.endswith(totals)


def test_the_doctor_misses_totals_that_were_never_kept_a_day_after_the_first_readings(now):
    totals = "Totals are more than a day behind: run manage.py energycore_upkeep.\n"
    register()
    run("energycore_tick")
    now.at += timedelta(days=1)
    assert totals not in run("energycore_doctor")
    now.at += timedelta(days=1)
    assert totals in run("energycore_doctor")


def test_the_doctor_names_a_setting_that_is_wrong(project):
    with override_settings(ENERGYCORE={"ARCHIV": "x"}):
        said = refusal("energycore_doctor")
    assert said == "ENERGYCORE: there is no key 'ARCHIV'. Did you mean ARCHIVE? (energycore.E001)"


def test_the_doctor_notices_an_archive_that_cannot_be_read(now, tmp_path):
    file = tmp_path / "archive"
    with override_settings(ENERGYCORE={"ARCHIVE": str(file)}):
        energy()
        file.write_text("no folder")
        assert "archive" in refusal("energycore_doctor").lower()


@pytest.mark.parametrize("name", COMMANDS)
def test_settings_that_cannot_be_meant_are_told_in_a_line(project, name):
    with override_settings(ENERGYCORE={"SEED": "seven"}):
        said = refusal(name)
    assert "SEED = 'seven' cannot be used: it must be a whole number" in said
    assert "\n" not in said


@pytest.mark.parametrize("name", COMMANDS)
def test_a_tenant_that_cannot_be_one_is_told_in_a_line(now, name):
    assert "tenant" in refusal(name, "--tenant", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_without_tables_a_command_says_to_migrate(tmp_path, name):
    with database("default", NAME=str(tmp_path / "new.sqlite3")):
        said = refusal(name)
    assert said == "the database 'default' has no tables of energycore yet: run manage.py migrate"


@pytest.mark.parametrize("name", COMMANDS)
def test_without_tables_in_a_database_of_their_own_a_command_says_where_to_migrate(
    postgresql_server, name
):
    settings = {
        "ENERGYCORE": {"DATABASE": "postgresql"},
        "DATABASE_ROUTERS": ["energycore_django.routers.EnergycoreRouter"],
    }
    with (
        postgresql.new_database(postgresql_server) as url,
        database("postgresql", **of_url(url)),
        override_settings(**settings),
    ):
        said = refusal(name)
    assert said.endswith("yet: run manage.py migrate --database postgresql")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_database_that_cannot_be_reached_is_told_in_a_line(tmp_path, name):
    with database("default", NAME=str(tmp_path / "nowhere" / "file.sqlite3")):
        said = refusal(name)
    assert said.endswith("(STORAGE_UNAVAILABLE)")
    assert "\n" not in said


def test_all_commands_belong_to_the_app():
    names = {name for name, app in get_commands().items() if app == "energycore_django"}
    assert names == set(COMMANDS)


class Terminal(StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(now):
    shown = Terminal()
    call_command("energycore_demo", "--sites=2", "--days=1", stdout=StringIO(), stderr=shown)
    assert "registering homes: 1 of 2" in shown.getvalue()
    assert "simulating: " in shown.getvalue()
    assert shown.getvalue().endswith("\r\x1b[2K")
    said = StringIO()
    call_command("energycore_upkeep", stdout=StringIO(), stderr=said)
    assert said.getvalue() == ""


def test_a_thread_may_run_a_command(sqlite_alias):
    said = []

    def ticks():
        said.append(run("energycore_tick"))
        connections.close_all()

    thread = threading.Thread(target=ticks)
    thread.start()
    thread.join()
    assert "there are no devices" in said[0]


@pytest.fixture
def homes(postgresql_url, tmp_path) -> Iterator[Project]:
    """A project of processes, whose home moves a minute each second."""
    given = {"database": {"ENGINE": "django.db.backends.postgresql", **of_url(postgresql_url)}}
    with project_of(postgresql_url, given, tmp_path) as project:
        with project.energy() as energy:
            energy.accelerate(60)
        yield project


@slow
def test_several_loops_at_once_run_each_tick_once_and_end_when_told_to(homes):
    loops = [homes.manage("energycore_tick", "--loop") for _ in range(3)]
    until(lambda: len(advances(homes)) >= 6, *loops)
    for loop, number in zip(loops, (signal.SIGTERM, signal.SIGINT, signal.SIGTERM), strict=True):
        assert loop.stop(number) == 0, loop.said
        assert loop.said == (
            "ticking for 'default'; Ctrl-C stops\n"
            "stopping; Ctrl-C again ends at once\n"
            "stopped: the next tick goes on from here\n"
        )
    check_exactly_once(homes)


@slow
def test_a_loop_tells_of_each_tick_where_that_is_asked_for(homes):
    loop = homes.manage("energycore_tick", "--loop", "-v", "2")
    loop.until(lambda: loop.said.count("ticks run: 1") >= 2)
    assert loop.stop(signal.SIGTERM) == 0, loop.said


def tick_twice_at_once(homes):
    """Two ticks of which neither can end before both have begun to write."""
    homes.given["clock"] = clock(3)
    with homes.holding_states():
        ticks = [homes.manage("energycore_tick", "--once") for _ in range(2)]
        until(lambda: len(homes.waiting()) == 2, *ticks)
    for tick in ticks:
        assert tick.popen.wait(DEADLINE_S) == 0, tick.said
    return sorted(tick.said for tick in ticks)


@slow
def test_of_two_ticks_at_once_one_does_nothing(homes):
    idle, busy = tick_twice_at_once(homes)
    assert "ticks run: 0 (already stored up to 2026-06-01T09:03:00Z)" in idle
    assert "ticks run: 3, readings stored: 9" in busy
    check_exactly_once(homes)


@slow
def test_ticks_that_do_not_look_where_the_shard_stands_are_noticed(homes):
    homes.given["is_careless"] = True
    tick_twice_at_once(homes)
    with pytest.raises(AssertionError):
        check_exactly_once(homes)


@slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["--loop", "--once"])
def test_a_signal_lets_the_transaction_under_way_end(homes, mode, number):
    homes.given["clock"] = clock(3)
    with homes.holding_states():
        loop = homes.manage("energycore_tick", mode)
        loop.until(homes.is_waiting)
        loop.popen.send_signal(number)
        loop.until(lambda: "stopping" in loop.said)
        assert advances(homes) == []
    assert loop.popen.wait(DEADLINE_S) == 0, loop.said
    assert len(advances(homes)) == 1
    check_exactly_once(homes)


@slow
def test_a_loop_survives_its_database_and_holds_no_connection_while_it_waits(homes):
    loop = homes.manage("energycore_tick", "--loop")
    loop.until(lambda: advances(homes))
    homes.unreachable()
    loop.until(lambda: "a tick is put off" in loop.said)
    before = len(advances_in_peace(homes))
    loop.until(lambda: len(advances(homes)) > before)
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    loop.until(lambda: not homes.sql(f"{others} AND pid <> pg_backend_pid()"))
    assert loop.stop() == 0
    assert "Traceback" not in loop.said
    check_exactly_once(homes)


def advances_in_peace(homes):
    homes.reachable()
    return advances(homes)


def newest(energy, device):
    """When a device was last moved."""
    state = energy.state(device)
    return None if state is None else state.at


@slow
def test_a_loop_ticks_on_sqlite(tmp_path):
    file = tmp_path / "db.sqlite3"
    given = {"database": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}}
    with ExitStack() as stack:
        project = Project(f"sqlite:///{file}", given, tmp_path, stack)
        migrated = project.manage("migrate", "energycore", "--verbosity=0")
        assert migrated.popen.wait(DEADLINE_S) == 0, migrated.said
        with project.energy() as energy:
            roof = energy.register(ec.SolarPanel(name="Roof", rated_power_w=5_000))
            energy.tick()
            energy.accelerate(60)
            loops = [project.manage("energycore_tick", "--loop") for _ in range(2)]
            until(lambda: newest(energy, roof) > NOON + timedelta(minutes=3), *loops)
        for loop in loops:
            assert loop.stop() == 0, loop.said
            assert "locked" not in loop.said


@slow
def test_a_demo_that_is_stopped_ends_after_a_transaction_and_the_next_one_goes_on(homes):
    command = "energycore_demo", "--tenant=acme", "--sites=2", "--days=15"
    demo = homes.manage(*command)
    demo.until(lambda: advances(homes, "acme"))
    assert demo.stop(signal.SIGINT) == 130, demo.said
    assert demo.said.endswith("CommandError: stopped: run it again to go on from here\n")
    again = homes.manage(*command)
    assert again.popen.wait(DEADLINE_S) == 0, again.said
    assert "simulated the last 15 days" in again.said
    ends = advances(homes, "acme")
    assert ends == sorted(set(ends))
