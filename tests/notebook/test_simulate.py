"""`simulate` runs devices through time in one call, and says the same as ticks one by one."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import energycore as ec
from energycore.errors import EnergycoreError, InvalidValue, NameTaken, StoredEnergyOutOfBounds
from energycore.fleet.columns import Fleet
from energycore.fleet.tick import step_fleet
from energycore.notebook import simulation
from energycore.quantities.units import MISSING
from energycore.simulation.behaviour import Window
from energycore.simulation.noise import noise_key_of
from tests.fleet.homes import FixedMeter, member

BERLIN = ec.Site(name="Home", time_zone="Europe/Berlin")
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
WALL = ec.Battery(name="Wall", capacity_wh=3_500, max_charge_w=5_000, max_discharge_w=4_000)
CAR = ec.ElectricVehicle(name="Car", capacity_wh=9_000, max_charge_w=2_000, max_discharge_w=3_700)
COOLER = ec.Appliance(name="AC", average_power_w=600)
HOME = [ROOF, WALL, CAR, COOLER]


def run(devices=(ROOF,), **options):
    given_: dict = {"site": BERLIN, "start": "2026-06-01", "seed": 7}
    if "end" not in options:
        given_["days"] = 1
    return ec.simulate(devices, **(given_ | options))


def columns(run):
    """Readings by name of the device."""
    names = [device.name for device in run.devices]
    both = zip(run.power_mw.T.tolist(), run.stored_mwh.T.tolist(), strict=True)
    return dict(zip(names, both, strict=True))


class TestWhen:
    @pytest.mark.parametrize(
        ("start", "end", "minutes"),
        [
            ("2026-03-29", "2026-03-30", 23 * 60),
            ("2026-10-25", "2026-10-26", 25 * 60),
            ("2026-06-01", "2026-06-02", 24 * 60),
        ],
    )
    def test_a_local_day_has_as_many_ticks_as_it_has_minutes(self, start, end, minutes):
        done = run(start=start, end=end)
        assert len(done.at_us) == minutes
        assert (np.diff(done.at_us) == 60_000_000).all()
        assert (done.start.isoformat()[:16], done.end.isoformat()[:16]) == (
            f"{start}T00:00",
            f"{end}T00:00",
        )

    def test_days_are_24_hours_each_also_over_a_change_of_the_clock(self):
        done = run(start="2026-10-25", days=1)
        assert len(done.at_us) == 1_440
        assert done.end == datetime(2026, 10, 25, 23, tzinfo=ZoneInfo("Europe/Berlin"))

    @pytest.mark.parametrize(
        "start",
        [
            "2026-06-01",
            "2026-06-01T00:00",
            "2026-06-01T00:00+02:00",
            "2026-05-31T22:00Z",
            date(2026, 6, 1),
            datetime(2026, 6, 1),  # noqa: DTZ001 - without an offset it is meant in the site's zone
            datetime(2026, 5, 31, 22, tzinfo=UTC),
            datetime(2026, 6, 1, 7, 45, tzinfo=timezone(timedelta(hours=9, minutes=45))),
        ],
        ids=repr,
    )
    def test_a_start_may_be_a_date_or_an_instant_in_any_form(self, start):
        assert run(start=start).at[0] == np.datetime64("2026-05-31T22:00")

    def test_without_a_site_the_time_is_utc(self):
        assert run(site=None).at[0] == np.datetime64("2026-06-01T00:00")

    @pytest.mark.parametrize(
        ("step", "ticks"),
        [
            ("1s", 86400),
            ("90s", 960),
            ("1min", 1440),
            (" 15 MIN ", 96),
            ("1h", 24),
            ("24h", 1),
            (timedelta(minutes=5), 288),
        ],
    )
    def test_a_step_is_text_or_a_timedelta(self, step, ticks):
        assert len(run(step=step).at_us) == ticks

    @pytest.mark.parametrize(
        "step",
        [
            "",
            "min",
            "1",
            "1.5h",
            "-1min",
            "1 fortnight",
            "1h30",
            "٣min",
            60,
            None,
            "9999999999s",
            "0s",
            "25h",
            timedelta(microseconds=1000001),
        ],
        ids=repr,
    )
    def test_any_other_step_is_refused(self, step):
        with pytest.raises(InvalidValue) as refusal:
            run(step=step)
        assert refusal.value.field == "step"

    def test_a_step_that_does_not_divide_the_time_is_refused(self):
        with pytest.raises(InvalidValue, match="a whole number of steps of 0:07:00 each"):
            run(step="7min")

    @pytest.mark.parametrize(
        ("options", "field"),
        [
            ({"start": "yesterday"}, "start"),
            ({"start": 20260601}, "start"),
            ({"start": None}, "start"),
            ({"start": "1850-01-01"}, "start"),
            ({"days": 0}, "days"),
            ({"days": -1}, "days"),
            ({"days": float("nan")}, "days"),
            ({"days": True}, "days"),
            ({"days": "7"}, "days"),
            ({"days": 36_526}, "days"),
            ({"days": None}, "days or end"),
            ({"days": 1, "end": "2026-06-02"}, "days or end"),
            ({"end": "2026-06-01"}, "end"),
            ({"end": "2026-05-31"}, "end"),
            ({"end": "later"}, "end"),
        ],
        ids=str,
    )
    def test_a_time_that_cannot_be_simulated_names_its_argument(self, options, field):
        with pytest.raises(InvalidValue) as refusal:
            run(**options)
        assert refusal.value.field == field

    @pytest.mark.parametrize("days", [0.5, np.float64(0.5), np.float32(0.5)], ids=repr)
    def test_days_may_be_a_fraction_and_of_numpy(self, days):
        assert len(run(days=days).at_us) == 720


class TestWhat:
    def test_no_device_at_all_is_refused(self):
        with pytest.raises(InvalidValue, match="devices must be at least one device"):
            run([])

    def test_two_devices_of_one_name_are_refused(self):
        with pytest.raises(NameTaken) as refusal:
            run([ROOF, ec.Appliance(name="Roof", average_power_w=1)])
        assert refusal.value.code == "NAME_TAKEN"

    @pytest.mark.parametrize("field", ["initial", "dispatch"])
    @pytest.mark.parametrize("name", ["Roof", "Cellar"])
    def test_only_storages_have_a_state_or_a_dispatch(self, field, name):
        value = {"initial": ec.StorageState(), "dispatch": ec.Manual()}[field]
        with pytest.raises(
            InvalidValue, match=f"{field} must be by the name of a storage"
        ) as refusal:
            run(HOME, **{field: {name: value}})
        assert refusal.value.value == name

    def test_a_charge_above_capacity_is_refused(self):
        with pytest.raises(StoredEnergyOutOfBounds):
            run(HOME, initial={"Wall": ec.StorageState(stored_wh=3_501)})

    def test_a_command_and_a_strategy_that_takes_none_contradict_each_other(self):
        charging = ec.StorageState(mode=ec.StorageMode.CHARGING)
        with pytest.raises(EnergycoreError, match="mode must be idle under dispatch"):
            run(HOME, initial={"Wall": charging}, dispatch=ec.SelfConsumption())


class TestHow:
    def test_storages_begin_half_full_and_follow_the_balance_of_the_home(self):
        done = run(HOME)
        assert done.stored_wh[0, 1:3].tolist() == [1_750.0, 4_500.0]
        assert np.isnan(done.stored_wh[0, [0, 3]]).all()
        charges = done.power_mw[:, 1] < 0
        assert charges.any()
        assert (done.power_mw[charges][:, [0, 3]].sum(axis=1) > 0).all()

    def test_a_storage_with_a_command_does_what_it_says_until_it_is_full_and_stays_idle(self):
        charging = ec.StorageState(stored_wh=100, mode=ec.StorageMode.CHARGING, power_w=1_200)
        done = run([WALL, COOLER], initial={"Wall": charging})
        power_w, stored_wh = done.power_w[:, 0], done.stored_wh[:, 0]
        full = int(np.flatnonzero(stored_wh == 3_500)[0])
        assert (power_w[: full - 1] == -1_200.0).all()
        assert -1_200.0 <= power_w[full - 1] < 0.0
        assert (power_w[full:] == 0.0).all()
        assert done.final_state["Wall"].state_of_charge == 1.0
        assert done.internal_states[0]["setpoint_w"] == 0.0
        # 3,400 Wh at 1,200 W and 96 %: 177 minutes and a little.
        assert full == 178

    def test_dispatch_may_be_one_strategy_or_one_for_each_name(self):
        idle = run(HOME, dispatch=ec.Manual())
        assert (idle.power_mw[:, 1:3] == 0).all()
        mixed = run(HOME, dispatch={"Wall": ec.Manual()})
        assert (mixed.power_mw[:, 1] == 0).all()
        assert (mixed.power_mw[:, 2] != 0).any()

    def test_the_noise_comes_from_the_names_unless_a_key_is_given(self):
        named = columns(run([ROOF]))["Roof"]
        key = noise_key_of("Home", "Roof")
        keyed = ec.SolarPanel(name="Other", rated_power_w=5_000, noise_key=key)
        assert columns(run([keyed]))["Other"] == named
        renamed = ec.SolarPanel(name="Other", rated_power_w=5_000)
        assert columns(run([renamed]))["Other"] != named

    def test_the_order_of_the_devices_changes_nothing(self):
        assert columns(run(HOME)) == columns(run(HOME[::-1]))

    def test_a_run_is_repeated_to_the_bit_and_another_seed_is_another_run(self):
        first, second, other = run(HOME), run(HOME), run(HOME, seed=8)
        assert columns(first) == columns(second)
        assert columns(first) != columns(other)

    @given(cells=st.integers(1, 400), step=st.sampled_from(["15min", "1h"]))
    def test_the_windows_that_a_run_is_cut_into_change_nothing(self, cells, step):
        whole = run(HOME, step=step)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simulation, "_CELLS_PER_WINDOW", cells)
            cut = run(HOME, step=step)
        assert columns(cut) == columns(whole)
        assert cut.internal_states == whole.internal_states

    def test_a_run_equals_its_ticks_one_by_one(self):
        step_us = 60_000_000
        done = run(HOME, start="2026-06-01T09:00", days=0.25)
        fleet = Fleet.of(
            [
                member(
                    position,
                    device,
                    zone=BERLIN.zone,
                    dispatch=ec.SelfConsumption() if hasattr(device, "capacity_wh") else None,
                )
                for position, device in enumerate(keyed(device) for device in HOME)
            ]
        )
        for tick, at_us in enumerate(done.at_us):
            window = Window(np.array([at_us]), step_us, 7, fleet.zones)
            step = step_fleet(fleet, window)
            for kind in step.kinds:
                positions = kind.columns.device_id
                assert (kind.power_mw[0] == done.power_mw[tick, positions]).all()
                assert (kind.stored_mwh[0] == done.stored_mwh[tick, positions]).all()
            fleet = step.fleet
        assert fleet.device_states() == done.internal_states

    def test_progress_is_told_after_each_window_and_ends_with_all_ticks(self, monkeypatch):
        monkeypatch.setattr(simulation, "_CELLS_PER_WINDOW", 1_000)
        told = []
        run(progress=lambda done, total: told.append((done, total)))
        assert told == [(1_000, 1_440), (1_440, 1_440)]


def keyed(device):
    return attrs.evolve(device, noise_key=noise_key_of("Home", device.name))


class TestTheRun:
    def test_its_readings_are_whole_numbers_and_its_columns_their_watts(self):
        done = run(HOME)
        assert done.power_mw.dtype == done.stored_mwh.dtype == np.int64
        assert (done.power_w == done.power_mw / 1_000).all()
        assert (done.stored_mwh[:, [0, 3]] == MISSING).all()
        assert np.nanmax(done.state_of_charge) <= 1.0
        assert np.nanmin(done.state_of_charge) >= 0.0
        assert repr(done).startswith("Run('Home', 4 devices, 1440 ticks from 2026-06-01T00:00")

    def test_its_final_state_is_where_the_next_run_begins(self):
        whole = run([WALL, ROOF, COOLER], days=1)
        morning = run([WALL, ROOF, COOLER], end="2026-06-01T12:00")
        state = morning.final_state["Wall"]
        assert state.stored_wh == whole.stored_wh[720, 0]
        assert state.state_of_charge == whole.state_of_charge[720, 0]

    def test_its_totals_are_the_sums_of_its_readings(self):
        done = run(HOME)
        summary = done.summary()
        for position, totals in enumerate(summary.devices):
            power_mw = done.power_mw[:, position].tolist()
            assert totals.produced_mwms == 60_000 * sum(mw for mw in power_mw if mw > 0)
            assert totals.consumed_mwms == -60_000 * sum(mw for mw in power_mw if mw < 0)
            assert totals.net_wh == pytest.approx(totals.produced_wh - totals.consumed_wh)
        net = [sum(row) for row in done.power_mw.tolist()]
        assert summary.exported_mwms == 60_000 * sum(mw for mw in net if mw > 0)
        assert summary.imported_mwms == -60_000 * sum(mw for mw in net if mw < 0)
        wall = summary.devices[1]
        assert wall.stored_start_wh == 1_750.0
        assert wall.stored_end_wh == done.final_state["Wall"].stored_wh
        assert summary.devices[0].stored_end_wh is None
        balance_wh = summary.produced_wh - summary.consumed_wh
        assert balance_wh == pytest.approx(summary.exported_wh - summary.imported_wh)
        assert summary.net_wh == pytest.approx(balance_wh)

    def test_a_meter_is_in_no_total_of_the_home(self):
        meter = FixedMeter(name="Meter", power_w=7_000.0)
        with_meter, without = run([*HOME, meter]), run(HOME)
        assert (with_meter.net_power_w == without.net_power_w).all()
        for total in ("produced_wh", "consumed_wh", "exported_wh", "imported_wh", "net_wh"):
            assert getattr(with_meter.summary(), total) == getattr(without.summary(), total)
        assert with_meter.summary().devices[-1].produced_wh == 7_000.0 * 24

    def test_its_frame_is_tidy(self):
        pandas = pytest.importorskip("pandas")
        done = run(HOME, step="1h")
        frame = done.to_pandas()
        assert list(frame.columns) == [
            "at",
            "device_id",
            "name",
            "power_w",
            "stored_wh",
            "state_of_charge",
        ]
        assert len(frame) == 24 * 4
        assert isinstance(frame["at"].dtype, pandas.DatetimeTZDtype)
        assert str(frame["at"].dt.tz) == "UTC"
        assert frame["device_id"].dtype == np.int64
        assert frame["name"].dtype == "category"
        assert {str(frame[name].dtype) for name in frame.columns[3:]} == {"float64"}
        assert frame["at"].iloc[0] == pandas.Timestamp("2026-05-31T22:00Z")
        assert not frame.duplicated(["device_id", "at"]).any()
        for position, device in enumerate(HOME):
            rows = frame[frame["name"] == device.name]
            assert set(rows["device_id"]) == {position}
            assert rows["at"].is_monotonic_increasing
            assert (rows["power_w"].to_numpy() == done.power_w[:, position]).all()
            stores = hasattr(device, "capacity_wh")
            assert rows["stored_wh"].notna().all() == stores
            assert rows["state_of_charge"].notna().all() == stores


@pytest.mark.parametrize(
    "options",
    [
        {"devices": ec.SolarPanel(name="Roof", rated_power_w=1)},
        {"devices": [ec.SolarPanel(name="Roof", rated_power_w=1), "Wall"]},
        {"devices": "Roof"},
        {"site": "Home"},
        {"seed": "a"},
        {"seed": 1.5},
        {"seed": None},
        {"seed": True},
        {"initial": {"Wall": 6_000}},
        {"dispatch": "magic"},
        {"dispatch": {"Wall": 3}},
    ],
    ids=str,
)
def test_an_argument_of_a_wrong_type_is_refused_by_name(options):
    wall = ec.Battery(name="Wall", capacity_wh=9_000, max_charge_w=1, max_discharge_w=1)
    arguments = {"devices": [wall], "start": "2026-06-01", "days": 1, **options}
    with pytest.raises(InvalidValue):
        ec.simulate(arguments.pop("devices"), **arguments)


def test_a_strategy_and_a_seed_may_be_given_in_other_forms():
    wall = ec.Battery(name="Wall", capacity_wh=9_000, max_charge_w=1, max_discharge_w=1)
    forms: list[tuple[Any, Any]] = [
        (7, ec.SelfConsumption()),
        (np.int64(7), "self_consumption"),
    ]
    runs = [
        ec.simulate([wall], start="2026-06-01", days=1, seed=seed, dispatch=dispatch)
        for seed, dispatch in forms
    ]
    assert np.array_equal(runs[0].power_mw, runs[1].power_mw)
