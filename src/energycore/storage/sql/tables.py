"""The tables: every one of a tenant's data has the tenant in its keys and in its references.

Instants are epoch microseconds, power and energy whole milli-units. Names are ordered by a
case-folded copy that compares by code point in every database.
"""

import json
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from energycore.devices.fields import MAX_TEXT

__all__ = [
    "METADATA",
    "bucket",
    "device",
    "device_state",
    "device_tag",
    "ledger",
    "mark",
    "reading",
    "reading_day",
    "rollup",
    "series",
    "setting",
    "shard",
    "simulation_state",
    "site",
    "site_zone",
]

METADATA: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

# SQLite gives out identities for a column of type INTEGER only.
_IDENTITY: Final = BigInteger().with_variant(Integer, "sqlite")
_TEXT: Final = String(MAX_TEXT)
# Case folding makes up to three characters of one.
_NAME_KEY: Final = String(3 * MAX_TEXT).with_variant(
    String(3 * MAX_TEXT, collation="C"), "postgresql"
)


class _Json(TypeDecorator[Any]):
    """Objects as JSON; a driver that is told to leave them as text is made good for."""

    impl = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value) if isinstance(value, str) else value


_JSON: Final = _Json()


def _tenant() -> Column[str]:
    return Column("tenant_id", _TEXT, nullable=False)


def _identity() -> Column[int]:
    return Column("id", _IDENTITY, primary_key=True, autoincrement=True)


def _of_device() -> ForeignKeyConstraint:
    """A reference to a device of the same tenant."""
    return ForeignKeyConstraint(
        ["tenant_id", "device_id"], ["energycore_device.tenant_id", "energycore_device.id"]
    )


site: Final = Table(
    "energycore_site",
    METADATA,
    _identity(),
    _tenant(),
    Column("external_id", _TEXT),
    Column("name", _TEXT, nullable=False),
    Column("time_zone", _TEXT, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "external_id"),
    sqlite_autoincrement=True,
)

device: Final = Table(
    "energycore_device",
    METADATA,
    _identity(),
    _tenant(),
    Column("site_id", BigInteger),
    Column("external_id", _TEXT),
    Column("name", _TEXT, nullable=False),
    Column("name_key", _NAME_KEY, nullable=False),
    Column("kind", _TEXT, nullable=False),
    Column("ratings", _JSON, nullable=False),
    Column("largest_power_w", Double, nullable=False),
    Column("capacity_mwh", BigInteger),
    Column("noise_key", BigInteger, nullable=False),
    # Whether the device itself carries the noise key, or was given none.
    Column("has_own_noise_key", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("data_source", _TEXT, nullable=False),
    Column("max_gap_us", BigInteger, nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("simulated_from_us", BigInteger, nullable=False),
    Column("dispatch", _TEXT),
    Column("dispatch_parameters", _JSON),
    Column("version", Integer, nullable=False),
    # SQLite adds no column to a table that has rows without a default.
    Column("gap_policy", _TEXT, server_default="hold", nullable=False),
    UniqueConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "external_id"),
    UniqueConstraint("tenant_id", "site_id", "name"),
    ForeignKeyConstraint(
        ["tenant_id", "site_id"], ["energycore_site.tenant_id", "energycore_site.id"]
    ),
    sqlite_autoincrement=True,
)
# A unique key lets NULL pass any number of times: names without a site need a key of their own.
Index(
    "energycore_device_name_without_site_key",
    device.c.tenant_id,
    device.c.name,
    unique=True,
    sqlite_where=text("site_id IS NULL"),
    postgresql_where=text("site_id IS NULL"),
)
Index(None, device.c.tenant_id, device.c.name_key, device.c.id)
Index(None, device.c.tenant_id, device.c.registered_at_us, device.c.id)
Index(None, device.c.tenant_id, device.c.largest_power_w, device.c.id)

device_tag: Final = Table(
    "energycore_device_tag",
    METADATA,
    _tenant(),
    Column("device_id", BigInteger, nullable=False),
    Column("tag", _TEXT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "device_id", "tag"),
    _of_device(),
    sqlite_with_rowid=False,
)
Index(None, device_tag.c.tenant_id, device_tag.c.tag, device_tag.c.device_id)

device_state: Final = Table(
    "energycore_device_state",
    METADATA,
    _tenant(),
    Column("device_id", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("power_mw", BigInteger, nullable=False),
    Column("stored_mwh", BigInteger),
    PrimaryKeyConstraint("tenant_id", "device_id"),
    _of_device(),
    sqlite_with_rowid=False,
)

# JSON as text: a database's own JSON type would lose the difference between 1 and 1.0.
simulation_state: Final = Table(
    "energycore_simulation_state",
    METADATA,
    _tenant(),
    Column("device_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "device_id"),
    _of_device(),
    sqlite_with_rowid=False,
)

site_zone: Final = Table(
    "energycore_site_zone",
    METADATA,
    _tenant(),
    Column("site_id", BigInteger, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("time_zone", _TEXT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "site_id", "valid_from_us"),
    ForeignKeyConstraint(
        ["tenant_id", "site_id"], ["energycore_site.tenant_id", "energycore_site.id"]
    ),
    sqlite_with_rowid=False,
)

series: Final = Table(
    "energycore_series",
    METADATA,
    _tenant(),
    Column("device_id", BigInteger, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("site_id", BigInteger),
    Column("is_active", Boolean, nullable=False),
    Column("gap_policy", _TEXT, nullable=False),
    Column("max_gap_us", BigInteger, nullable=False),
    Column("capacity_mwh", BigInteger),
    PrimaryKeyConstraint("tenant_id", "device_id", "valid_from_us"),
    _of_device(),
    sqlite_with_rowid=False,
)
Index(None, series.c.tenant_id, series.c.site_id, series.c.device_id)

# No reference to the device: it would be checked for every row; `append` checks each device once.
# On PostgreSQL it is partitioned by UTC day, with the key (device_id, at_us, tenant_id).
reading: Final = Table(
    "energycore_reading",
    METADATA,
    _tenant(),
    Column("at_us", BigInteger, nullable=False),
    Column("device_id", BigInteger, nullable=False),
    Column("power_mw", BigInteger, nullable=False),
    Column("stored_mwh", BigInteger),
    PrimaryKeyConstraint("tenant_id", "at_us", "device_id"),
    sqlite_with_rowid=False,
)

reading_day: Final = Table(
    "energycore_reading_day",
    METADATA,
    _tenant(),
    Column("day", BigInteger, nullable=False),
    Column("has_rows", Boolean, nullable=False),
    Column("file_name", Text),
    Column("file_rows", BigInteger),
    Column("file_size_bytes", BigInteger),
    Column("is_lost", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "day"),
    sqlite_with_rowid=False,
)

# Large batches that were stored, by a hash of their columns.
ledger: Final = Table(
    "energycore_ledger",
    METADATA,
    _tenant(),
    Column("digest", LargeBinary, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("newest_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "digest"),
    sqlite_with_rowid=False,
)

rollup: Final = Table(
    "energycore_rollup",
    METADATA,
    _tenant(),
    Column("rolled_us", BigInteger),
    Column("quarter_hour_from_us", BigInteger),
    Column("day_from_us", BigInteger),
    Column("month_from_us", BigInteger),
    PrimaryKeyConstraint("tenant_id"),
    sqlite_with_rowid=False,
)

mark: Final = Table(
    "energycore_mark",
    METADATA,
    _tenant(),
    Column("day", BigInteger, nullable=False),
    Column("device_id", BigInteger, nullable=False),
    Column("marks", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "day", "device_id"),
    sqlite_with_rowid=False,
)

# Tier and kind are numbers, as the rows are many.
bucket: Final = Table(
    "energycore_bucket",
    METADATA,
    _tenant(),
    Column("tier", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("series_id", BigInteger, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("covered_ms", BigInteger, nullable=False),
    Column("reading_count", BigInteger, nullable=False),
    Column("produced_mwh", BigInteger, nullable=False),
    Column("produced_rest_mwms", BigInteger, nullable=False),
    Column("consumed_mwh", BigInteger, nullable=False),
    Column("consumed_rest_mwms", BigInteger, nullable=False),
    Column("min_mw", BigInteger),
    Column("max_mw", BigInteger),
    Column("first_at_us", BigInteger),
    Column("first_mw", BigInteger),
    Column("first_mwh", BigInteger),
    Column("last_at_us", BigInteger),
    Column("last_mw", BigInteger),
    Column("last_mwh", BigInteger),
    Column("stored_ms", BigInteger, nullable=False),
    Column("stored_mwh_h", BigInteger, nullable=False),
    Column("stored_rest_mwh_ms", BigInteger, nullable=False),
    Column("room_mwh_h", BigInteger, nullable=False),
    Column("room_rest_mwh_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "tier", "kind", "series_id", "start_us"),
    sqlite_with_rowid=False,
)

shard: Final = Table(
    "energycore_shard",
    METADATA,
    _identity(),
    _tenant(),
    Column("step_us", BigInteger, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("last_tick_us", BigInteger),
    UniqueConstraint("tenant_id"),
    sqlite_autoincrement=True,
)

setting: Final = Table(
    "energycore_setting",
    METADATA,
    _tenant(),
    Column("name", _TEXT, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "name"),
    sqlite_with_rowid=False,
)
