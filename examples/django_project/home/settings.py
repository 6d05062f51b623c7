"""Settings for a desk; what a server needs comes from the environment.

- `PGDATABASE`: a database of PostgreSQL in place of the file home.db. The driver reads the other
  variables of psql by itself: PGHOST, PGPORT, PGUSER, PGPASSWORD.
- `CELERY_BROKER_URL`: the broker of Celery, by default a Redis on this machine.
- `DJANGO_SECRET_KEY`: turns DEBUG off. `DJANGO_ALLOWED_HOSTS` names the hosts, with commas.
"""

import os
from pathlib import Path

from energycore_django.tasks import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = "DJANGO_SECRET_KEY" not in os.environ
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "for this desk only")
ALLOWED_HOSTS = [host for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",") if host]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "energycore_django",
]

# Every key has a default: docs/reference/django.md lists them.
ENERGYCORE = {
    # Whoever may ask sees the one household that there is.
    "TENANT": "default",
    "DEFAULT_TIME_ZONE": "Europe/Berlin",
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "home.urls"
WSGI_APPLICATION = "home.wsgi.application"

if "PGDATABASE" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": BASE_DIR / "home.db",
            # The server and the ticks write to it: one waits for the other, and readers do not.
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode = WAL",
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
            },
        }
    }

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "static"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 3_600

# A tick each minute, totals each quarter-hour, and once a day what is too old.
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
