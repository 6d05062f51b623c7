"""Whose data the admin shows, and in which database it is."""

from energycore_django.conf import current
from energycore_django.storage import routed

__all__ = ["database", "tenant"]


def tenant() -> str:
    """The tenant of the settings."""
    return current().tenant


def database() -> str:
    """The alias of the database that the services write to."""
    return current().database or routed(write=True)
