"""The operation of the app's migrations: energycore's own tables, from one version to the next."""

from typing import Any

from django.core.management.base import CommandError
from django.db import connections, router
from django.db.migrations.operations.base import Operation

from energycore.storage.sql import schema
from energycore_django.bridge import VENDORS
from energycore_django.storage import joined

__all__ = ["MoveTables"]


class MoveTables(Operation):
    """Make the same tables that `energycore migrate` makes, inside Django's transaction.

    Args:
        revision: energycore's version of the tables afterwards.
        before: that before; None where there are none.
    """

    reversible = True
    atomic = True

    def __init__(self, revision: str, before: str | None = None) -> None:
        self.revision = revision
        self.before = before

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: the operations beside this one tell what the models are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Bring the tables to the later version."""
        self._move(app_label, schema_editor, self.before, self.revision)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Bring them back to the earlier one."""
        self._move(app_label, schema_editor, self.revision, self.before)

    def describe(self) -> str:
        """What it does."""
        return f"Bring energycore's tables to version {self.revision}"

    @property
    def migration_name_fragment(self) -> str:
        """The part of a file name that tells of it."""
        return f"tables_{self.revision}"

    def _move(
        self, app_label: str, schema_editor: Any, start: str | None, wanted: str | None
    ) -> None:
        alias = schema_editor.connection.alias
        if not router.allow_migrate(alias, app_label):
            return
        if schema_editor.collect_sql:
            schema_editor.execute(f"-- {self.describe()}: `migrate` does it")
            return
        if connections[alias].vendor not in VENDORS:
            raise CommandError(
                f"energycore keeps its tables in PostgreSQL or SQLite, and {alias!r} is neither:"
                " let a router's allow_migrate keep the app 'energycore' out of it"
            )
        with joined(alias, write=True) as connection:
            found = schema.version(connection)
            if found != start:
                raise CommandError(_mismatch(alias, found, start))
            schema.move(connection, start, wanted, deferred=connection.dialect.name == "sqlite")


def _mismatch(alias: str, found: str | None, start: str | None) -> str:
    if start is None:
        return (
            f"the database {alias!r} has energycore's tables already, and not from Django: bring"
            " them up to date with `energycore migrate URL`, then hand them to Django with"
            " `manage.py migrate energycore --fake`"
        )
    return (
        f"energycore's tables in {alias!r} are of version {found}, not {start} as Django has noted:"
        " was this database migrated by something else?"
    )
