"""Both ways to store readings in a Django project: energycore's, and a model with `bulk_create`."""

from datetime import timedelta
from typing import Any

from django.db import connection, models, transaction

import energycore as ec
from energycore_django import energy

__all__ = ["PlainReading", "Project"]


class PlainReading(models.Model):
    """What a project would write down by itself."""

    device_id = models.BigIntegerField()
    at_us = models.BigIntegerField()
    power_mw = models.BigIntegerField()
    stored_mwh = models.BigIntegerField(null=True)

    objects: "models.Manager[PlainReading]" = models.Manager()

    class Meta:  # noqa: D106 - Django reads it
        app_label = "benchmarks"
        constraints = (
            models.UniqueConstraint(fields=("device_id", "at_us"), name="plain_reading_key"),
        )


class Project:
    """Stores readings of its devices."""

    def __init__(self, devices: int) -> None:
        with connection.schema_editor() as editor:
            editor.create_model(PlainReading)
        own = energy()
        self._storage, self._scope = own.services.storage, own.scope
        self.ids = [
            own.register(
                ec.SolarPanel(name=f"Roof {number}", rated_power_w=5_000),
                data_source=ec.DataSource.REPORTED,
                max_gap=timedelta(minutes=1),
            ).id
            for number in range(devices)
        ]

    def clear(self) -> None:
        """Forget all readings."""
        with connection.cursor() as cursor:
            for table in ("reading", "reading_day", "ledger"):
                cursor.execute(f"DELETE FROM energycore_{table}")
        PlainReading.objects.all().delete()

    def append(self, batch: Any) -> None:
        """As energycore stores them."""
        with transaction.atomic(), self._storage.transaction(write=True) as work:
            work.telemetry.append(self._scope, batch)

    def bulk_create(self, batch: Any) -> None:
        """As a model does."""
        rows = zip(
            batch.device_id.tolist(),
            batch.at_us.tolist(),
            batch.power_mw.tolist(),
            batch.stored_or_none(),
            strict=True,
        )
        with transaction.atomic():
            PlainReading.objects.bulk_create(
                [
                    PlainReading(device_id=device, at_us=at, power_mw=power, stored_mwh=stored)
                    for device, at, power, stored in rows
                ]
            )
