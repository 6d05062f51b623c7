"""What a database holds of a tenant, in words, for commands that look after it."""

from collections.abc import Iterator, Sequence

from energycore.devices.base import DataSource
from energycore.devices.registry import device_kinds
from energycore.errors import EnergycoreError
from energycore.jobs.sentences import counted, pace
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.telemetry import ReadingDay, RollupState
from energycore.quantities.instants import US_PER_SECOND, from_epoch_us
from energycore.services.agenda import FIRST_DAY
from energycore.services.settings import ARCHIVE_SETTING
from energycore.services.suite import Services

__all__ = ["contents", "kinds_with_origin"]


def kinds_with_origin() -> str:
    """The device kinds that are known, those of other packages with their package."""
    return ", ".join(_kind_with_origin(name) for name in device_kinds())


def _kind_with_origin(name: str) -> str:
    package = device_kinds()[name].__module__.partition(".")[0]
    return name if package == "energycore" else f"{name} (of {package})"


def contents(
    services: Services,
    scope: Scope,
    *,
    speed: float | None,
    roll_up: str = "energycore upkeep or serve",
) -> Iterator[tuple[str, str]]:
    """What the database holds of a tenant, as labels and values.

    Args:
        services: over an open database.
        scope: the tenant.
        speed: how many times faster than the wall clock the database's runs; None for the wall's.
        roll_up: the command that computes totals.
    """
    with services.storage.transaction(write=False) as work:
        counts = {
            source: work.devices.count(scope, DeviceFilter(data_sources=(source,)))
            for source in DataSource
        }
        inactive = work.devices.count(scope, DeviceFilter(is_active=False))
        sites = work.sites.count(scope)
        shards = work.fleet.shards(scope)
        archive = work.settings.get(scope, ARCHIVE_SETTING)
        state = work.rollups.state(scope)
        marked = set(
            work.rollups.marks(scope, start_day=FIRST_DAY, end_day=-FIRST_DAY).day.tolist()
        )
        days = work.telemetry.days(scope, start_day=FIRST_DAY, end_day=-FIRST_DAY)
    yield "Tenant", scope.tenant
    yield "Sites", str(sites)
    parts = ", ".join(f"{count} {source.value}" for source, count in counts.items())
    yield "Devices", f"{sum(counts.values())} ({parts}; {inactive} inactive)"
    for shard in shards:
        last = shard.last_tick_us
        newest = "no tick yet" if last is None else f"newest tick {from_epoch_us(last).isoformat()}"
        yield f"Shard {shard.id}", f"step {shard.step_us / US_PER_SECOND:g} s, {newest}"
    if not shards:
        yield "Shards", "none: no device was registered, nothing ticked"
    yield "Clock", _clock(services, speed)
    yield "Readings", _readings(days)
    yield "Totals", _totals(state, len(marked), roll_up)
    yield "Archive", "none" if archive is None else _archive(archive)


def _readings(days: Sequence[ReadingDay]) -> str:
    stored = sum(day.has_rows for day in days)
    archived = sum(day.file is not None for day in days)
    lost = sum(day.is_lost for day in days)
    kept = f"of {counted(stored, 'day')} in the database, of {archived:,} in the archive"
    return f"{kept}, of {lost:,} gone for good" if lost else kept


def _totals(state: RollupState, marked: int, roll_up: str) -> str:
    if state.rolled_us is None:
        return f"none yet: {roll_up} computes them"
    kept = f"kept up to {from_epoch_us(state.rolled_us).isoformat()}"
    due = f", {counted(marked, 'day')} to be computed" if marked else ""
    since = (
        f"; {tier.value.replace('_', '-')}s from {from_epoch_us(from_us).isoformat()} on"
        for tier, from_us in state.kept_from_us.items()
    )
    return f"{kept}{due}{''.join(since)}"


def _archive(url: str) -> str:
    """Where it is; such a URL holds no password."""
    from energycore.archive import open_archive

    try:
        open_archive(url)
    except EnergycoreError as error:
        return f"{url} ({error.message})"
    return url


def _clock(services: Services, speed: float | None) -> str:
    if speed is None:
        return "the wall clock"
    now = services.clock.now().isoformat(timespec="seconds")
    return f"accelerated, {pace(speed)}, at {now}: takes no reported devices"
