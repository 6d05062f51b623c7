"""The Celery application: `celery -A home worker --beat` runs ticks and upkeep."""

import os

from celery import Celery

__all__ = ["app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "home.settings")

app = Celery("home")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
