"""What the commands share about databases, and the two short ones: `tick` and `migrate`."""

from datetime import datetime

from energycore.cli.consoles import screen
from energycore.errors import InvalidValue
from energycore.wiring.connect import MEMORY, connect

__all__ = ["migrate_database", "shown_url", "tick_once"]


def shown_url(url: str) -> str:
    """A database's URL for people, without its password.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    if url.startswith("memory:"):
        return url
    from energycore.storage.sql.engine import parse_url, shown

    return shown(parse_url(url))


def tick_once(url: str, at: str | None) -> None:
    """Run the tick at an instant, and those before it that are missing.

    Raises:
        InvalidValue: `at` is no instant, or has no offset.
        TickMisaligned: it is no whole multiple of the step.
    """
    instant = None if at is None else _instant(at)
    with connect(url) as energy:
        result = energy.tick(at=instant)
    told = [f"at {result.at.isoformat()}", f"ticks run: {result.ticks}"]
    told.append(f"readings stored: {result.readings}")
    if result.skipped:
        told.append(f"ticks skipped as too long ago: {result.skipped}")
    screen().print(", ".join(told), soft_wrap=True)


def migrate_database(url: str) -> None:
    """Bring the tables of a database to the version of this package.

    Raises:
        UnsupportedDatabase, MissingExtra, StorageUnavailable, SchemaOutdated: it cannot be done.
    """
    from energycore.storage.sql import migrate

    changed = url != MEMORY and migrate(url)
    state = "was brought up to date" if changed else "is up to date"
    screen().print(f"{shown_url(url)} {state}", markup=False, soft_wrap=True)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        limit = "an instant such as 2026-06-01T12:00Z"
        raise InvalidValue("at", text, limit) from None
