"""`energycore serve` as a process: what a stranger sees, and what stays after a restart."""

import signal
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import energycore as ec
from energycore.cli.serving import DEMO_HOME
from tests.cli.served import DEADLINE_S, energycore, running, starting

pytestmark = pytest.mark.slow

ONE_ROOF = """\
[site]
name = "Hut"
time_zone = "UTC"
[[devices]]
kind = "solar_panel"
name = "Roof"
rated_power_w = 1000
"""
DEVICES = "{ devices { totalCount nodes { id name state { at powerW storedWh } } } }"
SUMMARY = "{ energySummary { at deviceCount silentCount netPowerW productionW consumptionW } }"
REGISTER = """
mutation($input: RegisterDeviceInput!) {
  registerDevice(input: $input) { device { id dataSource } userErrors { code } }
}
"""


def instant(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def hut(tmp_path):
    path = tmp_path / "hut.toml"
    path.write_text(ONE_ROOF, encoding="utf-8")
    return path


def test_the_demo_starts_without_set_up_and_answers_what_it_says(tmp_path):
    with running(tmp_path, "--demo") as server:
        assert "serves Demo home (7 devices)" in server.output
        assert "sqlite:///energycore.db" in server.output
        assert "real time" in server.output
        assert "simulated the last 7 days" in server.errors
        summary = server.ask(SUMMARY)["energySummary"]
        assert (summary["deviceCount"], summary["silentCount"]) == (7, 0)
        devices = server.ask(DEVICES)["devices"]
        assert devices["totalCount"] == 7
        powers = [device["state"]["powerW"] for device in devices["nodes"]]
        production = sum(power for power in powers if power > 0)
        assert production - summary["productionW"] == pytest.approx(0, abs=1e-9)
        assert "GraphiQL" in server.client.get("/").text
        assert server.stop() == 0
        assert server.errors.endswith("stopped\n")
        assert "Traceback" not in server.errors
    assert (tmp_path / "energycore.db").is_file()


def test_a_home_has_seven_days_of_history_and_keeps_its_state_over_a_restart(tmp_path, hut):
    with running(tmp_path, hut) as server:
        (roof,) = server.ask(DEVICES)["devices"]["nodes"]
        battery = {"capacityWh": 1000, "maxChargeW": 500, "maxDischargeW": 500}
        given = {"name": "Box", "spec": {"battery": battery}}
        assert server.ask(REGISTER, input=given)["registerDevice"]["userErrors"] == []
        assert server.stop(signal.SIGTERM) == 0
    with running(tmp_path, hut) as server:
        assert "serves Hut (1 device, 2 in the database)" in server.output
        assert "simulated the last" not in server.errors
        names = {device["name"] for device in server.ask(DEVICES)["devices"]["nodes"]}
        assert names == {"Roof", "Box"}
        assert server.stop() == 0
    with ec.connect(f"sqlite:///{tmp_path / 'energycore.db'}") as energy:
        newest = instant(roof["state"]["at"])
        batch = energy.readings(1, newest - timedelta(days=30), newest + timedelta(milliseconds=1))
    # A minute may have ended between the history and the first tick.
    assert 0 <= len(batch) - (7 * 24 * 60 + 1) < 5
    assert set(np.diff(batch.at_us)) == {60_000_000}


def test_an_empty_database_is_served_as_it_is(tmp_path):
    with running(tmp_path) as server:
        assert "serves a database (0 devices)" in server.output
        assert "everything is kept in the database" in server.output
        assert server.ask(DEVICES)["devices"]["nodes"] == []
        input_ = {"name": "Roof", "spec": {"solarPanel": {"ratedPowerW": 5000}}}
        assert server.ask(REGISTER, input=input_)["registerDevice"]["userErrors"] == []
        assert server.stop() == 0


def test_an_accelerated_clock_runs_is_kept_and_never_goes_back(tmp_path, hut):
    with running(tmp_path, hut, "--speed", "3600") as server:
        assert "3600 seconds a second" in server.output
        assert "Totals    rolled up every 10 s\n" in server.output
        begin = instant(server.ask(SUMMARY)["energySummary"]["at"])
        server.until(
            lambda: (
                instant(server.ask(SUMMARY)["energySummary"]["at"]) > begin + timedelta(minutes=30)
            )
        )
        (roof,) = server.ask(DEVICES)["devices"]["nodes"]
        server.until(
            lambda: server.ask(DEVICES)["devices"]["nodes"][0]["state"]["at"] > roof["state"]["at"]
        )
        reported = {
            "name": "Meter",
            "dataSource": "REPORTED",
            "spec": {"appliance": {"averagePowerW": 100}},
        }
        (refusal,) = server.ask(REGISTER, input=reported)["registerDevice"]["userErrors"]
        assert refusal["code"] == "CLOCK_IS_SIMULATED"
        last = instant(server.ask(DEVICES)["devices"]["nodes"][0]["state"]["at"])
        assert server.stop() == 0
    doctor = energycore(tmp_path, "doctor")
    assert "accelerated, 3600 seconds a second" in doctor.stdout
    with running(tmp_path, hut) as server:
        assert "3600 seconds a second" in server.output
        assert instant(server.ask(SUMMARY)["energySummary"]["at"]) > last
        assert server.stop() == 0


def test_two_servers_on_one_database_tick_once_with_the_bits_of_a_simulation(tmp_path):
    with running(tmp_path, "--demo", "--speed", "1200") as first:
        (_, wall, *_) = first.ask(DEVICES)["devices"]["nodes"]
        with running(tmp_path) as second:
            end = instant(wall["state"]["at"]) + timedelta(hours=2)
            for server in (first, second):
                server.until(
                    lambda server=server: (
                        instant(server.ask(DEVICES)["devices"]["nodes"][1]["state"]["at"]) > end
                    )
                )
            assert second.stop() == 0
        assert first.stop() == 0
        assert "Traceback" not in first.errors + second.errors
    home = ec.load_home(DEMO_HOME)
    with ec.connect(f"sqlite:///{tmp_path / 'energycore.db'}") as energy:
        records = energy.devices().items
        far = timedelta(days=30)
        batches = [energy.readings(record.id, end - far, end + far) for record in records]
    starts = {int(batch.at_us[0]) for batch in batches}
    assert len(starts) == 1
    start = datetime.fromtimestamp(starts.pop() / 1e6, UTC)
    run = ec.simulate(
        [entry.device for entry in home.devices],
        site=home.site,
        start=start,
        end=start + timedelta(minutes=len(batches[0])),
        seed=home.seed,
        initial=home.initial,
        dispatch=home.dispatch,
    )
    assert len(run.at_us) > 7 * 24 * 60 + 120
    for position, batch in enumerate(batches):
        np.testing.assert_array_equal(batch.at_us, run.at_us)
        np.testing.assert_array_equal(batch.power_mw, run.power_mw[:, position])
        np.testing.assert_array_equal(batch.stored_mwh, run.stored_mwh[:, position])


def test_a_database_with_reported_devices_refuses_an_accelerated_clock(tmp_path):
    url = f"sqlite:///{tmp_path / 'real.db'}"
    with ec.connect(url) as energy:
        meter = ec.Appliance(name="Meter", average_power_w=100)
        energy.register(meter, data_source=ec.DataSource.REPORTED)
    refused = energycore(tmp_path, "serve", "--database", url, "--port", "0", "--speed", "60")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: this database has reported devices")
    assert refused.stderr.endswith("(CLOCK_IS_SIMULATED)\n")
    assert refused.stderr.count("\n") == 1


def test_without_ticks_time_stands_still_after_the_first_history(tmp_path, hut):
    with running(tmp_path, hut, "--no-tick", "--speed", "3600") as server:
        assert "Ticks     none" in server.output
        (roof,) = server.ask(DEVICES)["devices"]["nodes"]
        begin = instant(server.ask(SUMMARY)["energySummary"]["at"])
        server.until(
            lambda: (
                instant(server.ask(SUMMARY)["energySummary"]["at"]) > begin + timedelta(minutes=10)
            )
        )
        assert server.ask(DEVICES)["devices"]["nodes"] == [roof]
        assert server.stop() == 0


def test_a_port_that_is_taken_is_told_in_one_line_and_nothing_is_made(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = energycore(tmp_path, "serve", "--demo", "--port", port)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: port {port} on 127.0.0.1 is taken: stop what runs there or choose another with"
        " --port (0 picks a free one) (INVALID_VALUE)\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_is_told_and_the_database_keeps_what_it_has(tmp_path, hut):
    with running(tmp_path, hut) as server:
        assert server.stop() == 0
    hut.write_text(ONE_ROOF.replace("1000", "2000"), encoding="utf-8")
    with running(tmp_path, hut) as server:
        assert "Roof is not as in the file: the database keeps what it has" in server.errors
        assert server.stop() == 0
    with sqlite3.connect(tmp_path / "energycore.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_first_start_that_is_interrupted_goes_on_at_the_next(tmp_path):
    with starting(tmp_path, "--demo") as (process, _, errors):
        database = tmp_path / "energycore.db"
        while process.poll() is None and not history(database):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
        assert "Traceback" not in errors.read_text(encoding="utf-8")
    with running(tmp_path, "--demo") as server:
        assert server.stop() == 0
    instants = history(database)
    assert len(instants) >= 7 * 24 * 60
    assert set(np.diff(instants)) == {60_000_000}


def test_in_memory_nothing_is_said_to_be_kept(tmp_path):
    for url in ("memory://", "sqlite:///:memory:"):
        with running(tmp_path, "--database", url) as server:
            assert f"Database  {url}\n" in server.output
            assert "the database is in memory, and ends too" in server.output
            assert server.stop() == 0
    assert list(tmp_path.glob("*.db")) == []


def history(path):
    """The instants at which the first device has readings, as far as they are stored."""
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(path)) as database:
            select = "SELECT at_us FROM energycore_reading WHERE device_id = 1 ORDER BY at_us"
            return [at for (at,) in database.execute(select)]
    except sqlite3.OperationalError:
        return []


def test_a_home_is_served_from_postgresql_alike(tmp_path, hut, postgresql_url):
    with running(tmp_path, hut, "--database", postgresql_url, "--speed", "3600") as server:
        (roof,) = server.ask(DEVICES)["devices"]["nodes"]
        server.until(
            lambda: server.ask(DEVICES)["devices"]["nodes"][0]["state"]["at"] > roof["state"]["at"]
        )
        assert server.stop() == 0
    assert "accelerated" in energycore(tmp_path, "doctor", "--database", postgresql_url).stdout


def test_totals_are_rolled_up_beside_the_ticks_and_nothing_old_is_removed(tmp_path):
    url = f"sqlite:///{tmp_path / 'energycore.db'}"
    long_ago = datetime(2020, 6, 1, 12, tzinfo=UTC)
    with ec.connect(url) as energy:
        meter = ec.Appliance(name="Meter", average_power_w=100)
        energy.register(meter, data_source=ec.DataSource.REPORTED)
        energy.record([ec.NewReading(device_id=1, at=long_ago, power_w=-60.0)])
    with running(tmp_path) as server:
        assert "Totals    rolled up every 15 min by that clock\n" in server.output
        server.until(lambda: "kept up to" in energycore(tmp_path, "doctor").stdout)
        assert server.stop() == 0
        assert server.errors.endswith("stopping; Ctrl-C again ends at once\nstopped\n")
    with ec.connect(url) as energy:
        assert len(energy.readings(1, long_ago, long_ago + timedelta(days=1))) == 1
    with running(tmp_path, "--no-tick") as server:
        assert "Totals    left to others" in server.output
        assert server.stop() == 0
