"""Puts energycore into a Django project: its tables, admin, GraphQL and jobs."""

from energycore.errors import MissingExtra

try:
    import django as _django  # noqa: F401 - only to say in one line what is missing
except ModuleNotFoundError as _error:
    if _error.name != "django":
        raise
    raise MissingExtra("energycore_django", "django") from None

from energycore_django.access import energy

__all__ = ["energy"]
