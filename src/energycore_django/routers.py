"""A database router for projects that keep energycore's tables in a database of their own."""

from typing import Any

from energycore_django.conf import current

__all__ = ["EnergycoreRouter"]


class EnergycoreRouter:
    """Sends energycore's models to `ENERGYCORE["DATABASE"]`, and nothing else anywhere.

    Put its dotted path into DATABASE_ROUTERS.
    """

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        """Where the models are read."""
        return current().database if model._meta.app_label == "energycore" else None

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        """Where they are written."""
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        """Whether a database is to have the tables."""
        own = current().database
        return None if app_label != "energycore" or own is None else db == own
