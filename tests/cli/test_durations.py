"""How long something is kept: a small rule, and an error for all else."""

from datetime import timedelta

import pytest

from energycore.cli.durations import parse_kept
from energycore.errors import InvalidValue


@pytest.mark.parametrize(
    ("text", "days"), [("7d", 7), ("12w", 84), ("2y", 730), ("99999d", 99_999)]
)
def test_days_weeks_and_years_of_365_days_are_read(text, days):
    assert parse_kept(text, "keep-raw") == timedelta(days=days)


def test_forever_is_no_length():
    assert parse_kept("forever", "keep-raw") is None


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "0d", "-7d", "7 d", "7D", "1.5y", "3m", "24h", "100000d", "\u0667d", "ever"],
)
def test_anything_else_is_refused_by_the_name_of_the_option(text):
    with pytest.raises(InvalidValue, match="keep-raw must be days, weeks or years") as caught:
        parse_kept(text, "keep-raw")
    assert caught.value.field == "keep-raw"
    assert caught.value.value == text
