"""Buckets are those of the zone's calendar, also where clocks jump, repeat or skip a day."""

import random
import struct
import zoneinfo
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.zones import offset_changes, utc_offsets_us
from energycore.telemetry.calendar import (
    Interval,
    bucket_starts,
    calendar_edges,
    interval_of,
    most_buckets,
    range_edges,
)
from tests.support.postgresql import DRIVER

MINUTE_US = 60_000_000
QUARTER_US = 15 * MINUTE_US
HOUR_US = 4 * QUARTER_US
DAY_US = 24 * HOUR_US
FIRST_US = to_epoch_us(datetime(1973, 1, 1, tzinfo=UTC))
LAST_US = to_epoch_us(datetime(2038, 1, 1, tzinfo=UTC))
FINE = [Interval.QUARTER_HOUR, Interval.HOUR]
COARSE = [Interval.DAY, Interval.WEEK, Interval.MONTH]

# From 1973 on, clocks in these zones show no midnight twice, but for one minute in St. John's.
ZONES_WITH_ONE_MIDNIGHT = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # changed at 00:01 from 1987 to 2011
    "America/Santiago",  # skips midnight
    "America/Sao_Paulo",
    "Africa/Casablanca",  # changes around Ramadan
    "Antarctica/Troll",  # changes by two hours
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Chatham",
    "Pacific/Apia",  # left out 2011-12-30
    "Pacific/Kwajalein",  # left out 1993-08-21
    "Pacific/Kiritimati",  # 40 minutes off the hour until 1979
]
ZONES_WITH_TWO_MIDNIGHTS = ["America/Havana", "Atlantic/Azores"]
# Coming Ramadans are forecasts, about which releases of the IANA database differ; PostgreSQL may
# have its own.
LAST_YEAR = {"Africa/Casablanca": 2022}
ZONES = [*ZONES_WITH_ONE_MIDNIGHT, *ZONES_WITH_TWO_MIDNIGHTS, "Antarctica/Casey", "Asia/Tehran"]


def at(zone, *wall, fold=0):
    """Epoch microseconds of a wall time."""
    year, month, day, hour = (*wall, 0)[:4]
    return to_epoch_us(datetime(year, month, day, hour, tzinfo=ZoneInfo(zone), fold=fold))


def walls(zone, instants_us):
    """What the clocks show at some instants."""
    shown = [from_epoch_us(at_us).astimezone(ZoneInfo(zone)) for at_us in instants_us]
    return [f"{wall:%Y-%m-%d %H:%M}" for wall in shown]


def edges_of_day(zone, interval, *wall):
    noon_us = at(zone, *wall, 12)
    start, end = calendar_edges(ZoneInfo(zone), noon_us, noon_us + 1, Interval.DAY).tolist()
    return calendar_edges(ZoneInfo(zone), start, end, interval)


def plain_day_start(zone, day):
    """By zoneinfo alone; right where clocks that skip midnight do so from midnight on."""
    first, second = (
        to_epoch_us(datetime(day.year, day.month, day.day, tzinfo=zone, fold=fold))
        for fold in (0, 1)
    )
    before_second = from_epoch_us(second - 1).astimezone(zone).date()
    return second if second > first and before_second < day else first


def plain_bucket_start(zone, at_us, interval):
    day = from_epoch_us(at_us).astimezone(zone).date()
    if at_us < plain_day_start(zone, day):
        day -= timedelta(days=1)
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    if interval is Interval.MONTH:
        day = day.replace(day=1)
    start = plain_day_start(zone, day)
    if interval in FINE:
        return at_us - (at_us - start) % interval.nominal_us
    return start


# Laws


@st.composite
def ranges(draw, zone):
    """A range of up to a hundred days, half of them around a change of the clock."""
    start = draw(st.integers(FIRST_US, LAST_US))
    changes = offset_changes(zone, FIRST_US, LAST_US)[0][1:].tolist()
    if changes and draw(st.booleans()):
        start = draw(st.sampled_from(changes)) + draw(st.integers(-3 * DAY_US, DAY_US))
    if draw(st.booleans()):
        start -= start % QUARTER_US
    unit = draw(st.sampled_from([1, QUARTER_US, HOUR_US, DAY_US]))
    return start, start + unit * draw(st.integers(1, 100))


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data(), interval=st.sampled_from(Interval))
def test_bucket_starts_are_those_of_plain_arithmetic_at_each_instant(name, data, interval):
    zone = ZoneInfo(name)
    start, end = data.draw(ranges(zone))
    instants = sorted(data.draw(st.lists(st.integers(start, end), min_size=1, max_size=20)))
    starts = bucket_starts(zone, np.array(instants, dtype=np.int64), interval)
    assert starts.dtype == np.int64
    assert starts.tolist() == [plain_bucket_start(zone, at_us, interval) for at_us in instants]


@given(data=st.data(), name=st.sampled_from(ZONES), interval=st.sampled_from(Interval))
def test_edges_tile_and_each_bucket_holds_the_instants_that_start_in_it(data, name, interval):
    zone = ZoneInfo(name)
    start, end = data.draw(ranges(zone))
    edges = calendar_edges(zone, start, end, interval)
    assert edges.dtype == np.int64
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert bucket_starts(zone, edges, interval).tolist() == edges.tolist()
    assert bucket_starts(zone, edges[1:] - 1, interval).tolist() == edges[:-1].tolist()
    assert len(edges) - 1 <= most_buckets(start, end, interval)


@given(data=st.data(), name=st.sampled_from(ZONES), interval=st.sampled_from(Interval))
def test_a_range_is_cut_at_every_edge_within_it(data, name, interval):
    start, end = data.draw(ranges(ZoneInfo(name)))
    whole = calendar_edges(ZoneInfo(name), start, end, interval)
    cut = range_edges(ZoneInfo(name), start, end, interval)
    assert cut.tolist() == [start, *whole[(whole > start) & (whole < end)].tolist(), end]


@given(data=st.data(), name=st.sampled_from(ZONES))
def test_a_range_is_cut_by_a_finer_interval_wherever_it_is_by_a_coarser_one(data, name):
    start, end = data.draw(ranges(ZoneInfo(name)))
    edges = {each: set(range_edges(ZoneInfo(name), start, end, each)) for each in Interval}
    assert edges[Interval.WEEK] | edges[Interval.MONTH] <= edges[Interval.DAY]
    assert edges[Interval.DAY] <= edges[Interval.HOUR] <= edges[Interval.QUARTER_HOUR]


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Europe/Berlin", (2026, 3, 29)),
        ("Europe/Berlin", (2026, 10, 25)),
        ("America/Havana", (2025, 11, 2)),
        ("America/Santiago", (2026, 9, 6)),
        ("America/St_Johns", (2006, 10, 29)),
        ("America/Toronto", (1919, 3, 31)),  # from 23:30 to 00:30
        ("Antarctica/Casey", (2010, 3, 5)),  # from 02:00 to 23:00
        ("Asia/Beirut", (2026, 10, 25)),
        ("Australia/Lord_Howe", (2026, 4, 5)),
        ("Pacific/Apia", (2011, 12, 31)),
        ("Pacific/Kwajalein", (1969, 10, 1)),  # 47 hours
        ("Pacific/Kwajalein", (1993, 8, 22)),
    ],
)
def test_an_instant_belongs_to_the_earliest_date_shown_then_or_later(zone, around):
    minutes = at(zone, *around) + MINUTE_US * np.arange(-3 * 1_440, 3 * 1_440)
    local_us = minutes + utc_offsets_us(ZoneInfo(zone), minutes)
    dates = np.minimum.accumulate((local_us // DAY_US)[::-1])[::-1]
    is_edge = np.append(False, dates[1:] != dates[:-1])
    edges = calendar_edges(ZoneInfo(zone), int(minutes[0]), int(minutes[-1]), Interval.DAY)
    assert edges[1:-1].tolist() == minutes[is_edge].tolist()


# Clocks that jump, beside what the obvious way makes of it


def test_the_two_hours_that_autumn_calls_two_are_two_buckets():
    hours = edges_of_day("Europe/Berlin", Interval.HOUR, 2026, 10, 25)
    assert np.diff(hours).tolist() == [HOUR_US] * 25
    assert [wall[-5:] for wall in walls("Europe/Berlin", hours[2:5])] == ["02:00", "02:00", "03:00"]
    # Grouped by what the clock shows, a steady 1 kW has an hour of 2 kWh among 24.
    minutes = range(hours[0], hours[-1], MINUTE_US)
    by_label = Counter(wall[:13] for wall in walls("Europe/Berlin", minutes))
    assert len(by_label) == 24
    assert by_label["2026-10-25 02"] == 120
    by_bucket = Counter(bucket_starts(ZoneInfo("Europe/Berlin"), np.array(minutes), Interval.HOUR))
    assert sorted(by_bucket.values()) == [60] * 25


@pytest.mark.parametrize(
    ("zone", "day", "quarters", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 92, 23),
        ("Europe/Berlin", (2026, 6, 1), 96, 24),
        ("Europe/Berlin", (2026, 10, 25), 100, 25),
        ("America/New_York", (2026, 3, 8), 92, 23),
        ("Antarctica/Troll", (2026, 3, 29), 88, 22),
        ("Australia/Lord_Howe", (2026, 10, 4), 94, 24),
        ("Australia/Lord_Howe", (2026, 4, 5), 98, 25),
        ("Asia/Kathmandu", (2026, 3, 29), 96, 24),
        ("America/St_Johns", (2006, 10, 28), 100, 25),
    ],
)
def test_a_day_has_as_many_quarters_and_hours_as_time_passes_in_it(zone, day, quarters, hours):
    lengths = np.diff(edges_of_day(zone, Interval.QUARTER_HOUR, *day))
    assert lengths.tolist() == [QUARTER_US] * quarters
    assert len(edges_of_day(zone, Interval.HOUR, *day)) - 1 == hours


def test_a_day_longer_by_half_an_hour_ends_with_an_hour_of_thirty_minutes():
    hours = edges_of_day("Australia/Lord_Howe", Interval.HOUR, 2026, 4, 5)
    assert np.diff(hours).tolist() == [HOUR_US] * 24 + [HOUR_US // 2]
    # The clock calls ninety minutes 01.
    minutes = range(hours[0], hours[-1], MINUTE_US)
    by_label = Counter(wall[:13] for wall in walls("Australia/Lord_Howe", minutes))
    assert by_label["2026-04-05 01"] == 90


@pytest.mark.parametrize(
    ("zone", "past_the_hour"),
    [
        ("Asia/Kolkata", 30),
        ("Asia/Kathmandu", 15),
        ("Pacific/Chatham", 15),
        ("Australia/Darwin", 30),
    ],
)
def test_days_of_odd_zones_begin_on_a_quarter_where_no_hour_of_utc_does(zone, past_the_hour):
    start = at(zone, 2026, 7, 1)
    edges = calendar_edges(ZoneInfo(zone), start, start + 31 * DAY_US, Interval.DAY)
    assert len(edges) == 32
    assert set(edges % HOUR_US) == {past_the_hour * MINUTE_US}
    assert set(edges % QUARTER_US) == {0}


def test_a_date_that_the_zone_left_out_has_no_bucket():
    apia = ZoneInfo("Pacific/Apia")
    start, end = at("Pacific/Apia", 2011, 12, 26), at("Pacific/Apia", 2012, 1, 2)
    days = calendar_edges(apia, start, end, Interval.DAY)
    dates = [wall[8:10] for wall in walls("Pacific/Apia", days)]
    assert dates == ["26", "27", "28", "29", "31", "01", "02"]
    assert np.diff(days).tolist() == [DAY_US] * 6
    assert calendar_edges(apia, start, end, Interval.WEEK).tolist() == [start, end]
    # Stepping from date to date makes a bucket of no length.
    steps = [at("Pacific/Apia", 2011, 12, day) for day in range(26, 32)]
    assert 0 in [after - before for before, after in pairwise(steps)]


def test_a_week_and_a_month_whose_first_date_was_left_out_begin_with_the_next(tmp_path):
    # No real zone left out a Monday or a first since 1900. This one goes from -10:00 to +14:00 at
    # the end of Sunday, 31 December 2023: its file has one change and two offsets.
    change = at("Pacific/Honolulu", 2024, 1, 1)
    file = tmp_path / "zone"
    file.write_bytes(
        struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 1, 2, 4)
        + struct.pack(">lb", change // 1_000_000, 1)
        + struct.pack(">l?bl?b4s", -10 * 3_600, False, 0, 14 * 3_600, False, 0, b"ABC")
    )
    with file.open("rb") as opened:
        zone = ZoneInfo.from_file(opened)
    edges = {each: calendar_edges(zone, change, change + 1, each).tolist() for each in COARSE}
    assert [start for start, _ in edges.values()] == [change] * 3
    assert [(end - change) // DAY_US for _, end in edges.values()] == [1, 6, 30]
    before = np.array([change - 1, change], dtype=np.int64)
    assert bucket_starts(zone, before, Interval.DAY).tolist() == [change - DAY_US, change]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Santiago", (2026, 9, 6), "01:00"),
        ("America/Sao_Paulo", (2018, 11, 4), "01:00"),
        ("Asia/Beirut", (2026, 3, 29), "01:00"),
        ("Atlantic/Azores", (2026, 3, 29), "01:00"),
        ("America/Toronto", (1919, 3, 31), "00:30"),
    ],
)
def test_a_day_whose_midnight_is_skipped_begins_after_the_jump(zone, day, begins):
    edges = edges_of_day(zone, Interval.HOUR, *day)
    before, first = walls(zone, [edges[0] - MINUTE_US, edges[0]])
    assert first == f"{date(*day)} {begins}"
    assert before[:10] == str(date(*day) - timedelta(days=1))


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Havana", (2025, 11, 2)), ("Atlantic/Azores", (2026, 10, 25))]
)
def test_a_day_whose_midnight_is_shown_twice_begins_with_the_first(zone, day):
    edges = edges_of_day(zone, Interval.HOUR, *day)
    assert edges[0] == at(zone, *day, fold=0)
    assert edges[1] == at(zone, *day, fold=1)
    assert len(edges) - 1 == 25


def test_an_old_date_that_is_shown_again_stays_one_day():
    # At 00:01 on 29 October 2006 clocks in St. John's went back to 23:01.
    zone = ZoneInfo("America/St_Johns")
    midnight, again = (at("America/St_Johns", 2006, 10, 29, fold=fold) for fold in (0, 1))
    assert again - midnight == HOUR_US
    shown = walls("America/St_Johns", [midnight, midnight + MINUTE_US, again])
    assert shown == ["2006-10-29 00:00", "2006-10-28 23:01", "2006-10-29 00:00"]
    edges = calendar_edges(zone, midnight - DAY_US, midnight + 2 * DAY_US, Interval.DAY)
    assert edges.tolist() == [midnight - DAY_US, again, again + DAY_US, again + 2 * DAY_US]


def test_weeks_begin_on_monday_and_months_on_the_first():
    zone = ZoneInfo("Europe/Berlin")
    start, end = at("Europe/Berlin", 2020, 1, 1), at("Europe/Berlin", 2030, 1, 1)
    for week in calendar_edges(zone, start, end, Interval.WEEK).tolist():
        assert from_epoch_us(week).astimezone(zone).isocalendar().weekday == 1
    months = walls("Europe/Berlin", calendar_edges(zone, start, end, Interval.MONTH))
    expected = [f"{year}-{month:02}" for year in range(2020, 2030) for month in range(1, 13)]
    assert months == [f"{month}-01 00:00" for month in [*expected, "2030-01"]]


def test_from_1973_on_quarter_hours_are_those_of_utc_everywhere_but_on_kiritimati_until_1979():
    monthly_us = range(FIRST_US, LAST_US, 30 * DAY_US)
    for name in zoneinfo.available_timezones():
        zone = ZoneInfo(name)
        shown = [from_epoch_us(at_us).astimezone(zone) for at_us in monthly_us]
        odd = [wall for wall in shown if (wall.utcoffset() or timedelta()) % timedelta(minutes=15)]
        assert not odd or (name == "Pacific/Kiritimati" and odd[-1].year == 1979), (name, odd)
    for name in ZONES:
        since = 1980 if name == "Pacific/Kiritimati" else 1973
        days = calendar_edges(ZoneInfo(name), at(name, since, 1, 1), LAST_US, Interval.DAY)
        assert not (days % QUARTER_US).any(), name


# What is asked and refused


def test_intervals_are_named_and_run_from_fine_to_coarse():
    assert [interval_of(each.value) for each in Interval] == list(Interval)
    assert interval_of(Interval.WEEK) is Interval.WEEK
    lengths = [each.nominal_us for each in Interval]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("given_name", ["year", "HOUR", "", "day ", None, 3, ["day"]])
def test_an_unknown_interval_is_refused_with_the_names_that_are_known(given_name):
    with pytest.raises(InvalidValue) as refusal:
        interval_of(given_name)
    assert refusal.value.field == "interval"
    assert refusal.value.limit == "one of quarter_hour, hour, day, week, month"


@pytest.mark.parametrize("edges", [calendar_edges, range_edges])
@pytest.mark.parametrize("length_us", [0, -1, -DAY_US])
def test_a_range_that_ends_before_it_begins_is_refused(edges, length_us):
    start = at("UTC", 2026, 1, 1)
    with pytest.raises(InvalidValue, match=r"end must be after 2026-01-01 00:00:00\+00:00, not "):
        edges(ZoneInfo("UTC"), start, start + length_us, Interval.DAY)


def test_no_instants_have_no_buckets():
    for interval in Interval:
        assert bucket_starts(ZoneInfo("UTC"), np.empty(0, dtype=np.int64), interval).size == 0


def test_buckets_of_a_huge_range_are_counted_without_being_made():
    century_us = 36_525 * DAY_US
    most = most_buckets(FIRST_US, FIRST_US + century_us, Interval.QUARTER_HOUR)
    assert 36_525 * 96 <= most <= 36_525 * 96 + 2_000


# PostgreSQL's own calendar


def copy_of(columns):
    """Instants as rows of PostgreSQL's binary COPY, which counts from the year 2000."""
    kinds = [("fields", ">i2")]
    for index in range(len(columns)):
        kinds += [(f"length{index}", ">i4"), (f"at{index}", ">i8")]
    rows = np.empty(len(columns[0]), dtype=kinds)
    rows["fields"] = len(columns)
    for index, column in enumerate(columns):
        rows[f"length{index}"] = 8
        rows[f"at{index}"] = column - at("UTC", 2000, 1, 1)
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"


def differences(server, zone, instants):
    """Instants for which date_trunc says otherwise: the interval, its start, ours [us]."""
    import psycopg  # tests without PostgreSQL run without its driver

    columns = [instants, *(bucket_starts(ZoneInfo(zone), instants, each) for each in COARSE)]
    with psycopg.connect(server.replace(DRIVER, "postgresql://", 1)) as connection:
        names = ", ".join(f"{each.value} timestamptz" for each in COARSE)
        connection.execute(f"CREATE TEMPORARY TABLE ours (at timestamptz, {names})")
        with connection.cursor().copy("COPY ours FROM STDIN (FORMAT binary)") as copy:
            copy.write(copy_of(columns))
        union = " UNION ALL ".join(
            f"SELECT at, date_trunc('{each.value}', at, %(zone)s) AS theirs, {each.value} AS ours"
            " FROM ours"
            for each in COARSE
        )
        found = connection.execute(
            f"SELECT at, theirs, ours FROM ({union}) AS both_of WHERE theirs <> ours",
            {"zone": zone},
        )
        return found.fetchall()


def random_instants(zone):
    draw = random.Random(zone)
    last_us = at(zone, LAST_YEAR.get(zone, 2037) + 1, 1, 1)
    drawn = sorted(draw.randrange(FIRST_US, last_us) for _ in range(100_000))
    return np.array(drawn, dtype=np.int64)


@pytest.mark.parametrize("zone", ZONES_WITH_ONE_MIDNIGHT)
def test_postgresql_names_the_same_days_weeks_and_months(zone, postgresql_server):
    assert differences(postgresql_server, zone, random_instants(zone)) == []


@pytest.mark.parametrize("zone", ZONES_WITH_TWO_MIDNIGHTS)
def test_where_midnight_is_shown_twice_postgresql_takes_the_second_and_we_the_first(
    zone, postgresql_server
):
    found = differences(postgresql_server, zone, random_instants(zone))
    assert found
    for _, theirs, ours in found:
        assert theirs > ours
        assert {f"{start.astimezone(ZoneInfo(zone)):%H:%M}" for start in (theirs, ours)} == {
            "00:00"
        }
        assert theirs.astimezone(ZoneInfo(zone)).date() == ours.astimezone(ZoneInfo(zone)).date()
    # Its day begins after some of its instants.
    assert any(at < theirs for at, theirs, _ in found)
