"""Sites as a model."""

from datetime import datetime
from typing import Any, Self

import attrs
from django.core.exceptions import ValidationError
from django.db import models

from energycore.devices.site import Site as DomainSite
from energycore.errors import InvalidValue
from energycore.protocols.records import SiteRecord
from energycore.quantities.instants import from_epoch_us
from energycore_django.models.fields import (
    ServiceQuerySet,
    ServiceWritten,
    number,
    optional_text,
    tenant,
    text,
)
from energycore_django.models.writing import checked_alias, refusal

__all__ = ["Site", "SiteQuerySet"]


class SiteQuerySet(ServiceQuerySet):
    """Sites."""

    def in_zone(self, time_zone: str) -> Self:
        """Those in this time zone."""
        return self.filter(time_zone=time_zone)


class Site(ServiceWritten):
    """A home or building: a place, a time zone, and the devices in it.

    `save` goes through the registration of energycore, `clean` through the class `energycore.Site`.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = tenant()
    external_id = optional_text(blank=True, help_text="Your own key, unique within the tenant.")
    name = text(help_text="What people call it.")
    time_zone = text(help_text="IANA name, such as Europe/Berlin.")
    latitude = models.FloatField(null=True, blank=True, help_text="Degrees, + north.")
    longitude = models.FloatField(null=True, blank=True, help_text="Degrees, + east.")
    registered_at_us = number(editable=False)
    version = models.IntegerField(default=1, editable=False)

    objects = SiteQuerySet.as_manager()

    class Meta:
        db_table = "energycore_site"
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "external_id"),
                name="energycore_site_tenant_id_external_id_key",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def registered_at(self) -> datetime:
        """When it was registered."""
        return from_epoch_us(self.registered_at_us)

    def domain(self) -> DomainSite:
        """The site as energycore has it.

        Raises:
            InvalidValue: it cannot be one.
        """
        return DomainSite(
            name=self.name,
            time_zone=self.time_zone,
            latitude=self.latitude,
            longitude=self.longitude,
        )

    @classmethod
    def of(cls, record: SiteRecord, tenant_id: str) -> "Site":
        """The row of a record, as it is in the database."""
        site = cls(
            id=record.id,
            tenant_id=tenant_id,
            external_id=record.external_id,
            registered_at_us=record.registered_at_us,
            version=record.version,
            **attrs.asdict(record.site),
        )
        site._state.adding = False
        return site

    def clean(self) -> None:
        """Let the domain judge."""
        super().clean()
        try:
            self.domain()
        except InvalidValue as error:
            raise ValidationError(refusal(error, self)) from error

    def save(self, *args: Any, using: str | None = None, **options: Any) -> None:
        """Register the site, or change what differs.

        Raises:
            InvalidValue: it cannot be one.
            NameTaken: its external id is taken.
            VersionConflict: it was changed since it was read.
            NotFound: it is not there.
        """
        services, scope, alias = checked_alias(self.tenant_id, using)
        site = self.domain()
        if self._state.adding:
            record = services.registration.register_site(
                scope, site, external_id=self.external_id or None
            )
        else:
            record = services.registration.update_site(
                scope, self.id, expected_version=self.version, **attrs.asdict(site)
            )
        self.id, self.version = record.id, record.version
        self.registered_at_us = record.registered_at_us
        self._state.adding, self._state.db = False, alias
