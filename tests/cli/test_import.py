"""`energycore import`: every row is stored, known already, or refused; nothing is guessed."""

import csv
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import energycore as ec
from energycore.cli import import_files
from energycore.quantities.units import MISSING
from tests.cli.runs import refusal, run, words
from tests.cli.served import signalled
from tests.support.tree import ROOT

REPORTED = ec.DataSource.REPORTED
START = datetime(2024, 6, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A database with a roof, a battery and a meter that report, and a lamp that is simulated."""
    monkeypatch.chdir(tmp_path)
    url = "sqlite:///energycore.db"
    with ec.connect(url) as energy:
        home = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        barn = energy.register_site(ec.Site(name="Barn", time_zone="Europe/Berlin"))
        roof = ec.SolarPanel(name="Roof", rated_power_w=5_000)
        wall = ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5e3, max_discharge_w=5e3)
        quarter = timedelta(minutes=15)
        energy.register(
            roof, site=home, data_source=REPORTED, external_id="meter-17", max_gap=quarter
        )
        energy.register(wall, site=home, data_source=REPORTED)
        energy.register(roof, site=barn, data_source=REPORTED)
        energy.register(ec.Appliance(name="Lamp", average_power_w=9), site=home)
    return url


def written(tmp_path, text, name="readings.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def imported(*arguments, code=0):
    return run("import", *arguments, code=code).stdout.splitlines()


def stored(url, device_id):
    """What is stored of a device: instants, milliwatts, milliwatt-hours."""
    with ec.connect(url) as energy:
        batch = energy.readings(
            device_id, datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        )
    ats = [datetime.fromtimestamp(at_us / 1e6, UTC) for at_us in batch.at_us.tolist()]
    return list(zip(ats, batch.power_mw.tolist(), batch.stored_or_none(), strict=True))


def test_devices_are_told_by_name_external_id_or_number(url, tmp_path):
    path = written(
        tmp_path,
        "at,device,power_w,stored_wh\n"
        "2024-06-03T12:00Z,meter-17,1500.25,\n"
        "2024-06-03T14:01+02:00,1,-0.0004,\n"
        "2024-06-03T12:00Z,Wall,-500,2500.5\n",
    )
    assert imported(path) == [
        "readings.csv: power in W, energy in Wh, production_positive, times with an offset",
        "accepted 3, duplicates 0, conflicts 0, rejected 0",
    ]
    assert stored(url, 1) == [(START, 1_500_250, None), (START + MINUTE, 0, None)]
    assert stored(url, 2) == [(START, -500_000, 2_500_500)]


def test_the_same_file_again_gives_duplicates_only(url, tmp_path):
    path = written(tmp_path, "at,power_w\n2024-06-03T12:00Z,1\n2024-06-03T12:01Z,2\n")
    assert imported(path, "--device", "Wall")[1].startswith("accepted 2, duplicates 0")
    before = stored(url, 2)
    assert imported(path, "--device", "Wall")[1:] == [
        "accepted 0, duplicates 2, conflicts 0, rejected 0"
    ]
    assert stored(url, 2) == before


def test_unit_sign_and_zone_are_as_declared(url, tmp_path):
    path = written(
        tmp_path,
        "Zeit;Leistung;Ladung\n01.07.2024 00:15;1,25;0,5\n01.01.2024 00:15;-3;\n",
    )
    lines = imported(
        *(path, "--device", "Wall", "--map", "at=Zeit", "--map", "power_w=Leistung"),
        *("--map", "stored_wh=Ladung", "--unit", "kW", "--energy-unit", "kWh"),
        *("--sign", "charge_positive", "--zone", "Europe/Berlin", "--time", "%d.%m.%Y %H:%M"),
        *("--delimiter", ";", "--decimal", ","),
    )
    assert lines == [
        "readings.csv: power in kW, energy in kWh, charge_positive, times of Europe/Berlin",
        "accepted 2, duplicates 0, conflicts 0, rejected 0",
    ]
    assert stored(url, 2) == [
        (datetime(2023, 12, 31, 23, 15, tzinfo=UTC), 3_000_000, None),
        (datetime(2024, 6, 30, 22, 15, tzinfo=UTC), -1_250_000, 500_000),
    ]


def test_rejected_rows_are_told_by_their_line_and_the_others_are_stored(url, tmp_path):
    path = written(
        tmp_path,
        "at,device,power_w,stored_wh\n"
        '2024-06-03T12:00Z,"Wall",1,\n'
        "\n"
        "gestern,Wall,2,\n"
        "2024-06-03T12:01Z,Walll,3,\n"
        "2024-06-03T12:02Z,Wall,viel,\n"
        "2024-06-03T12:03Z,Wall,,\n"
        "2024-06-03T12:04Z,Wall,4\n"
        "2024-06-03T12:05Z,Lamp,5,\n"
        "2024-06-03T12:06Z,Roof,6,\n"
        "2024-06-03T12:07Z,Wall,7,10001\n"
        "2024-06-03T12:00Z,Wall,8,\n"
        "2124-06-03T12:00Z,Wall,9,\n"
        '2024-06-03T12:08Z,Wall,"10\n",\n'
        "2024-06-03T12:09:00,Wall,11,\n",
    )
    heading, counts, *reasons = imported(path, code=1)
    assert heading.startswith("readings.csv: ")
    assert counts == "accepted 2, duplicates 0, conflicts 0, rejected 11"
    assert [at for at, *_ in stored(url, 2)] == [START, START + 8 * MINUTE]
    assert [reason.partition(":")[0] for reason in reasons[:10]] == [
        f"  line {number}" for number in (4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    ]
    for reason, expected in zip(
        reasons,
        (
            "at must be a date such as ",
            "there is no device 'Walll': did you mean 'Wall'? (NOT_FOUND)",
            "power_w must be a finite number, not 'viel' (INVALID_VALUE)",
            "power_w must be a finite number (INVALID_VALUE)",
            "row must be of 4 cells, not 3 (INVALID_VALUE)",
            "Lamp is simulated: only ticks move it (DEVICE_IS_SIMULATED)",
            "'Roof' is any of Roof of Home (number 1), Roof of Barn (number 3): ",
            "stored_wh must be at least 0 and at most 10000 Wh, not 10001.0 ",
            "another reading of this device at 2024-06-03T12:00:00+00:00 is stored already ",
            "at must be at most 0:05:00 after now, not 2124-06-03T12:00:00+00:00 ",
        ),
        strict=False,
    ):
        assert reason.partition(": ")[2].startswith(expected)
    assert reasons[10].startswith("  and 1 more; of all: 5 INVALID_VALUE, ")


@pytest.mark.parametrize(
    ("policy", "counts", "power_mw"),
    [
        ("reject", "accepted 0, duplicates 0, conflicts 0, rejected 1", 1_000),
        ("first", "accepted 0, duplicates 0, conflicts 1, rejected 0", 1_000),
        ("last", "accepted 0, duplicates 0, conflicts 1, rejected 0", 2_000),
    ],
)
def test_another_value_of_a_known_instant_follows_the_policy(
    url, tmp_path, policy, counts, power_mw
):
    imported(written(tmp_path, "at,power_w\n2024-06-03T12:00Z,1\n"), "--device", "Wall")
    other = written(tmp_path, "at,power_w\n2024-06-03T12:00Z,2\n")
    code = int(policy == "reject")
    told = imported(other, "--device", "Wall", "--on-conflict", policy, code=code)
    assert told[1] == counts
    assert stored(url, 2) == [(START, power_mw, None)]


def test_times_without_an_offset_need_a_zone_and_nothing_is_stored_without(url, tmp_path):
    path = written(tmp_path, "at,power_w\n2024-06-03 12:00,1\n2024-06-03T12:00Z,2\n")
    assert refusal("import", path, "--device", "Wall") == (
        "error: at must be an instant with an offset, or --zone must say which clock it was read"
        " from, not 2024-06-03T12:00:00 (INSTANT_WITHOUT_ZONE)\n"
    )
    assert stored(url, 2) == []
    imported(path, "--device", "Wall", "--zone", "Asia/Kathmandu")
    assert [at for at, *_ in stored(url, 2)] == [START - timedelta(hours=5.75), START]


def test_a_local_time_that_came_twice_or_never_is_rejected(url, tmp_path):
    path = written(
        tmp_path,
        "at,power_w\n2024-10-27 01:45,1\n2024-10-27 02:30,2\n2024-03-31 02:30,3\n"
        "2024-10-27 02:30+01:00,4\n",
    )
    lines = imported(path, "--device", "Wall", "--zone", "Europe/Berlin", code=1)
    assert [line[:8] for line in lines[2:]] == ["  line 3", "  line 4"]
    assert "that the clocks of Europe/Berlin show once, or one with an offset" in lines[2]
    assert [at for at, *_ in stored(url, 2)] == [
        datetime(2024, 10, 26, 23, 45, tzinfo=UTC),
        datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("spelling", "cell"),
    [
        ("iso", "2024-06-03T12:00:00.25Z"),
        ("s", "1717416000.25"),
        ("ms", "1717416000250"),
        ("us", "1717416000250000"),
        ("ns", "1717416000250000000"),
        ("%Y%m%d %H%M%S.%f %z", "20240603 140000.25 +0200"),
    ],
)
def test_a_time_is_read_as_it_is_declared(url, tmp_path, spelling, cell):
    path = written(tmp_path, f"at,power_w\n{cell},1\nnever,1\n")
    lines = imported(path, "--device", "Wall", "--time", spelling, code=1)
    assert "  line 3: at must be a date such as" in lines[2]
    assert stored(url, 2) == [(START + timedelta(milliseconds=250), 1_000, None)]


def test_a_mean_of_an_interval_that_ended_is_stored_where_the_interval_begins(url, tmp_path):
    path = written(tmp_path, "at,power_w,stored_wh\n2024-06-03T12:15Z,1,100\n")
    error = refusal("import", path, "--device", "Wall", "--interval-end", "15min")
    assert "a stored energy is of an instant and cannot be shifted: say --map stored_wh=" in error
    command = (path, "--device", "Wall", "--map", "stored_wh=")
    imported(*command, "--interval-end", "15min")
    assert stored(url, 2) == [(START, 1_000, None)]
    assert "interval-end must be" in refusal("import", *command, "--interval-end", "a while")


def test_a_decimal_comma_leaves_no_doubt_about_points(url, tmp_path):
    path = written(
        tmp_path,
        "at;power_w\n2024-06-03T12:00Z;1,5\n2024-06-03T12:01Z;1.500\n2024-06-03T12:02Z;2\n",
    )
    lines = imported(path, "--device", "Wall", "--delimiter", ";", "--decimal", ",", code=1)
    assert (
        lines[2]
        == "  line 3: power_w must be a number with a decimal comma, not '1.500' (INVALID_VALUE)"
    )
    assert [power_mw for _, power_mw, _ in stored(url, 2)] == [1_500, 2_000]


COUNTER = """\
at,total
2024-06-03T08:00Z,215.2
2024-06-03T08:15Z,215.7
2024-06-03T08:30Z,215.6
2024-06-03T08:45Z,216.4
2024-06-03T09:00Z,217.2
2024-06-03T09:15Z,0.0
2024-06-03T09:30Z,0.9
2024-06-03T09:45Z,1.8
"""
COUNTING = ("--counter", "total", "--counter-resolution", "0.1", "--energy-unit", "kWh")


def test_a_counter_becomes_power_and_what_it_did_is_told(url, tmp_path):
    path = written(tmp_path, COUNTER)
    assert imported(path, "--device", "meter-17", *COUNTING) == [
        "readings.csv: a counter in kWh, production_positive, times with an offset",
        "Roof: 8 counter values gave 6 readings, 3.800 kWh",
        (
            "Roof at 2024-06-03T08:30:00Z: The counter fell by 100 Wh, a dip: no energy is counted"
            " until it passes 215,700 Wh again."
        ),
        (
            "Roof at 2024-06-03T09:15:00Z: The counter fell from 217,200 Wh to 0 Wh, a reset: the"
            " power of the interval is unknown."
        ),
        "accepted 6, duplicates 0, conflicts 0, rejected 0",
    ]
    begin, quarter = datetime(2024, 6, 3, 8, tzinfo=UTC), timedelta(minutes=15)
    watts = {0: 2_000, 1: 0, 2: 2_800, 3: 3_200, 5: 3_600, 6: 3_600}
    assert stored(url, 1) == [(begin + n * quarter, 1_000 * w, None) for n, w in watts.items()]
    again = imported(path, "--device", "meter-17", *COUNTING)
    assert again[-1] == "accepted 0, duplicates 6, conflicts 0, rejected 0"


def test_a_counter_of_consumption_follows_its_policies(url, tmp_path):
    path = written(tmp_path, COUNTER)
    sign = ("--sign", "consumption_positive")
    error = refusal("import", path, "--device", "meter-17", *COUNTING, *sign, "--reset", "refuse")
    assert error.startswith(
        "error: Roof: counter_wh must be at least 217,200 Wh at 2024-06-03T09:15"
    )
    assert stored(url, 1) == []
    imported(path, "--device", "meter-17", *COUNTING, *sign, "--reset", "restart", "--dip", "gap")
    powers = [power_mw for _, power_mw, _ in stored(url, 1)]
    assert powers == [-2_000_000, -2_800_000, -3_200_000, 0, -3_600_000, -3_600_000]


def test_values_that_are_no_counter_are_rejected_and_the_others_are_used(url, tmp_path):
    path = written(
        tmp_path,
        "at,total\n2024-06-03T12:15Z,11\n2024-06-03T12:00Z,10\n2024-06-03T12:05Z,unavailable\n"
        "2024-06-03T12:10Z,-1\n2024-06-03T12:00Z,10.0\n2024-06-03T12:15Z,12\n",
    )
    lines = imported(path, "--device", "meter-17", *COUNTING, code=1)
    assert lines[1:] == [
        "Roof: 3 counter values gave 1 reading, 1.000 kWh",
        "accepted 1, duplicates 0, conflicts 0, rejected 3",
        "  line 4: counter_wh must be a finite number, not 'unavailable' (INVALID_VALUE)",
        (
            "  line 5: counter must be a number of at least 0 and below 1,000,000,000,000 Wh, not"
            " -1000.0 (INVALID_VALUE)"
        ),
        (
            "  line 7: counter must be 11000 Wh, as another row of that instant says, not 12000.0"
            " (INVALID_VALUE)"
        ),
    ]


def test_a_counter_rolls_over_only_where_that_is_declared(url, tmp_path):
    path = written(tmp_path, "at,total\n2024-06-03T12:00Z,99.9\n2024-06-03T12:15Z,0.4\n")
    rollover = imported(path, "--device", "meter-17", *COUNTING, "--rolls-over-at", "100")
    assert "a rollover: 500 Wh are counted." in rollover[2]
    assert stored(url, 1) == [(START, 2_000_000, None)]


def test_the_power_that_a_counter_may_show_is_the_devices_or_the_one_that_is_declared(
    url, tmp_path
):
    path = written(tmp_path, "at,total\n2024-06-03T12:00Z,0\n2024-06-03T12:15Z,2\n")
    assert "more than its rated power allows" in imported(path, "--device", "1", *COUNTING)[2]
    imported(path, "--device", "1", *COUNTING, "--rated-power", "8000")
    assert stored(url, 1) == [(START, 8_000_000, None)]


def test_a_parquet_file_gives_the_same_as_a_csv_file_in_any_number_of_parts(
    url, tmp_path, monkeypatch
):
    count = 100
    ats = [START + n * MINUTE for n in range(count)]
    powers = [n * 1.001 - 50 for n in range(count)]
    names = ["Wall" if n % 3 else "Nobody" for n in range(count)]
    rows = zip(ats, names, powers, strict=True)
    text = "".join(f"{at.isoformat()},{name},{power!r}\n" for at, name, power in rows)
    as_csv = written(tmp_path, f"time,id,kw\n{text}")
    table = pa.table({"time": ats, "id": pa.array(names).dictionary_encode(), "kw": powers})
    as_parquet = tmp_path / "readings.parquet"
    pq.write_table(table, as_parquet)
    maps = [
        text for field in ("at=time", "device_id=id", "power_w=kw") for text in ("--map", field)
    ]
    dry = imported(as_parquet, *maps, "--unit", "kW", "--dry-run", code=1)
    assert dry[0].endswith("; dry run, nothing is stored")
    assert stored(url, 2) == []
    monkeypatch.setattr(import_files, "ROWS", 7)
    lines = imported(as_csv, *maps, "--unit", "kW", code=1)
    assert dry[1] == lines[1] == "accepted 66, duplicates 0, conflicts 0, rejected 34"
    assert [line.split(":")[0] for line in dry[2:]] == [f"  row {n}" for n in range(1, 31, 3)] + [
        "  and 24 more; of all"
    ]
    assert [line.split(":")[0] for line in lines[2:4]] == ["  line 2", "  line 5"]
    with ec.connect(url) as energy:
        batch = energy.readings(2, START, START + count * MINUTE)
    expected = [power for name, power in zip(names, powers, strict=True) if name == "Wall"]
    np.testing.assert_array_equal(batch.power_mw, np.rint(np.array(expected) * 1e6))
    again = imported(as_parquet, *maps, "--unit", "kW", code=1)
    assert again[1] == "accepted 0, duplicates 66, conflicts 0, rejected 34"
    assert again[2:] == dry[2:]


def test_a_dry_run_tells_what_would_become_of_each_row_and_stores_nothing(
    url, tmp_path, monkeypatch
):
    monkeypatch.setattr(import_files, "ROWS", 2)
    rows = "".join(f"2024-06-03T12:0{n % 3}Z,{n % 3}\n" for n in range(5))
    path = written(tmp_path, f"at,power_w\n{rows}")
    command = (path, "--device", "Wall")
    would = imported(*command, "--dry-run")
    assert stored(url, 2) == []
    did = imported(*command)
    assert would[1] == did[1] == "accepted 3, duplicates 2, conflicts 0, rejected 0"
    assert would[0] == f"{did[0]}; dry run, nothing is stored"


def test_a_parquet_file_may_have_local_times_and_whole_numbers(url, tmp_path):
    path = tmp_path / "readings.parquet"
    local = datetime(2024, 6, 3, 14)  # noqa: DTZ001 - without a zone, as such files have it
    columns = {"at": [local], "power_w": [3], "device_id": [2], "stored_wh": [None]}
    pq.write_table(pa.table(columns), path)
    assert "or --zone must say which clock" in refusal("import", path)
    imported(path, "--zone", "Europe/Berlin")
    assert stored(url, 2) == [(START, 3_000, None)]
    pq.write_table(pa.table({"at": [1717416060], "power_w": [4]}), path)
    error = refusal("import", path, "--device", "2")
    assert "the times are numbers: say with --time what they count since 1970" in error
    imported(path, "--device", "2", "--time", "s")
    assert [at for at, *_ in stored(url, 2)] == [START, START + MINUTE]


def test_what_a_simulation_wrote_can_be_read_back_exactly(url, tmp_path):
    run(
        *("simulate", ROOT / "examples" / "home.toml", "--days", "1", "--step", "1h"),
        *("--start", "2024-06-01", "--csv", "run.csv"),
    )
    home = ec.load_home(ROOT / "examples" / "home.toml")
    with ec.connect("sqlite:///other.db") as energy:
        for entry in home.devices:
            energy.register(entry.device, data_source=REPORTED, max_gap=timedelta(hours=1))
    lines = imported(tmp_path / "run.csv", "--database", "sqlite:///other.db")
    with (tmp_path / "run.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert lines[1] == f"accepted {len(rows)}, duplicates 0, conflicts 0, rejected 0"
    with ec.connect("sqlite:///other.db") as energy:
        start = datetime(2024, 5, 31, 22, tzinfo=UTC)
        names = {record.device.name: record.id for record in energy.devices().items}
        for name, number in names.items():
            batch = energy.readings(number, start, start + timedelta(days=1))
            mine = [row for row in rows if row["device"] == name]
            assert batch.power_w.tolist() == [float(row["power_w"]) for row in mine]
            assert [None if v == MISSING else v / 1_000 for v in batch.stored_mwh.tolist()] == [
                float(row["stored_wh"]) if row["stored_wh"] else None for row in mine
            ]


def test_readings_that_come_less_often_than_their_power_is_held_are_pointed_out(url, tmp_path):
    rows = "".join(f"2024-06-03T{hour:02}:00Z,1\n" for hour in range(10))
    path = written(tmp_path, f"at,power_w\n{rows}")
    told = run("import", path, "--device", "Wall").stderr
    assert told.startswith("Wall is read every 1:00:00, but a power of it is held for 0:05:00 only")
    assert told.count("\n") == 1


def test_a_simulated_device_takes_no_readings_and_the_error_says_what_does(url, tmp_path):
    path = written(tmp_path, "at,power_w\n2024-06-03T12:00Z,1\n")
    assert refusal("import", path, "--device", "Lamp") == (
        "error: Lamp is simulated, so that only ticks move it: readings can be imported for devices"
        " that are registered as reported (DEVICE_IS_SIMULATED)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "Roof"], "'Roof' is any of Roof of Home (number 1), Roof of Barn (number 3)"),
        (["--device", "Nobody"], "there is no device 'Nobody'"),
        (
            [],
            "the file has no column 'device_id', only 'at', 'power_w': say --map device_id=COLUMN",
        ),
        (
            ["--map", "at=zeit"],
            "map must be a column that the file has once ('at', 'power_w'), not",
        ),
        (["--map", "when=at"], "map must be FIELD=COLUMN, with each of device_id, at, power_w, "),
        (["--map", "at"], "map must be FIELD=COLUMN, with each of device_id, at, power_w, "),
        (["--map", "at="], "the file has no column 'at', only "),
        (["--unit", "kw"], "unit must be one of mW, W, kW, MW, not 'kw'"),
        (["--energy-unit", "J"], "energy-unit must be one of Wh, kWh, MWh, not 'J'"),
        (["--sign", "up"], "sign must be one of production_positive, "),
        (["--zone", "Nirgends"], "zone must be an IANA time zone name "),
        (["--time", "noon"], "time must be iso, s, ms, us or ns since 1970, or a pattern such as "),
        (["--time", "%Q"], "time must be iso, s, ms, us or ns since 1970, or a pattern such as "),
        (["--decimal", ";"], "decimal must be a point or a comma, not ';'"),
        (["--delimiter", ",,"], "delimiter must be a single character, not ',,'"),
        (["--on-conflict", "ask"], "on_conflict must be one of reject, first, last, not 'ask'"),
        (["--database", "sqlite:///other.db"], "there is no database "),
        ([*COUNTING, "--reset", "maybe"], "reset must be one of gap, restart, refuse, not 'maybe'"),
        ([*COUNTING, "--map", "power_w=x"], "map must be at= or device_id= beside --counter, not"),
        (
            ["--counter", "power_w", "--counter-resolution", "0", "--device", "Wall"],
            "counter-resolution must be at least 0.001 and at most 1,000,000 Wh, not 0.0",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_line(url, tmp_path, arguments, message):
    path = written(tmp_path, "at,power_w\n2024-06-03T12:00Z,1\n")
    assert refusal("import", path, *arguments).startswith(f"error: {message}")
    assert stored(url, 1) == stored(url, 2) == []


def test_a_file_that_tells_the_device_of_each_row_takes_no_other(url, tmp_path):
    path = written(tmp_path, "at,device,power_w\n2024-06-03T12:00Z,x,1\n")
    error = refusal("import", path, "--device", "Wall")
    assert "column 'device' tells the device: leave --device away, or --map device_id=" in error
    imported(path, "--device", "Wall", "--map", "device_id=")
    assert len(stored(url, 2)) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "the file has no column 'at', only none"),
        ("x.csv", b"a;b\n1;2\n", "the file has no column 'at', only 'a;b'"),
        ("x.csv", b"at,power_w\n\xff,1\n", "x.csv is not in UTF-8"),
        ("x.csv", b'at,power_w\n"' + b"x" * 200_000, "x.csv:"),
        ("x.csv", b"at,at,power_w\n1,2,3\n", "map must be a column that the file has once"),
        ("x.parquet", b"PAR1 and nothing else", "x.parquet cannot be read: "),
        ("x.txt", b"at,power_w\n", "file must be a file that ends in .csv or .parquet"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_line(url, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert refusal("import", name, "--device", "Wall").startswith(f"error: {message}")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_stopped_on_the_way_it_goes_on_when_it_is_run_again(url, tmp_path, number, status):
    count = 3 * import_files.ROWS
    rows = (f"{(START + n * MINUTE).isoformat()},{n % 1_000}\n" for n in range(count))
    path = written(tmp_path, f"at,power_w\n{''.join(rows)}")
    command = ("import", path, "--device", "Wall")

    def stored_rows():
        with closing(sqlite3.connect("energycore.db")) as database:
            return database.execute("SELECT count(*) FROM energycore_reading").fetchone()[0]

    ended, said = signalled(tmp_path, command, lambda: stored_rows() > 0, number)
    assert ended == status
    assert ("stopped: run it again to go on" in said) is (number == signal.SIGINT)
    known = stored_rows()
    assert 0 < known < count
    assert known % import_files.ROWS == 0
    assert run(*command).stdout.endswith(
        f"accepted {count - known:,}, duplicates {known:,}, conflicts 0, rejected 0\n"
    )


def test_a_file_without_rows_stores_nothing(url, tmp_path):
    path = written(tmp_path, "\ufeffat,power_w\n")
    nothing = "accepted 0, duplicates 0, conflicts 0, rejected 0"
    assert imported(path, "--device", "Wall")[1] == nothing
    counting = ("--counter", "power_w", "--counter-resolution", "1")
    assert imported(path, "--device", "Wall", *counting)[1] == nothing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "'none.csv' does not exist"),
        (["x.csv", "--counter", "x"], "for --counter: goes with --counter-resolution"),
        (["x.csv", *COUNTING, "--interval-end", "15min"], "--interval-end: goes without --counter"),
    ],
)
def test_a_wrong_use_ends_with_2(url, tmp_path, arguments, message):
    written(tmp_path, "at,power_w\n", "x.csv")
    assert message in words(run("import", *arguments, code=2).stderr)
