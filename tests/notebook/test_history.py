"""The history of a run, and what a history shows: buckets, frames, Arrow tables, pictures."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import energycore as ec
from energycore.errors import InvalidValue, MissingExtra, UnknownTimeZone
from tests.fleet.homes import FixedMeter

BERLIN = ec.Site(name="Home", time_zone="Europe/Berlin")
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
WALL = ec.Battery(name="Wall", capacity_wh=9_000, max_charge_w=3_000, max_discharge_w=3_000)
COOLER = ec.Appliance(name="AC", average_power_w=600)
HOME = [ROOF, WALL, COOLER]
COLUMNS = [
    "end",
    "interval",
    "coverage",
    "reading_count",
    "mean_power_w",
    "min_power_w",
    "max_power_w",
    "produced_wh",
    "consumed_wh",
    "net_wh",
    "mean_state_of_charge",
]


def run_of(devices=HOME, **options):
    given_: dict[str, Any] = {"site": BERLIN, "start": "2026-06-01", "step": "5min", "seed": 7}
    if "end" not in options:
        given_["days"] = 3
    return ec.simulate(devices, **(given_ | options))


def totals(history):
    return sum(b.produced_mwms for b in history), sum(b.consumed_mwms for b in history)


def with_gap(history, gaps):
    """The same history with nothing known of some of its buckets."""
    unknown = {
        "covered_ms": 0,
        "reading_count": 0,
        "produced_mwms": 0,
        "consumed_mwms": 0,
        "min_mw": None,
        "max_mw": None,
        "stored_mwh_ms": 0,
        "room_mwh_ms": 0,
    }
    buckets = tuple(
        attrs.evolve(bucket, **unknown) if index in gaps else bucket
        for index, bucket in enumerate(history)
    )
    return attrs.evolve(history, answer=attrs.evolve(history.answer, buckets=buckets))


class TestOfARun:
    @settings(max_examples=40)
    @given(
        start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - in the site's time
        ticks=st.integers(1, 300),
        step=st.sampled_from(["90s", "15min", "1h"]),
        interval=st.sampled_from(ec.Interval),
        zone=st.sampled_from([None, "Asia/Kathmandu", "Australia/Lord_Howe"]),
    )
    def test_the_sums_of_any_buckets_are_the_totals_of_the_run(
        self, start, ticks, step, interval, zone
    ):
        step_s = {"90s": 90, "15min": 900, "1h": 3_600}[step]
        run = run_of(start=start, days=ticks * step_s / 86_400, step=step)
        summary = run.summary()
        home = run.history(interval, time_zone=zone)
        counted = [(one.produced_mwms, one.consumed_mwms) for one in summary.devices]
        assert totals(home) == tuple(map(sum, zip(*counted, strict=True)))
        for device, expected in zip(HOME, counted, strict=True):
            assert totals(run.history(interval, device, zone)) == expected
        assert home.produced_wh == summary.produced_wh
        assert home.consumed_wh == summary.consumed_wh
        assert all(bucket.coverage == 1 for bucket in home)
        # As instants: Python finds a time that the clocks show twice equal to none of another zone.
        assert home[0].start.astimezone(UTC) == run.start.astimezone(UTC)
        assert home[-1].end.astimezone(UTC) == run.end.astimezone(UTC)
        assert sum(bucket.reading_count for bucket in home) == 3 * ticks

    def test_a_run_of_a_quarter_of_an_hour_is_covered_and_nothing_follows_it(self):
        run = run_of([COOLER], days=15 / 1_440, step="15min")
        (bucket,) = run.history("hour")
        assert bucket.coverage == 1
        assert bucket.end - bucket.start == timedelta(minutes=15)
        assert bucket.consumed_mwms == -int(run.power_mw[0, 0]) * 900_000
        assert bucket.mean_power_w == run.power_w[0, 0]

    @pytest.mark.parametrize(
        ("start", "end", "hours"),
        [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25)],
    )
    def test_a_day_on_which_clocks_change_has_its_own_number_of_hours(self, start, end, hours):
        run = run_of(start=start, end=end)
        (day,) = run.history("day")
        assert day.covered_ms == 3 * hours * 3_600_000
        assert len(run.history("hour")) == hours

    def test_dates_are_whole_days_also_where_clocks_go_back_over_midnight(self):
        # At a minute past midnight it was 23:01 again, and the old date for an hour.
        site = ec.Site(name="Home", time_zone="America/St_Johns")
        (day,) = run_of(site=site, start="2010-11-07", end="2010-11-08").history()
        assert day.start.isoformat() == "2010-11-07T00:00:00-03:30"

    def test_the_extremes_of_a_home_are_those_of_its_net_power(self):
        run = run_of()
        hours = run.history("hour")
        net_mw = run.power_mw.sum(axis=1).reshape(-1, 12)
        assert [bucket.min_mw for bucket in hours] == net_mw.min(axis=1).tolist()
        assert [bucket.max_mw for bucket in hours] == net_mw.max(axis=1).tolist()
        means = [bucket.mean_power_w for bucket in hours]
        assert means == pytest.approx(net_mw.mean(axis=1) / 1_000)

    def test_a_device_is_chosen_by_its_name_or_itself(self):
        run = run_of()
        wall = run.history("day", "Wall")
        assert wall == run.history("day", WALL)
        assert wall.name == "Wall"
        assert run.history().name == "Home"
        charge = np.array([bucket.mean_state_of_charge for bucket in run.history("hour", WALL)])
        assert charge == pytest.approx(run.state_of_charge[:, 1].reshape(-1, 12).mean(axis=1))
        assert run.history("day", ROOF)[0].mean_state_of_charge is None
        other = ec.Appliance(name="AC", average_power_w=601)
        wrongs: list[Any] = ["Cellar", other, 1]
        for wrong in wrongs:
            with pytest.raises(InvalidValue, match=r"device must be one of the run \(Roof, Wall"):
                run.history("day", wrong)

    def test_a_meter_is_in_no_history_of_the_home_and_has_its_own(self):
        meter = FixedMeter(name="meter", power_w=100.0)
        run = run_of([ROOF, meter])
        assert run.history() == run_of([ROOF]).history()
        assert [bucket.produced_wh for bucket in run.history("day", meter)] == [2_400.0] * 3
        alone = run_of([meter]).history()
        assert [(bucket.coverage, bucket.net_wh) for bucket in alone] == [(0.0, None)] * 3

    def test_another_zone_has_other_days_and_wrong_words_are_refused(self):
        run = run_of()
        days = run.history("day", time_zone="Asia/Kathmandu")
        assert days.time_zone == "Asia/Kathmandu"
        assert [bucket.start.isoformat() for bucket in days][:2] == [
            "2026-06-01T03:45:00+05:45",
            "2026-06-02T00:00:00+05:45",
        ]
        with pytest.raises(UnknownTimeZone):
            run.history("day", time_zone="Mars/Olympus")
        with pytest.raises(InvalidValue, match="interval must be one of quarter_hour, hour, day"):
            run.history("fortnight")


class TestTheHistory:
    def test_it_is_a_row_of_buckets(self):
        history = run_of().history(ec.Interval.HOUR)
        assert len(history) == 72
        assert history[-1] is history.buckets[-1] is list(history)[-1]
        assert history[:2] == history.buckets[:2]
        assert history.interval is history.requested_interval is ec.Interval.HOUR
        assert history == attrs.evolve(history)
        with pytest.raises(IndexError):
            history[72]

    def test_it_is_printed_as_a_table(self):
        history = with_gap(run_of(days=2, step="1h").history(), [1])
        lines = repr(history).splitlines()
        assert lines[0] == "History('Home', 2 buckets by day, Europe/Berlin)"
        assert lines[1].split() == [
            *("start", "coverage", "produced_wh", "consumed_wh", "net_wh", "mean_power_w")
        ]
        assert lines[2].startswith("2026-06-01 00:00+02:00     1.000")
        assert lines[3].split() == ["2026-06-02", "00:00+02:00", "0.000", "-", "-", "-", "-"]
        assert len({len(line) for line in lines[1:]}) == 1

    def test_a_long_one_shows_its_ends_and_a_coarser_one_says_so(self):
        history = run_of(days=4).history("hour")
        lines = repr(history).splitlines()
        assert len(lines) == 1 + 1 + 12 + 1 + 12
        assert lines[14] == "... 72 more ..."
        assert lines[-1].startswith("2026-06-04 23:00")
        day = attrs.evolve(history[0], interval=ec.Interval.DAY)
        answer = attrs.evolve(history.answer, buckets=(day, *history[1:]))
        assert "of some of the time only totals by day are kept" in repr(ec.History(answer=answer))

    def test_a_frame_of_pandas_has_a_row_for_each_bucket(self):
        history = with_gap(run_of().history(), [1])
        frame = history.to_pandas()
        assert list(frame.columns) == COLUMNS
        assert frame.index.name == "start"
        assert str(frame.index.tz) == str(frame["end"].dt.tz) == "Europe/Berlin"
        assert [at.to_pydatetime() for at in frame.index] == [bucket.start for bucket in history]
        assert frame["end"].iloc[0] == frame.index[1]
        assert frame["interval"].astype(str).tolist() == ["day"] * 3
        assert frame["reading_count"].tolist() == [864, 0, 864]
        absent = frame.iloc[1][["mean_power_w", "produced_wh", "consumed_wh", "net_wh"]]
        assert absent.isna().all()
        for name in COLUMNS[4:]:
            values = [getattr(bucket, name) for bucket in history]
            assert frame[name].tolist()[::2] == values[::2]

    def test_polars_and_arrow_hold_what_pandas_holds(self):
        history = with_gap(run_of(start="2026-10-25").history("hour"), [5])
        frame = history.to_pandas().reset_index()
        table, polars = history.to_arrow(), history.to_polars()
        assert table.column_names == polars.columns == list(frame.columns)
        assert str(table.schema.field("start").type) == "timestamp[us, tz=Europe/Berlin]"
        assert polars.schema["start"] == pl.Datetime("us", "Europe/Berlin")
        assert polars["net_wh"].null_count() == table.column("net_wh").null_count == 1
        assert polars["net_wh"].drop_nulls().is_nan().sum() == 0
        assert polars["start"].to_list() == [bucket.start for bucket in history]
        for other in (table.to_pandas(), pl.DataFrame(history).to_pandas()):
            for name in frame.columns:
                left, right = frame[name].astype(object), other[name].astype(object)
                assert ((left == right) | (left.isna() & right.isna())).all(), name
        assert pa.table(history) == table

    def test_a_run_is_a_frame_of_polars_and_an_arrow_stream(self):
        run = run_of(days=1)
        table = run.to_arrow()
        assert pa.table(run) == table
        assert run.to_polars().equals(pl.DataFrame(run))
        assert run.to_polars()["stored_wh"].null_count() == 2 * 288
        narrow = table.schema.set(3, pa.field("power_w", pa.float32()))
        assert pa.table(run, schema=narrow).schema == narrow


class TestThePicture:
    def test_bars_show_the_energy_of_each_bucket_in_kilowatt_hours(self):
        history = run_of().history()
        energy, charge = history.plot().axes
        produced, consumed = ([bar.get_height() for bar in bars] for bars in energy.containers)
        assert produced == pytest.approx([b.produced_wh / 1_000 for b in history])
        assert consumed == pytest.approx([-b.consumed_wh / 1_000 for b in history])
        assert energy.lines[0].get_ydata() == pytest.approx([b.net_wh / 1_000 for b in history])
        assert "[kWh]" in energy.get_ylabel()
        assert energy.get_title() == "Home, 2026-06-01 00:00 to 2026-06-04 00:00, by day"
        assert "Europe/Berlin" in charge.get_xlabel()
        line = charge.lines[0].get_ydata()
        assert line[::2] == pytest.approx([100 * b.mean_state_of_charge for b in history])

    def test_time_of_which_nothing_is_known_is_hatched_and_has_no_bar(self):
        history = with_gap(run_of(days=5).history("day", ROOF), [1, 2, 4])
        (energy,) = history.plot().axes
        hatched = [patch for patch in energy.patches if patch.get_hatch()]
        assert len(hatched) == 2
        assert [patch.get_width() for patch in hatched] == pytest.approx([2.0, 1.0])
        heights = [bar.get_height() for bar in energy.containers[0]]
        for values in (heights, energy.lines[0].get_ydata()):
            assert np.isnan(values).tolist() == [False, True, True, False, True]
        labels = ["nothing known", "net", "produced", "consumed"]
        assert energy.get_legend_handles_labels()[1] == labels

    def test_many_bars_are_one_shape_which_leaves_out_what_is_not_known(self):
        history = with_gap(run_of(days=9).history("hour", ROOF), range(60, 72))
        energy, _ = history.plot().axes
        assert not energy.containers
        produced = energy.collections[0].get_paths()
        assert len(produced) == 2
        first = produced[0].vertices[:, 0]
        assert first.max() - first.min() == pytest.approx(2.5)

    def test_time_of_which_a_part_is_known_is_grey(self):
        history = run_of().history()
        half = attrs.evolve(history[1], covered_ms=history[1].covered_ms // 2)
        buckets = (history[0], half, history[2])
        history = attrs.evolve(history, answer=attrs.evolve(history.answer, buckets=buckets))
        labels = history.plot().axes[0].get_legend_handles_labels()[1]
        assert labels == ["partly known", "net", "produced", "consumed"]

    def test_hours_show_the_power_too(self):
        history = run_of().history("hour", ROOF)
        energy, power = history.plot().axes
        mean = power.lines[0].get_ydata()[::2]
        assert mean == pytest.approx([b.mean_power_w / 1_000 for b in history])
        corners = power.collections[0].get_paths()[0].vertices
        assert corners[:, 1].max() == pytest.approx(max(b.max_power_w for b in history) / 1_000)
        assert energy.get_xlim() == power.get_xlim()

    @pytest.mark.parametrize(
        ("interval", "gaps"), [("month", []), ("day", [0, 1, 2]), ("quarter_hour", [7])]
    )
    def test_any_history_is_a_picture(self, interval, gaps, tmp_path):
        picture = tmp_path / "history.png"
        with_gap(run_of().history(interval), gaps).plot().savefig(picture)
        assert picture.stat().st_size > 8_000


@pytest.mark.parametrize(
    ("module", "call", "extra"),
    [
        ("pandas", "to_pandas", "pandas"),
        ("polars", "to_polars", "polars"),
        ("pyarrow", "to_polars", "polars"),
        ("pyarrow", "to_arrow", "arrow"),
        ("pyarrow", "__arrow_c_stream__", "arrow"),
        ("matplotlib.figure", "plot", "plot"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch, module, call, extra
):
    run = run_of(days=1, step="1h")
    monkeypatch.setitem(sys.modules, module, None)
    for one in (run, run.history()):
        with pytest.raises(MissingExtra, match=rf'pip install "energycore\[{extra}\]"'):
            getattr(one, call)()
