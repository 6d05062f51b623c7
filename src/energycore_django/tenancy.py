"""Whose data a request may see: hooks for `ENERGYCORE["TENANT_OF"]`, and what asks them.

A hook is called with each request, in the thread that answers it, after `AUTHORIZE` has let it in.
It returns the name of a tenant, or raises Django's `PermissionDenied` to refuse.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from energycore.errors import ScopeRequired
from energycore_django.conf import current

__all__ = ["each_user", "tenant_of"]


def each_user(request: HttpRequest) -> str:
    """Each account is a tenant of its own: the one with the primary key 7 is `user-7`."""
    user = getattr(request, "user", None)
    if not getattr(user, "is_authenticated", False):
        raise PermissionDenied("log in first")
    return f"user-{user.pk}"  # type: ignore[union-attr] # None is not authenticated


def tenant_of(request: HttpRequest) -> str:
    """The tenant of a request: what the hook says, or that of the settings where there is none.

    Raises:
        PermissionDenied: the hook refuses the request.
        ScopeRequired: the hook names no tenant, which never means the one of the settings.
        ImproperlyConfigured: the settings cannot be meant.
    """
    own = current()
    if own.tenant_of is None:
        return own.tenant
    named: object = own.tenant_of(request)
    if not isinstance(named, str):
        raise ScopeRequired(f"TENANT_OF must name a tenant, not {named!r}")
    return named
