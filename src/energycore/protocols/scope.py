"""The right to see one tenant's data; every service and repository call takes one."""

import attrs

from energycore.devices.fields import text
from energycore.errors import ScopeRequired

__all__ = ["DEFAULT_TENANT", "Scope", "tenant_of"]

DEFAULT_TENANT = "default"


@attrs.frozen
class Scope:
    """The right to see the data of one tenant.

    Raises:
        InvalidValue: the tenant's name is empty, too long or not printable.
    """

    tenant: str = attrs.field(validator=text)


def tenant_of(scope: Scope | None) -> str:
    """The tenant that a call is for.

    Raises:
        ScopeRequired: there is no scope; absence never means everything.
    """
    if not isinstance(scope, Scope):
        raise ScopeRequired(f"this call needs a Scope, not {scope!r}")
    return scope.tenant
