"""How the models write: through the services of the tenant, over the project's database."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, TypeAlias

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models.base import ModelBase

from energycore.errors import EnergycoreError, InvalidValue, NameTaken, NotAllowed
from energycore.protocols.records import DeviceRecord, SiteRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.services.suite import Services
from energycore_django.models.fields import ServiceWritten, tenant

__all__ = ["Registered", "check_free", "check_kept", "checked_alias", "place_of"]


Fault: TypeAlias = tuple[str, EnergycoreError]
"""The field of a model that an error is about, and the error."""
_NOTHING: Final[tuple[object, ...]] = (None, "", {})


class Registered(ServiceWritten):
    """A row that `save` registers, or changes, by the services."""

    tenant_id = tenant()
    external_id: Any
    also_saved: ClassVar[frozenset[str]] = frozenset()
    """What `update_fields` may name beside the fields."""

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Store it, all or what is named of it, and take over what follows from that.

        Raises:
            EnergycoreError: see `register` and `change`.
            ValueError: `update_fields` names no field.
            NotAllowed: it is to be stored under an identity of the caller's, again, or elsewhere.
        """
        services, scope, alias = checked_alias(self.tenant_id, using)
        adding = self._state.adding
        self._check_named(update_fields or ())
        if adding and (force_update or self.pk is not None):
            raise NotAllowed("a new row has no id: the database gives it one")
        if force_insert and not adding:
            raise NotAllowed("this row is stored already")
        told = {"instance": self, "raw": False, "using": alias, "update_fields": update_fields}
        models.signals.pre_save.send(type(self), **told)
        if update_fields is None or adding:
            row = self
        else:
            model: Any = type(self)
            row = model.objects.using(alias).get(pk=self.pk, tenant_id=scope.tenant)
            for name in {*update_fields, "version"}:
                setattr(row, name, getattr(self, name))
        with services.storage.transaction(write=True) as work:
            record = row.register(services, scope, work) if adding else row.change(services, scope)
        self.take(record)
        self._state.adding, self._state.db = False, alias
        models.signals.post_save.send(type(self), created=adding, **told)

    def _check_named(self, update_fields: Iterable[str]) -> None:
        known = {
            name for field in self._meta.concrete_fields for name in (field.name, field.attname)
        }
        unknown = sorted({*update_fields} - known - self.also_saved)
        if unknown:
            raise ValueError(f"{type(self).__name__} has no fields {', '.join(unknown)} to save")

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Judge the fields one by one, and note which are judged already or not asked for."""
        self._unasked, self._told = set(exclude or ()), set[str]()
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as error:
            self._told = set(error.error_dict)
            raise

    def clean(self) -> None:
        """Take an external id that a form left empty for none, and let the domain judge.

        What it says is at its field. A form excludes fields that it does not show, or has told
        of already: of those an empty one may be filled in later, and of the others it is told
        above the form.
        """
        super().clean()
        self.external_id = self.external_id or None
        own = vars(self)
        unasked, told = own.pop("_unasked", ()), own.pop("_told", ())
        found: dict[str, list[ValidationError]] = {}
        for field, error in self.faults():
            if field in told or (field in unasked and getattr(self, field, None) in _NOTHING):
                continue
            place = NON_FIELD_ERRORS if field in unasked else field
            found.setdefault(place, []).append(ValidationError(error.message, code=error.code))
        if found:
            raise ValidationError(found)

    @contextmanager
    def reading(self) -> Iterator[tuple[Services, Scope]]:
        """The services, reading where they write: a replica may not have this row yet."""
        from energycore_django.storage import joined

        services, scope, alias = checked_alias(self.tenant_id, None)
        with joined(alias, write=False):
            yield services, scope

    def faults(self) -> Iterator[Fault]:
        """What the domain would refuse if this were saved."""
        raise NotImplementedError

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Look for a taken name or external id: the tenant is known, though no form shows it."""
        unknown = None if exclude is None else set(exclude) - {"tenant_id"}
        try:
            super().validate_constraints(exclude=unknown)
        except ValidationError as error:
            for taken in error.error_dict.get(NON_FIELD_ERRORS, ()):
                taken.code = NameTaken.code
            raise

    def register(self, services: Services, scope: Scope, work: UnitOfWork) -> Any:
        """Store a new one."""
        raise NotImplementedError

    def change(self, services: Services, scope: Scope) -> Any:
        """Store what differs."""
        raise NotImplementedError

    def take(self, record: Any) -> None:
        """Show what is stored."""
        raise NotImplementedError


def check_kept(field: str, given: object, stored: object) -> None:
    """Refuse another value of what a registration decides for good.

    Raises:
        InvalidValue: it is another.
    """
    if given != stored:
        raise InvalidValue(field, given, f"{stored!r} as registered: it cannot be changed")


def check_free(holder: SiteRecord | DeviceRecord | None) -> None:
    """Refuse an external id that is taken.

    Raises:
        NameTaken: somebody has it.
    """
    if holder is not None:
        raise NameTaken(f"the external id {holder.external_id!r} is taken", holder)


def checked_alias(tenant: str, using: str | None) -> tuple[Services, Scope, str]:
    """The services of a tenant, and the database that they write to.

    Raises:
        NotAllowed: another database is asked for.
    """
    from energycore_django.access import energy
    from energycore_django.conf import current
    from energycore_django.storage import routed

    alias = current().database or routed(write=True)
    if using not in (None, alias):
        raise NotAllowed(f"energycore writes to the database {alias!r}, not to {using!r}")
    of_tenant = energy(tenant)
    return of_tenant.services, of_tenant.scope, alias


def place_of(error: EnergycoreError, model: models.Model, otherwise: str) -> str:
    """The field of a model that an error is about."""
    if isinstance(error, InvalidValue):
        field = error.field.partition(".")[0]
        if field in {known.name for known in model._meta.get_fields()}:
            return field
    return otherwise
