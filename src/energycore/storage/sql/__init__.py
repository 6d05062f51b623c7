"""Storage in SQLite and PostgreSQL through SQLAlchemy Core, one row for each reading."""

from energycore.storage.sql.opening import migrate, open_sql_storage
from energycore.storage.sql.partitions import Partitioning
from energycore.storage.sql.store import SqlStorage

__all__ = ["Partitioning", "SqlStorage", "migrate", "open_sql_storage"]
