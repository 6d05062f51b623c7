"""Homes in TOML files: what is read from them, and what each fault says."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

import energycore as ec
from energycore.devices.registry import device_kinds
from energycore.errors import InvalidHomeFile
from energycore.simulation.noise import noise_key_of
from tests.support.tree import ROOT

HOME = """\
[site]
name = "My home"
time_zone = "Europe/Berlin"
latitude = 52.5
longitude = 13.4

[simulation]
seed = 7

[[devices]]
kind = "solar_panel"
name = "Roof, south"
tags = ["roof", "south"]
rated_power_w = 5000

[[devices]]
kind = "battery"
name = "Wall"
external_id = "wall-1"
capacity_wh = 13500
max_charge_w = 5000
max_discharge_w = 5_000.0
dispatch = { strategy = "self_consumption", priority = 3 }

[devices.initial]
stored_wh = 6000

[[devices]]
kind = "electric_vehicle"
name = "Car"
capacity_wh = 60000
max_charge_w = 11000
max_discharge_w = 11000
noise_key = 42
initial = { stored_wh = 20000, mode = "charging", power_w = 3700 }

[[devices]]
kind = "appliance"
name = "Fridge"
average_power_w = 27.2
duty_cycle = 0.35
mean_on_time_s = 1200
"""


SITE = '[site]\nname = "Home"\ntime_zone = "UTC"\n'


def write(folder, text):
    path = folder / "home.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def fault(tmp_path):
    """Change one place of a good file, and return what loading it says."""

    def of(old, new):
        assert HOME.count(old) >= 1
        path = write(tmp_path, HOME.replace(old, new, 1))
        with pytest.raises(InvalidHomeFile) as raised:
            ec.load_home(path)
        error = raised.value
        assert error.code == "INVALID_HOME_FILE"
        assert error.file == str(path)
        place = str(path) if error.line is None else f"{path}:{error.line}"
        assert str(error) == error.message == f"{place}: {error.problem}"
        return error

    return of


def test_a_home_is_its_site_its_devices_and_how_they_begin(tmp_path):
    home = ec.load_home(write(tmp_path, HOME))
    assert home.site == ec.Site(
        name="My home", time_zone="Europe/Berlin", latitude=52.5, longitude=13.4
    )
    assert (home.site_external_id, home.seed) == ("my-home", 7)
    roof, wall, car, fridge = home.devices
    assert roof.device == ec.SolarPanel(
        name="Roof, south", rated_power_w=5_000, noise_key=noise_key_of("My home", "Roof, south")
    )
    assert roof.tags == ("roof", "south")
    assert wall.device == ec.Battery(
        name="Wall",
        capacity_wh=13_500,
        max_charge_w=5_000,
        max_discharge_w=5_000,
        noise_key=noise_key_of("My home", "Wall"),
    )
    assert wall.initial == ec.StorageState(stored_wh=6_000)
    assert wall.dispatch == ec.SelfConsumption(priority=3)
    assert car.device.noise_key == 42
    assert car.initial == ec.StorageState(
        stored_wh=20_000, mode=ec.StorageMode.CHARGING, power_w=3_700
    )
    assert fridge.initial is None
    assert [entry.external_id for entry in home.devices] == [
        "my-home/roof-south",
        "wall-1",
        "my-home/car",
        "my-home/fridge",
    ]


def test_a_storage_follows_the_balance_unless_it_begins_with_a_command(tmp_path):
    text = HOME.replace('dispatch = { strategy = "self_consumption", priority = 3 }\n', "")
    home = ec.load_home(write(tmp_path, text))
    assert [entry.dispatch for entry in home.devices] == [
        None,
        ec.SelfConsumption(),
        ec.Manual(),
        None,
    ]
    assert home.dispatch == {"Wall": ec.SelfConsumption(), "Car": ec.Manual()}
    assert set(home.initial) == {"Wall", "Car"}


def test_a_dispatch_may_be_just_a_name(tmp_path):
    old = '{ strategy = "self_consumption", priority = 3 }'
    home = ec.load_home(write(tmp_path, HOME.replace(old, '"manual"')))
    assert home.devices[1].dispatch == ec.Manual()


def test_a_file_from_another_system_reads_the_same(tmp_path):
    unix = ec.load_home(write(tmp_path, HOME))
    other = tmp_path / "other.toml"
    other.write_bytes(b"\xef\xbb\xbf" + HOME.replace("\n", "\r\n").encode())
    assert ec.load_home(other) == unix
    assert ec.load_home(str(other)) == unix


def test_a_home_simulates_as_its_file_says(tmp_path):
    home = ec.load_home(write(tmp_path, HOME))
    run = ec.simulate(
        [entry.device for entry in home.devices],
        site=home.site,
        start="2026-06-01",
        days=1,
        seed=home.seed,
        initial=home.initial,
        dispatch=home.dispatch,
    )
    assert run.stored_wh[0].tolist()[1:3] == [6_000, 20_000]
    assert run.power_w[0, 2] == -3_700


# What is changed, what the line that is pointed at holds, and what has to be in the sentence.
FAULTS = {
    "capacity in kilowatt-hours": (
        "capacity_wh = 13500",
        "capacity_kwh = 13.5",
        "capacity_kwh = 13.5",
        ["battery 'Wall'", "capacity_kwh", "capacity_wh = 13500, in watt-hours"],
    ),
    "power in kilowatts": (
        "rated_power_w = 5000",
        "rated_power_kw = 5",
        "rated_power_kw = 5",
        ["rated_power_w = 5000, in watts"],
    ),
    "a share in percent": (
        "duty_cycle = 0.35",
        "duty_cycle_percent = 35",
        "duty_cycle_percent",
        ["duty_cycle = 0.35, a fraction, 0 to 1"],
    ),
    "a time in minutes": (
        "mean_on_time_s = 1200",
        "mean_on_time_min = 20",
        "mean_on_time_min",
        ["mean_on_time_s = 1200, in seconds"],
    ),
    "a unit in another unit, as text": (
        "capacity_wh = 13500",
        'capacity_kwh = "13.5"',
        'capacity_kwh = "13.5"',
        ["did you mean capacity_wh, in watt-hours?"],
    ),
    "no unit": (
        "capacity_wh = 13500",
        "capacity = 13500",
        "capacity = 13500",
        ["capacity_wh, in watt-hours"],
    ),
    "a key that is like no other": (
        "duty_cycle = 0.35",
        "colour = 3",
        "colour",
        ["there is no key colour", "known are kind, name", "duty_cycle"],
    ),
    "a key of another kind": (
        "duty_cycle = 0.35",
        'dispatch = "manual"',
        'dispatch = "manual"',
        ["appliance 'Fridge'", "there is no key dispatch"],
    ),
    "text for a number": (
        "capacity_wh = 13500",
        'capacity_wh = "13.5 kWh"',
        'capacity_wh = "13.5 kWh"',
        ["capacity_wh must be a number, not '13.5 kWh'"],
    ),
    "true for a number": (
        "rated_power_w = 5000",
        "rated_power_w = true",
        "rated_power_w = true",
        ["rated_power_w must be a number, not True"],
    ),
    "a number out of range": (
        "capacity_wh = 13500",
        "capacity_wh = -1",
        "capacity_wh = -1",
        ["capacity_wh must be above 0"],
    ),
    "not a number": (
        "capacity_wh = 13500",
        "capacity_wh = nan",
        "capacity_wh = nan",
        ["a finite number"],
    ),
    "bounds that cross": (
        "capacity_wh = 13500",
        "capacity_wh = 13500\nmin_state_of_charge = 0.9\nmax_state_of_charge = 0.8",
        "max_state_of_charge = 0.8",
        ["max_state_of_charge must be above min_state_of_charge (0.9)"],
    ),
    "a missing rating": (
        "capacity_wh = 13500\n",
        "",
        "[[devices]]",
        ["capacity_wh is missing", "watt-hours"],
    ),
    "a missing kind": ('kind = "battery"\n', "", "[[devices]]", ["kind is missing"]),
    "a missing name": ('name = "Wall"\n', "", "[[devices]]", ["battery: name is missing"]),
    "a misspelt kind": (
        '"battery"',
        '"batery"',
        'kind = "batery"',
        ["one of appliance", "mean 'battery'"],
    ),
    "a kind that is no text": ('"battery"', "[1]", "kind = [1]", ["kind must be one of"]),
    "a taken name": (
        'name = "Car"',
        'name = "Wall"',
        'name = "Wall"',
        ["'Wall' is taken", "line 16"],
    ),
    "a taken external id": (
        'external_id = "wall-1"',
        'external_id = "my-home/roof-south"',
        'external_id = "my-home/roof-south"',
        ["'my-home/roof-south' is taken", "line 10"],
    ),
    "names that read alike": (
        'name = "Car"',
        'name = "ROOF south"',
        "[[devices]]",
        ["is taken", "line 10"],
    ),
    "an empty name": ('name = "Wall"', 'name = " "', 'name = " "', ["name must be 1 to 200"]),
    "a noise key": ("noise_key = 42", "noise_key = -1", "noise_key = -1", ["64 bits"]),
    "tags that are no list": (
        '["roof", "south"]',
        '"roof"',
        'tags = "roof"',
        ["tags must be a list"],
    ),
    "a tag that is no text": (
        '["roof", "south"]',
        '["roof", 3]',
        'tags = ["roof", 3]',
        ["tags must be", "not 3"],
    ),
    "an external id that is no text": (
        '"wall-1"',
        "1",
        "external_id = 1",
        ["external_id must be", "not 1"],
    ),
    "an unknown strategy": (
        '"self_consumption"',
        '"self-consumption"',
        'dispatch = { strategy = "self-consumption", priority = 3 }',
        ["one of manual, self_consumption", "mean 'self_consumption'"],
    ),
    "a dispatch that is no name": (
        '{ strategy = "self_consumption", priority = 3 }',
        "7",
        "dispatch = 7",
        ["dispatch must be one of manual"],
    ),
    "a dispatch without strategy": (
        'strategy = "self_consumption", ',
        "",
        "dispatch = { priority = 3 }",
        ["strategy is missing"],
    ),
    "an unknown parameter": (
        "priority = 3",
        "prio = 3",
        'dispatch = { strategy = "self_consumption", prio = 3 }',
        ["no key prio", "mean priority"],
    ),
    "a parameter out of range": (
        "priority = 3",
        "priority = 300",
        'dispatch = { strategy = "self_consumption", priority = 300 }',
        ["-100 to 100, not 300"],
    ),
    "a command against the strategy": (
        "stored_wh = 6000",
        'mode = "charging"',
        'mode = "charging"',
        ["mode must be idle or absent under dispatch self_consumption"],
    ),
    "a charge that does not fit": (
        "stored_wh = 6000",
        "stored_wh = 60000",
        "stored_wh = 60000",
        ["at most 13500"],
    ),
    "a charge in kilowatt-hours": (
        "stored_wh = 6000",
        "stored_kwh = 6",
        "stored_kwh = 6",
        ["stored_wh = 6000, in watt-hours"],
    ),
    "a charge that is no number": (
        "stored_wh = 6000",
        'stored_wh = "half"',
        'stored_wh = "half"',
        ["finite number"],
    ),
    "an unknown mode": (
        '"charging"',
        '"loading"',
        "initial = {",
        ["one of charging, discharging, idle"],
    ),
    "a power above the limit": (
        "power_w = 3700",
        "power_w = 12000",
        "initial = {",
        ["at most 11000 W"],
    ),
    "an initial that is no table": ("initial = {", "noise = 1 #{", "noise = 1", ["no key noise"]),
    "a seed": ("seed = 7", "seed = -7", "seed = -7", ["seed must be a whole number"]),
    "an unknown key beside the seed": (
        "seed = 7",
        "sed = 7",
        "sed = 7",
        ["[simulation]", "mean seed"],
    ),
    "an unknown zone": (
        "Europe/Berlin",
        "Europe/Berln",
        'time_zone = "Europe/Berln"',
        ["did you mean 'Europe/Berlin'"],
    ),
    "a zone that is a number": (
        '"Europe/Berlin"',
        "1",
        "time_zone = 1",
        ["time_zone must be", "not 1"],
    ),
    "no zone": ('time_zone = "Europe/Berlin"\n', "", "[site]", ["[site]: time_zone is missing"]),
    "half a place": ("longitude = 13.4\n", "", "[site]", ["longitude must be given"]),
    "an unknown key of the site": ("latitude", "lattitude", "lattitude = 52.5", ["mean latitude"]),
    "an unknown table": (
        "[simulation]",
        "[simulaton]",
        "[simulaton]",
        ["no table [simulaton]", "mean [simulation]?"],
    ),
    "one table for many": ("[[devices]]", "[devices]", "[[devices]]", ["not TOML"]),
    "no TOML": (
        "capacity_wh = 13500",
        "capacity_wh 13500",
        "capacity_wh 13500",
        ["not TOML", "Expected '='"],
    ),
    "a key given twice": (
        "seed = 7",
        "seed = 7\nseed = 8",
        "seed = 8",
        ["not TOML", "Cannot overwrite"],
    ),
    "text without quotes": (
        '"Wall"',
        "Wall",
        "name = Wall",
        ["Invalid value at column 8", "text stands in quotes"],
    ),
    "an end too soon": ("average_power_w = 27.2", "average_power_w = [27.2", "", ["not TOML"]),
}


@pytest.mark.parametrize(("old", "new", "pointed", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_its_line_and_what_was_expected(fault, old, new, pointed, words):
    error = fault(old, new)
    assert [word for word in words if word not in error.problem] == [], str(error)
    assert pointed in Path(error.file).read_text(encoding="utf-8").splitlines()[error.line - 1]
    assert "\n" not in str(error)


def test_a_fault_keeps_its_data_when_it_is_copied_as_for_another_process(fault):
    error = fault("capacity_wh = 13500", "capacity_wh = -1")
    again = copy.copy(error)
    assert (str(again), again.field, again.value, again.line) == (
        str(error),
        "devices.1.capacity_wh",
        -1.0,
        20,
    )


def test_the_line_is_that_of_the_key_also_after_values_of_several_lines(fault):
    several = 'tags = [\n  "roof", # not rated_power_w\n  "rated_power_w = 3",\n]'
    text = 'tags = ["roof", "south"]\nrated_power_w = 5000'
    assert fault(text, f"{several}\nrated_power_w = 0").line == 17
    string = 'tags = ["""\\\nrated_power_w = 3\\\n[[devices]]"""]'
    assert fault(text, f"{string}\nrated_power_w = 0").line == 16


def test_a_fault_of_a_value_of_several_lines_is_where_it_begins(fault):
    assert fault('["roof", "south"]', '[\n"roof",\n3,\n]').line == 13


def test_a_home_without_devices_or_site_says_so(tmp_path):
    with pytest.raises(InvalidHomeFile, match=r"one or more \[\[devices\]\] tables"):
        ec.load_home(write(tmp_path, SITE))
    with pytest.raises(InvalidHomeFile, match=r"\[site\]: name is missing"):
        ec.load_home(write(tmp_path, ""))


@pytest.mark.parametrize(
    ("given", "line", "problem"),
    [
        ("", None, "devices must be one or more [[devices]] tables: none given"),
        ('[devices]\nkind = "battery"', 4, "[devices] is a single table: write [[devices]] above"),
        ('[device]\nkind = "battery"', 4, "no table [device]: did you mean [[devices]]?"),
        ('[[device]]\nkind = "battery"', 4, "no table [[device]]: did you mean [[devices]]?"),
        ("[[devices]]\n[[cars]]", 5, "no table [[cars]]: known are [site], [[devices]], ["),
    ],
)
def test_brackets_that_are_wrong_are_told_as_they_stand(tmp_path, given, line, problem):
    with pytest.raises(InvalidHomeFile) as refused:
        ec.load_home(write(tmp_path, SITE + given))
    assert problem in refused.value.problem
    assert refused.value.line == line


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path):
    with pytest.raises(InvalidHomeFile, match="cannot be read: No such file"):
        ec.load_home(tmp_path / "none.toml")
    with pytest.raises(InvalidHomeFile, match="cannot be read"):
        ec.load_home(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes('[site]\nname = "Küche"\n'.encode("latin-1"))
    with pytest.raises(InvalidHomeFile, match=r"latin\.toml:2: is not UTF-8 text"):
        ec.load_home(path)


@pytest.mark.parametrize("kind", device_kinds())
def test_every_kind_is_read_by_the_names_of_its_fields(tmp_path, kind):
    ratings = {
        "solar_panel": "rated_power_w = 1",
        "appliance": "average_power_w = 1",
    }.get(kind, "capacity_wh = 1\nmax_charge_w = 1\nmax_discharge_w = 1")
    text = f'[site]\nname = "H"\ntime_zone = "UTC"\n[[devices]]\nkind = "{kind}"\nname = "D"\n'
    (entry,) = ec.load_home(write(tmp_path, text + ratings)).devices
    assert type(entry.device) is device_kinds()[kind]


PLUGIN = '''
"""A kind from outside."""

from typing import ClassVar

import attrs

from energycore.devices.base import Device, Role
from energycore.devices.fields import about, number, power
from energycore.quantities.units import Watts
from energycore.simulation.solar import SolarDay


@attrs.frozen(kw_only=True)
class Mill(Device):
    """A mill at the brook."""

    kind: ClassVar[str] = "water_mill"
    role: ClassVar[Role] = Role.SOURCE
    behaviour = SolarDay()

    wheel_power_w: Watts = attrs.field(converter=number, validator=power, metadata=about("Power."))

    @property
    def largest_power_w(self) -> float:
        return self.wheel_power_w
'''


def test_a_kind_of_a_plugin_is_read_like_those_that_ship(tmp_path):
    (tmp_path / "mills.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "mills-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mills\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[energycore.device_kinds]\nwater_mill = mills:Mill\n")
    device = '\n[[devices]]\nkind = "water_mill"\nname = "Brook"\nwheel_power_kw = 3\n'
    wrong = write(tmp_path, HOME + device)
    right = tmp_path / "right.toml"
    right.write_text((HOME + device).replace("_kw = 3", "_w = 3000"), encoding="utf-8")
    program = (
        "import sys, energycore as ec\n"
        "print(ec.load_home(sys.argv[1]).devices[-1].device)\n"
        "try: ec.load_home(sys.argv[2])\n"
        "except ec.EnergycoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(right), str(wrong)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "wheel_power_w=3000.0" in done.stdout
    assert "wheel_power_w = 3000, in watts" in done.stdout


def test_the_home_of_the_demo_is_the_example_byte_for_byte():
    packaged = ROOT / "src" / "energycore" / "cli" / "home.toml"
    assert packaged.read_bytes() == (ROOT / "examples" / "home.toml").read_bytes()


def test_the_example_has_every_kind_that_ships_and_says_where_its_numbers_come_from():
    path = Path(ROOT / "examples" / "home.toml")
    home = ec.load_home(path)
    kinds = {entry.device.kind for entry in home.devices}
    assert kinds == {"solar_panel", "battery", "electric_vehicle", "appliance"}
    assert path.read_text(encoding="utf-8").count("[sheet]") >= 8


def test_an_external_id_of_the_site_that_is_no_text_is_named_with_its_line(tmp_path):
    file = tmp_path / "home.toml"
    file.write_text('[site]\nname = "Home"\ntime_zone = "UTC"\nexternal_id = 3\n', encoding="utf-8")
    with pytest.raises(InvalidHomeFile) as refusal:
        ec.load_home(file)
    assert refusal.value.line == 4
    assert "external_id must be a text, not 3" in str(refusal.value)
