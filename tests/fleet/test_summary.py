"""A summary adds up what counted, active devices are known to do, in whole numbers."""

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import energycore as ec
from energycore.fleet.summary import StateTable, grouped, summarise
from energycore.quantities.units import MISSING

NOW_US = 1_780_315_200_000_000
MINUTE_US = 60_000_000
ROLES = (ec.Role.SOURCE, ec.Role.LOAD, ec.Role.STORAGE, ec.Role.METER)
SOURCE, LOAD, STORAGE, METER = range(4)


def row(role, power_mw, stored_mwh=MISSING, capacity_mwh=MISSING, age_us=0, site=1):
    return role, NOW_US - age_us, power_mw, stored_mwh, capacity_mwh, site


def table(*rows):
    """A table of these rows; a device is silent from two minutes on."""
    kind, at_us, power_mw, stored_mwh, capacity_mwh, site = (
        np.array(column, dtype=np.int64)
        for column in (zip(*rows, strict=True) if rows else [[]] * 6)
    )
    return StateTable(
        device_id=np.arange(len(rows), dtype=np.int64),
        site_id=site,
        kind_index=kind,
        kinds=("source", "load", "storage", "meter"),
        roles=ROLES,
        at_us=at_us,
        power_mw=power_mw,
        stored_mwh=stored_mwh,
        capacity_mwh=capacity_mwh,
        silent_after_us=np.full(len(rows), 2 * MINUTE_US),
    )


def test_each_power_is_counted_once_by_its_sign_and_by_whether_it_stores():
    summary = summarise(
        table(
            row(SOURCE, 4_000),
            # A panel's inverter draws a little at night; a load may feed back.
            row(SOURCE, -7),
            row(LOAD, -1_500),
            row(LOAD, 20),
            row(STORAGE, 300, 5_000, 10_000),
            row(STORAGE, -900, 1_000, 30_000),
        ),
        NOW_US,
    )
    assert (summary.generation_mw, summary.load_mw) == (4_020, 1_507)
    assert (summary.discharge_mw, summary.charge_mw) == (300, 900)
    assert (summary.production_mw, summary.consumption_mw) == (4_320, 2_407)
    assert summary.net_power_mw == 1_913
    assert summary.storage.stored_mwh == 6_000
    assert summary.storage.capacity_mwh == 40_000
    assert summary.storage.state_of_charge == 0.15
    assert (summary.device_count, summary.silent_count, summary.storage.device_count) == (6, 0, 2)
    assert (summary.net_power_w, summary.generation_w, summary.load_w) == (1.913, 4.02, 1.507)
    assert (summary.discharge_w, summary.charge_w) == (0.3, 0.9)
    assert (summary.production_w, summary.consumption_w) == (4.32, 2.407)
    assert (summary.storage.stored_wh, summary.storage.capacity_wh) == (6.0, 40.0)


def test_a_silent_device_is_counted_apart_and_in_no_total():
    summary = summarise(
        table(
            row(LOAD, -1_000),
            row(LOAD, -5_000, age_us=2 * MINUTE_US + 1),
            row(STORAGE, -700, 4_000, 8_000, age_us=3 * MINUTE_US),
        ),
        NOW_US,
    )
    assert (summary.device_count, summary.silent_count) == (3, 2)
    assert (summary.load_mw, summary.charge_mw) == (1_000, 0)
    assert summary.storage.device_count == 0
    assert summary.storage.state_of_charge is None


def test_a_device_is_not_silent_at_the_limit_itself_and_silent_when_it_never_spoke():
    at_limit = row(LOAD, -1_000, age_us=2 * MINUTE_US)
    never = (LOAD, MISSING, MISSING, MISSING, MISSING, 1)
    summary = summarise(table(at_limit, never), NOW_US)
    assert (summary.load_mw, summary.silent_count) == (1_000, 1)


def test_a_storage_whose_charge_is_unknown_is_in_the_power_and_not_in_the_charge():
    summary = summarise(table(row(STORAGE, 700, MISSING, 8_000)), NOW_US)
    assert summary.discharge_mw == 700
    assert (summary.storage.device_count, summary.storage.capacity_mwh) == (0, 0)


def test_a_meter_is_in_no_total_and_no_count():
    summary = summarise(table(row(METER, 9_000), row(METER, -1, age_us=10**12)), NOW_US)
    assert (summary.production_mw, summary.consumption_mw) == (0, 0)
    assert (summary.device_count, summary.silent_count) == (0, 0)


def test_nothing_is_summed_up_to_nothing():
    for empty in (table(), attrs.evolve(table(), kinds=(), roles=())):
        summary = summarise(empty, NOW_US)
        assert (summary.net_power_mw, summary.device_count, summary.silent_count) == (0, 0, 0)
        assert summary.storage.state_of_charge is None
        assert summary.at_us == NOW_US


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 3),
        st.integers(-(10**11), 10**11),
        st.one_of(st.just(MISSING), st.integers(0, 10**12)),
        st.one_of(st.just(MISSING), st.integers(1, 10**12)),
        st.integers(0, 4 * MINUTE_US),
        st.one_of(st.just(MISSING), st.integers(1, 4)),
    ),
    max_size=30,
)


@given(ROWS)
def test_net_power_is_production_minus_consumption_and_the_sum_of_signed_power(rows):
    summary = summarise(table(*rows), NOW_US)
    speaking = [
        power
        for role, at_us, power, *_ in rows
        if role != METER and NOW_US - at_us <= 2 * MINUTE_US
    ]
    assert summary.net_power_mw == summary.production_mw - summary.consumption_mw == sum(speaking)
    assert summary.production_mw == sum(power for power in speaking if power > 0)
    assert all(type(value) is int for value in (summary.generation_mw, summary.storage.stored_mwh))


@given(ROWS)
def test_groups_have_each_device_once_and_add_up_to_the_whole(rows):
    whole = table(*rows)
    parts = list(grouped(whole, whole.site_id))
    keys = [key for key, _ in parts]
    assert keys == sorted(set(whole.site_id.tolist()))
    assert all((part.site_id == key).all() for key, part in parts)
    devices = [device for _, part in parts for device in part.device_id.tolist()]
    assert sorted(devices) == list(range(len(rows)))
    total = summarise(whole, NOW_US)
    for field in ("generation_mw", "load_mw", "discharge_mw", "charge_mw", "silent_count"):
        each = [getattr(summarise(part, NOW_US), field) for _, part in parts]
        assert sum(each) == getattr(total, field)


def test_millions_of_large_powers_add_up_exactly():
    count = 1_000_003
    column = np.full(count, 10**11 - 1, dtype=np.int64)
    huge = attrs.evolve(
        table(*[row(SOURCE, 1)]).select(np.zeros(count, dtype=np.int64)), power_mw=column
    )
    assert summarise(huge, NOW_US).generation_mw == count * (10**11 - 1)
