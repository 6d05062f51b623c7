"""Devices, their tags and their newest states as models."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Self

import attrs
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models

from energycore.devices.base import DataSource
from energycore.devices.base import Device as DomainDevice
from energycore.devices.fields import MAX_TEXT
from energycore.encoding import decode_device, decode_dispatch, encode_ratings
from energycore.errors import EnergycoreError, KindChanged, NotAllowed
from energycore.protocols.records import DeviceFilter, DeviceRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT
from energycore.services.control import check_dispatch, steerable
from energycore.services.given import check_kept_kind, data_source_of, series_gap_policy
from energycore.services.registration import DEFAULT_STEP_US
from energycore.services.suite import Services
from energycore.simulation.dispatch import Dispatch
from energycore.storage.rules import name_key
from energycore.storage.sql.rows import device_values
from energycore.telemetry.series import GapPolicy
from energycore_django.models.fields import (
    Measured,
    ServiceManager,
    ServiceQuerySet,
    ServiceWritten,
    kind_choices,
    number,
    of_tenant,
    optional_number,
    optional_text,
    reference,
    tenant,
    text,
)
from energycore_django.models.writing import (
    Fault,
    Registered,
    check_free,
    check_kept,
    place_of,
)

__all__ = ["Device", "DeviceQuerySet", "DeviceState", "DeviceTag"]


class DeviceQuerySet(ServiceQuerySet):
    """Devices, with the filters that lists, summaries and histories have."""

    def matching(self, filter_: DeviceFilter) -> Self:
        """Those that match a filter of energycore.

        Of all tenants, as any query of models: `for_tenant` comes first where there are several.
        """
        found = self
        for field, values in (
            ("id", filter_.ids),
            ("kind", filter_.kinds),
            ("site_id", filter_.site_ids),
        ):
            if values is not None:
                found = found.filter(**{f"{field}__in": values})
        if filter_.tags is not None:
            found = found.tagged(*filter_.tags)
        if filter_.name_contains is not None:
            found = found.name_contains(filter_.name_contains)
        if filter_.is_active is not None:
            found = found.filter(is_active=filter_.is_active)
        if filter_.data_sources is not None:
            found = found.filter(data_source__in=[source.value for source in filter_.data_sources])
        return found

    def active(self) -> Self:
        """Those in service."""
        return self.filter(is_active=True)

    def of_kinds(self, *kinds: str) -> Self:
        """Those of any of these kinds."""
        return self.filter(kind__in=kinds)

    def tagged(self, *tags: str) -> Self:
        """Those that carry any of these tags."""
        own = DeviceTag.objects.filter(tenant_id=models.OuterRef("tenant_id"), tag__in=tags)
        return self.filter(models.Exists(own.filter(device_id=models.OuterRef("id"))))

    def name_contains(self, part: str) -> Self:
        """Those whose name contains this; letter case does not matter."""
        return self.filter(name_key__contains=name_key(part))

    def simulated(self) -> Self:
        """Those that ticks move."""
        return self.filter(data_source=DataSource.SIMULATED.value)

    def reported(self) -> Self:
        """Those that only their readings change."""
        return self.filter(data_source=DataSource.REPORTED.value)


class Device(Registered):
    """Anything registered that produces, consumes or stores energy.

    `save` goes through the registration of energycore, `clean` through the class of the kind.
    """

    id = models.BigAutoField(primary_key=True)
    site = reference(
        "energycore.Site",
        null=True,
        blank=True,
        related_name="devices",
        limit_choices_to=of_tenant,
    )
    external_id = optional_text(blank=True, help_text="Your own key, unique within the tenant.")
    name = text(help_text="Unique within the site.")
    name_key = models.CharField(max_length=3 * MAX_TEXT, editable=False)
    kind = text(choices=kind_choices)
    ratings = models.JSONField(help_text="By name, each in the unit of its name.")
    largest_power_w = models.FloatField(editable=False)
    capacity_mwh = optional_number(editable=False)
    noise_key = number(editable=False)
    has_own_noise_key = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField("active", default=True)
    data_source = text(
        choices=[(source.value, source.value.capitalize()) for source in DataSource],
        default=DataSource.SIMULATED.value,
        help_text="Whether ticks move it or only its readings.",
    )
    max_gap_us = number(editable=False)
    registered_at_us = number(editable=False)
    simulated_from_us = number(editable=False)
    dispatch = optional_text(blank=True, help_text="The strategy that steers a storage.")
    dispatch_parameters = models.JSONField(null=True, blank=True)
    version = models.IntegerField(default=1, editable=False)
    gap_policy = text(
        choices=[(policy.value, policy.value) for policy in GapPolicy],
        default=GapPolicy.HOLD.value,
        db_default=GapPolicy.HOLD.value,
        help_text="What is known of the time between two readings.",
    )

    objects = DeviceQuerySet.as_manager()
    also_saved = frozenset({"tags"})

    class Meta:
        db_table = "energycore_device"
        base_manager_name = "objects"
        ordering = ("name_key", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "external_id"),
                name="energycore_device_tenant_id_external_id_key",
                violation_error_message="Another device has this external id.",
            ),
            models.UniqueConstraint(
                fields=("tenant_id", "site", "name"),
                name="energycore_device_tenant_id_site_id_name_key",
                violation_error_message="This site has a device of this name already.",
            ),
            models.UniqueConstraint(
                fields=("tenant_id", "name"),
                condition=models.Q(site__isnull=True),
                name="energycore_device_name_without_site_key",
                violation_error_message="A device without a site has this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def registered_at(self) -> datetime:
        """When it was registered."""
        return from_epoch_us(self.registered_at_us)

    @property
    def max_gap(self) -> timedelta:
        """How long the power of one reading holds."""
        return timedelta(microseconds=self.max_gap_us)

    @property
    def capacity_wh(self) -> float | None:
        """The energy that fits into a storage [Wh]."""
        return None if self.capacity_mwh is None else self.capacity_mwh / MILLI_PER_UNIT

    @property
    def tags(self) -> list[str]:
        """Words to find it by, in alphabetical order."""
        if not hasattr(self, "_tags"):
            self._tags = sorted(row.tag for row in self.tag_rows.all()) if self.pk else []
        return self._tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self._tags = list(tags)

    def domain(self) -> DomainDevice:
        """The device as energycore has it.

        Raises:
            UnknownDeviceKind: no installed package declares the kind.
            InvalidValue: a rating is unknown, missing or out of its limits.
        """
        own = self.noise_key % (1 << 64) if self.has_own_noise_key else None
        return decode_device(self.kind, name=self.name, ratings=self.ratings, noise_key=own)

    def strategy(self) -> Dispatch | None:
        """What steers it, of a storage.

        Raises:
            InvalidValue: there is no such strategy, or it has no such parameters.
        """
        if not self.dispatch:
            return None
        given = self.dispatch_parameters
        return decode_dispatch(self.dispatch, {} if given is None else given)

    @classmethod
    def of(cls, device: DomainDevice, **fields: Any) -> "Device":
        """A new row of a device, to be saved.

        Args:
            device: its kind, name and ratings.
            fields: of the model, such as `site`, `external_id` or `data_source`.
        """
        return cls(
            name=device.name,
            kind=device.kind,
            ratings=encode_ratings(device),
            noise_key=device.noise_key or 0,
            has_own_noise_key=device.noise_key is not None,
            **fields,
        )

    def faults(self) -> Iterator[Fault]:
        """What the domain would refuse if this were saved."""
        device = strategy = None
        try:
            device = self.domain()
        except EnergycoreError as error:
            yield place_of(error, self, "ratings"), error
        try:
            strategy = self.strategy()
        except EnergycoreError as error:
            yield place_of(error, self, "dispatch_parameters"), error
            return
        if device is None:
            return
        stored = None
        if not self._state.adding:
            with self.reading() as (services, scope):
                stored = services.insight.device(scope, self.id)
        try:
            if stored is None:
                check_dispatch(device, strategy, None)
                series_gap_policy(data_source_of(self.data_source), self.gap_policy)
            else:
                self._check_change(stored, device, strategy)
        except KindChanged as error:
            yield "kind", error
        except NotAllowed as error:
            yield "dispatch", error
        except EnergycoreError as error:
            yield place_of(error, self, NON_FIELD_ERRORS), error

    def _check_change(
        self, stored: DeviceRecord, device: DomainDevice, strategy: Dispatch | None
    ) -> None:
        """Refuse what a stored device cannot become, as far as its register tells."""
        check_kept("external_id", self.external_id or None, stored.external_id)
        check_kept("data_source", self.data_source, stored.data_source.value)
        check_kept_kind(stored.device, device)
        series_gap_policy(stored.data_source, self.gap_policy)
        if strategy is None:
            check_kept("dispatch", None, stored.dispatch and stored.dispatch.name)
        elif strategy != stored.dispatch:
            steerable(attrs.evolve(stored, is_active=self.is_active))

    def refresh_from_db(self, *args: Any, **options: Any) -> None:
        """Read it again, its tags as well."""
        super().refresh_from_db(*args, **options)
        vars(self).pop("_tags", None)

    def register(self, services: Services, scope: Scope, work: UnitOfWork) -> DeviceRecord:
        """Store a new one.

        Raises:
            InvalidValue, UnknownDeviceKind: it cannot be one.
            NotFound: its site is not there.
            NameTaken: its name or external id is taken.
        """
        external_id = self.external_id or None
        if external_id is not None:
            check_free(work.devices.by_external_id(scope, external_id))
        source = DataSource(self.data_source)
        # Not given means that of the data source, which a copy of another row has already.
        gap_us: int | None = self.max_gap_us
        if gap_us == source.default_max_gap_us(DEFAULT_STEP_US):
            gap_us = None
        record = services.registration.register_device(
            scope,
            self.domain(),
            site_id=self.site_id,
            tags=self.tags,
            external_id=external_id,
            data_source=source,
            max_gap=None if gap_us is None else timedelta(microseconds=gap_us),
            gap_policy=self.gap_policy,
            dispatch=self.strategy(),
        )
        return record if self.is_active else services.registration.deactivate(scope, record.id)

    def change(self, services: Services, scope: Scope) -> DeviceRecord:
        """Store what differs.

        Raises:
            InvalidValue: it cannot be so.
            NotFound: it or its site is not there.
            NameTaken: its name is taken.
            VersionConflict: it was changed since it was read.
            KindChanged: a device keeps its kind.
        """
        stored = services.insight.device(scope, self.id)
        device, strategy = self.domain(), self.strategy()
        self._check_change(stored, device, strategy)
        is_reported = stored.data_source is DataSource.REPORTED
        record = services.registration.update_device(
            scope,
            self.id,
            expected_version=self.version,
            name=self.name,
            site_id=self.site_id,
            tags=self.tags,
            device=device,
            max_gap=self.max_gap if is_reported else None,
            gap_policy=self.gap_policy,
        )
        if record.is_active != self.is_active:
            registration = services.registration
            activate = registration.reactivate if self.is_active else registration.deactivate
            record = activate(scope, self.id)
        if strategy is not None and strategy != record.dispatch:
            record = services.control.set_dispatch(scope, self.id, strategy)
        return record

    def take(self, record: DeviceRecord) -> None:
        """Show what is stored."""
        vars(self).update(device_values(self.tenant_id, record))
        self.id, self.version = record.id, record.version
        self.ratings = encode_ratings(record.device)
        self.tags = record.tags


class DeviceTag(ServiceWritten):
    """A word to find a device by."""

    pk = models.CompositePrimaryKey("tenant_id", "device_id", "tag")
    tenant_id = tenant()
    device = reference("energycore.Device", related_name="tag_rows")
    tag = text()

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_device_tag"
        base_manager_name = "objects"
        ordering = ("device_id", "tag")

    def __str__(self) -> str:
        return self.tag


class DeviceState(Measured):
    """The newest reading of a device."""

    pk = models.CompositePrimaryKey("tenant_id", "device_id")
    tenant_id = tenant()
    device = models.OneToOneField(
        "energycore.Device",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="newest",
    )

    objects = ServiceManager()

    class Meta:
        db_table = "energycore_device_state"
        base_manager_name = "objects"
        ordering = ("device_id",)
