"""Sites as a model."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

import attrs
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models

from energycore.devices.site import Site as DomainSite
from energycore.errors import InvalidValue
from energycore.protocols.records import SiteRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.quantities.instants import from_epoch_us
from energycore.services.suite import Services
from energycore_django.models.fields import (
    ServiceQuerySet,
    number,
    optional_text,
    text,
)
from energycore_django.models.writing import (
    Fault,
    Registered,
    check_free,
    check_kept,
    place_of,
)

__all__ = ["Site", "SiteQuerySet"]


class SiteQuerySet(ServiceQuerySet):
    """Sites."""

    def in_zone(self, time_zone: str) -> Self:
        """Those in this time zone."""
        return self.filter(time_zone=time_zone)


class Site(Registered):
    """A home or building: a place, a time zone, and the devices in it.

    `save` goes through the registration of energycore, `clean` through the class `energycore.Site`.
    """

    id = models.BigAutoField(primary_key=True)
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
        base_manager_name = "objects"
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "external_id"),
                name="energycore_site_tenant_id_external_id_key",
                violation_error_message="Another site has this external id.",
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
        site = cls(tenant_id=tenant_id, **_values(record))
        site._state.adding = False
        return site

    def faults(self) -> Iterator[Fault]:
        """What the domain would refuse if this were saved."""
        try:
            self.domain()
        except InvalidValue as error:
            yield place_of(error, self, NON_FIELD_ERRORS), error
        if self._state.adding:
            return
        with self.reading() as (services, scope):
            stored = services.insight.sites_by_id(scope, [self.id])
        try:
            for record in stored.values():
                self._check_kept(record)
        except InvalidValue as error:
            yield "external_id", error

    def register(self, services: Services, scope: Scope, work: UnitOfWork) -> SiteRecord:
        """Store a new one.

        Raises:
            InvalidValue: it cannot be one.
            NameTaken: its external id is taken.
        """
        external_id = self.external_id or None
        if external_id is not None:
            check_free(work.sites.by_external_id(scope, external_id))
        site = self.domain()
        return services.registration.register_site(scope, site, external_id=external_id)

    def change(self, services: Services, scope: Scope) -> SiteRecord:
        """Store what differs.

        Raises:
            InvalidValue: it cannot be so.
            NotFound: it is not there.
            VersionConflict: it was changed since it was read.
        """
        record = services.registration.update_site(
            scope, self.id, expected_version=self.version, **attrs.asdict(self.domain())
        )
        self._check_kept(record)
        return record

    def _check_kept(self, stored: SiteRecord) -> None:
        check_kept("external_id", self.external_id or None, stored.external_id)

    def take(self, record: SiteRecord) -> None:
        """Show what is stored."""
        vars(self).update(_values(record))


def _values(record: SiteRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "external_id": record.external_id,
        "registered_at_us": record.registered_at_us,
        "version": record.version,
        **attrs.asdict(record.site),
    }
