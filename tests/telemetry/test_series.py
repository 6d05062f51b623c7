"""What holds of a device's series at any instant is what its versions say."""

import pytest
from hypothesis import given, settings

from energycore.errors import InvalidValue
from energycore.telemetry.series import (
    END_US,
    GapPolicy,
    SeriesTable,
    SeriesVersion,
    gap_policy,
)
from tests.telemetry.oracle import histories

SITES = (None, 1, 2, 3)


def version(device_id=1, valid_from_us=0, **changes):
    known = {
        "site_id": 1,
        "is_active": True,
        "gap_policy": GapPolicy.HOLD,
        "max_gap_us": 60_000_000,
        "capacity_mwh": None,
    }
    return SeriesVersion(device_id=device_id, valid_from_us=valid_from_us, **{**known, **changes})


def around(device):
    """Each instant at which something changes, and those just before and after it."""
    changes = {change.valid_from_us for change in device.versions}
    return sorted({at_us + step for at_us in changes for step in (-1_000, 0, 1_000)})


def is_within(spans, at_us):
    return any(begin <= at_us < end for begin, end in spans)


def are_apart(spans):
    """Whether they are in order, hold some time each, and do not touch."""
    edges = [edge for span in spans for edge in span]
    return edges == sorted(set(edges))


@settings(max_examples=300)
@given(histories())
def test_a_device_is_expected_while_it_is_in_service(history):
    for device in history.devices:
        spans = history.table.spans(device.id)
        assert are_apart(spans)
        expected = [device.is_expected(at_us) for at_us in around(device)]
        assert [is_within(spans, at_us) for at_us in around(device)] == expected


@settings(max_examples=300)
@given(histories())
def test_a_device_stays_in_a_site_in_service_or_not_and_is_expected_there_while_in_service(history):
    for device in history.devices:
        for site_id in SITES[1:]:
            stays = history.table.stays(device.id, site_id)
            spans = history.table.spans(device.id, site_id)
            assert are_apart(stays)
            assert are_apart(spans)
            for at_us in around(device):
                begun = device.versions[0].valid_from_us <= at_us
                belongs = begun and device.version_at(at_us).site_id == site_id
                assert is_within(stays, at_us) == belongs
                assert is_within(spans, at_us) == (belongs and device.is_expected(at_us))


@settings(max_examples=300)
@given(histories())
def test_readings_of_a_version_are_void_from_the_next_time_out_of_service_on(history):
    for device in history.devices:
        pairs = history.table.with_stops(device.id)
        assert [one for one, _ in pairs] == list(device.versions)
        for one, stop_us in pairs:
            later = [v for v in device.versions if v.valid_from_us >= one.valid_from_us]
            stops = [v.valid_from_us for v in later if not v.is_active]
            assert stop_us == min(stops, default=END_US)


@given(histories())
def test_a_table_has_the_versions_of_each_device_in_order_whatever_their_order_was(history):
    versions = [one for device in history.devices for one in device.versions]
    table = SeriesTable.of(versions[::-1])
    assert table.device_ids == tuple(device.id for device in history.devices)
    for device in history.devices:
        assert tuple(table.versions(device.id)) == device.versions


def test_a_selection_has_the_versions_of_the_devices_that_are_known():
    table = SeriesTable.of([version(4), version(2), version(2, 60_000_000), version(3)])
    chosen = table.select([3, 9, 2, 3])
    assert chosen.device_ids == (2, 3)
    assert len(chosen.versions(2)) == 2
    assert chosen.versions(4) == ()
    assert chosen.spans(4) == chosen.stays(4, 1) == []


def test_the_longest_gap_is_that_of_any_version_or_of_those_that_are_interpolated():
    held, line = version(1, max_gap_us=9), version(2, max_gap_us=5, gap_policy=GapPolicy.LINEAR)
    table = SeriesTable.of([held, version(1, 60_000_000, max_gap_us=1), line])
    assert (table.longest_gap_us(), table.longest_gap_us(linear=True)) == (9, 5)
    assert table.select([1]).longest_gap_us(linear=True) == SeriesTable.of([]).longest_gap_us() == 0


@pytest.mark.parametrize("policy", GapPolicy)
def test_a_policy_is_given_as_it_is_or_by_its_name(policy):
    assert gap_policy(policy) is gap_policy(policy.value) is policy


def test_another_policy_is_refused_with_the_names_that_there_are():
    with pytest.raises(InvalidValue, match="one of hold, linear, none, not 'last'"):
        gap_policy("last")
