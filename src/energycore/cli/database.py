"""What the commands share about databases, and the two short ones: `tick` and `migrate`."""

from datetime import datetime

from energycore.cli.consoles import screen
from energycore.errors import InvalidValue, StorageUnavailable, TickMisaligned
from energycore.jobs.sentences import tick_sentence, utc
from energycore.quantities.instants import (
    US_PER_SECOND,
    floor_to,
    to_epoch_us,
)
from energycore.services.registration import DEFAULT_STEP_US
from energycore.wiring.connect import MEMORY, connect
from energycore.wiring.energy import Energy

__all__ = [
    "check_is_there",
    "is_kept",
    "is_partitioned",
    "migrate_database",
    "shown_url",
    "tick_once",
]

_INSTANT = "an instant with an offset, such as 2026-06-01T12:00Z or 2026-06-01T14:00+02:00"


def shown_url(url: str) -> str:
    """A database's URL for people, without its password.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    if url.startswith("memory:"):
        return url
    from energycore.storage.sql.engine import parse_url, shown

    return shown(parse_url(url))


def is_kept(url: str) -> bool:
    """Whether a database outlives the process.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    if url == MEMORY:
        return False
    from energycore.storage.sql.engine import is_in_memory, parse_url

    return not is_in_memory(parse_url(url))


def is_partitioned(url: str) -> bool:
    """Whether a database keeps each day of readings in a partition of its own.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    if url.startswith("memory:"):
        return False
    from energycore.storage.sql.engine import parse_url

    return parse_url(url).get_backend_name() == "postgresql"


def check_is_there(url: str) -> None:
    """Refuse a file that is not there: it was probably misspelt, and must not be made.

    Raises:
        StorageUnavailable: it is not there.
        UnsupportedDatabase: it is no URL, or there is no backend for it.
    """
    if url.startswith("memory:"):
        return
    from energycore.storage.sql.engine import file_of, parse_url

    file = file_of(parse_url(url))
    if file is not None and not file.exists():
        raise StorageUnavailable(f"there is no database {file}: energycore serve makes one")


def tick_once(url: str, at: str | None, *, channel: str | None = None) -> None:
    """Run the tick at an instant, and those before it that are missing.

    Raises:
        UnsupportedChannel, MissingExtra: the channel cannot be used.
        InvalidValue: `at` is no instant, has no offset, or is too far away.
        TickMisaligned: it is no whole multiple of the step.
        StorageUnavailable: there is no such database.
    """
    instant = None if at is None else _instant(at)
    check_is_there(url)
    with connect(url, channel=channel) as energy:
        try:
            result = energy.tick(at=instant)
        except TickMisaligned:
            raise TickMisaligned(_misaligned(energy, instant, at)) from None
        except InvalidValue as error:
            raise _as_written(error, at) from None
        told = tick_sentence(energy.services, energy.scope, result)
    screen().print(told, markup=False, soft_wrap=True)


def migrate_database(url: str) -> None:
    """Bring the tables of a database to the version of this package.

    Raises:
        UnsupportedDatabase, MissingExtra, StorageUnavailable, SchemaOutdated: it cannot be done.
    """
    from energycore.storage.sql import migrate

    check_is_there(url)
    changed = url != MEMORY and migrate(url)
    state = "was brought up to date" if changed else "is up to date"
    screen().print(f"{shown_url(url)} {state}", markup=False, soft_wrap=True)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue("at", text, _INSTANT) from None
    try:
        to_epoch_us(instant)
    except InvalidValue as error:
        raise _as_written(error, text) from None
    return instant


def _as_written(error: InvalidValue, at: str | None) -> InvalidValue:
    """The same refusal with the words of the command line instead of what they were read as."""
    if at is None or not isinstance(error.value, datetime):
        return error
    limit = _INSTANT if error.value.utcoffset() is None else error.limit
    return type(error)(error.field, at, limit)


def _misaligned(energy: Energy, instant: datetime | None, at: str | None) -> str:
    with energy.services.storage.transaction(write=False) as work:
        steps_us = [shard.step_us for shard in work.fleet.shards(energy.scope)]
    step_us = min(steps_us, default=DEFAULT_STEP_US)
    before = "" if instant is None else utc(floor_to(to_epoch_us(instant), step_us))
    step = f"{step_us / US_PER_SECOND:g} s"
    return f"at must be a whole multiple of the step of {step}, such as {before}, not {at!r}"
