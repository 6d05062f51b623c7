"""`energycore simulate`: a table for people, JSON for programs, CSV for everything else."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

import energycore as ec
from energycore.cli.app import app
from tests.support.tree import ROOT

HOME = str(ROOT / "examples" / "home.toml")


def run(*arguments, code=0):
    """Run the command in this process; the terminal is 80 columns wide."""
    result = CliRunner().invoke(app, ["simulate", *arguments], env={"COLUMNS": "80"})
    assert result.exit_code == code, result.output
    return result


def simulated(**options):
    home = ec.load_home(HOME)
    return ec.simulate(
        [entry.device for entry in home.devices],
        site=home.site,
        initial=home.initial,
        dispatch=home.dispatch,
        **options,
    )


def test_the_table_fits_80_columns_and_has_each_device_and_the_meter():
    output = run(HOME, "--start", "2026-06-01", "--days", "2").stdout
    assert max(map(len, output.splitlines())) <= 80
    totals = simulated(start="2026-06-01", days=2).summary()
    for device in totals.devices:
        (line,) = [line for line in output.splitlines() if line.startswith(device.name)]
        cells = line.removeprefix(device.name).split()
        assert f"{device.produced_wh / 1_000:,.2f}" in cells
        assert f"{device.net_wh / 1_000:,.2f}" in cells
        if device.stored_end_wh is not None:
            assert cells[-1] == f"{device.stored_end_wh / 1_000:,.2f}"
    assert f"Exported to the grid {totals.exported_wh / 1_000:>15,.2f} kWh" in output
    assert f"Imported from the grid {totals.imported_wh / 1_000:>13,.2f} kWh" in output
    assert "2026-06-01 00:00 to 2026-06-03 00:00, step 0:01:00, seed 0" in output


def test_json_has_the_totals_with_units_in_the_names():
    options = ("--start", "2026-06-01", "--days", "1", "--step", "15min", "--seed", "5")
    plain = json.loads(run(HOME, *options, "--json").stdout)
    totals = simulated(start="2026-06-01", days=1, step="15min", seed=5).summary()
    assert (plain["step_s"], plain["seed"]) == (900, 5)
    assert plain["start"] == "2026-06-01T00:00:00+02:00"
    assert [device["name"] for device in plain["devices"]] == [
        device.name for device in totals.devices
    ]
    assert plain["devices"][1]["stored_end_wh"] == totals.devices[1].stored_end_wh
    assert plain["totals"]["exported_wh"] == totals.exported_wh
    assert plain["totals"]["produced_wh"] == pytest.approx(
        plain["totals"]["generation_wh"] + plain["totals"]["discharge_wh"]
    )
    assert plain["totals"]["consumed_wh"] == pytest.approx(
        plain["totals"]["load_wh"] + plain["totals"]["charge_wh"]
    )


@pytest.mark.parametrize("seed", ["-1", str(2**63)])
def test_a_seed_has_the_limits_of_the_file(seed):
    refused = run(HOME, "--seed", seed, code=1)
    assert f"seed must be a whole number from 0 to {2**63 - 1}, not {seed}" in refused.stderr


def test_the_seed_of_the_file_counts_unless_another_is_given(tmp_path):
    text = (ROOT / "examples" / "home.toml").read_text(encoding="utf-8")
    path = tmp_path / "home.toml"
    path.write_text(text.replace("seed = 0", "seed = 5"), encoding="utf-8")
    options = ("--start", "2026-06-01", "--days", "1", "--json")
    seeded = json.loads(run(str(path), *options).stdout)
    assert seeded == json.loads(run(HOME, *options, "--seed", "5").stdout)
    assert seeded != json.loads(run(HOME, *options).stdout)


def test_csv_has_every_reading_as_it_is_stored(tmp_path):
    path = tmp_path / "readings.csv"
    result = run(HOME, "--start", "2026-06-01", "--days", "1", "--step", "1h", "--csv", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = simulated(start="2026-06-01", days=1, step="1h")
    names = [device.name for device in expected.devices]
    assert len(rows) == 24 * len(names)
    assert rows[0]["at"] == "2026-05-31T22:00:00Z"
    for number, row in enumerate(rows):
        tick, position = divmod(number, len(names))
        assert row["device"] == names[position]
        assert round(float(row["power_w"]) * 1_000) == expected.power_mw[tick, position]
        if row["stored_wh"]:
            assert float(row["stored_wh"]) == expected.stored_wh[tick, position]
    assert {row["device"] for row in rows if row["stored_wh"]} == {"Powerwall", "Leaf"}
    assert f"{len(rows)} readings written to {path}" in result.stderr


def test_without_a_start_it_is_the_last_whole_days_of_the_home():
    plain = json.loads(run(HOME, "--days", "2", "--step", "1h", "--json").stdout)
    start, end = (datetime.fromisoformat(plain[key]) for key in ("start", "end"))
    assert (start.hour, start.minute) == (0, 0)
    assert timedelta(0) <= datetime.now(UTC) - end <= timedelta(days=1, hours=2)  # noqa: TID251 - the command asks the computer as well


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.toml"], "none.toml: cannot be read: No such file or directory (INVALID_HOME_FILE)"),
        ([HOME, "--days", "-1"], "days must be above 0"),
        ([HOME, "--step", "7 parsecs"], "step must be"),
        ([HOME, "--start", "yesterday"], "start must be a date"),
    ],
)
def test_an_error_is_one_line_with_its_code_and_ends_with_1(arguments, words):
    result = run(*arguments, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_fault_in_the_home_points_at_its_line(tmp_path):
    text = (ROOT / "examples" / "home.toml").read_text(encoding="utf-8")
    path = tmp_path / "home.toml"
    path.write_text(text.replace("rated_power_w = 3280", "rated_power_kw = 3.28"), encoding="utf-8")
    line = 1 + [row.split(" ")[0] for row in text.splitlines()].index("rated_power_w")
    error = run(str(path), code=1).stderr
    assert f"{path}:{line}: " in error
    assert "did you mean rated_power_w = 3280, in watts?" in error


def test_a_file_that_cannot_be_written_is_a_wrong_use(tmp_path):
    result = run(HOME, "--csv", str(tmp_path), code=2)
    assert "cannot be written" in " ".join(result.stderr.replace("│", " ").split())


def test_progress_is_shown_to_nobody_where_there_is_no_terminal():
    assert run(HOME, "--days", "1", "--start", "2026-06-01").stderr == ""


def test_the_numbers_of_the_table_add_up():
    plain = json.loads(run(HOME, "--start", "2026-06-01", "--days", "3", "--json").stdout)
    devices, totals = plain["devices"], plain["totals"]
    assert sum(device["net_wh"] for device in devices) == pytest.approx(totals["net_wh"])
    assert totals["exported_wh"] - totals["imported_wh"] == pytest.approx(totals["net_wh"])


def test_a_run_that_is_refused_leaves_an_older_csv_file_as_it_was(tmp_path):
    path = tmp_path / "readings.csv"
    path.write_text("older\n", encoding="utf-8")
    run(HOME, "--csv", str(path), "--step", "11min", code=1)
    assert path.read_text(encoding="utf-8") == "older\n"
    run(HOME, "--start", "2026-06-01", "--days", "1", "--step", "1h", "--csv", str(path))
    assert path.read_text(encoding="utf-8").startswith("at,device,")
