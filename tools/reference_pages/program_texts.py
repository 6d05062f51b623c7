"""Codes of exceptions that programs and operators meet, not clients of the GraphQL API."""

from collections.abc import Mapping
from typing import Final

from energycore import errors
from tools.reference_pages.error_examples import Raised, Sent
from tools.reference_pages.texts import Text

__all__ = ["PROGRAM_TEXTS"]

_LIST = '{"query": "{ devices { totalCount } }"}'

PROGRAM_TEXTS: Final[Mapping[str, Text]] = {
    "ARCHIVE_DAMAGED": Text(
        when="A file of the archive was cut, changed or replaced after it was verified.",
        do="Bring the file back from a copy. Its day is answered from no other source meanwhile: "
        "nothing is made up.",
        example=Raised(
            lambda: errors.ArchiveDamaged(
                "2026-05-01.parquet does not hold what was written: its length is another"
            )
        ),
    ),
    "ARCHIVE_UNAVAILABLE": Text(
        when="The folder or object store of the archive does not answer, or a file in it is gone.",
        do="Repeat it later; check the URL, the permissions and the network of the archive.",
        example=Raised(
            lambda: errors.ArchiveUnavailable("the archive has no file '2026-05-01.parquet'")
        ),
    ),
    "DEVICE_KIND_CONFLICT": Text(
        when="Two installed packages declare a kind of the same name, or a class of a kind cannot "
        "be stored or shown.",
        do="The message names both packages, or the class and its field: remove or rename one.",
        example=Raised(
            lambda: errors.DeviceKindConflict("PoolPump has no rating, and its input no field")
        ),
    ),
    "INVALID_HOME_FILE": Text(
        when="A home file has a key, unit or value that is wrong.",
        do="Look at the line that the message names. [Home files](../home-file.md).",
        example=Raised(
            lambda: errors.InvalidHomeFile(
                "device.0.rated_power", 5, "known", "home.toml", 12, "there is no key rated_power"
            )
        ),
    ),
    "INVALID_SETTINGS": Text(
        when="A FastAPI application reads its settings, and a variable of the environment holds "
        "what it cannot, or is nearly the name of a setting.",
        do="Correct the variables that the message names; all of them are named at once.",
        example=Raised(
            lambda: errors.InvalidSettings(
                "ENERGYCORE_SEED cannot be used: input should be a valid integer"
            )
        ),
    ),
    "MISSING_EXTRA": Text(
        when="Something is used that needs packages which energycore itself does not install.",
        do="Run the command in the message.",
        example=Raised(lambda: errors.MissingExtra("PostgreSQL", "postgres")),
    ),
    "SCHEMA_OUTDATED": Text(
        when="The tables of the database are of another version of energycore.",
        do="Run the command in the message; make a copy of the database first.",
        example=Raised(
            lambda: errors.SchemaOutdated(
                "this database was made by an older version of energycore: run energycore migrate "
                "sqlite:///home.db"
            )
        ),
    ),
    "SCOPE_REQUIRED": Text(
        when="A service or repository is called without a `Scope`, or a request reaches GraphQL "
        "without one. It is refused before anything is read.",
        do="Give the scope of whoever asks; at the edge of a web framework, make the context of "
        "each request from its user.",
        example=Raised(lambda: errors.ScopeRequired("this call needs a Scope, not None")),
    ),
    "STORAGE_UNAVAILABLE": Text(
        when="The database cannot be reached, or other transactions keep it busy for too long.",
        do="Repeat the request after a moment: readings and registrations with an `externalId` can "
        "be repeated without harm. Over GraphQL the reason stands in the server's log under "
        "`errorId`.",
        example=Sent("POST", _LIST, broken=errors.StorageUnavailable("connection refused")),
    ),
    "TICK_MISALIGNED": Text(
        when="A tick is asked for at an instant that is no whole multiple of the step.",
        do="Use an instant on the step's grid, such as a whole minute, or none: then it is the "
        "last one that has passed.",
        example=Raised(
            lambda: errors.TickMisaligned(
                "at must be a whole multiple of the step 0:01:00, not 2026-06-01T12:00:30+00:00"
            )
        ),
    ),
    "UNKNOWN_DEVICE_KIND": Text(
        when="A kind is named that no installed package declares, such as after a plugin was "
        "removed.",
        do="Install the package of the kind, or use one of those in [Device kinds](../devices.md).",
        example=Raised(
            lambda: errors.UnknownDeviceKind(
                "kind", "pool_pump", "one of appliance, battery, electric_vehicle, solar_panel"
            )
        ),
    ),
    "UNSUPPORTED_CHANNEL": Text(
        when="The URL of a channel names something else than Redis.",
        do="Use a URL such as `redis://localhost:6379/0`, or none for a channel within one "
        "process.",
        example=Raised(
            lambda: errors.UnsupportedChannel(
                "the URL of a channel begins with redis://, not 'kafka'"
            )
        ),
    ),
    "UNSUPPORTED_DATABASE": Text(
        when="The URL of a database names something else than memory, SQLite or PostgreSQL, or "
        "cannot be read as a URL.",
        do="Use a URL such as `sqlite:///home.db`; write an @ in a password as `%40`.",
        example=Raised(
            lambda: errors.UnsupportedDatabase(
                "there is no backend for mysql; supported are memory, sqlite, postgresql"
            )
        ),
    ),
    "VERIFICATION_FAILED": Text(
        when="Upkeep compared what it wrote with its source, and found a difference.",
        do="Nothing was let go. Report it with the message, and check disk and memory.",
        example=Raised(
            lambda: errors.VerificationFailed("the totals of 2026-05-01 differ from its readings")
        ),
    ),
}
