"""Readings and kept totals as models, to be read."""

from datetime import datetime

from django.db import models

from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore_django.models.fields import (
    Measured,
    ServiceManager,
    ServiceWritten,
    number,
    optional_number,
    reference,
    tenant,
)

__all__ = ["Bucket", "Reading"]


class Reading(Measured):
    """At an instant this energy is stored, and from it on this power holds."""

    pk = models.CompositePrimaryKey("tenant_id", "at_us", "device_id")
    tenant_id = tenant()
    device = reference("energycore.Device", related_name="readings")

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_reading"
        base_manager_name = "objects"


class Bucket(ServiceWritten):
    """Kept totals of an interval of a device, a site or the fleet."""

    class Tier(models.IntegerChoices):
        """The resolution."""

        QUARTER_HOUR = 1
        DAY = 2
        MONTH = 3

    class Kind(models.IntegerChoices):
        """What `series_id` is the identity of."""

        DEVICE = 1
        SITE = 2
        FLEET = 3

    pk = models.CompositePrimaryKey("tenant_id", "tier", "kind", "series_id", "start_us")
    tenant_id = tenant()
    tier = models.SmallIntegerField(choices=Tier.choices)
    kind = models.SmallIntegerField(choices=Kind.choices)
    series_id = number()
    start_us = number()
    end_us = number()
    covered_ms = number()
    reading_count = number()
    produced_mwh = number()
    produced_rest_mwms = number()
    consumed_mwh = number()
    consumed_rest_mwms = number()
    min_mw = optional_number()
    max_mw = optional_number()
    first_at_us = optional_number()
    first_mw = optional_number()
    first_mwh = optional_number()
    last_at_us = optional_number()
    last_mw = optional_number()
    last_mwh = optional_number()
    stored_ms = number()
    stored_mwh_h = number()
    stored_rest_mwh_ms = number()
    room_mwh_h = number()
    room_rest_mwh_ms = number()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_bucket"
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.get_tier_display()} of {self.get_kind_display()} {self.series_id}"

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return from_epoch_us(self.start_us)

    @property
    def end(self) -> datetime:
        """The instant after its last."""
        return from_epoch_us(self.end_us)

    @property
    def produced_wh(self) -> float | None:
        """Energy of positive power [Wh]; None where nothing is known."""
        return self._wh(self.produced_mwh, self.produced_rest_mwms)

    @property
    def consumed_wh(self) -> float | None:
        """Energy of negative power, as a positive number [Wh]; None where nothing is known."""
        return self._wh(self.consumed_mwh, self.consumed_rest_mwms)

    def _wh(self, whole_mwh: int, rest_mwms: int) -> float | None:
        if not self.covered_ms:
            return None
        return (whole_mwh * MS_PER_HOUR + rest_mwms) / (MS_PER_HOUR * MILLI_PER_UNIT)
