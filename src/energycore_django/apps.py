"""The Django app."""

from django.apps import AppConfig

__all__ = ["EnergycoreConfig"]


class EnergycoreConfig(AppConfig):
    """energycore in a Django project."""

    name = "energycore_django"
    label = "energycore"
    verbose_name = "Energy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from energycore_django import checks  # noqa: F401 - registers them
