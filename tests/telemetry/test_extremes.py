"""The extremes of several devices together are those of their sum, never sums of extremes."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings

from energycore.quantities.units import MISSING
from energycore.telemetry.coverage import cover
from energycore.telemetry.extremes import sum_extremes
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion
from tests.telemetry.oracle import Reading, batch_of, histories, summed_powers

STEPWISE = (GapPolicy.HOLD, GapPolicy.HOLD, GapPolicy.HOLD, GapPolicy.NONE)
MINUTE_US = 60_000_000


def extremes(readings, table, until_us, edges_us):
    coverage = cover(readings, table, until_us)
    pieces = coverage.pieces(edges_us)
    power_mw = coverage.readings.power_mw[pieces.reading]
    expected = [span for device_id in table.device_ids for span in table.spans(device_id)]
    least, greatest = sum_extremes(pieces, power_mw, expected, edges_us)
    return list(zip(least.tolist(), greatest.tolist(), strict=True))


@settings(max_examples=1_000)
@given(histories(STEPWISE))
def test_extremes_are_those_of_the_sum_while_all_that_are_expected_are_known(history):
    powers = [summed_powers(history, *span) for span in pairwise(history.edges)]
    found = extremes(history.batch, history.table, history.until_us, history.edges_us)
    assert found == [(min(p), max(p)) if p else (MISSING, MISSING) for p in powers]


@settings(max_examples=300)
@given(histories(STEPWISE))
def test_extremes_of_parts_give_those_of_the_whole(history):
    question = history.batch, history.table, history.until_us
    fine_us = history.finer_edges_us
    fine = dict(zip(fine_us.tolist(), extremes(*question, fine_us), strict=False))
    parts = [
        [fine[edge] for edge in fine if start <= edge < end and fine[edge][0] != MISSING]
        for start, end in pairwise(history.edges)
    ]
    merged = [
        (min(p[0] for p in part), max(p[1] for p in part)) if part else (MISSING, MISSING)
        for part in parts
    ]
    assert extremes(*question, history.edges_us) == merged


def devices(*ids):
    return SeriesTable.of(
        [
            SeriesVersion(
                device_id=device_id,
                valid_from_us=0,
                site_id=1,
                is_active=True,
                gap_policy=GapPolicy.HOLD,
                max_gap_us=5 * MINUTE_US,
                capacity_mwh=None,
            )
            for device_id in ids
        ]
    )


def test_peaks_at_different_times_do_not_add_up():
    readings = batch_of(
        Reading(device_id, minute * MINUTE_US, power_mw)
        for device_id, powers in ((1, (9, 1, 1)), (2, (1, 1, 9)))
        for minute, power_mw in enumerate(powers)
    )
    edges_us = np.array([0, 3 * MINUTE_US])
    assert extremes(readings, devices(1, 2), 3 * MINUTE_US, edges_us) == [(2, 10)]


def test_the_time_in_which_one_of_several_devices_is_silent_tells_nothing():
    readings = batch_of([Reading(1, 0, 5), Reading(1, 2 * MINUTE_US, 50), Reading(2, 0, 7)])
    table = devices(1, 2, 3)
    edges_us = np.array([0, 4 * MINUTE_US])
    assert extremes(readings, table, 4 * MINUTE_US, edges_us) == [(MISSING, MISSING)]
    pair = table.select([1, 2])
    assert extremes(readings, pair, 4 * MINUTE_US, edges_us) == [(12, 57)]


def test_without_expected_devices_there_are_no_extremes():
    edges_us = np.array([0, MINUTE_US, 2 * MINUTE_US])
    assert extremes(batch_of([]), devices(), MINUTE_US, edges_us) == 2 * [(MISSING, MISSING)]
