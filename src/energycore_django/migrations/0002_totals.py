"""Versions of series, days of readings and kept totals."""

from django.db import migrations, models

import energycore_django.models.fields
import energycore_django.tables


class Migration(migrations.Migration):
    dependencies = [
        ("energycore", "0001_first_tables"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                energycore_django.tables.MoveTables(
                    revision="0002",
                    before="0001",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="Device",
                    name="gap_policy",
                    field=models.CharField(
                        choices=[("hold", "hold"), ("linear", "linear"), ("none", "none")],
                        db_default="hold",
                        default="hold",
                        help_text="What is known of the time between two readings.",
                        max_length=200,
                    ),
                ),
                migrations.CreateModel(
                    name="SiteZone",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "site_id",
                                "valid_from_us",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("site_id", models.BigIntegerField()),
                        ("valid_from_us", models.BigIntegerField()),
                        ("time_zone", models.CharField(max_length=200)),
                    ],
                    options={
                        "db_table": "energycore_site_zone",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="SeriesVersion",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "device_id",
                                "valid_from_us",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("device_id", models.BigIntegerField()),
                        ("valid_from_us", models.BigIntegerField()),
                        ("site_id", models.BigIntegerField(null=True)),
                        ("is_active", models.BooleanField()),
                        ("gap_policy", models.CharField(max_length=200)),
                        ("max_gap_us", models.BigIntegerField()),
                        ("capacity_mwh", models.BigIntegerField(null=True)),
                    ],
                    options={
                        "db_table": "energycore_series",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="ReadingDay",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "day",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("day", models.BigIntegerField()),
                        ("has_rows", models.BooleanField()),
                        ("file_name", models.TextField(null=True)),
                        ("file_rows", models.BigIntegerField(null=True)),
                        ("file_size_bytes", models.BigIntegerField(null=True)),
                        ("is_lost", models.BooleanField()),
                        ("revision", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "energycore_reading_day",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Ledger",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "digest",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("digest", models.BinaryField()),
                        ("readings", models.BigIntegerField()),
                        ("newest_us", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "energycore_ledger",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Rollup",
                    fields=[
                        (
                            "tenant_id",
                            models.CharField(max_length=200, primary_key=True, serialize=False),
                        ),
                        ("rolled_us", models.BigIntegerField(null=True)),
                        ("quarter_hour_from_us", models.BigIntegerField(null=True)),
                        ("day_from_us", models.BigIntegerField(null=True)),
                        ("month_from_us", models.BigIntegerField(null=True)),
                    ],
                    options={
                        "db_table": "energycore_rollup",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Mark",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "day",
                                "device_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("day", models.BigIntegerField()),
                        ("device_id", models.BigIntegerField()),
                        ("marks", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "energycore_mark",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Bucket",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "tier",
                                "kind",
                                "series_id",
                                "start_us",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        (
                            "tier",
                            models.SmallIntegerField(
                                choices=[(1, "Quarter Hour"), (2, "Day"), (3, "Month")]
                            ),
                        ),
                        (
                            "kind",
                            models.SmallIntegerField(
                                choices=[(1, "Device"), (2, "Site"), (3, "Fleet")]
                            ),
                        ),
                        ("series_id", models.BigIntegerField()),
                        ("start_us", models.BigIntegerField()),
                        ("end_us", models.BigIntegerField()),
                        ("covered_ms", models.BigIntegerField()),
                        ("reading_count", models.BigIntegerField()),
                        ("produced_mwh", models.BigIntegerField()),
                        ("produced_rest_mwms", models.BigIntegerField()),
                        ("consumed_mwh", models.BigIntegerField()),
                        ("consumed_rest_mwms", models.BigIntegerField()),
                        ("min_mw", models.BigIntegerField(null=True)),
                        ("max_mw", models.BigIntegerField(null=True)),
                        ("first_at_us", models.BigIntegerField(null=True)),
                        ("first_mw", models.BigIntegerField(null=True)),
                        ("first_mwh", models.BigIntegerField(null=True)),
                        ("last_at_us", models.BigIntegerField(null=True)),
                        ("last_mw", models.BigIntegerField(null=True)),
                        ("last_mwh", models.BigIntegerField(null=True)),
                        ("stored_ms", models.BigIntegerField()),
                        ("stored_mwh_h", models.BigIntegerField()),
                        ("stored_rest_mwh_ms", models.BigIntegerField()),
                        ("room_mwh_h", models.BigIntegerField()),
                        ("room_rest_mwh_ms", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "energycore_bucket",
                        "base_manager_name": "objects",
                    },
                ),
            ],
        ),
    ]
