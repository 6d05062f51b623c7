"""The first tables: sites, devices, states, readings, shards and settings."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.String(200)
NAME_KEY = sa.String(600).with_variant(sa.String(600, collation="C"), "postgresql")
JSON_OBJECT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def when_checked() -> dict[str, Any]:
    """References are checked at once, or at the end of a transaction where that is asked for."""
    config = op.get_context().config
    deferred = config is not None and config.attributes["deferred"]
    return {"deferrable": True, "initially": "DEFERRED"} if deferred else {}


def upgrade() -> None:
    create_sites()
    create_devices()
    create_states()
    create_readings()
    create_shards_and_settings()


def downgrade() -> None:
    for table in (
        "setting",
        "shard",
        "reading",
        "simulation_state",
        "device_state",
        "device_tag",
        "device",
        "site",
    ):
        op.drop_table(f"energycore_{table}")


def create_sites() -> None:
    op.create_table(
        "energycore_site",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("registered_at_us", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "external_id"),
        sqlite_autoincrement=True,
    )


def create_devices() -> None:
    op.create_table(
        "energycore_device",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("site_id", sa.BigInteger),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", NAME_KEY, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ratings", JSON_OBJECT, nullable=False),
        sa.Column("largest_power_w", sa.Double, nullable=False),
        sa.Column("capacity_mwh", sa.BigInteger),
        sa.Column("noise_key", sa.BigInteger, nullable=False),
        sa.Column("has_own_noise_key", sa.Boolean, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("data_source", TEXT, nullable=False),
        sa.Column("max_gap_us", sa.BigInteger, nullable=False),
        sa.Column("registered_at_us", sa.BigInteger, nullable=False),
        sa.Column("simulated_from_us", sa.BigInteger, nullable=False),
        sa.Column("dispatch", TEXT),
        sa.Column("dispatch_parameters", JSON_OBJECT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "external_id"),
        sa.UniqueConstraint("tenant_id", "site_id", "name"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["energycore_site.tenant_id", "energycore_site.id"],
            **when_checked(),
        ),
        sqlite_autoincrement=True,
    )
    without_site = sa.text("site_id IS NULL")
    op.create_index(
        "energycore_device_name_without_site_key",
        "energycore_device",
        ["tenant_id", "name"],
        unique=True,
        sqlite_where=without_site,
        postgresql_where=without_site,
    )
    for key in ("name_key", "registered_at_us", "largest_power_w"):
        op.create_index(
            f"energycore_device_tenant_id_{key}_id_idx",
            "energycore_device",
            ["tenant_id", key, "id"],
        )


def create_states() -> None:
    create_of_device("device_tag", sa.Column("tag", TEXT, nullable=False), key=("tag",))
    op.create_index(
        "energycore_device_tag_tenant_id_tag_device_id_idx",
        "energycore_device_tag",
        ["tenant_id", "tag", "device_id"],
    )
    create_of_device(
        "device_state",
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("power_mw", sa.BigInteger, nullable=False),
        sa.Column("stored_mwh", sa.BigInteger),
    )
    create_of_device("simulation_state", sa.Column("state", sa.Text, nullable=False))


def create_of_device(name: str, *columns: "sa.Column[object]", key: tuple[str, ...] = ()) -> None:
    op.create_table(
        f"energycore_{name}",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("device_id", sa.BigInteger, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("tenant_id", "device_id", *key),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["energycore_device.tenant_id", "energycore_device.id"],
            **when_checked(),
        ),
        sqlite_with_rowid=False,
    )


def create_readings() -> None:
    op.create_table(
        "energycore_reading",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("device_id", sa.BigInteger, nullable=False),
        sa.Column("power_mw", sa.BigInteger, nullable=False),
        sa.Column("stored_mwh", sa.BigInteger),
        sa.PrimaryKeyConstraint("tenant_id", "at_us", "device_id"),
        sqlite_with_rowid=False,
    )


def create_shards_and_settings() -> None:
    op.create_table(
        "energycore_shard",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("step_us", sa.BigInteger, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("last_tick_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "energycore_setting",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name"),
        sqlite_with_rowid=False,
    )
