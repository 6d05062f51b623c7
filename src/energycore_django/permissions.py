"""Who may use GraphQL: hooks for `ENERGYCORE["AUTHORIZE"]`, which a project may write as well.

A hook is called with each request, in the thread that answers it, and raises Django's
`PermissionDenied` to refuse. Its message is shown to the client.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

__all__ = ["anyone", "logged_in", "staff"]


def anyone(request: HttpRequest) -> None:
    """Let everybody in: the default where DEBUG is on."""


def logged_in(request: HttpRequest) -> None:
    """Let in whoever is logged in."""
    if not getattr(getattr(request, "user", None), "is_authenticated", False):
        raise PermissionDenied("log in first")


def staff(request: HttpRequest) -> None:
    """Let in whoever may use the admin: the default where DEBUG is off."""
    logged_in(request)
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied("this is for staff only")
