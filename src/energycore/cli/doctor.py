"""`energycore doctor`: what is installed, and what a database holds; it changes nothing."""

import platform
import re
import sys
import zoneinfo
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from energycore.cli.consoles import screen
from energycore.cli.database import shown_url
from energycore.jobs.contents import contents, kinds_with_origin
from energycore.wiring.connect import MEMORY, connect

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
    yield "Device kinds", kinds_with_origin()


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
            yield from contents(energy.services, energy.scope, speed=energy.speed)


def _two_columns(rows: Iterator[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, escape(value))
    return table
