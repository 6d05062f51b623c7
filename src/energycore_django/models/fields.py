"""What the models share: columns, instants, and the rule that writes go through the services."""

from datetime import datetime
from typing import Any, NoReturn, Self

from django.db import models

from energycore.devices.fields import MAX_TEXT
from energycore.devices.registry import device_kinds
from energycore.errors import NotAllowed
from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT

__all__ = [
    "Measured",
    "ServiceManager",
    "ServiceQuerySet",
    "ServiceWritten",
    "default_tenant",
    "kind_choices",
    "number",
    "of_tenant",
    "optional_number",
    "optional_text",
    "reference",
    "tenant",
    "text",
]


def default_tenant() -> str:
    """The tenant of the settings."""
    from energycore_django.conf import current

    return current().tenant


def of_tenant() -> dict[str, str]:
    """What forms offer: the rows of the tenant of the settings."""
    return {"tenant_id": default_tenant()}


def kind_choices() -> list[tuple[str, str]]:
    """The installed device kinds, for people."""
    return [(name, name.replace("_", " ").capitalize()) for name in sorted(device_kinds())]


def text(**options: Any) -> "models.CharField[str, str]":
    """A short text."""
    return models.CharField(max_length=MAX_TEXT, **options)


def tenant() -> "models.CharField[str, str]":
    """Whose row it is."""
    return text(default=default_tenant, editable=False)


def optional_text(**options: Any) -> "models.CharField[str | None, str | None]":
    """A short text, or NULL."""
    return models.CharField(max_length=MAX_TEXT, null=True, **options)


def number(**options: Any) -> "models.BigIntegerField[int, int]":
    """A whole number."""
    return models.BigIntegerField(**options)


def optional_number(**options: Any) -> "models.BigIntegerField[int | None, int | None]":
    """A whole number, or NULL."""
    return models.BigIntegerField(null=True, **options)


def reference(to: str, **options: Any) -> "models.ForeignKey[Any, Any]":
    """A reference that the database checks together with the tenant, or nobody needs to."""
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, **options
    )


class ServiceQuerySet(models.QuerySet[Any]):
    """Rows of tenants; what changes many at once would pass by the services, and is refused."""

    def for_tenant(self, tenant: str) -> Self:
        """The rows of one tenant."""
        return self.filter(tenant_id=tenant)

    def between(self, start: datetime, end: datetime, field: str = "at_us") -> Self:
        """The rows with start <= instant < end.

        Raises:
            InstantWithoutZone, InstantOutOfRange: an instant cannot be meant.
        """
        first, last = to_epoch_us(start, "start"), to_epoch_us(end, "end")
        return self.filter(**{f"{field}__gte": first, f"{field}__lt": last})

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        _refuse()

    def delete(self) -> NoReturn:
        """Refuse."""
        _refuse()

    def _raw_delete(self, using: str | None) -> NoReturn:
        _refuse()

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        _refuse()

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        _refuse()


class ServiceManager(models.Manager[Any]):
    """Finds rows, and changes none."""

    _db: str | None
    _hints: dict[str, Any]

    def get_queryset(self) -> ServiceQuerySet:
        """All of them; those of a row are where it is."""
        return ServiceQuerySet(self.model, using=self._db, hints=self._hints)

    def for_tenant(self, tenant: str) -> ServiceQuerySet:
        """The rows of one tenant."""
        return self.get_queryset().for_tenant(tenant)

    def between(self, start: datetime, end: datetime, field: str = "at_us") -> ServiceQuerySet:
        """The rows with start <= instant < end."""
        return self.get_queryset().between(start, end, field)


class ServiceWritten(models.Model):
    """A row that only the services write: others depend on it."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        named = str(self._meta.verbose_name)
        return f"{named.capitalize()} {self.pk} of {getattr(self, 'tenant_id', '')}"

    def save(self, *_: Any, **__: Any) -> None:
        """Refuse: histories, marks and states would not know."""
        _refuse()

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        _refuse()


class Measured(ServiceWritten):
    """A row that says what a device does from an instant on."""

    at_us = number()
    power_mw = number()
    stored_mwh = optional_number()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.power_w:g} W at {self.at.isoformat(timespec='seconds')}"

    @property
    def at(self) -> datetime:
        """Since when the power holds."""
        return from_epoch_us(self.at_us)

    @property
    def power_w(self) -> float:
        """Signed: + produces, - consumes [W]."""
        return self.power_mw / MILLI_PER_UNIT

    @property
    def stored_wh(self) -> float | None:
        """Energy inside [Wh]; None without storage."""
        return None if self.stored_mwh is None else self.stored_mwh / MILLI_PER_UNIT


def _refuse() -> NoReturn:
    raise NotAllowed(
        "this would pass by what depends on it: use energycore_django.energy(), or the methods of"
        " Site and Device"
    )
