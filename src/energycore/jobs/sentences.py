"""What jobs did, in the words that every command tells it in."""

from collections.abc import Iterator

from energycore.protocols.scope import Scope
from energycore.quantities.instants import from_epoch_us
from energycore.services.suite import Services
from energycore.services.ticking import TickResult
from energycore.services.upkeep import UpkeepReport

__all__ = ["counted", "pace", "tick_sentence", "upkeep_sentences", "utc"]


def counted(count: int, noun: str) -> str:
    """A number of things in words: `1 day`, `2,000 days`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def pace(speed: float) -> str:
    """How fast an accelerated clock runs, in words."""
    return f"{speed:g} second{'' if speed == 1 else 's'} a second"


def utc(at_us: int) -> str:
    """An instant in UTC, as ISO 8601 with a Z; epoch microseconds."""
    return from_epoch_us(at_us).isoformat().replace("+00:00", "Z")


def tick_sentence(services: Services, scope: Scope, result: TickResult) -> str:
    """What a tick did, and where it did nothing, why."""
    why = "" if result.ticks else _why_none(services, scope)
    told = [f"at {result.at.isoformat()}", f"ticks run: {result.ticks}{why}"]
    told.append(f"readings stored: {result.readings}")
    if result.skipped:
        told.append(f"ticks skipped as too long ago: {result.skipped}")
    return ", ".join(told)


def _why_none(services: Services, scope: Scope) -> str:
    with services.storage.transaction(write=False) as work:
        newest = [shard.last_tick_us for shard in work.fleet.shards(scope)]
    stored = [at_us for at_us in newest if at_us is not None]
    return f" (already stored up to {utc(max(stored))})" if stored else " (there are no devices)"


def upkeep_sentences(report: UpkeepReport, *, dry_run: bool) -> Iterator[str]:
    """What a run of upkeep did, or would do, one sentence after the other."""
    upto = "" if report.rolled_to is None else report.rolled_to.isoformat()
    days = counted(report.recomputed_days, "day")
    if report.recomputed_days:
        yield f"{'would roll' if dry_run else 'rolled'} up {days}: totals are kept up to {upto}"
    if report.archived_days:
        readings = counted(report.archived_readings, "reading")
        what = f"{readings} of {counted(report.archived_days, 'day')}"
        leaves = "they leave the database then" if dry_run else "they left the database"
        yield f"{'would archive' if dry_run else 'archived'} {what}: {leaves}"
    elif report.dropped_days:
        what = f"the readings of {counted(report.dropped_days, 'day')}"
        verb = "would remove" if dry_run else "removed"
        yield f"{verb} {what} for good: there is no archive"
    if report.dropped_buckets:
        what = counted(report.dropped_buckets, "total")
        yield f"{'would remove' if dry_run else 'removed'} {what} whose time is over"
    if not (report.recomputed_days or report.dropped_days or report.dropped_buckets):
        yield f"nothing to do: totals are kept up to {upto}"
