"""A package of one file and one entry point adds a device kind to all of energycore."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PACKAGE = HERE / "pool_pump"


def install(target, *, name=None):
    """Do what pip does with a package of one module: copy it, and write down its entry points."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    distribution = name or project["name"]
    shutil.copy(PACKAGE / "pool_pump.py", target)
    info = target / f"{distribution.replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def python(target, *arguments):
    """Run an interpreter that has what is in the target installed in addition."""
    path = os.pathsep.join(filter(None, (str(target), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """What the program of a user saw."""
    target = tmp_path_factory.mktemp("site-packages")
    install(target)
    done = python(target, HERE / "use_pool_pump.py", tmp_path_factory.mktemp("databases"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_kind_is_listed_beside_those_that_ship(used):
    assert used["kinds"] == ["appliance", "battery", "electric_vehicle", "pool_pump", "solar_panel"]


def test_it_is_simulated_by_the_clock_on_the_wall(used):
    run = used["simulated"]
    assert len(run["hours"]) == 23
    assert run["power_w"] == [-800.0 if 9 <= hour < 15 else 0.0 for hour in run["hours"]]
    assert run["consumed_wh"] == 4_800.0


def test_it_moves_with_a_fleet_and_a_battery_covers_what_it_draws(used):
    assert used["ticked"] == {"1": -800.0, "2": 500.0}


def test_it_is_stored_ticked_and_summed_up(used):
    # 12:00 UTC is the default zone's noon: four hours from nine on are not yet over.
    assert used["stored"] == {"is_equal": True, "power_w": -750.0, "load_w": 750.0}


def test_the_graphql_schema_has_its_type_and_its_input(used):
    asked = used["asked"]
    assert asked["is_one_of"]
    assert "poolPump" in asked["inputs"]
    assert asked["interfaces"] == ["Device", "Node"]


def test_it_is_registered_over_graphql_and_its_limits_hold_there_too(used):
    answer = used["asked"]["registered"]["data"]["registerDevice"]
    assert answer["userErrors"] == []
    assert answer["device"] == {
        "__typename": "PoolPump",
        "kind": "POOL_PUMP",
        "runningPowerW": 800.0,
        "startHour": 8.0,
        "runHours": 6.0,
    }
    (refusal,) = used["asked"]["refused"]["data"]["registerDevice"]["userErrors"]
    assert refusal["code"] == "INVALID_VALUE"
    assert refusal["path"][-1] == "runningPowerW"
    assert used["asked"]["both"]["errors"]


def test_it_is_listed_and_summed_up_over_graphql_after_a_tick(used):
    data = used["asked"]["listed"]["data"]
    assert data["devices"] == {
        "totalCount": 1,
        "nodes": [
            {
                "name": "Pump",
                "kind": "POOL_PUMP",
                "state": {"powerW": -800.0, "storedWh": None, "mode": None},
            }
        ],
    }
    assert data["energySummary"] == {
        "consumptionW": 800.0,
        "netPowerW": -800.0,
        "loadW": 800.0,
        "deviceCount": 1,
        "silentCount": 0,
    }


def test_two_packages_that_declare_it_are_both_named(tmp_path):
    install(tmp_path)
    install(tmp_path, name="another-pump")
    program = "from energycore.devices.registry import device_kinds; device_kinds()"
    done = python(tmp_path, "-c", program)
    assert done.returncode
    error = done.stderr.splitlines()[-1]
    assert "DeviceKindConflict: the device kind 'pool_pump' is declared by both" in error
    assert "energycore-pool-pump" in error
    assert "another-pump" in error


def test_nothing_else_names_the_plugin():
    source = HERE.parents[1] / "src"
    naming = [path for path in source.rglob("*.py") if "pool_pump" in path.read_text("utf-8")]
    assert naming == []
