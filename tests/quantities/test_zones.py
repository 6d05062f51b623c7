"""UTC offsets for many instants at once are those of the IANA database, one by one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import UnknownTimeZone
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.zones import (
    load_zone,
    local_hours,
    offset_changes,
    utc_offsets_us,
)

HOUR_US = 3_600_000_000
FIRST_US = to_epoch_us(datetime(1970, 1, 1, tzinfo=UTC))
LAST_US = to_epoch_us(datetime(2100, 1, 1, tzinfo=UTC))

# Half an hour of daylight saving; a lost day; daylight saving that stops for Ramadan; quarters
# of an hour; none at all; offsets with seconds; the southern half; a change at midnight.
ZONES = [
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "UTC",
    "Africa/Monrovia",
    "America/Santiago",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Tehran",
    "Antarctica/Troll",
]


def expected_us(zone, instants_us):
    local = [from_epoch_us(at_us).astimezone(zone) for at_us in instants_us]
    return [(at.utcoffset() or timedelta()) // timedelta(microseconds=1) for at in local]


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data())
def test_offsets_of_scattered_instants_equal_zoneinfo(name, data):
    zone = ZoneInfo(name)
    start = data.draw(st.integers(FIRST_US, LAST_US))
    # Up to four years: many changes; down to one microsecond: none.
    length = data.draw(st.sampled_from([10, HOUR_US, 48 * HOUR_US, 24 * 366 * 4 * HOUR_US]))
    instants = data.draw(st.lists(st.integers(start, start + length), min_size=1, max_size=40))
    instants.sort()
    offsets = utc_offsets_us(zone, np.array(instants, dtype=np.int64))
    assert offsets.dtype == np.int64
    assert offsets.tolist() == expected_us(zone, instants)


@pytest.mark.parametrize("name", ZONES)
def test_each_change_since_1970_falls_on_its_exact_second(name):
    zone = ZoneInfo(name)
    days = np.arange(FIRST_US, LAST_US, 24 * HOUR_US, dtype=np.int64)
    offsets = np.array(expected_us(zone, days.tolist()))
    for index in np.flatnonzero(offsets[1:] != offsets[:-1])[:300]:
        # Quarter-hours cover the day; the seconds around the step that they find are compared.
        quarters = np.arange(days[index], days[index + 1] + 1, HOUR_US // 4)
        found = utc_offsets_us(zone, quarters)
        assert found.tolist() == expected_us(zone, quarters.tolist())
        step = quarters[np.flatnonzero(found[1:] != found[:-1])[0] + 1]
        around = step + 1_000_000 * np.arange(-900, 900, 60) - 1
        assert utc_offsets_us(zone, around).tolist() == expected_us(zone, around.tolist())


def test_a_window_that_begins_or_ends_at_the_change_itself_sees_it():
    zone = ZoneInfo("Europe/Berlin")
    change = to_epoch_us(datetime(2026, 3, 29, 1, tzinfo=UTC))
    for shift in (-9, -1, 0):
        instants = change + shift + np.arange(10, dtype=np.int64)
        assert utc_offsets_us(zone, instants).tolist() == expected_us(zone, instants.tolist())


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data())
def test_changes_are_the_instants_before_which_another_offset_was_in_force(name, data):
    zone = ZoneInfo(name)
    first = data.draw(st.integers(FIRST_US, LAST_US))
    last = first + data.draw(st.integers(0, 24 * 366 * 3 * HOUR_US))
    starts, offsets = offset_changes(zone, first, last)
    assert starts[0] <= first
    assert (first < starts[1:]).all()
    assert (starts[1:] <= last).all()
    assert (np.diff(starts) > 0).all()
    assert offsets.tolist() == expected_us(zone, starts.tolist())
    assert offsets[:-1].tolist() == expected_us(zone, (starts[1:] - 1).tolist())
    assert offsets[-1:].tolist() == expected_us(zone, [last])


@pytest.mark.parametrize("year", [1900, 2299])
def test_changes_are_known_as_far_as_instants_go(year):
    zone = ZoneInfo("America/New_York")
    hours = to_epoch_us(datetime(year, 1, 1, tzinfo=UTC)) + HOUR_US * np.arange(366 * 24)
    assert utc_offsets_us(zone, hours).tolist() == expected_us(zone, hours.tolist())
    starts, _ = offset_changes(zone, int(hours[0]), int(hours[-1]))
    assert len(starts) == (1 if year == 1900 else 3)


def test_the_database_is_not_asked_again_about_the_same_years():
    asked = []

    class Zone(ZoneInfo):
        def utcoffset(self, at, /):
            asked.append(at)
            return super().utcoffset(at)

    zone = Zone.no_cache("Europe/Berlin")
    hours = to_epoch_us(datetime(2026, 1, 1, tzinfo=UTC)) + HOUR_US * np.arange(365 * 24)
    first = utc_offsets_us(zone, hours)
    assert asked
    asked.clear()
    assert utc_offsets_us(zone, hours[100:7_000]).tolist() == first[100:7_000].tolist()
    assert asked == []


def test_local_hours_run_from_midnight_to_just_before_the_next():
    zone = ZoneInfo("Asia/Kathmandu")
    midnight = to_epoch_us(datetime(2026, 6, 1, tzinfo=zone))
    instants = midnight + np.array([-1, 0, HOUR_US // 2, 12 * HOUR_US, 24 * HOUR_US - 1])
    hours = local_hours(zone, instants)
    assert hours[1:4].tolist() == [0.0, 0.5, 12.0]
    assert (hours[[0, 4]] < 24.0).all()
    assert (hours[[0, 4]] > 23.99).all()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe/Berlim",
        "Europe",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Europe/Berlin\0",
        "Europe//Berlin",
        " UTC",
        None,
        5,
    ],
)
def test_what_the_database_does_not_name_is_no_zone(name):
    with pytest.raises(UnknownTimeZone) as refusal:
        load_zone(name, "zone_of_site")
    assert refusal.value.code == "UNKNOWN_TIME_ZONE"
    assert refusal.value.field == "zone_of_site"
    assert refusal.value.value == name
