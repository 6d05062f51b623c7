"""Settings of a project that the tests start processes of; the environment tells what differs."""

import json
import os

from energycore_django.tasks import BEAT_SCHEDULE
from tests.django.celery_careless import break_storage

PROJECT = json.loads(os.environ["ENERGYCORE_TEST_PROJECT"])

SECRET_KEY = "only for tests"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "energycore_django",
]
DATABASES = {"default": PROJECT["database"]}
ENERGYCORE = {"CLOCK": "tests.django.celery_clock.started"} if "clock" in PROJECT else {}

if PROJECT.get("is_careless"):
    break_storage()
if "broker" in PROJECT:
    CELERY_BROKER_URL = PROJECT["broker"]
    CELERY_BROKER_TRANSPORT_OPTIONS = PROJECT["transport_options"]
    CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
    CELERY_TASK_DEFAULT_QUEUE = PROJECT["name"]
    # They would leave queues and exchanges behind that all projects share.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
    CELERY_BEAT_SCHEDULE = {"tick": BEAT_SCHEDULE["energycore.tick"] | {"schedule": 0.25}}
    CELERY_BEAT_MAX_LOOP_INTERVAL = 0.25
