"""Tables that only energycore itself reads: Django knows them to flush and to migrate them."""

from django.db import models

from energycore_django.models.fields import (
    ServiceManager,
    ServiceWritten,
    number,
    optional_number,
    tenant,
    text,
)

__all__ = [
    "Ledger",
    "Mark",
    "ReadingDay",
    "Rollup",
    "SeriesVersion",
    "Setting",
    "Shard",
    "SimulationState",
    "SiteZone",
]


class SimulationState(ServiceWritten):
    """What a simulated device is inside, at the end of its newest tick."""

    pk = models.CompositePrimaryKey("tenant_id", "device_id")
    tenant_id = tenant()
    device_id = number()
    state = models.TextField()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_simulation_state"
        base_manager_name = "objects"


class SiteZone(ServiceWritten):
    """Since when a site has its time zone."""

    pk = models.CompositePrimaryKey("tenant_id", "site_id", "valid_from_us")
    tenant_id = tenant()
    site_id = number()
    valid_from_us = number()
    time_zone = text()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_site_zone"
        base_manager_name = "objects"


class SeriesVersion(ServiceWritten):
    """Since when a device belongs to its site, has its capacity and holds its power so long."""

    pk = models.CompositePrimaryKey("tenant_id", "device_id", "valid_from_us")
    tenant_id = tenant()
    device_id = number()
    valid_from_us = number()
    site_id = optional_number()
    is_active = models.BooleanField()
    gap_policy = text()
    max_gap_us = number()
    capacity_mwh = optional_number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_series"
        base_manager_name = "objects"


class ReadingDay(ServiceWritten):
    """Where the readings of a UTC day are."""

    pk = models.CompositePrimaryKey("tenant_id", "day")
    tenant_id = tenant()
    day = number()
    has_rows = models.BooleanField()
    file_name = models.TextField(null=True)
    file_rows = optional_number()
    file_size_bytes = optional_number()
    is_lost = models.BooleanField()
    revision = number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_reading_day"
        base_manager_name = "objects"


class Ledger(ServiceWritten):
    """Large batches that were stored, by a hash of their columns."""

    pk = models.CompositePrimaryKey("tenant_id", "digest")
    tenant_id = tenant()
    digest = models.BinaryField()
    readings = number()
    newest_us = number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_ledger"
        base_manager_name = "objects"


class Rollup(ServiceWritten):
    """How far the kept totals of a tenant reach."""

    tenant_id = text(primary_key=True)
    rolled_us = optional_number()
    quarter_hour_from_us = optional_number()
    day_from_us = optional_number()
    month_from_us = optional_number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_rollup"
        base_manager_name = "objects"


class Mark(ServiceWritten):
    """A day of a device whose kept totals are to be computed again."""

    pk = models.CompositePrimaryKey("tenant_id", "day", "device_id")
    tenant_id = tenant()
    day = number()
    device_id = number()
    marks = number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_mark"
        base_manager_name = "objects"


class Shard(ServiceWritten):
    """How far the ticks of a tenant have come."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = tenant()
    step_us = number()
    seed = number()
    last_tick_us = optional_number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_shard"
        base_manager_name = "objects"
        constraints = (
            models.UniqueConstraint(fields=("tenant_id",), name="energycore_shard_tenant_id_key"),
        )


class Setting(ServiceWritten):
    """A setting of a tenant."""

    pk = models.CompositePrimaryKey("tenant_id", "name")
    tenant_id = tenant()
    name = text()
    value = models.TextField()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_setting"
        base_manager_name = "objects"
