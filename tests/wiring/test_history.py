"""Histories and readings as `Energy` gives them, and readings as it takes them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import energycore as ec
from energycore import errors


class Still:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
COOLER = ec.Appliance(name="AC", average_power_w=600)
REPORTED = ec.DataSource.REPORTED


class Places:
    """A home in Berlin with a roof and a cooler, and a hut in Kathmandu with a roof."""

    def __init__(self, energy: ec.Energy) -> None:
        hour = timedelta(hours=1)
        self.energy = energy
        self.home = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        self.roof = energy.register(ROOF, site=self.home, data_source=REPORTED, max_gap=hour)
        self.cooler = energy.register(COOLER, site=self.home, data_source=REPORTED, max_gap=hour)

    def build_hut(self) -> None:
        self.hut = self.energy.register_site(ec.Site(name="Hut", time_zone="Asia/Kathmandu"))
        self.panel = self.energy.register(ROOF, site=self.hut, data_source=REPORTED)

    def report(self, device, power_w, *, days=2):
        """A reading at each hour from local midnight of June 1 on."""
        hours = pd.date_range("2026-06-01", periods=24 * days, freq="h")
        frame = pd.DataFrame({"at": hours, "power_w": float(power_w)})
        return self.energy.record(frame, device=device, time_zone="Europe/Berlin")


@pytest.fixture
def places():
    with ec.connect("memory://", clock=Still(NOW)) as energy:
        yield Places(energy)


def wh(history):
    return [(bucket.produced_wh, bucket.consumed_wh) for bucket in history]


class TestOf:
    def test_a_device_a_site_a_filter_and_everything_have_histories(self, places):
        places.report(places.roof, 1_000)
        places.report(places.cooler, -250)
        energy, both = places.energy, [(24_000, 6_000)] * 2
        of: dict[Any, list] = {
            places.roof: [(24_000, 0)] * 2,
            places.cooler.id: [(0, 6_000)] * 2,
            places.home: both,
            None: both,
            ec.DeviceFilter(kinds=["solar_panel"]): [(24_000, 0)] * 2,
        }
        for subject, expected in of.items():
            history = energy.history("2026-06-01", "2026-06-03", of=subject)
            assert isinstance(history, ec.History)
            assert wh(history) == expected, subject
            assert history.time_zone == "Europe/Berlin"
            assert [bucket.coverage for bucket in history] == [1, 1]
        names = [energy.history("2026-06-01", "2026-06-02", of=one).name for one in of]
        assert names == ["Roof", "AC", "Home", "", ""]

    def test_extremes_of_a_filter_can_be_left_out(self, places):
        places.report(places.roof, 1_000)
        places.report(places.cooler, -250)
        filter_ = ec.DeviceFilter(site_ids=[places.home.id])
        whole = places.energy.history("2026-06-01", "2026-06-02", of=filter_)
        quick = places.energy.history("2026-06-01", "2026-06-02", of=filter_, extremes=False)
        assert whole[0].min_power_w == whole[0].max_power_w == 750
        assert wh(whole) == wh(quick)

    def test_what_has_no_history_is_refused(self, places):
        wrongs: list[Any] = ["Roof", ROOF, ec.Site(name="Home"), True, 1.0]
        for wrong in wrongs:
            with pytest.raises(errors.InvalidValue):
                places.energy.history("2026-06-01", "2026-06-02", of=wrong)
        with pytest.raises(errors.NotFound):
            places.energy.history("2026-06-01", "2026-06-02", of=99)
        with ec.connect("memory://", clock=Still(NOW)) as other:
            with pytest.raises(errors.NotFound):
                other.history(NOW, NOW + timedelta(1), of=places.home)
            assert wh(other.history("2026-06-01", "2026-06-02")) == [(None, None)]

    def test_a_range_that_cannot_be_meant_is_refused(self, places):
        history = places.energy.history
        for start, end, words in [
            ("2026-06-02", "2026-06-01", "end must be after the start"),
            ("2026-06-01", "2026-06-01", "end must be after the start"),
            ("soon", "2026-06-01", "start must be a date such as"),
            ("2026-06-01", 20260602, "end must be a date such as"),
            ("2026-06-01", pd.NaT, "end must be a date such as"),
        ]:
            with pytest.raises(errors.InvalidValue, match=words):
                history(start, end)
        with pytest.raises(errors.InvalidValue, match="interval must be one of"):
            history("2026-06-01", "2026-06-02", "fortnight")
        with pytest.raises(errors.TooManyBuckets):
            history("2020-01-01", "2026-01-01", "quarter_hour")
        with pytest.raises(errors.UnknownTimeZone):
            history("2026-06-01", "2026-06-02", time_zone="Mars/Olympus")


class TestWhen:
    @pytest.mark.parametrize(
        "start",
        [
            "2026-06-01",
            "2026-06-01T00:00",
            "2026-05-31T22:00Z",
            date(2026, 6, 1),
            datetime(2026, 6, 1),  # noqa: DTZ001 - without an offset it is meant in the site's zone
            datetime(2026, 5, 31, 22, tzinfo=UTC),
            pd.Timestamp("2026-06-01", tz="Europe/Berlin"),
        ],
        ids=repr,
    )
    def test_a_start_may_be_a_date_or_an_instant_in_any_form(self, places, start):
        places.report(places.roof, 1_000, days=1)
        for of in (places.roof, places.home, None, ec.DeviceFilter(ids=[places.roof.id])):
            history = places.energy.history(start, "2026-06-02", of=of)
            assert history[0].start.isoformat() == "2026-06-01T00:00:00+02:00"
            assert history.produced_wh == 24_000
        batch = places.energy.readings([places.roof, places.cooler], start, "2026-06-01T06:00")
        assert len(batch) == 6

    def test_a_named_zone_counts_for_dates_and_for_days(self, places):
        places.report(places.roof, 1_000, days=1)
        history = places.energy.history(
            "2026-06-01", "2026-06-03", of=places.home, time_zone="Asia/Kathmandu"
        )
        # In Kathmandu it is 3:45 hours later than in Berlin.
        assert wh(history) == [(20_250, 0), (3_750, 0)]
        assert history[0].start.isoformat() == "2026-06-01T00:00:00+05:45"
        batch = places.energy.readings(
            places.roof, "2026-06-01", "2026-06-02", time_zone="Asia/Kathmandu"
        )
        assert len(batch) == 21

    def test_devices_in_several_zones_have_no_day_in_common(self, places):
        places.build_hut()
        energy = places.energy
        with pytest.raises(errors.TimeZoneRequired):
            energy.history("2026-06-01", "2026-06-02")
        with pytest.raises(errors.TimeZoneRequired):
            energy.readings([places.roof, places.panel], "2026-06-01", "2026-06-02")
        named = energy.history("2026-06-01", "2026-06-02", time_zone="UTC")
        assert named[0].start == datetime(2026, 6, 1, tzinfo=UTC)
        start, end = datetime(2026, 6, 1, tzinfo=UTC), NOW
        assert len(energy.readings([places.roof, places.panel], start, end)) == 0
        hut = energy.history("2026-06-01", "2026-06-02", of=places.hut)
        assert hut[0].start.isoformat() == "2026-06-01T00:00:00+05:45"

    def test_without_devices_a_date_is_one_of_the_default_zone(self):
        with ec.connect("memory://", clock=Still(NOW), default_zone="Asia/Tokyo") as energy:
            (day,) = energy.history("2026-06-01", "2026-06-02")
            assert day.start.isoformat() == "2026-06-01T00:00:00+09:00"
            assert len(energy.readings([], "2026-06-01", "2026-06-02")) == 0
            lamp = energy.register(COOLER)
            (day,) = energy.history("2026-06-01", "2026-06-02", of=lamp)
            assert day.start.isoformat() == "2026-06-01T00:00:00+09:00"


class TestRecord:
    def test_singles_a_batch_and_any_iterable_are_taken(self, places):
        readings = [
            ec.NewReading(device_id=places.roof.id, at=NOW - timedelta(hours=n), power_w=1.0 * n)
            for n in range(1, 5)
        ]
        assert places.energy.record(readings).accepted == 4
        assert places.energy.record(iter(readings)).duplicates == 4
        batch = places.energy.readings(places.roof, "2026-06-01", "2026-06-04")
        assert places.energy.record(batch).duplicates == 4
        assert places.energy.record([]).accepted == 0
        moved = ec.ReadingBatch(
            device_id=batch.device_id + 98,
            at_us=batch.at_us,
            power_mw=batch.power_mw,
            stored_mwh=batch.stored_mwh,
        )
        assert {type(r.error) for r in places.energy.record(moved).rejected} == {errors.NotFound}

    @pytest.mark.parametrize("convert", [lambda frame: frame, pl.from_pandas], ids=["pd", "pl"])
    def test_a_frame_is_recorded_as_it_is_described(self, places, convert):
        frame = pd.DataFrame(
            {
                "meter": [places.roof.id, places.cooler.id, 99],
                "time": ["2026-06-01 12:00", "2026-06-01 12:00", "2026-06-01 12:00"],
                "kW": [-1.5, 0.25, 0.0],
            }
        )
        result = places.energy.record(
            convert(frame),
            columns={"device_id": "meter", "at": "time", "power_w": "kW"},
            sign="consumption_positive",
            unit="kW",
            time_zone="Europe/Berlin",
        )
        assert (result.accepted, [one.index for one in result.rejected]) == (2, [2])
        batch = places.energy.readings([places.roof, places.cooler], "2026-06-01", "2026-06-02")
        assert batch.power_w.tolist() == [1_500.0, -250.0]
        assert set(batch.at_us.tolist()) == {1_780_308_000_000_000}

    def test_a_conflict_follows_the_policy(self, places):
        frame = pd.DataFrame({"at": [NOW] * 2, "power_w": [1.0, 2.0]})
        record = places.energy.record
        assert record(frame.head(1), device=places.roof).accepted == 1
        assert len(record(frame, device=places.roof.id).rejected) == 1
        assert record(frame, device=places.roof, on_conflict="last").conflicts == 1
        assert places.energy.state(places.roof).power_w == 2.0

    @pytest.mark.parametrize(
        "said",
        [
            {"columns": {"at": "time"}},
            {"device": 1},
            {"sign": "import_positive"},
            {"unit": "kW"},
            {"energy_unit": "kWh"},
            {"time_zone": "UTC"},
        ],
        ids=str,
    )
    def test_what_only_a_frame_can_be_is_not_said_of_other_readings(self, places, said):
        reading = ec.NewReading(device_id=places.roof.id, at=NOW, power_w=1.0)
        for readings in ([reading], ec.ReadingBatch.empty()):
            with pytest.raises(errors.InvalidValue, match="absent for readings that are no frame"):
                places.energy.record(readings, **said)

    def test_what_is_no_reading_at_all_is_refused(self, places):
        wrongs: list[Any] = [None, 1, "readings", {"at": NOW}, np.datetime64("2026-06-01")]
        for wrong in wrongs:
            with pytest.raises(errors.InvalidValue, match="readings must be a list of NewReading"):
                places.energy.record(wrong)
        for wrong in (ROOF, places.home, True):
            with pytest.raises(errors.InvalidValue):
                places.energy.record(pd.DataFrame({"at": [], "power_w": []}), device=wrong)


def test_the_record_of_a_site_is_no_device(places):
    with pytest.raises(errors.InvalidValue, match="device must be the record or the id"):
        places.energy.device(places.home)
    with pytest.raises(errors.InvalidValue, match="site must be the record or the id"):
        places.energy.site(places.roof)
