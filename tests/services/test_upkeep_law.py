"""Upkeep changes no answer: a storage that is kept in order answers as one that keeps everything.

Two storages get the same commands; one of them also rolls up, archives and forgets. Whatever it
answers with buckets of the same edges is the same to the last unit, and with an archive that is
everything.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

import energycore as ec
from energycore.archive import open_archive
from energycore.errors import ResolutionNotKept, TimeZoneRequired
from energycore.protocols.scope import Scope
from energycore.services.ingestion import NewReading
from energycore.services.suite import Services
from energycore.storage.memory import MemoryStorage
from energycore.telemetry.calendar import Interval
from energycore.telemetry.tiers import Retention
from tests.services.conftest import HandClock

SCOPE = Scope("acme")
START = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
KEPT = Retention(raw=timedelta(days=1), quarter_hour=timedelta(days=4), day=timedelta(days=33))
ZONES = ("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")
QUESTIONS = (
    (Interval.HOUR, ZONES[0]),
    (Interval.DAY, None),
    (Interval.DAY, ZONES[1]),
    (Interval.WEEK, ZONES[2]),
    (Interval.MONTH, None),
)
DEVICES = (
    ec.SolarPanel(name="Roof", rated_power_w=5_000),
    ec.Battery(name="Wall", capacity_wh=1_000, max_charge_w=5_000, max_discharge_w=4_000),
    ec.Appliance(name="Kettle", average_power_w=100),
)

device = st.integers(0, len(DEVICES) - 1)
reading = st.tuples(
    device,
    st.integers(0, 60 * 24 * 9),  # minutes before now
    st.sampled_from([0, 1, 37, 59_999]),  # and milliseconds
    st.integers(-5, 5),
    st.booleans(),
)
command = st.one_of(
    st.tuples(
        st.just("record"),
        st.lists(reading, min_size=1, max_size=12),
        st.sampled_from(["reject", "first", "last"]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 300, 1_440, 5_000, 50_000])),
    st.tuples(st.just("upkeep"), st.booleans()),
    st.tuples(st.just("move"), device, st.sampled_from([None, 0, 1])),
    st.tuples(st.just("activate"), device, st.booleans()),
    st.tuples(st.just("gap"), device, st.sampled_from([60, 300, 7_200, 86_400])),
    st.tuples(st.just("policy"), device, st.sampled_from(["hold", "linear", "none"])),
    st.tuples(st.just("zone"), st.integers(0, 1), st.sampled_from(ZONES)),
    st.tuples(st.just("capacity"), st.sampled_from([1_000, 2_500])),
)


class World:
    """The two storages, driven alike."""

    def __init__(self, archive):
        self.clock = HandClock(START)
        self.kept, self.whole = (
            Services.over(MemoryStorage(), self.clock, draw_noise_key=lambda: 7) for _ in range(2)
        )
        self.kept = self.kept.with_archive(archive)
        self.upkeep = attrs.evolve(self.kept.upkeep, retention=KEPT)
        for services in (self.kept, self.whole):
            sites = [
                services.registration.register_site(SCOPE, ec.Site(name=zone, time_zone=zone))
                for zone in ZONES[:2]
            ]
            self.sites = [site.id for site in sites]
            self.devices = [
                services.registration.register_device(
                    SCOPE,
                    entry,
                    site_id=self.sites[0],
                    data_source=ec.DataSource.REPORTED,
                    max_gap=timedelta(minutes=30),
                ).id
                for entry in DEVICES
            ]
        self.has_archive = archive is not None
        self.oldest = START

    def run(self, commands):
        for name, *rest in commands:
            getattr(self, name)(*rest)

    def record(self, rows, policy):
        readings = [
            NewReading(
                device_id=self.devices[number],
                at=self.clock.at - timedelta(minutes=minutes) + timedelta(milliseconds=ms),
                power_w=power / 3,
                stored_wh=500.0 + power if number == 1 and has_charge else None,
            )
            for number, minutes, ms, power, has_charge in rows
        ]
        taken = self.kept.ingestion.record(SCOPE, readings, on_conflict=policy)
        old = {r.index for r in taken.rejected if r.error.code == "READING_TOO_OLD"}
        assert not (old and self.has_archive)
        rest = [reading for index, reading in enumerate(readings) if index not in old]
        told = self.whole.ingestion.record(SCOPE, rest, on_conflict=policy)
        assert (taken.accepted, taken.duplicates, taken.conflicts) == (
            told.accepted,
            told.duplicates,
            told.conflicts,
        )
        assert len(taken.rejected) == len(told.rejected) + len(old)
        self.oldest = min([self.oldest, *(reading.at for reading in rest)])

    def wait(self, minutes):
        self.clock.move(minutes=minutes)

    def upkeep_(self, retain):
        self.upkeep.run(SCOPE, retain=retain)

    def both(self, method, *given, **named):
        for services in (self.kept, self.whole):
            getattr(services.registration, method)(SCOPE, *given, **named)

    def move(self, number, site):
        site_id = None if site is None else self.sites[site]
        self.both("update_device", self.devices[number], site_id=site_id)

    def activate(self, number, is_active):
        self.both("reactivate" if is_active else "deactivate", self.devices[number])

    def gap(self, number, seconds):
        self.both("update_device", self.devices[number], max_gap=timedelta(seconds=seconds))

    def policy(self, number, policy):
        self.both("update_device", self.devices[number], gap_policy=policy)

    def zone(self, number, zone):
        self.both("update_site", self.sites[number], time_zone=zone)

    def capacity(self, capacity_wh):
        battery = attrs.evolve(DEVICES[1], capacity_wh=capacity_wh)
        self.both("update_device", self.devices[1], device=battery)

    def answers(self, services, interval, zone):
        histories = services.histories
        request = histories.request(
            month_before(self.oldest), self.clock.at + timedelta(hours=1), interval, zone
        )
        chosen = ec.DeviceFilter(ids=tuple(self.devices[:2]))
        return {
            "devices": lambda: histories.of_devices(SCOPE, self.devices, request),
            "sites": lambda: histories.of_sites(SCOPE, self.sites, request),
            "fleet": lambda: {0: histories.of_filter(SCOPE, ec.DeviceFilter(), request)},
            "some": lambda: {0: histories.of_filter(SCOPE, chosen, request)},
        }

    def compare(self):
        for interval, zone in QUESTIONS:
            kept = self.answers(self.kept, interval, zone)
            whole = self.answers(self.whole, interval, zone)
            for what, answer in kept.items():
                try:
                    found = answer()
                except TimeZoneRequired:
                    continue
                except ResolutionNotKept:
                    assert not self.has_archive
                    continue
                for key, truth in whole[what]().items():
                    self.compare_one(what, found[key], truth)

    def compare_one(self, what, found, truth):
        if self.has_archive:
            assert found == truth, what
            return
        expected = {(bucket.start, bucket.end): bucket for bucket in truth.buckets}
        for bucket in found.buckets:
            other = expected.get((bucket.start, bucket.end))
            # Coarser buckets, and those beside them, have other edges; their sums are compared.
            if other is not None:
                if bucket.min_mw is None and what in ("some", "fleet"):
                    bucket = attrs.evolve(bucket, min_mw=other.min_mw, max_mw=other.max_mw)
                assert attrs.evolve(bucket, interval=other.interval) == other, what
        inside = [b for b in truth.buckets if b.start >= found.buckets[0].start]
        assert sums_of(found.buckets) == sums_of(inside), what


def month_before(at):
    """The beginning of a month in the zone of the first site: no kept day or month is cut there."""
    local = at.astimezone(ZoneInfo(ZONES[0])) - timedelta(minutes=95)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)


def sums_of(buckets):
    return [
        sum(getattr(bucket, name) for bucket in buckets)
        for name in ("covered_ms", "reading_count", "produced_mwms", "consumed_mwms", "room_mwh_ms")
    ]


# A month whose last days have no readings is over without being marked again.
QUIET_END_OF_MONTH = [
    ("move", 1, 1),
    ("record", [(1, 6_919, 59_999, -2, False)], "reject"),
    ("upkeep", False),
    ("move", 1, 0),
    ("wait", 50_000),
]
# A day that reaches into one whose readings are gone already.
LONG_GAP = [
    ("gap", 1, 86_400),
    ("record", [(1, 12_182, 0, -1, False), (1, 10_056, 37, -2, True)], "last"),
]
# A device whose power is interpolated from now on was stepwise before.
LATER_LINES = [
    ("record", [(0, 0, 0, 0, False), (0, 2_161, 0, 0, False)], "reject"),
    ("upkeep", True),
    ("policy", 0, "linear"),
]


@pytest.mark.parametrize("kind", ["archived", "forgotten"])
@hypothesis.settings(max_examples=30, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.example(commands=QUIET_END_OF_MONTH)
@hypothesis.example(commands=LONG_GAP)
@hypothesis.example(commands=LATER_LINES)
@hypothesis.given(commands=st.lists(command, min_size=3, max_size=14))
def test_upkeep_changes_no_answer(kind, commands):
    archive = open_archive("memory://law") if kind == "archived" else None
    world = World(archive)
    for name, *rest in [*commands, ("upkeep", True), ("wait", 1_440), ("upkeep", True)]:
        getattr(world, {"upkeep": "upkeep_"}.get(name, name))(*rest)
    world.compare()
