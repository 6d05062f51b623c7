"""Plans of histories carried out: all of a request at once, so that many cost no more questions."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs
import numpy as np

from energycore.protocols.histories import BucketPart, ReadingPart, Window
from energycore.protocols.telemetry import ReadingDay
from energycore.quantities.units import IntArray
from energycore.services.totals import FLEET_ID, Totals
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.coverage import Coverage, cover
from energycore.telemetry.plans import Plan
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import SeriesTable
from energycore.telemetry.spans import Spans
from energycore.telemetry.sums import Membership, sum_buckets
from energycore.telemetry.tiers import SeriesKind

__all__ = ["Question", "answer", "of_devices", "of_selection", "of_sums"]


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """A plan, and what it is about.

    Args:
        plan: which totals and which readings answer it.
        table: the versions of the devices.
        series: whose kept totals it takes.
        ids: whose readings it takes.
        fresh: makes buckets between edges of what readings say.
    """

    plan: Plan
    table: SeriesTable
    series: Sequence[int]
    ids: Sequence[int]
    fresh: Callable[[Coverage, IntArray], Buckets]

    def kept(self) -> BucketPart:
        """The kept totals that it takes."""
        windows = [
            Window(tier, start_us, end_us)
            for tier, spans in self.plan.totals.items()
            for start_us, end_us in spans.stretches()
        ]
        return BucketPart(series=self.series, windows=windows)

    def reach(self, start_us: int, end_us: int) -> tuple[int, int]:
        """The time whose readings say anything about a range."""
        before_us, after_us = self.table.reach_us
        return start_us - after_us, end_us + before_us + (1 if before_us else 0)

    def readings(self) -> ReadingPart:
        """The readings that it takes."""
        reached = Spans.of(self.reach(*stretch) for stretch in self.plan.readings.stretches())
        return ReadingPart(ids=self.ids, stretches=reached.stretches())

    def answer(self, kept: Buckets, readings: ReadingBatch, now_us: int) -> Buckets:
        """The buckets of the plan."""
        parts = [kept]
        for start_us, end_us in self.plan.readings.stretches():
            begin_us, limit_us = self.reach(start_us, end_us)
            near = (readings.at_us >= begin_us) & (readings.at_us < limit_us)
            coverage = cover(readings.take(np.flatnonzero(near)), self.table, now_us)
            edges_us = self.plan.edges_us
            inner = edges_us[(edges_us > start_us) & (edges_us < end_us)]
            parts.append(self.fresh(coverage, np.concatenate(([start_us], inner, [end_us]))))
        return Buckets.concatenate(parts).merged(self.plan.edges_us)


def of_devices(plan: Plan, table: SeriesTable, ids: Sequence[int]) -> Question:
    """The totals of each of these devices."""

    def fresh(coverage: Coverage, edges_us: IntArray) -> Buckets:
        return coverage.buckets(edges_us)

    return Question(plan=plan, table=table, series=ids, ids=ids, fresh=fresh)


def of_sums(plan: Plan, table: SeriesTable, memberships: Mapping[int, Membership]) -> Question:
    """The totals of sums that are kept as series of their own: of sites, or of the fleet."""

    def fresh(coverage: Coverage, edges_us: IntArray) -> Buckets:
        return Buckets.concatenate(
            [sum_buckets(coverage, m, edges_us, key) for key, m in memberships.items()]
        )

    ids = _members(memberships.values())
    return Question(plan=plan, table=table, series=list(memberships), ids=ids, fresh=fresh)


def of_selection(plan: Plan, table: SeriesTable, membership: Membership) -> Question:
    """The totals of any devices together; their extremes only where readings are read."""

    def fresh(coverage: Coverage, edges_us: IntArray) -> Buckets:
        return sum_buckets(coverage, membership, edges_us, FLEET_ID)

    ids = _members([membership])
    return Question(plan=plan, table=table, series=ids, ids=ids, fresh=fresh)


def answer(
    totals: Totals, days: Sequence[ReadingDay], kind: SeriesKind | None, asked: Sequence[Question]
) -> list[Buckets]:
    """The buckets of each question.

    Args:
        totals: the transaction.
        days: the archived days of the time that the questions are about.
        kind: what series the kept totals are of; None to add up those of devices.
        asked: the questions.

    Raises:
        ArchiveUnavailable: some readings are in an archive that cannot be reached, or is not known.
    """
    work, scope = totals.work, totals.scope
    wanted = [question.kept() for question in asked]
    kept = (
        work.histories.sums(scope, wanted)
        if kind is None
        else work.histories.buckets(scope, kind, wanted)
    )
    near = [question.readings() for question in asked]
    readings = totals.recorded.read_parts(work, scope, near, days)
    return [
        question.answer(buckets, batch, totals.now_us)
        for question, buckets, batch in zip(asked, kept, readings, strict=True)
    ]


def _members(memberships: Iterable[Membership]) -> list[int]:
    return sorted({device_id for membership in memberships for device_id in membership.stays})
