"""Versions of series, days of readings and kept totals; PostgreSQL's readings in days."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.String(200)
US_PER_DAY = 86_400_000_000
DAY_OF_1970 = date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = -(1 << 63) // US_PER_DAY, ((1 << 63) - 1) // US_PER_DAY


def when_checked() -> dict[str, Any]:
    """References are checked at once, or at the end of a transaction where that is asked for."""
    config = op.get_context().config
    deferred = config is not None and config.attributes["deferred"]
    return {"deferrable": True, "initially": "DEFERRED"} if deferred else {}


def upgrade() -> None:
    gap_policy = sa.Column("gap_policy", TEXT, server_default="hold", nullable=False)
    op.add_column("energycore_device", gap_policy)
    create_versions()
    create_days()
    create_totals()
    fill_versions()
    fill_days()
    if op.get_context().dialect.name == "postgresql":
        part_readings()


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        join_readings()
    for table in ("bucket", "mark", "rollup", "ledger", "reading_day", "series", "site_zone"):
        op.drop_table(f"energycore_{table}")
    op.drop_column("energycore_device", "gap_policy")


def create_table(name: str, *parts: SchemaItem, key: tuple[str, ...] = ()) -> None:
    op.create_table(
        f"energycore_{name}",
        sa.Column("tenant_id", TEXT, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("tenant_id", *key),
        sqlite_with_rowid=False,
    )


def numbers(*names: str, nullable: bool = False) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def reference(to: str) -> sa.ForeignKeyConstraint:
    table = f"energycore_{to}"
    columns = ["tenant_id", f"{to}_id"]
    others = [f"{table}.tenant_id", f"{table}.id"]
    return sa.ForeignKeyConstraint(columns, others, **when_checked())


def create_versions() -> None:
    create_table(
        "site_zone",
        *numbers("site_id", "valid_from_us"),
        sa.Column("time_zone", TEXT, nullable=False),
        reference("site"),
        key=("site_id", "valid_from_us"),
    )
    create_table(
        "series",
        *numbers("device_id", "valid_from_us"),
        *numbers("site_id", nullable=True),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("gap_policy", TEXT, nullable=False),
        *numbers("max_gap_us"),
        *numbers("capacity_mwh", nullable=True),
        reference("device"),
        key=("device_id", "valid_from_us"),
    )
    op.create_index(
        "energycore_series_tenant_id_site_id_device_id_idx",
        "energycore_series",
        ["tenant_id", "site_id", "device_id"],
    )


def create_days() -> None:
    create_table(
        "reading_day",
        *numbers("day"),
        sa.Column("has_rows", sa.Boolean, nullable=False),
        sa.Column("file_name", sa.Text),
        *numbers("file_rows", "file_size_bytes", nullable=True),
        sa.Column("is_lost", sa.Boolean, nullable=False),
        *numbers("revision"),
        key=("day",),
    )
    create_table(
        "ledger",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        *numbers("readings", "newest_us"),
        key=("digest",),
    )


def create_totals() -> None:
    kept = "quarter_hour_from_us", "day_from_us", "month_from_us"
    create_table("rollup", *numbers("rolled_us", *kept, nullable=True))
    create_table("mark", *numbers("day", "device_id", "marks"), key=("day", "device_id"))
    create_table(
        "bucket",
        sa.Column("tier", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        *numbers("series_id", "start_us", "end_us", "covered_ms", "reading_count"),
        *numbers("produced_mwh", "produced_rest_mwms", "consumed_mwh", "consumed_rest_mwms"),
        *numbers("min_mw", "max_mw", nullable=True),
        *numbers("first_at_us", "first_mw", "first_mwh", nullable=True),
        *numbers("last_at_us", "last_mw", "last_mwh", nullable=True),
        *numbers("stored_ms", "stored_mwh_h", "stored_rest_mwh_ms"),
        *numbers("room_mwh_h", "room_rest_mwh_ms"),
        key=("tier", "kind", "series_id", "start_us"),
    )


def fill_versions() -> None:
    """Let what is stored now hold from the beginning of each site and device."""
    op.execute(
        "INSERT INTO energycore_site_zone (tenant_id, site_id, valid_from_us, time_zone)"
        " SELECT tenant_id, id, -4611686018427387904, time_zone FROM energycore_site"
    )
    op.execute(
        "INSERT INTO energycore_series (tenant_id, device_id, valid_from_us, site_id, is_active,"
        " gap_policy, max_gap_us, capacity_mwh)"
        " SELECT d.tenant_id, d.id, CASE WHEN first_us < registered_at_us THEN first_us"
        " ELSE registered_at_us END, site_id, is_active, gap_policy, max_gap_us, capacity_mwh"
        " FROM energycore_device d LEFT JOIN (SELECT tenant_id, device_id, min(at_us) AS first_us"
        " FROM energycore_reading GROUP BY tenant_id, device_id) r"
        " ON r.tenant_id = d.tenant_id AND r.device_id = d.id"
    )


def fill_days() -> None:
    # Division rounds to zero: a day before 1970 is one less.
    op.execute(
        "INSERT INTO energycore_reading_day (tenant_id, day, has_rows, is_lost, revision)"
        " SELECT DISTINCT tenant_id,"
        " at_us / 86400000000 - CASE WHEN at_us % 86400000000 < 0 THEN 1 ELSE 0 END,"
        " true, false, 0 FROM energycore_reading"
    )


def part_readings() -> None:
    """Move the readings into one partition for each day."""
    set_readings_aside()
    op.execute(
        "CREATE TABLE energycore_reading (tenant_id VARCHAR(200) NOT NULL, at_us BIGINT NOT NULL,"
        " device_id BIGINT NOT NULL, power_mw BIGINT NOT NULL, stored_mwh BIGINT,"
        " CONSTRAINT energycore_reading_pkey PRIMARY KEY (device_id, at_us, tenant_id))"
        " PARTITION BY RANGE (at_us)"
    )
    days = sa.text("SELECT DISTINCT day FROM energycore_reading_day ORDER BY day")
    for day in op.get_bind().scalars(days).all():
        create_partition(day)
    take_readings_back()


def create_partition(day: int) -> None:
    try:
        name = f"d{date.fromordinal(DAY_OF_1970 + day):%Y%m%d}"
    except (ValueError, OverflowError):  # not in the years 1 to 9999
        name = f"y{day}"
    start = "MINVALUE" if day == FIRST_DAY else day * US_PER_DAY
    end = "MAXVALUE" if day == LAST_DAY else (day + 1) * US_PER_DAY
    op.execute(
        f'CREATE TABLE "energycore_reading_{name}" PARTITION OF energycore_reading'
        f" FOR VALUES FROM ({start}) TO ({end})"
    )


def join_readings() -> None:
    """Move the readings into one table again."""
    set_readings_aside()
    op.create_table(
        "energycore_reading",
        sa.Column("tenant_id", TEXT, nullable=False),
        *numbers("at_us", "device_id", "power_mw"),
        *numbers("stored_mwh", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "at_us", "device_id"),
    )
    take_readings_back()


def set_readings_aside() -> None:
    op.rename_table("energycore_reading", "energycore_reading_before")
    op.execute("ALTER INDEX energycore_reading_pkey RENAME TO energycore_reading_before_pkey")


def take_readings_back() -> None:
    op.execute(
        "INSERT INTO energycore_reading (tenant_id, at_us, device_id, power_mw, stored_mwh)"
        " SELECT tenant_id, at_us, device_id, power_mw, stored_mwh FROM energycore_reading_before"
    )
    op.drop_table("energycore_reading_before")
