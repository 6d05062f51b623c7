"""The SQL backend and the memory backend answer alike, whatever is done to them in what order."""

from contextlib import suppress

import attrs
import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from energycore.errors import EnergycoreError
from energycore.protocols.archive import ArchivedFile
from energycore.protocols.records import DeviceFilter
from energycore.protocols.telemetry import ConflictPolicy, ZoneVersion
from energycore.telemetry.series import GapPolicy, SeriesVersion
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, SeriesKind, Tier
from energycore.testing.contract import (
    ALL_DAYS,
    ALWAYS,
    LAW,
    battery,
    buckets,
    columns_of,
    new_device,
    new_scope,
    new_site,
    readings,
    rows_of,
)

HOUR_US = US_PER_DAY // 24
MOST_DEVICES = 4
DEVICES = st.integers(0, MOST_DEVICES)
"""The last of them is never there."""
SITES = st.integers(0, 2)
DAYS = st.integers(-2, 2)
# Few enough to meet again, before 1970 as well, and close to midnights.
HOURS = st.integers(-3, 4).map(lambda number: number * 12)
INSTANTS = st.builds(lambda hour, ms: hour * HOUR_US + ms * 1_000, HOURS, st.integers(-1, 0))
# One unknown device has a batch refused: they are rare.
ROWS = st.tuples(st.sampled_from([0] * 12 + [1] * 12 + [2]), INSTANTS, st.integers(-1, 1))
REACHES = st.tuples(*[st.integers(0, 30).map(lambda hours: hours * HOUR_US)] * 2)
SERIES = st.sets(st.integers(1, 3))
QUARTERS = st.integers(-2, 4)
TIERS = st.sampled_from([Tier.QUARTER_HOUR, Tier.DAY])
KINDS = st.sampled_from([SeriesKind.DEVICE, SeriesKind.FLEET])
POLICIES = st.sampled_from(GapPolicy)
COMMITS = st.sampled_from([True, True, True, False])
ALL = DeviceFilter()


class RolledBack(Exception):
    """Raised at the end of a transaction that is not to be committed."""


class Side:
    """One of the storages, with the identities that it gave to what both of them have."""

    def __init__(self, storage, scope):
        self.storage = storage
        self.scope = scope
        self.devices = []
        self.sites = []

    def device(self, which):
        return self.devices[which] if which < len(self.devices) else 2**40 + which

    def which(self, device_id):
        return self.devices.index(device_id)

    def site(self, which):
        return self.sites[which] if which < len(self.sites) else 2**40 + which

    def which_site(self, site_id):
        return self.sites.index(site_id) if site_id in self.sites else site_id

    def readings(self, batch):
        return [(self.which(device_id), *values) for device_id, *values in rows_of(batch)]

    def marks(self, found):
        days, ids = found.day.tolist(), found.device_id.tolist()
        return [(day, self.which(device_id)) for day, device_id in zip(days, ids, strict=True)]

    def marks_and_days(self, work):
        marks = work.rollups.marks(self.scope, **ALL_DAYS)
        return self.marks(marks), list(work.telemetry.days(self.scope, **ALL_DAYS))

    def versions(self, table):
        return [
            (self.which(device_id), self.which_site(version.site_id), of_both(version))
            for device_id in table.device_ids
            for version in table.versions(device_id)
        ]

    def everything(self, work):
        """All that a tenant can see of series, readings and totals."""
        scope, ids = self.scope, self.devices
        return {
            "devices": [self.which(device_id) for device_id in work.devices.ids(scope, ALL)],
            "readings": self.readings(work.telemetry.read(scope, ids, **ALWAYS)),
            "days": list(work.telemetry.days(scope, **ALL_DAYS)),
            "versions": self.versions(work.series.table(scope)),
            "zones": [list(work.series.zones(scope)[site_id]) for site_id in self.sites],
            "state": work.rollups.state(scope),
            "marks": self.marks(work.rollups.marks(scope, **ALL_DAYS)),
            "buckets": [
                columns_of(work.rollups.read(scope, tier, kind, [1, 2, 3], **ALWAYS))
                for tier in Tier
                for kind in SeriesKind
            ],
        }


def of_both(version):
    """A version without the identities that each storage gave itself."""
    return attrs.evolve(version, device_id=0, site_id=None)


class Machine(RuleBasedStateMachine):
    """Does the same to several storages and compares what they answer."""

    def __init__(self, storages):
        super().__init__()
        scope = new_scope()
        self.sides = [Side(storage, scope) for storage in storages]
        for name in "ab":
            self.add_site(name)
            self.add_device(0, GapPolicy.HOLD, 0)

    def same(self, act, *, commit=True):
        """Let each side act in a transaction of its own, and compare what comes of it."""
        answers = [self._answer(side, act, commit) for side in self.sides]
        assert all(answer == answers[0] for answer in answers), answers

    def _answer(self, side, act, commit):
        answer = None
        try:
            with suppress(RolledBack), side.storage.transaction(write=True) as work:
                answer = act(side, work)
                if not commit:
                    raise RolledBack
        except EnergycoreError as error:
            answer = type(error)
        return answer

    def add_site(self, name):
        def act(side, work):
            side.sites.append(work.sites.add(side.scope, new_site(name)).id)

        self.same(act)

    @rule(site=st.none() | st.integers(0, 1), policy=POLICIES, at_us=INSTANTS)
    def add_device(self, site, policy, at_us):
        count = len(self.sides[0].devices)
        if count == MOST_DEVICES:
            return

        def act(side, work):
            new = new_device(
                battery(f"device {count}"),
                site_id=None if site is None else side.site(site),
                gap_policy=policy,
                registered_at_us=at_us,
            )
            side.devices.append(work.devices.add(side.scope, new).id)

        self.same(act)

    @rule(
        rows=st.lists(ROWS, max_size=6),
        policy=st.sampled_from(ConflictPolicy),
        reach_us=REACHES,
        commit=COMMITS,
    )
    def append(self, rows, policy, reach_us, commit):
        def act(side, work):
            batch = readings(*((side.device(which), at, mw, mw) for which, at, mw in rows))
            result = work.telemetry.append(side.scope, batch, policy=policy, reach_us=reach_us)
            return result, side.marks_and_days(work)

        self.same(act, commit=commit)

    @rule(at_us=INSTANTS, commit=COMMITS)
    def advance(self, at_us, commit):
        def act(side, work):
            work.rollups.advance(side.scope, rolled_us=at_us)
            return work.rollups.state(side.scope), side.marks_and_days(work)

        self.same(act, commit=commit)

    @rule(days=st.sets(DAYS, min_size=1), commit=COMMITS)
    def take_marks(self, days, commit):
        def act(side, work):
            taken = [work.rollups.take_marks(side.scope, day) for day in sorted(days)]
            ids = [[side.which(device_id) for device_id in ids] for ids in taken]
            return ids, side.marks_and_days(work)

        self.same(act, commit=commit)

    @rule(
        day=DAYS,
        settle=st.booleans(),
        off=st.sampled_from([0, 0, 0, 1, -1]),
        text=st.none() | st.text("ab", min_size=1),
    )
    def drop_day(self, day, settle, off, text):
        file = text and ArchivedFile(name=text, day=day, rows=len(text), size_bytes=5)

        def act(side, work):
            if settle:
                work.rollups.advance(side.scope, rolled_us=(day + 1) * US_PER_DAY)
                work.rollups.take_marks(side.scope, day)
            known = work.telemetry.days(side.scope, start_day=day, end_day=day + 1)
            revision = known[0].revision + off if known else off
            dropped = work.telemetry.drop_day(side.scope, day, revision=revision, file=file)
            return dropped, side.marks_and_days(work)

        self.same(act)

    @rule(
        tier=TIERS,
        kind=KINDS,
        ids=SERIES,
        start=QUARTERS,
        end=QUARTERS,
        rows=st.dictionaries(st.tuples(st.integers(1, 3), QUARTERS), st.integers(0, 99)),
        commit=COMMITS,
    )
    def replace(self, tier, kind, ids, start, end, rows, commit):
        own = {key: n for key, n in rows.items() if key[0] in ids and start <= key[1] < end}
        given = buckets(*((*key, number) for key, number in own.items()))
        between = {"start_us": start * US_PER_QUARTER, "end_us": end * US_PER_QUARTER}

        def act(side, work):
            work.rollups.replace(side.scope, tier, kind, ids, **between, buckets=given)
            return columns_of(work.rollups.read(side.scope, tier, kind, [3, 1, 2], **ALWAYS))

        self.same(act, commit=commit)

    @rule(tier=TIERS, end=QUARTERS, commit=COMMITS)
    def drop(self, tier, end, commit):
        def act(side, work):
            dropped = work.rollups.drop(side.scope, tier, end_us=end * US_PER_QUARTER)
            return dropped, work.rollups.state(side.scope)

        self.same(act, commit=commit)

    @rule(tier=TIERS, ids=SERIES, start=QUARTERS, end=QUARTERS)
    def sums(self, tier, ids, start, end):
        between = {"start_us": start * US_PER_QUARTER, "end_us": end * US_PER_QUARTER}
        self.same(
            lambda side, work: columns_of(work.rollups.sums(side.scope, tier, ids, **between))
        )

    @rule(which=DEVICES, at_us=INSTANTS, site=st.none() | SITES, policy=POLICIES)
    def put(self, which, at_us, site, policy):
        def act(side, work):
            version = SeriesVersion(
                device_id=side.device(which),
                valid_from_us=at_us,
                site_id=None if site is None else side.site(site),
                is_active=at_us > 0,
                gap_policy=policy,
                max_gap_us=7,
                capacity_mwh=None,
            )
            work.series.put(side.scope, version)
            return side.versions(work.series.table(side.scope, [side.device(which)]))

        self.same(act)

    @rule(site=SITES, at_us=INSTANTS, zone=st.sampled_from(["UTC", "Asia/Tokyo"]))
    def put_zone(self, site, at_us, zone):
        version = ZoneVersion(valid_from_us=at_us, time_zone=zone)
        self.same(lambda side, work: work.series.put_zone(side.scope, side.site(site), version))

    @rule(sites=st.lists(SITES, max_size=2))
    def members(self, sites):
        def act(side, work):
            found = work.series.members(side.scope, [side.site(which) for which in sites])
            return [side.which(device_id) for device_id in found]

        self.same(act)

    @rule(
        which=st.lists(DEVICES, max_size=3),
        start_us=INSTANTS,
        end_us=INSTANTS,
        limit=st.none() | st.integers(0, 3),
    )
    def read(self, which, start_us, end_us, limit):
        def act(side, work):
            ids = [side.device(one) for one in which]
            batch = work.telemetry.read(
                side.scope, ids, start_us=start_us, end_us=end_us, limit=limit
            )
            return side.readings(batch)

        self.same(act)

    # What readings and totals have to do with each other comes more often than the rest.
    append_2 = append_3 = append_4 = append
    advance_2 = advance
    take_marks_2 = take_marks
    drop_day_2 = drop_day

    def teardown(self):
        self.same(lambda side, work: side.everything(work))


def test_both_backends_answer_alike_whatever_is_done(memory_storage, sql_storage):
    """The answer to each call, and all that there is in the end."""

    class OfThese(Machine):
        def __init__(self):
            super().__init__([memory_storage, sql_storage])

    examples = max(25, hypothesis.settings().max_examples // 5)
    settings = hypothesis.settings(LAW, max_examples=examples, print_blob=True)
    run_state_machine_as_test(OfThese, settings=settings)
