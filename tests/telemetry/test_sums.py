"""Totals of several devices together, whatever their gap policies are, were and will be."""

from itertools import pairwise

import attrs
import pytest
from hypothesis import given, settings

from energycore.quantities.units import MISSING
from energycore.telemetry.buckets import NOT_KEPT
from energycore.telemetry.coverage import cover
from energycore.telemetry.series import GapPolicy, SeriesTable
from energycore.telemetry.sums import Membership, sum_buckets
from tests.telemetry.oracle import histories, rows_of, summed_powers


def sums_of(history, table, edges_us):
    coverage = cover(history.batch, table, history.until_us)
    return sum_buckets(coverage, Membership.of_all(table, table.device_ids), edges_us, 0)


def has_lines(history, start_us, end_us):
    known = [
        device.known_at(at_us, history.until_us)
        for device in history.devices
        for at_us in range(start_us, end_us, history.unit_us)
    ]
    return any(told is not None and told[1] is not None for told in known)


def extremes_of(history, start_us, end_us):
    if has_lines(history, start_us, end_us):
        return MISSING, NOT_KEPT
    powers = summed_powers(history, start_us, end_us)
    return (min(powers), max(powers)) if powers else (MISSING, MISSING)


@settings(max_examples=300)
@given(histories())
def test_extremes_are_kept_of_the_intervals_in_which_no_power_is_interpolated(history):
    found = sums_of(history, history.table, history.edges_us)
    expected = {span: extremes_of(history, *span) for span in pairwise(history.edges)}
    spans = zip(found.start_us.tolist(), found.end_us.tolist(), strict=True)
    extremes = zip(found.min_mw.tolist(), found.max_mw.tolist(), strict=True)
    assert list(extremes) == [expected[span] for span in spans]


@settings(max_examples=300)
@given(histories())
def test_sums_of_parts_merge_to_those_of_the_whole_in_every_column(history):
    parts = sums_of(history, history.table, history.finer_edges_us)
    whole = sums_of(history, history.table, history.edges_us)
    assert rows_of(parts.merged(history.edges_us)) == rows_of(whole)


@pytest.mark.parametrize("policy", GapPolicy)
@settings(max_examples=100)
@given(histories())
def test_a_later_gap_policy_changes_nothing_that_was_told_before(policy, history):
    later = [
        attrs.evolve(
            device.version_at(history.until_us),
            valid_from_us=history.until_us,
            gap_policy=policy,
        )
        for device in history.devices
        if device.versions[-1].valid_from_us < history.until_us
    ]
    table = SeriesTable.of([v for d in history.devices for v in d.versions] + later)
    assert rows_of(sums_of(history, table, history.edges_us)) == rows_of(
        sums_of(history, history.table, history.edges_us)
    )
