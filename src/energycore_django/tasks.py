"""Celery tasks, and the beat entries that start them.

In a project's settings, beside `app.config_from_object("django.conf:settings", namespace="CELERY")`
and `app.autodiscover_tasks()`:

    from energycore_django.tasks import BEAT_SCHEDULE

    CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

The database decides what a task does, not the broker: one that is delivered twice, runs beside
another, or is lost with its worker, moves no device twice and leaves out no tick.
"""

import logging
from typing import Any, Final

from energycore.errors import ArchiveUnavailable, StorageUnavailable
from energycore.extras import load_extra
from energycore.jobs.sentences import tick_sentence, upkeep_sentences
from energycore_django.access import energy

load_extra("celery", feature="energycore_django.tasks", extra="celery")
from celery import shared_task  # noqa: E402 - after what tells in one line that it is missing
from celery.schedules import crontab  # noqa: E402 - likewise

__all__ = ["BEAT_SCHEDULE", "tick", "upkeep"]

_LOG = logging.getLogger(__name__)

_KEPT_UNTIL_DONE: Final[dict[str, Any]] = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    "serializer": "json",
    "retry_backoff_max": 600,
}

BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "energycore.tick": {
        "task": "energycore.tick",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "energycore.roll-up": {
        "task": "energycore.upkeep",
        "schedule": crontab(minute="*/15"),
        "kwargs": {"retain": False},
        "options": {"expires": 840},
    },
    "energycore.upkeep": {
        "task": "energycore.upkeep",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 82_800},
    },
}
"""A tick every 60 s, totals every quarter-hour, and what is too old once a day.

After an outage one tick makes up for all that are missing: those that waited in the queue expire.
Several beats at once do no harm. For a tenant other than the settings' one, add entries with
`"kwargs": {"tenant": "acme"}`.
"""


@shared_task(
    name="energycore.tick",
    autoretry_for=(StorageUnavailable,),
    retry_backoff=2,
    max_retries=4,
    **_KEPT_UNTIL_DONE,
)
def tick(tenant: str | None = None) -> None:
    """Run the tick of this minute, and those of the last 24 hours that are missing.

    Args:
        tenant: whose devices move; by default that of the settings.
    """
    of_tenant = energy(tenant)
    result = of_tenant.tick()
    _LOG.info(tick_sentence(of_tenant.services, of_tenant.scope, result))


@shared_task(
    name="energycore.upkeep",
    autoretry_for=(StorageUnavailable, ArchiveUnavailable),
    retry_backoff=15,
    max_retries=6,
    **_KEPT_UNTIL_DONE,
)
def upkeep(tenant: str | None = None, retain: bool = True) -> None:
    """Bring totals up to date, archive old readings, and let go what its time is over.

    Args:
        tenant: whose; by default that of the settings.
        retain: False only brings totals up to date.
    """
    for sentence in upkeep_sentences(energy(tenant).upkeep(retain=retain), dry_run=False):
        _LOG.info(sentence)
