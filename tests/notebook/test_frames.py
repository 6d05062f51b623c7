"""Frames of readings are stored like single readings, whatever library they are of."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import energycore as ec
from energycore.errors import (
    InstantOutOfRange,
    InstantWithoutZone,
    InvalidValue,
    MissingExtra,
    NotFound,
    UnknownTimeZone,
)
from energycore.notebook.frames import columns_of, read_table
from energycore.notebook.instants import local_offsets_us
from energycore.quantities.instants import to_epoch_us

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOON_US = to_epoch_us(NOON)
KEYS = ("device_id", "at", "power_w", "stored_wh")
ZONES = (
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Havana",
)


class Still:
    """A clock that stands."""

    def now(self):
        return NOON


def rows_of(count=4):
    """Readings of a device a minute apart, as columns."""
    return {
        "device_id": [1] * count,
        "at": [NOON - timedelta(minutes=count - row) for row in range(count)],
        "power_w": [1.5 * row for row in range(count)],
    }


def read(frame, **said):
    """What was read, as plain values, and the codes of what was refused."""
    columns = columns_of(frame, **said)
    values = (columns.device_id, columns.at_us, columns.power_w, columns.stored_wh)
    codes = {row: error.code for row, error in columns.refused.items()}
    return *(value.tolist() for value in values), codes


def as_pandas(rows):
    """Columns of their own types; pandas has no whole numbers beside an absent one."""
    frame = pd.DataFrame(rows, columns=KEYS)
    return frame.astype(
        {"device_id": "int64", "at": "datetime64[us, UTC]", "power_w": float, "stored_wh": float}
    )


def as_polars(rows):
    schema: dict[str, Any] = {
        "device_id": pl.Int64,
        "at": pl.Datetime("us", "UTC"),
        "power_w": pl.Float64,
        "stored_wh": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row", strict=False)


def as_arrow(rows):
    types = pa.int64(), pa.timestamp("us", "UTC"), pa.float64(), pa.float64()
    columns = zip(*rows, strict=True) if rows else [()] * 4
    return pa.table(
        {key: pa.array(c, kind) for key, c, kind in zip(KEYS, columns, types, strict=True)}
    )


CONVERT = pytest.mark.parametrize(
    "convert", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "Arrow"]
)
FRAMES = {
    "pandas": as_pandas,
    "pandas of objects": lambda rows: pd.DataFrame(rows, columns=KEYS, dtype=object),
    "pandas of Arrow": lambda rows: as_arrow(rows).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": as_polars,
    "Arrow": as_arrow,
}


def recorded(readings):
    """What became of readings in a new database, and what it holds then."""
    with ec.connect("memory://", clock=Still()) as energy:
        reported = ec.DataSource.REPORTED
        battery = ec.Battery(
            name="Wall", capacity_wh=9_000, max_charge_w=3_000, max_discharge_w=3_000
        )
        energy.register(ec.SolarPanel(name="Roof", rated_power_w=5_000), data_source=reported)
        energy.register(battery, data_source=reported)
        energy.register(ec.SolarPanel(name="Other", rated_power_w=5_000))
        result = energy.record(readings)
        stored = energy.readings([1, 2, 3], "2020-01-01", "2030-01-01")
    counts = result.accepted, result.duplicates, result.conflicts
    columns = stored.device_id, stored.at_us, stored.power_mw, stored.stored_mwh
    return counts, [one.index for one in result.rejected], [column.tolist() for column in columns]


POWERS = st.one_of(
    st.floats(-5_000, 5_000),
    st.sampled_from([0.0, 0.0005, 0.0015, 1e8, 2e8, np.nan, np.inf, -np.inf, None]),
)
INSTANTS = st.one_of(
    st.integers(-3_000, 3_000).map(lambda us: NOON - timedelta(microseconds=us)),
    st.sampled_from([NOON + timedelta(days=1), NOON - timedelta(days=50_000), None]),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 2, 2, 3, 99, -1]),
        INSTANTS,
        POWERS,
        st.one_of(st.none(), st.floats(0, 9_000), st.sampled_from([9_000.01, -0.1, np.inf])),
    ),
    max_size=12,
)


@pytest.mark.parametrize("library", FRAMES)
@settings(max_examples=50)
@given(rows=ROWS)
def test_a_frame_is_recorded_to_the_bit_like_its_single_readings(library, rows):
    singles = [ec.NewReading(**dict(zip(KEYS, row, strict=True))) for row in rows]
    assert recorded(FRAMES[library](rows)) == recorded(singles)


class TestInstants:
    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_an_instant_may_be_counted_in_any_unit(self, unit):
        instants = np.array(["1969-12-31T23:59:58", "NaT", "2026-06-01T12:00"], f"M8[{unit}]")
        values = pd.DatetimeIndex(instants).tz_localize("UTC")
        expected = [-2_000_000, 0, NOON_US]
        frame = pd.DataFrame({"device_id": 1, "at": values, "power_w": 2.0})
        for given_ in (frame, pl.from_pandas(frame), pa.table(frame)):
            _, at_us, _, _, codes = read(given_)
            assert at_us == expected
            assert codes == {1: "INVALID_VALUE"}

    @pytest.mark.parametrize(
        ("at_ns", "at_us"),
        [
            (499_999, 0),
            (500_000, 0),
            (500_001, 1_000),
            (1_500_000, 2_000),
            (2_500_000, 2_000),
            (-500_000, 0),
            (-500_001, -1_000),
            (-1_500_000, -2_000),
        ],
    )
    def test_an_instant_is_rounded_to_a_millisecond_halves_to_even(self, at_ns, at_us):
        at = pa.array([at_ns], pa.timestamp("ns", "UTC"))
        table = pa.table({"device_id": [1], "at": at, "power_w": [2.0]})
        assert read(table)[1] == [at_us]
        local = table.set_column(1, "at", at.cast(pa.int64()).cast(pa.timestamp("ns")))
        assert read(local, time_zone="Asia/Kolkata")[1] == [at_us - 19_800_000_000]

    def test_an_instant_that_no_reading_may_have_is_refused_alone(self):
        at = pa.array([2**62, -(2**62), -(2**63), 1_780_315_200], pa.timestamp("s", "UTC"))
        table = pa.table({"device_id": [1] * 4, "at": at, "power_w": [2.0] * 4})
        columns = columns_of(table)
        assert [type(columns.refused[row]) for row in (0, 1)] == [InstantOutOfRange] * 2
        assert columns.at_us.tolist()[3] == NOON_US
        assert sorted(columns.refused) == [0, 1, 2]

    def test_local_times_without_a_zone_are_refused_as_a_whole(self):
        frame = pd.DataFrame(rows_of())
        naive = frame.assign(at=frame["at"].dt.tz_localize(None))
        texts = [
            naive.assign(at=naive["at"].dt.strftime("%Y-%m-%d %H:%M")),
            naive.assign(at=naive["at"].astype(object)),
        ]
        for given_ in (naive, pl.from_pandas(naive), *texts):
            with pytest.raises(InstantWithoutZone, match="time_zone must name") as refusal:
                columns_of(given_)
            assert refusal.value.field == "at"
        assert read(naive.head(0))[0] == []

    def test_one_local_time_among_instants_is_refused_alone(self):
        at = [NOON.isoformat(), "2026-06-01T12:00", "2026-06-01", "noon", None]
        frame = {"device_id": [1] * 5, "at": at, "power_w": [2.0] * 5}
        for given_ in (pd.DataFrame(frame), pl.DataFrame(frame), pa.table(frame)):
            _, at_us, _, _, codes = read(given_)
            assert at_us[0] == NOON_US
            assert codes == {
                1: "INSTANT_WITHOUT_ZONE",
                2: "INSTANT_WITHOUT_ZONE",
                3: "INVALID_VALUE",
                4: "INVALID_VALUE",
            }
            _, at_us, _, _, codes = read(given_, time_zone="Europe/Berlin")
            assert at_us[:3] == [NOON_US, NOON_US - 7_200_000_000, NOON_US - 50_400_000_000]
            assert sorted(codes) == [3, 4]

    def test_a_date_is_its_local_midnight(self):
        frame = pl.DataFrame({"device_id": [1], "at": [NOON.date()], "power_w": [2.0]})
        midnight_us = NOON_US - 14 * 3_600_000_000
        assert read(frame, time_zone="Europe/Berlin")[1] == [midnight_us]
        days = frame.with_columns(pl.col("at").cast(pl.String))
        assert read(days, time_zone="Europe/Berlin")[1] == [midnight_us]

    def test_a_local_time_that_is_skipped_or_shown_twice_is_refused_alone(self):
        at = ["2026-03-29 01:59", "2026-03-29 02:00", "2026-03-29 02:59:59", "2026-03-29 03:00"]
        at += ["2026-10-25 01:59:59", "2026-10-25 02:00", "2026-10-25 02:59", "2026-10-25 03:00"]
        frame = pd.DataFrame({"device_id": 1, "at": pd.to_datetime(at, format="ISO8601")})
        columns = columns_of(frame.assign(power_w=1.0), time_zone="Europe/Berlin")
        assert sorted(columns.refused) == [1, 2, 5, 6]
        assert {type(error) for error in columns.refused.values()} == {InstantWithoutZone}
        assert "a time that the clocks of Europe/Berlin show once" in str(columns.refused[5])
        assert "2026-10-25T02:00:00" in str(columns.refused[5])
        good = [0, 3, 4, 7]
        local = [datetime.fromisoformat(at[row] + "+00:00") for row in good]
        hours = [1, 2, 2, 1]
        assert columns.at_us[good].tolist() == [
            to_epoch_us(one - timedelta(hours=h)) for one, h in zip(local, hours, strict=True)
        ]

    @given(
        zone=st.sampled_from(ZONES).map(ZoneInfo),
        days=st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)), min_size=1),  # noqa: DTZ001 - local times are what this is about
    )
    def test_offsets_of_local_times_are_those_of_zoneinfo(self, zone, days):
        days = [*days, *changes(zone)]
        local_us = [to_epoch_us(day.replace(tzinfo=UTC)) for day in days]
        offsets_us, is_clear = local_offsets_us(zone, np.array(local_us))
        rows = zip(days, offsets_us.tolist(), is_clear.tolist(), strict=True)
        for day, offset_us, clear in rows:
            first, second = (day.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
            assert clear == (first.utcoffset() == second.utcoffset()), day
            if clear:
                assert timedelta(microseconds=offset_us) == first.utcoffset()

    def test_numbers_do_not_say_what_they_count(self):
        frame = pd.DataFrame({"device_id": [1], "at": [NOON_US], "power_w": [2.0]})
        with pytest.raises(InvalidValue, match="at must be a column of instants"):
            columns_of(frame)

    def test_an_unknown_zone_is_named(self):
        with pytest.raises(UnknownTimeZone):
            columns_of(pd.DataFrame(rows_of()), time_zone="Mars/Olympus")


@cache
def changes(zone):
    """Local times around two changes of the clocks, if the zone has them."""
    found = []
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(24 * 365):
        at = day + timedelta(hours=hour)
        if (
            at.astimezone(zone).utcoffset()
            != (at + timedelta(hours=1)).astimezone(zone).utcoffset()
        ):
            local = (at + timedelta(hours=1)).astimezone(zone).replace(tzinfo=None)
            found += [local + timedelta(minutes=minutes) for minutes in range(-120, 121, 15)]
    return found


class TestColumns:
    @CONVERT
    def test_columns_may_have_other_names_and_others_may_stand_beside_them(self, convert):
        rows = rows_of()
        other = {
            "meter": rows["device_id"],
            "when": rows["at"],
            "P": rows["power_w"],
            "E": [1.0, None, 3.0, 4.0],
            "note": ["a", "b", "c", "d"],
        }
        names = {"device_id": "meter", "at": "when", "power_w": "P", "stored_wh": "E"}
        ids, at_us, power_w, stored_wh, codes = read(convert(other), columns=names)
        assert (ids, at_us, power_w, codes) == (*read(convert(rows))[:3], {})
        assert np.array_equal(stored_wh, [1.0, np.nan, 3.0, 4.0], equal_nan=True)

    def test_a_level_of_the_index_is_a_column(self):
        frame = pd.DataFrame(rows_of())
        whole = read(frame)[:3]
        assert read(frame.set_index("at"))[:3] == whole
        assert read(frame.set_index(["device_id", "at"]))[:3] == whole

    def test_one_device_may_be_named_for_all_rows(self):
        frame = pd.DataFrame(rows_of()).drop(columns="device_id")
        assert read(frame, device=7)[0] == [7] * 4
        with pytest.raises(InvalidValue, match="device must be absent where a column"):
            columns_of(pd.DataFrame(rows_of()), device=7)

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            (
                {"columns": {"at": "time"}},
                r"each there once \(device_id, at, power_w\), not 'time'",
            ),
            (
                {"columns": {"time": "at"}},
                "names for device_id, at, power_w, stored_wh, not 'time'",
            ),
            ({"columns": {"stored_wh": "charge"}}, "each there once .*, not 'charge'"),
            ({"unit": "kWh"}, "power_unit must be one of mW, W, kW, MW"),
            ({"energy_unit": "W"}, "energy_unit must be one of Wh, kWh, MWh"),
            ({"sign": "plus"}, "sign must be one of production_positive"),
        ],
    )
    def test_what_is_said_wrongly_of_a_frame_is_refused(self, said, words):
        with pytest.raises(InvalidValue, match=words):
            columns_of(pd.DataFrame(rows_of()), **said)

    def test_a_name_that_two_columns_have_is_refused(self):
        frame = pd.DataFrame(rows_of())
        twice = pd.concat([frame, frame[["power_w"]]], axis=1)
        for given_ in (twice, pa.Table.from_arrays([pa.array([1])] * 2, ["device_id"] * 2)):
            with pytest.raises(InvalidValue, match="each there once"):
                columns_of(given_)

    @pytest.mark.parametrize(
        ("given_", "words"),
        [
            (rows_of(), "a frame of pandas or polars, an Arrow table"),
            (None, "a frame of pandas or polars, an Arrow table"),
            (pl.Series([1, 2]), "frame must be columns by name"),
        ],
    )
    def test_what_is_no_frame_is_refused(self, given_, words):
        with pytest.raises(InvalidValue, match=words):
            columns_of(given_)

    def test_power_and_energy_are_turned_into_watts_and_watt_hours_of_the_bus(self):
        frame = pd.DataFrame(rows_of(2) | {"power_w": [1.5, -0.25], "stored_wh": [2.5, None]})
        said: dict[str, Any] = {"sign": "import_positive", "unit": "kW", "energy_unit": "kWh"}
        _, _, power_w, stored_wh, _ = read(frame, **said)
        assert power_w == [-1_500.0, 250.0]
        assert np.array_equal(stored_wh, [2_500.0, np.nan], equal_nan=True)
        said["sign"] = ec.SignConvention.CHARGE_POSITIVE
        assert read(frame, **said)[2] == power_w


class TestTypes:
    @pytest.mark.parametrize(
        "column",
        [
            pd.Series([1, 2, 3], dtype="int8"),
            pd.Series([1, 2, 3], dtype="uint64"),
            pd.Series([1, 2, 3], dtype="Int64"),
            pd.Series([1.0, 2.0, 3.0], dtype="float32"),
            pd.Series([1.0, 2.0, 3.0], dtype="Float64"),
            pd.Series([1, 2, 3], dtype="category"),
            pd.Series(["1", "2", "3"]),
            pd.Series(["1", "2", "3"], dtype=object),
            pytest.param(
                pd.Series(["1", "2", "3"], dtype="category"), id="pandas category of text"
            ),
            pd.Series([1, 2, 3], dtype="int32[pyarrow]"),
            pl.Series([1, 2, 3], dtype=pl.UInt8),
            pl.Series(["1", "2", "3"]),
            pl.Series(["1", "2", "3"], dtype=pl.Categorical),
            pl.Series(["1", "2", "3"], dtype=pl.Enum(["1", "2", "3"])),
            pl.Series([Decimal("1.00"), Decimal("2.00"), Decimal("3.00")]),
        ],
        ids=lambda column: f"{type(column).__module__.split('.')[0]} {column.dtype}",
    )
    def test_numbers_may_be_of_any_type_and_text(self, column):
        make = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
        frame = make({"at": rows_of(3)["at"], "device_id": column, "power_w": column})
        ids, _, power_w, _, codes = read(frame)
        assert (ids, power_w, codes) == ([1, 2, 3], [1.0, 2.0, 3.0], {})

    @CONVERT
    def test_a_text_that_is_no_number_spoils_its_row_only(self, convert):
        rows = rows_of(4) | {
            "power_w": ["1.5", "n/a", None, "1e3"],
            "stored_wh": ["", "1", None, "2"],
            "device_id": ["1", "x", "2", "2.5"],
        }
        columns = columns_of(convert(rows))
        assert {row: type(error) for row, error in columns.refused.items()} == {
            0: InvalidValue,
            1: NotFound,
            3: NotFound,
        }
        assert str(columns.refused[0]) == "stored_wh must be a number, or absent, not ''"
        assert str(columns.refused[1]) == "there is no device 'x'"
        assert columns.power_w[[0, 3]].tolist() == [1.5, 1_000.0]
        assert np.isnan(columns.power_w[2])

    @pytest.mark.parametrize(
        ("ids", "good"),
        [
            (pd.Series([1.0, np.nan, 1.5, -1.0]), [1]),
            (pd.Series([1, 2**63, 2**64 - 1, 2], dtype="uint64"), [1, 2]),
            (pd.Series([True, 1, 2**70, None], dtype=object), [1]),
            (pd.Series([1, None, -3, 4], dtype="Int64"), [1, 4]),
        ],
    )
    def test_what_cannot_be_a_device_is_an_unknown_one(self, ids, good):
        columns = columns_of(pd.DataFrame(rows_of() | {"device_id": ids}))
        assert {type(error) for error in columns.refused.values()} == {NotFound}
        kept = np.delete(columns.device_id, sorted(columns.refused))
        assert kept.tolist() == good

    def test_objects_that_are_no_numbers_are_refused_and_numbers_of_any_kind_are_not(self):
        power = [np.float32(0.5), Decimal("1.5"), 10**400, True, [1], None]
        frame = pd.DataFrame(rows_of(6) | {"power_w": pd.Series(power, dtype=object)})
        columns = columns_of(frame)
        assert sorted(columns.refused) == [2, 3, 4]
        assert columns.power_w[:2].tolist() == [0.5, 1.5]

    @pytest.mark.parametrize(
        "column",
        [
            pd.Series([True, False]),
            pd.Series(pd.to_timedelta([1, 2], unit="s")),
            pd.Series([True, False], dtype="boolean"),
            pl.Series([True, False]),
            pl.Series([[1], [2]]),
            pl.Series([timedelta(1), timedelta(2)]),
        ],
        ids=lambda column: f"{type(column).__module__.split('.')[0]} {column.dtype}",
    )
    @pytest.mark.parametrize("key", ["device_id", "at", "power_w"])
    def test_a_column_of_another_type_is_refused_by_its_name(self, column, key):
        make = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
        with pytest.raises(InvalidValue, match=f"^{key} must be a column of instants, numbers"):
            columns_of(make(rows_of(2) | {key: column}))

    def test_instants_are_no_numbers(self):
        with pytest.raises(InvalidValue, match="power_w must be a column of numbers"):
            columns_of(pd.DataFrame(rows_of() | {"power_w": rows_of()["at"]}))

    def test_a_column_without_any_value_refuses_every_row_and_not_the_frame(self):
        frame = pl.DataFrame(rows_of() | {"at": [None] * 4})
        assert sorted(columns_of(frame).refused) == [0, 1, 2, 3]
        empty = columns_of(pl.DataFrame(rows_of() | {"power_w": [None] * 4}))
        assert np.isnan(empty.power_w).all()

    def test_frames_of_any_length_and_number_of_chunks_are_read(self):
        table = pa.table(rows_of())
        chunks = pa.concat_tables([table, table.slice(1, 2), table.slice(0, 0)])
        assert read(chunks)[2] == [0.0, 1.5, 3.0, 4.5, 1.5, 3.0]
        for one in (table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, [])):
            assert len(columns_of(one)) in (0, 4)
        assert len(columns_of(pd.DataFrame(columns=["device_id", "at", "power_w"]))) == 0


class TestPackages:
    def test_a_frame_of_pandas_needs_no_pyarrow(self):
        program = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd
from energycore.notebook.frames import columns_of
at = ["2026-06-01T12:00Z", "2026-06-01T14:01+02:00"]
frame = pd.DataFrame({"device_id": [1, 2], "at": at, "power_w": ["1.5", "-2"]})
for one in (frame, frame.assign(at=pd.to_datetime(at, utc=True)).convert_dtypes()):
    columns = columns_of(one)
    print(columns.at_us.tolist(), columns.power_w.tolist())
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        line = f"[{NOON_US}, {NOON_US + 60_000_000}] [1.5, -2.0]"
        assert done.stdout.splitlines() == [line, line]

    def test_other_frames_and_files_need_pyarrow(self, monkeypatch):
        frame = pl.DataFrame(rows_of())
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        for call in (lambda: columns_of(frame), lambda: read_table("x.csv")):
            with pytest.raises(MissingExtra, match=r'pip install "energycore\[arrow\]"'):
                call()


class TestFiles:
    def test_a_csv_file_is_read_whatever_one_of_its_cells_holds(self, tmp_path):
        lines = [
            f"1,2026-06-01T{hour:02}:{minute:02}:00+02:00,{minute},a"
            for hour in range(24)
            for minute in range(60)
        ]
        lines[1_000] = "1,2026-06-01T16:40:00+02:00,broken,a"
        lines[1_001] = "1,yesterday,2.5,a"
        lines[1_002] = "1,2026-06-01T16:42:00+02:00,,a"
        file = tmp_path / "day.CSV"
        file.write_text("\n".join(["meter,at,power_w,note", *lines]), encoding="utf-8")
        columns = columns_of(read_table(file), columns={"device_id": "meter"})
        assert {row: error.code for row, error in columns.refused.items()} == {
            1_000: "INVALID_VALUE",
            1_001: "INVALID_VALUE",
        }
        assert len(columns) == 1_440
        assert np.isnan(columns.power_w[1_002])
        assert columns.at_us[0] == NOON_US - 14 * 3_600_000_000

    def test_a_number_with_a_fraction_may_come_late_in_a_csv_file(self, tmp_path):
        count = 200_000
        lines = [f"1,{NOON.isoformat()},{row % 10}" for row in range(count)] + [
            f"1,{NOON.isoformat()},2.5"
        ]
        file = tmp_path / "long.csv"
        file.write_text("\n".join(["device_id,at,power_w", *lines]), encoding="utf-8")
        columns = columns_of(read_table(str(file)))
        assert not columns.refused
        assert columns.power_w[-1] == 2.5

    def test_a_parquet_file_holds_what_a_frame_holds(self, tmp_path):
        file = tmp_path / "readings.parquet"
        frame = pl.DataFrame(rows_of())
        frame.write_parquet(file)
        assert repr(read(read_table(file))) == repr(read(frame))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("empty.csv", b""),
            ("ragged.csv", b"a,b\n1,2,3\n"),
            ("latin.csv", b"a,b\n\xfc,\xfc\n"),
            ("text.parquet", b"not parquet at all"),
            ("short.parquet", b""),
            ("holed.parquet", None),
        ],
    )
    def test_a_damaged_file_is_named(self, tmp_path, name, content):
        file = tmp_path / name
        if content is None:
            pl.DataFrame(rows_of()).write_parquet(file)
            content = file.read_bytes()
            content = content[:4] + bytes(20) + content[24:]
        file.write_bytes(content)
        with pytest.raises(InvalidValue, match="file must be a sound") as refusal:
            read_table(file)
        assert refusal.value.value == str(file)

    def test_a_file_of_another_kind_or_none_is_refused(self, tmp_path):
        with pytest.raises(InvalidValue, match=r"file must be named .csv or .parquet"):
            read_table(tmp_path / "day.xlsx")
        for name in ("none.csv", "none.parquet"):
            with pytest.raises(FileNotFoundError):
                read_table(tmp_path / name)


def test_parquet_and_pandas_are_read_alike(tmp_path):
    frame = as_pandas([(1, NOON, 1.5, None), (2, NOON, -2.0, 3.0)])
    file = Path(tmp_path / "two.parquet")
    pq.write_table(pa.Table.from_pandas(frame), file)
    assert repr(read(read_table(file))) == repr(read(frame))
