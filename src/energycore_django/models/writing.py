"""How the models write: through the services of the tenant, over the project's database."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from energycore.errors import EnergycoreError, InvalidValue, NotAllowed
from energycore.protocols.scope import Scope
from energycore.services.suite import Services

__all__ = ["checked_alias", "refusal"]


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


def refusal(error: EnergycoreError, model: models.Model) -> Any:
    """An error of the domain as a form shows it: at its field, with its code."""
    said = ValidationError(error.message, code=error.code)
    if isinstance(error, InvalidValue):
        names = {field.name for field in model._meta.get_fields()}
        field = error.field.partition(".")[0]
        if field in names:
            return {field: said}
    return said
