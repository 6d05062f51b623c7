"""The first tables: sites, devices, states, readings, shards and settings."""

import django.db.models.deletion
from django.db import migrations, models

import energycore_django.models.fields
import energycore_django.tables


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                energycore_django.tables.MoveTables(
                    revision="0001",
                ),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Site",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        (
                            "external_id",
                            models.CharField(
                                blank=True,
                                help_text="Your own key, unique within the tenant.",
                                max_length=200,
                                null=True,
                            ),
                        ),
                        (
                            "name",
                            models.CharField(help_text="What people call it.", max_length=200),
                        ),
                        (
                            "time_zone",
                            models.CharField(
                                help_text="IANA name, such as Europe/Berlin.", max_length=200
                            ),
                        ),
                        (
                            "latitude",
                            models.FloatField(blank=True, help_text="Degrees, + north.", null=True),
                        ),
                        (
                            "longitude",
                            models.FloatField(blank=True, help_text="Degrees, + east.", null=True),
                        ),
                        ("registered_at_us", models.BigIntegerField(editable=False)),
                        ("version", models.IntegerField(default=1, editable=False)),
                    ],
                    options={
                        "db_table": "energycore_site",
                        "base_manager_name": "objects",
                        "ordering": ("name", "id"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("tenant_id", "external_id"),
                                name="energycore_site_tenant_id_external_id_key",
                                violation_error_message="Another site has this external id.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Device",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                limit_choices_to=energycore_django.models.fields.of_tenant,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="devices",
                                to="energycore.site",
                            ),
                        ),
                        (
                            "external_id",
                            models.CharField(
                                blank=True,
                                help_text="Your own key, unique within the tenant.",
                                max_length=200,
                                null=True,
                            ),
                        ),
                        (
                            "name",
                            models.CharField(help_text="Unique within the site.", max_length=200),
                        ),
                        ("name_key", models.CharField(editable=False, max_length=600)),
                        (
                            "kind",
                            models.CharField(
                                choices=energycore_django.models.fields.kind_choices, max_length=200
                            ),
                        ),
                        (
                            "ratings",
                            models.JSONField(help_text="By name, each in the unit of its name."),
                        ),
                        ("largest_power_w", models.FloatField(editable=False)),
                        ("capacity_mwh", models.BigIntegerField(editable=False, null=True)),
                        ("noise_key", models.BigIntegerField(editable=False)),
                        ("has_own_noise_key", models.BooleanField(default=False, editable=False)),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "data_source",
                            models.CharField(
                                choices=[("simulated", "Simulated"), ("reported", "Reported")],
                                default="simulated",
                                help_text="Whether ticks move it or only its readings.",
                                max_length=200,
                            ),
                        ),
                        ("max_gap_us", models.BigIntegerField(editable=False)),
                        ("registered_at_us", models.BigIntegerField(editable=False)),
                        ("simulated_from_us", models.BigIntegerField(editable=False)),
                        (
                            "dispatch",
                            models.CharField(
                                blank=True,
                                help_text="The strategy that steers a storage.",
                                max_length=200,
                                null=True,
                            ),
                        ),
                        ("dispatch_parameters", models.JSONField(blank=True, null=True)),
                        ("version", models.IntegerField(default=1, editable=False)),
                    ],
                    options={
                        "db_table": "energycore_device",
                        "base_manager_name": "objects",
                        "ordering": ("name_key", "id"),
                    },
                ),
                migrations.AddConstraint(
                    model_name="device",
                    constraint=models.UniqueConstraint(
                        fields=("tenant_id", "external_id"),
                        name="energycore_device_tenant_id_external_id_key",
                        violation_error_message="Another device has this external id.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="device",
                    constraint=models.UniqueConstraint(
                        fields=("tenant_id", "site", "name"),
                        name="energycore_device_tenant_id_site_id_name_key",
                        violation_error_message="This site has a device of this name already.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="device",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("site__isnull", True)),
                        fields=("tenant_id", "name"),
                        name="energycore_device_name_without_site_key",
                        violation_error_message="A device without a site has this name already.",
                    ),
                ),
                migrations.CreateModel(
                    name="DeviceTag",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "device_id",
                                "tag",
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
                        ("tag", models.CharField(max_length=200)),
                        (
                            "device",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="tag_rows",
                                to="energycore.device",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "energycore_device_tag",
                        "base_manager_name": "objects",
                        "ordering": ("device_id", "tag"),
                    },
                ),
                migrations.CreateModel(
                    name="DeviceState",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
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
                        ("at_us", models.BigIntegerField()),
                        ("power_mw", models.BigIntegerField()),
                        ("stored_mwh", models.BigIntegerField(null=True)),
                        (
                            "device",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="newest",
                                to="energycore.device",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "energycore_device_state",
                        "base_manager_name": "objects",
                        "ordering": ("device_id",),
                    },
                ),
                migrations.CreateModel(
                    name="SimulationState",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
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
                        ("device_id", models.BigIntegerField()),
                        ("state", models.TextField()),
                    ],
                    options={
                        "db_table": "energycore_simulation_state",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Reading",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "at_us",
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
                        ("at_us", models.BigIntegerField()),
                        ("power_mw", models.BigIntegerField()),
                        ("stored_mwh", models.BigIntegerField(null=True)),
                        (
                            "device",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="readings",
                                to="energycore.device",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "energycore_reading",
                        "base_manager_name": "objects",
                    },
                ),
                migrations.CreateModel(
                    name="Shard",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "tenant_id",
                            models.CharField(
                                default=energycore_django.models.fields.default_tenant,
                                editable=False,
                                max_length=200,
                            ),
                        ),
                        ("step_us", models.BigIntegerField()),
                        ("seed", models.BigIntegerField()),
                        ("last_tick_us", models.BigIntegerField(null=True)),
                    ],
                    options={
                        "db_table": "energycore_shard",
                        "base_manager_name": "objects",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("tenant_id",), name="energycore_shard_tenant_id_key"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Setting",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "name",
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
                        ("name", models.CharField(max_length=200)),
                        ("value", models.TextField()),
                    ],
                    options={
                        "db_table": "energycore_setting",
                        "base_manager_name": "objects",
                    },
                ),
            ],
        ),
    ]
