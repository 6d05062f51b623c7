"""Histories of devices, and what is known of each unit of their time, by asking one unit at a time.

All instants of a history are whole units (a millisecond, a minute ...) apart, so that what is known
and the held power do not change within a unit. Energy of lines is integrated with fractions.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

import attrs
import numpy as np
from hypothesis import strategies as st

from energycore.quantities.units import MISSING
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion

LARGEST_MW = 10**11
LARGEST_MWH = 10**12


@attrs.frozen
class Reading:
    """A row of a batch."""

    device_id: int
    at_us: int
    power_mw: int
    stored_mwh: int = MISSING


@attrs.frozen
class Device:
    """Versions and readings of one device, oldest first."""

    versions: tuple[SeriesVersion, ...]
    readings: tuple[Reading, ...]

    @property
    def id(self):
        return self.versions[0].device_id

    def version_at(self, at_us):
        """The version in force: the newest that has begun; before all of them the first."""
        begun = [version for version in self.versions if version.valid_from_us <= at_us]
        return begun[-1] if begun else self.versions[0]

    def is_expected(self, at_us):
        return self.versions[0].valid_from_us <= at_us and self.version_at(at_us).is_active

    def known_at(self, at_us, until_us):
        """The reading that tells the power from an instant on, and the next one for a line."""
        before = [reading for reading in self.readings if reading.at_us <= at_us]
        after = [reading for reading in self.readings if reading.at_us > at_us]
        if not before or at_us >= until_us:
            return None
        reading = before[-1]
        rule = self.version_at(reading.at_us)
        since = [v for v in self.versions if reading.at_us < v.valid_from_us <= at_us]
        if not all(version.is_active for version in [rule, *since]):
            return None
        if rule.gap_policy is GapPolicy.HOLD and at_us < reading.at_us + rule.max_gap_us:
            return reading, None
        if rule.gap_policy is GapPolicy.LINEAR and after:
            is_near = after[0].at_us - reading.at_us <= rule.max_gap_us
            return (reading, after[0]) if is_near else None
        return None


@attrs.frozen
class History:
    """Some devices, and a question about them."""

    unit_us: int
    devices: tuple[Device, ...]
    edges: tuple[int, ...]
    cuts: tuple[int, ...]
    """More edges, between the first and the last one."""
    until_us: int

    @property
    def edges_us(self):
        return np.array(self.edges, dtype=np.int64)

    @property
    def finer_edges_us(self):
        return np.array(sorted({*self.edges, *self.cuts}), dtype=np.int64)

    @property
    def table(self):
        return SeriesTable.of([v for device in self.devices for v in device.versions])

    @property
    def batch(self):
        """By device and instant."""
        return batch_of(r for device in self.devices for r in device.readings)


def batch_of(readings: Iterable[Reading]) -> ReadingBatch:
    """The readings as columns, in their order."""
    names = [field.name for field in attrs.fields(Reading)]
    rows = np.array([attrs.astuple(reading) for reading in readings], dtype=np.int64)
    return ReadingBatch(**dict(zip(names, rows.reshape(-1, len(names)).T, strict=True)))


def rows_of(buckets: Buckets) -> list[tuple[int, ...]]:
    """The buckets as rows of plain numbers."""
    return list(zip(*(column.tolist() for column in buckets.columns().values()), strict=True))


def power_on_line(first, last, at_us):
    share = Fraction(at_us - first.at_us, last.at_us - first.at_us)
    return first.power_mw + (last.power_mw - first.power_mw) * share


def positive_area(begin, end, length):
    """The area between zero and the positive part of a line."""
    if begin < 0 and end < 0:
        return Fraction(0)
    if begin >= 0 and end >= 0:
        return Fraction(begin + end) * length / 2
    height = max(begin, end)
    return height * (length * Fraction(height) / abs(end - begin)) / 2


def energy_on_line(first, last, at_us, sign):
    """Energy of one sign from the beginning of a line to an instant, in whole mW ms."""
    begin, end = sign * Fraction(first.power_mw), sign * power_on_line(first, last, at_us)
    return round(positive_area(begin, end, Fraction(at_us - first.at_us, 1_000)))


def bucket_row(history, device, start_us, end_us):
    """One bucket as a row; None if nothing is known and no reading lies in it."""
    covered_ms = produced = consumed = stored_ms = stored = room = 0
    powers = []
    unit_us, unit_ms = history.unit_us, history.unit_us // 1_000
    for at_us in range(start_us, end_us, unit_us):
        known = device.known_at(at_us, history.until_us)
        if known is None:
            continue
        reading, following = known
        covered_ms += unit_ms
        if following is None:
            produced += max(reading.power_mw, 0) * unit_ms
            consumed += max(-reading.power_mw, 0) * unit_ms
            powers.append(reading.power_mw)
        else:
            line = reading, following
            next_us = at_us + unit_us
            produced += energy_on_line(*line, next_us, 1) - energy_on_line(*line, at_us, 1)
            consumed += energy_on_line(*line, next_us, -1) - energy_on_line(*line, at_us, -1)
            powers += [round(power_on_line(*line, t)) for t in (at_us, next_us)]
        capacity_mwh = device.version_at(reading.at_us).capacity_mwh
        if reading.stored_mwh != MISSING and capacity_mwh is not None:
            stored_ms += unit_ms
            stored += reading.stored_mwh * unit_ms
            room += capacity_mwh * unit_ms
    inside = [r for r in device.readings if start_us <= r.at_us < end_us]
    if not inside and not covered_ms:
        return None
    nothing = Reading(device.id, MISSING, MISSING)
    return (
        *(device.id, start_us, end_us),
        *(covered_ms, len(inside)),
        *divmod(produced, MS_PER_HOUR),
        *divmod(consumed, MS_PER_HOUR),
        *((min(powers), max(powers)) if powers else (MISSING, MISSING)),
        *attrs.astuple([*inside, nothing][0])[1:],
        *attrs.astuple([nothing, *inside][-1])[1:],
        stored_ms,
        *divmod(stored, MS_PER_HOUR),
        *divmod(room, MS_PER_HOUR),
    )


def bucket_rows(history):
    """All buckets as rows, by device and start."""
    spans = list(pairwise(history.edges))
    rows = [bucket_row(history, device, *span) for device in history.devices for span in spans]
    return [row for row in rows if row is not None]


def summed_powers(history, start_us, end_us):
    """The power of all expected devices together at each instant that knows all of them."""
    powers = []
    for at_us in range(start_us, end_us, history.unit_us):
        expected = [device for device in history.devices if device.is_expected(at_us)]
        known = [device.known_at(at_us, history.until_us) for device in expected]
        if known and None not in known:
            powers.append(sum(reading.power_mw for reading, _ in known))
    return powers


# Any numbers and histories. They come from bytes, which hypothesis draws and shrinks at once: to
# draw each number by itself takes ten times as long.


def whole_numbers(count):
    """So many numbers of 64 bits, of all magnitudes alike."""

    def decoded(data):
        return [number >> (number & 63) for number in np.frombuffer(data, dtype=np.int64).tolist()]

    return st.binary(min_size=8 * count, max_size=8 * count).map(decoded)


UNITS_MS = (1, 7, 60_000, 900_000, 10_800_000)
ORIGINS_MS = (0, -31_536_000_000, 1_780_272_000_000)
SCALES = (1, 1_000, LARGEST_MW // 100)
LONGEST_GAP_US = 86_400_000_000
LAST = 24
IDS = ((2, 3, 8), (4,), (5, 7), ())
POLICIES = (*2 * (GapPolicy.HOLD, GapPolicy.LINEAR), GapPolicy.NONE)


@attrs.frozen
class Numbers:
    """Small whole numbers from bytes, zeros after the last."""

    _bytes: Iterator[int]

    def between(self, low, high):
        return low + next(self._bytes, 0) % (high - low + 1)

    def any_of(self, options):
        return options[self.between(0, len(options) - 1)]


def device_of(numbers, device_id, us, policies):
    """A device whose first version begins with its first reading at the latest."""
    begins = {numbers.between(0, LAST) for _ in range(numbers.between(1, 3))}
    instants = {numbers.between(0, LAST) for _ in range(numbers.between(0, 9))}
    first = min(begins)
    versions = [
        SeriesVersion(
            device_id=device_id,
            valid_from_us=us(min([begin, *instants]) if begin == first else begin),
            is_active=numbers.between(0, 4) < 4,
            gap_policy=numbers.any_of(policies),
            max_gap_us=min(us(numbers.between(0, 12)) - us(0), LONGEST_GAP_US),
            capacity_mwh=numbers.any_of((None, 1_000, LARGEST_MWH)),
            site_id=numbers.any_of((None, 1, 2)),
        )
        for begin in sorted(begins)
    ]
    readings = [
        Reading(
            device_id=device_id,
            at_us=us(instant),
            power_mw=numbers.any_of(SCALES) * numbers.between(-100, 100),
            stored_mwh=numbers.any_of((MISSING, 1, 999, LARGEST_MWH)),
        )
        for instant in sorted(instants)
    ]
    return Device(tuple(versions), tuple(readings))


def history_of(data, policies):
    """A history made of bytes."""
    numbers = Numbers(iter(data))
    unit_ms, origin_ms = numbers.any_of(UNITS_MS), numbers.any_of(ORIGINS_MS)

    def us(units):
        return 1_000 * (origin_ms + units * unit_ms)

    edges = {numbers.between(-4, 4), numbers.between(10, LAST + 8)}
    edges |= {numbers.between(-4, LAST + 8) for _ in range(numbers.between(0, 4))}
    cuts = {numbers.between(-4, LAST + 8) for _ in range(numbers.between(0, 6))}
    until = numbers.between(0, LAST + 20)
    return History(
        unit_us=1_000 * unit_ms,
        edges=tuple(us(edge) for edge in sorted(edges)),
        cuts=tuple(us(cut) for cut in sorted(cuts) if min(edges) < cut < max(edges)),
        until_us=us(until),
        devices=tuple(
            device_of(numbers, device_id, us, policies) for device_id in numbers.any_of(IDS)
        ),
    )


def histories(policies=POLICIES):
    """Devices whose policy, gap, service and capacity change, read at any instants."""
    data = st.binary(min_size=220, max_size=220)
    return data.map(lambda numbers: history_of(numbers, policies))
