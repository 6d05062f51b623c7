"""The version of a database's tables: made when new, checked when opened, migrated when asked."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from energycore.errors import SchemaOutdated

__all__ = [
    "HEAD",
    "MIGRATIONS",
    "VERSION_TABLE",
    "check",
    "is_of_django",
    "move",
    "upgrade",
    "version",
]

HEAD: Final = "0002"
"""The newest migration; a test holds it to the files, which need not be read to open a database."""
VERSION_TABLE: Final = "energycore_schema"
DJANGO_TABLE: Final = "django_migrations"
MIGRATIONS: Final = Path(__file__).with_name("migrations")

_PREFIX: Final = "energycore_"
_LOCK: Final = 0x656E_6572_6779


def check(connection: Connection, shown_url: str) -> bool:
    """Whether the tables are there, in the version of this package; False: there are none yet.

    Raises:
        SchemaOutdated: they were made by another version; the message says what to run.
    """
    found = version(connection)
    if found is None:
        return False
    if found == HEAD:
        return True
    if is_of_django(connection) and found in _older():
        raise SchemaOutdated(
            "this database belongs to a Django project with an older version of energycore:"
            " run python manage.py migrate energycore"
        )
    if found in _older():
        raise SchemaOutdated(
            "this database was made by an older version of energycore:"
            f" run energycore migrate {shown_url}"
        )
    raise SchemaOutdated(
        f"this database was made by another version of energycore (tables {found}, not {HEAD}):"
        " run pip install --upgrade energycore"
    )


def upgrade(connection: Connection, shown_url: str) -> bool:
    """Bring the tables to the version of this package, or make them, within the transaction.

    Returns:
        Whether there was anything to do.

    Raises:
        SchemaOutdated: they were made by a version that this package does not know.
    """
    # Of several processes that find a new database one makes the tables, the others wait for it.
    # SQLite's transaction for writing is such a lock already.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # Moving many rows takes its time.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    found = version(connection)
    if found == HEAD:
        return False
    if found is not None and (is_of_django(connection) or found not in _older()):
        check(connection, shown_url)
    move(connection, found, HEAD)
    return True


def move(
    connection: Connection, found: str | None, wanted: str | None, *, deferred: bool = False
) -> None:
    """Bring the tables from one migration to another, within the transaction.

    Args:
        connection: in a transaction that may write.
        found: where they are; None where there are none.
        wanted: where they are to be, later or earlier; None for no tables.
        deferred: whether new references are checked at the end of each transaction only.
    """
    # Heavy, and needed only here.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["deferred"] = deferred
    if wanted is not None and (found is None or found < wanted):
        command.upgrade(config, wanted)
    else:
        command.downgrade(config, "base" if wanted is None else wanted)


def is_of_django(connection: Connection) -> bool:
    """Whether a Django project has made the tables, and migrates them."""
    if DJANGO_TABLE not in inspect(connection).get_table_names():
        return False
    select = text(f"SELECT 1 FROM {DJANGO_TABLE} WHERE app = 'energycore' LIMIT 1")  # noqa: S608 - our own constant
    return connection.execute(select).first() is not None


def version(connection: Connection) -> str | None:
    """The migration that the database stands at; None for a database without our tables."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        select = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - our own constant
        found: str | None = connection.execute(select).scalar()
        return found
    strangers = sorted(name for name in tables if name.startswith(_PREFIX))
    if strangers:
        raise SchemaOutdated(
            f"this database has a table {strangers[0]} that energycore did not make:"
            " give energycore a database or a schema of its own"
        )
    return None


def _older() -> set[str]:
    """The migrations before the newest."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    return {revision.revision for revision in script.walk_revisions()} - {HEAD}
