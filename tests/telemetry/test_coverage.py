"""Buckets of readings hold exactly what is known."""

from hypothesis import given, settings

from energycore.telemetry.coverage import cover
from tests.telemetry.oracle import bucket_rows, histories, rows_of


def buckets_of(history, edges_us=None):
    covered = cover(history.batch, history.table, history.until_us)
    return covered.buckets(history.edges_us if edges_us is None else edges_us)


@settings(max_examples=1000)
@given(histories())
def test_buckets_hold_what_is_known_of_every_instant(history):
    assert rows_of(buckets_of(history)) == bucket_rows(history)
