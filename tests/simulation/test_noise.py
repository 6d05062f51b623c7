"""The random numbers: uniform, independent of their neighbours, and the same for any split."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.simulation.noise import noise_key_of, tick_keys, uniforms

MINUTE_US = 60_000_000
NOON_US = 1_781_085_600_000_000
MASK = (1 << 64) - 1

SEEDS = st.integers(-(2**70), 2**70)
KEYS = st.lists(st.integers(0, MASK), min_size=1, max_size=40)


def ticks(count, step_us=MINUTE_US):
    return NOON_US + step_us * np.arange(count, dtype=np.int64)


def hashed_keys(count):
    names = (noise_key_of("Home", f"device {number}") for number in range(count))
    return np.fromiter(names, dtype=np.uint64, count=count)


# Keys as people choose them, as they are drawn, and as a bad hash would spread them.
KEY_SETS = {
    "in a row": np.arange(512, dtype=np.uint64),
    "powers of two": np.uint64(1) << np.arange(64, dtype=np.uint64),
    "in the high bits": np.arange(512, dtype=np.uint64) << np.uint64(55),
    "hashed": hashed_keys(512),
}


@pytest.fixture(params=KEY_SETS, ids=lambda name: name.replace(" ", "-"))
def draws(request):
    """Shape (k, n), about 2**18 numbers of neighbouring ticks and keys."""
    keys = KEY_SETS[request.param]
    return uniforms(keys, tick_keys(1, ticks(2**18 // len(keys))))


def correlation(first, second):
    """Pearson's, in standard errors: a normal number when the two are independent."""
    return np.corrcoef(first.ravel(), second.ravel())[0, 1] * math.sqrt(first.size)


def test_numbers_lie_in_the_unit_interval_and_fill_it_evenly(draws):
    assert draws.min() >= 0.0
    assert draws.max() < 1.0
    counts, _ = np.histogram(draws, bins=1_024, range=(0.0, 1.0))
    expected = draws.size / 1_024
    chi_square = ((counts - expected) ** 2 / expected).sum()
    # 1,023 degrees of freedom: mean 1,023, deviation 45. Too even would be suspicious, too.
    assert abs(chi_square - 1_023) < 5 * math.sqrt(2 * 1_023)


def test_numbers_follow_the_uniform_distribution_by_kolmogorov_and_smirnov(draws):
    ordered = np.sort(draws.ravel())
    ranks = np.arange(len(ordered) + 1) / len(ordered)
    distance = max((ranks[1:] - ordered).max(), (ordered - ranks[:-1]).max())
    # P(distance * sqrt(n) > 2.2) is 1.2e-4.
    assert distance * math.sqrt(len(ordered)) < 2.2


def test_neighbours_in_device_and_tick_do_not_know_each_other(draws):
    assert abs(correlation(draws[:, 1:], draws[:, :-1])) < 5
    assert abs(correlation(draws[1:], draws[:-1])) < 5
    assert abs(correlation(draws[1:, 1:], draws[:-1, :-1])) < 5
    assert abs(correlation(draws[1:, :-1], draws[:-1, 1:])) < 5


def test_pairs_of_neighbours_fill_the_unit_square_evenly(draws):
    """The serial test: correlation alone would miss a dependence that is not linear."""
    for first, second in ((draws[:, 1:], draws[:, :-1]), (draws[1:], draws[:-1])):
        # Every other pair, so that no number is counted in two.
        pairs = np.histogram2d(
            first.ravel()[::2], second.ravel()[::2], bins=16, range=((0, 1), (0, 1))
        )[0]
        expected = pairs.sum() / 256
        chi_square = ((pairs - expected) ** 2 / expected).sum()
        assert abs(chi_square - 255) < 6 * math.sqrt(2 * 255)


def test_each_bit_is_set_in_half_of_the_numbers_and_no_two_agree_too_often(draws):
    draws = draws.ravel()[: 2**16]
    whole = (draws * 2.0**53).astype(np.uint64)
    bits = np.stack([(whole >> np.uint64(place)) & np.uint64(1) for place in range(53)])
    deviation = math.sqrt(draws.size) / 2
    assert (np.abs(bits.sum(axis=1) - draws.size / 2) < 5 * deviation).all()
    signs = bits.astype(np.float32) * 2 - 1
    agreement = signs @ signs.T - np.eye(53, dtype=np.float32) * draws.size
    assert np.abs(agreement).max() < 6 * math.sqrt(draws.size)


def test_streams_and_seeds_of_one_device_and_instant_do_not_know_each_other():
    keys = KEY_SETS["hashed"]
    at_us = ticks(512)
    sources = [(seed, stream) for seed in (0, 1, 2, MASK) for stream in (0, 1, 2)]
    columns = [uniforms(keys, tick_keys(seed, at_us, stream)) for seed, stream in sources]
    for first, second in itertools.combinations(columns, 2):
        assert abs(correlation(first, second)) < 5


def test_one_flipped_bit_of_key_or_instant_or_seed_flips_half_of_the_bits():
    """The avalanche criterion, on the 53 bits that are used."""

    def number(key, at_us, seed):
        keys = tick_keys(seed, np.array([at_us], dtype=np.int64))
        return int(uniforms(np.array([key], dtype=np.uint64), keys)[0, 0] * 2**53)

    flipped = np.zeros(3)
    for round_ in range(64):
        arguments = [noise_key_of("Home", str(round_)), NOON_US + round_ * MINUTE_US, round_]
        base = number(*arguments)
        for which in range(3):
            for bit in range(0, 60, 4):
                changed = [*arguments]
                changed[which] ^= 1 << bit
                flipped[which] += (base ^ number(*changed)).bit_count()
    mean = flipped / (64 * 15)
    # 53 fair coins: mean 26.5; 960 trials leave a standard error of 0.12.
    assert np.abs(mean - 26.5).max() < 0.6


@given(SEEDS, KEYS, st.integers(1, 30), st.data())
def test_any_split_of_the_devices_and_of_the_ticks_gives_the_same_bits(seed, keys, count, data):
    keys = np.array(keys, dtype=np.uint64)
    at_us = ticks(count)
    whole = uniforms(keys, tick_keys(seed, at_us, 3))
    column = data.draw(st.integers(0, len(keys)))
    row = data.draw(st.integers(0, count))
    parts = np.block(
        [
            [uniforms(part, tick_keys(seed, rows, 3)) for part in (keys[:column], keys[column:])]
            for rows in (at_us[:row], at_us[row:])
        ]
    )
    assert np.array_equal(whole, parts)


def finalised(value):
    """The splitmix64 finaliser as its paper writes it, in whole numbers without end."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


@given(SEEDS, st.integers(0, MASK), st.integers(-(2**62), 2**62), st.integers(0, 9))
def test_a_number_is_built_as_documented(seed, key, at_us, stream):
    golden = 0x9E3779B97F4A7C15
    start = finalised((seed + golden * (stream + 1)) & MASK)
    tick = finalised((finalised(start ^ (at_us & MASK)) + golden) & MASK)
    expected = (finalised((key + tick) & MASK) >> 11) * 2.0**-53
    keys = tick_keys(seed, np.array([at_us], dtype=np.int64), stream)
    assert keys.tolist() == [tick]
    assert uniforms(np.array([key], dtype=np.uint64), keys).tolist() == [[expected]]


def test_these_numbers_stay_the_same_for_ever():
    """A stored fleet goes on as it began: whoever changes these changes every simulation."""
    drawn = uniforms(np.array([0, 1], dtype=np.uint64), tick_keys(7, ticks(2)))
    assert drawn.tolist() == [
        [0.6309157081216681, 0.047203975615781824],
        [0.16450164765627562, 0.13347795706534427],
    ]
    assert noise_key_of("Home", "Roof") == 0xCD53B6CF88E775CA


def test_the_key_of_a_device_depends_on_both_names_and_on_where_one_ends():
    keys = {noise_key_of(*names) for names in (("a", "bc"), ("ab", "c"), ("bc", "a"), ("", "abc"))}
    assert len(keys) == 4
