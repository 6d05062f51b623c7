"""Database routers for tests."""


class _To:
    alias = ""

    def db_for_read(self, model, **hints):
        return self.alias if model._meta.app_label == "energycore" else None

    db_for_write = db_for_read


class To_default(_To):  # noqa: N801 - named after an alias
    alias = "default"


class To_postgresql(_To):  # noqa: N801 - named after an alias
    alias = "postgresql"


class Primary(_To):
    """Writes to PostgreSQL and reads from SQLite, as from a replica that is far behind."""

    alias = "default"

    def db_for_write(self, model, **hints):
        return "postgresql" if model._meta.app_label == "energycore" else None
