"""A Django project with energycore in it."""

from home.celery import app as celery_app

__all__ = ["celery_app"]
