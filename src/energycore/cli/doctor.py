"""`energycore doctor`: what is installed, and what a database holds; it changes nothing."""

import platform
import re
import sys
import zoneinfo
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from energycore.cli.consoles import counted, screen
from energycore.cli.database import pace, shown_url
from energycore.devices.base import DataSource
from energycore.devices.registry import device_kinds
from energycore.errors import EnergycoreError
from energycore.protocols.records import DeviceFilter
from energycore.protocols.telemetry import ReadingDay, RollupState
from energycore.quantities.instants import US_PER_SECOND, from_epoch_us
from energycore.services.agenda import FIRST_DAY
from energycore.services.settings import ARCHIVE_SETTING
from energycore.wiring.connect import MEMORY, connect
from energycore.wiring.energy import Energy

__all__ = ["examine"]

_EXTRA = re.compile(r"""(?P<package>[\w.-]+)[^;]*;.*\bextra\s*==\s*["'](?P<extra>[\w.-]+)["']""")


def examine(url: str | None, *, default: str) -> None:
    """Print what is installed, then what the database holds.

    Args:
        url: the database, or None for the default one if it is there.
        default: its URL.

    Raises:
        EnergycoreError: the database that was named cannot be used.
    """
    console = screen()
    console.print(f"[bold]energycore {version('energycore')}[/bold]")
    console.print(_two_columns(_basics()))
    console.print()
    console.print(_extras())
    console.print()
    chosen = default if url is None else url
    console.print(f"[bold]Database {escape(shown_url(chosen))}[/bold]", soft_wrap=True)
    console.print(_two_columns(_database(chosen)))


def _basics() -> Iterator[tuple[str, str]]:
    yield "Python", f"{platform.python_version()} ({sys.platform}, {platform.machine()})"
    yield "Time zones", _time_zones()
    kinds = ", ".join(_kind_with_origin(name) for name in device_kinds())
    yield "Device kinds", kinds


def _kind_with_origin(name: str) -> str:
    package = device_kinds()[name].__module__.partition(".")[0]
    return name if package == "energycore" else f"{name} (of {package})"


def _time_zones() -> str:
    """Where time zones come from: the system's database goes before the package."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "Europe" / "Berlin").is_file():
            return f"of the system, {_system_version(folder)} in {folder}"
    return f"of the package tzdata {_version('tzdata') or '(missing)'}"


def _system_version(folder: Path) -> str:
    try:
        with (folder / "tzdata.zi").open(encoding="utf-8") as file:
            return file.readline().removeprefix("# version ").strip()
    except OSError:
        return "version unknown"


def _extras() -> Table:
    packages: dict[str, list[str]] = {}
    for requirement in requires("energycore") or ():
        found = _EXTRA.fullmatch(requirement)
        if found and found["extra"] != "all":
            packages.setdefault(found["extra"], []).append(found["package"])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Extra")
    table.add_column("Packages")
    for extra, names in sorted(packages.items()):
        versions = {name: _version(name) for name in names}
        shown = ", ".join(f"{name} {found or 'missing'}" for name, found in versions.items())
        if None in versions.values():
            shown += f': run pip install "energycore[{extra}]"'
        table.add_row(extra, escape(shown))
    return table


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _database(url: str) -> Iterator[tuple[str, str]]:
    if url == MEMORY:
        yield "Kind", "memory: nothing is kept"
        return
    from energycore.storage.sql import schema
    from energycore.storage.sql.engine import file_of, parse_url, shown
    from energycore.storage.sql.faults import opening
    from energycore.storage.sql.store import SqlStorage

    parsed = parse_url(url)
    file = file_of(parsed)
    if file is not None and not file.exists():
        yield "State", "not there yet: energycore serve makes it"
        return
    storage = SqlStorage(parsed)
    try:
        with opening(parsed), storage.connection(write=False) as connection:
            number = connection.dialect.server_version_info or ()
            yield "Kind", f"{connection.dialect.name} {'.'.join(map(str, number))}"
            ready = schema.check(connection, shown(parsed))
    finally:
        storage.close()
    yield "Schema", schema.HEAD if ready else "none yet: the first use makes the tables"
    if ready:
        with connect(url) as energy:
            yield from _contents(energy)


def _contents(energy: Energy) -> Iterator[tuple[str, str]]:
    scope = energy.scope
    with energy.services.storage.transaction(write=False) as work:
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
    yield "Clock", _clock(energy)
    yield "Readings", _readings(days)
    yield "Totals", _totals(state, len(marked))
    yield "Archive", "none" if archive is None else _archive(archive)


def _readings(days: Sequence[ReadingDay]) -> str:
    stored = sum(day.has_rows for day in days)
    archived = sum(day.file is not None for day in days)
    lost = sum(day.is_lost for day in days)
    kept = f"of {counted(stored, 'day')} in the database, of {archived:,} in the archive"
    return f"{kept}, of {lost:,} gone for good" if lost else kept


def _totals(state: RollupState, marked: int) -> str:
    if state.rolled_us is None:
        return "none yet: energycore upkeep or serve computes them"
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


def _clock(energy: Energy) -> str:
    if energy.speed is None:
        return "the wall clock"
    now = energy.clock.now().isoformat(timespec="seconds")
    return f"accelerated, {pace(energy.speed)}, at {now}: takes no reported devices"


def _two_columns(rows: Iterator[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, escape(value))
    return table
