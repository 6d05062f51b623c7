"""Energy under a line is the exact one, rounded once, and that of parts adds up to the whole."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given, settings

from energycore.telemetry.interpolation import linear_energy, linear_power
from tests.telemetry.oracle import LARGEST_MW, positive_area, whole_numbers

DAY_MS = 86_400_000


@whole_numbers(8).map
def lines(numbers):
    """A line of up to 100 MW and up to a day, and some instants on it, in order."""
    first_mw, last_mw = (min(max(number >> 26, -LARGEST_MW), LARGEST_MW) for number in numbers[:2])
    length_ms = 1 + numbers[2] % DAY_MS
    inner = (number % (length_ms + 1) for number in numbers[3:])
    return (first_mw, last_mw, length_ms), sorted({0, length_ms, *inner})


def power_at(line, at_ms):
    first_mw, last_mw, length_ms = line
    return first_mw + Fraction((last_mw - first_mw) * at_ms, length_ms)


def area(line, at_ms):
    """From the beginning of the line on, rounded."""
    return round(positive_area(Fraction(line[0]), power_at(line, at_ms), at_ms))


def column(values):
    return np.array(list(values), dtype=np.int64)


def energies(line, spans):
    """Produced and consumed energy of several parts of one line."""
    first_mw, last_mw, length_ms = (np.full(len(spans), number) for number in line)
    begins, ends = (column(instants) for instants in zip(*spans, strict=True))
    both = linear_energy(first_mw, last_mw, length_ms, begins, ends)
    return [energy.tolist() for energy in both]


@settings(max_examples=1_000)
@given(lines)
def test_energy_of_a_part_is_the_difference_of_exact_energies_each_rounded_once(drawn):
    line, instants = drawn
    spans = [*pairwise(instants), (0, line[2])]
    opposite = (-line[0], -line[1], line[2])
    assert energies(line, spans) == [
        [area(one, end) - area(one, begin) for begin, end in spans] for one in (line, opposite)
    ]


@settings(max_examples=1_000)
@given(lines)
def test_energy_of_parts_adds_up_to_that_of_the_line_and_is_never_negative(drawn):
    line, instants = drawn
    parts, whole = energies(line, list(pairwise(instants))), energies(line, [(0, line[2])])
    assert [[sum(energy)] for energy in parts] == whole
    assert min(min(energy) for energy in parts) >= 0


@settings(max_examples=300)
@given(lines)
def test_power_on_a_line_is_the_exact_one_rounded_half_to_even(drawn):
    line, instants = drawn
    first_mw, last_mw, length_ms = (np.full(len(instants), number) for number in line)
    power_mw = linear_power(first_mw, last_mw, length_ms, column(instants))
    assert power_mw.tolist() == [round(power_at(line, at_ms)) for at_ms in instants]


def test_lines_of_different_kinds_are_told_apart_within_one_call():
    lines = [(4, 8, 3), (-4, 4, 4), (5, -5, 2), (0, -7, 5), (3, 3, 1), (0, 0, 9)]
    spans = [(0, 3), (0, 4), (1, 2), (0, 5), (0, 1), (2, 7)]
    columns = [column(numbers) for numbers in zip(*lines, strict=True)]
    produced, consumed = linear_energy(*columns, *map(column, zip(*spans, strict=True)))
    assert produced.tolist() == [18, 4, 0, 0, 3, 0]
    assert consumed.tolist() == [0, 4, 2, 18, 0, 0]
