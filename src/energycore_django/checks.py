"""System checks: what `manage.py check` says about a project that uses energycore."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.utils import DatabaseError, OperationalError

from energycore_django.bridge import VENDORS
from energycore_django.conf import SETTING, DjangoSettings, current, problems
from energycore_django.permissions import anyone

__all__ = ["check_database", "check_deployment", "check_settings"]

_OLDEST_POSTGRESQL: Final = 130_000


@register(Tags.compatibility)
def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What the settings alone tell.

    energycore.E001: ENERGYCORE has a key that means nothing.
    energycore.E002: a value cannot be used.
    energycore.E004: the routers send the models to another database than ENERGYCORE names.
    energycore.W001: USE_TZ is off.
    energycore.W002: GraphiQL is on although DEBUG is off.
    energycore.W004: anyone may use GraphQL although DEBUG is off.
    energycore.W005: a limit of GraphQL is off although DEBUG is off.
    energycore.W007: a limit of sockets is off although DEBUG is off.
    energycore.W008: Django refuses bodies that LIMITS would allow.
    """
    found: list[CheckMessage] = []
    for problem in problems():
        number = 1 if problem.is_unknown else 2
        message = f"{SETTING}: {problem.message}."
        found.append(Error(message, hint=problem.hint, id=f"energycore.E{number:03}"))
    if not settings.USE_TZ:
        found.append(
            checks.Warning(
                "USE_TZ is off: the admin and forms then show instants without their zone.",
                hint="Set USE_TZ = True.",
                id="energycore.W001",
            )
        )
    if problems():
        return found
    found += [*_of_routers(), *_of_bodies()]
    if not settings.DEBUG:
        found += _of_production(current())
    return found


def _of_routers() -> list[CheckMessage]:
    from energycore_django.storage import routed  # needs the models, which come after the checks

    alias = current().database
    others = {routed(write=True), routed(write=False)} - {alias}
    if alias is None or not others:
        return []
    text = f"{SETTING} names the database {alias!r}, the routers {', '.join(sorted(others))!r}."
    hint = 'Put "energycore_django.routers.EnergycoreRouter" into DATABASE_ROUTERS.'
    return [Error(text, hint=hint, id="energycore.E004")]


def _of_bodies() -> list[CheckMessage]:
    ours = current().limits.max_body_bytes
    djangos: Any = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if djangos is None or ours <= djangos:
        return []
    text = f"LIMITS allows bodies of {ours} bytes, Django itself only {djangos}."
    hint = "Raise DATA_UPLOAD_MAX_MEMORY_SIZE, or lower MAX_BODY_BYTES."
    return [checks.Warning(text, hint=hint, id="energycore.W008")]


def _of_production(own: DjangoSettings) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if own.graphiql:
        found.append(
            checks.Warning(
                "GraphiQL is served although DEBUG is off.",
                hint=f"Leave GRAPHIQL out of {SETTING}, or set it to False in production.",
                id="energycore.W002",
            )
        )
    if own.authorize is anyone:
        found.append(
            checks.Warning(
                "Anyone may use GraphQL although DEBUG is off.",
                hint=f"Name another AUTHORIZE in {SETTING}, or leave it out: then staff may.",
                id="energycore.W004",
            )
        )
    if own.limits.switched_off:
        names = ", ".join(name.upper() for name in own.limits.switched_off)
        found.append(
            checks.Warning(
                f"Limits of GraphQL are off although DEBUG is off: {names}.",
                hint=f"Leave them out of LIMITS in {SETTING}, or give them numbers.",
                id="energycore.W005",
            )
        )
    if own.sockets is not None and own.sockets.switched_off():
        names = ", ".join(name.upper() for name in own.sockets.switched_off())
        found.append(
            checks.Warning(
                f"Limits of sockets are off although DEBUG is off: {names}.",
                hint=f"Leave them out of SOCKETS in {SETTING}, or give them values.",
                id="energycore.W007",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What `check --deploy` asks beside that.

    energycore.W006: nothing says whose data a request may see, neither TENANT_OF nor TENANT.
    """
    given = getattr(settings, SETTING, {})
    if problems() or "TENANT_OF" in given or "TENANT" in given:
        return []
    text = f"Every GraphQL request is of the tenant {current().tenant!r}."
    return [_no_resolver(text, "name it as TENANT")]


@register(Tags.database)
def check_database(
    app_configs: Any, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """What the database tells; asked by `migrate` and `check --database`.

    energycore.E003: the database is of another kind, or too old.
    energycore.W003: requests are atomic blocks of SQLite, which begin as readers.
    energycore.W006: several tenants have devices, and TENANT_OF tells none of them apart.
    """
    if problems():
        return []
    from energycore_django.storage import routed  # needs the models, which come after the checks

    alias = current().database or routed(write=True)
    if alias not in (databases or ()):
        return []
    connection: Any = connections[alias]
    if connection.vendor not in VENDORS:
        return [_unsupported(f"{connection.display_name} is not supported.")]
    if connection.vendor == "postgresql":
        return _of_postgresql(connection) or _of_tenants(alias)
    return [*_of_sqlite(alias), *_of_tenants(alias)]


def _of_sqlite(alias: str) -> list[CheckMessage]:
    connection: Any = connections[alias]
    settings_dict = connection.settings_dict
    mode = str(settings_dict["OPTIONS"].get("transaction_mode")).upper()
    if not settings_dict["ATOMIC_REQUESTS"] or mode in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    hint = f'Set DATABASES["{alias}"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE".'
    text = (
        "Requests are atomic blocks, which SQLite begins as readers: they fail where another"
        " process writes before they do."
    )
    return [checks.Warning(text, hint=hint, id="energycore.W003")]


def _of_postgresql(connection: Any) -> list[CheckMessage]:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    if not is_psycopg3:
        return [_unsupported("psycopg 2 is not supported.", 'Run pip install "psycopg[binary]".')]
    try:
        version = connection.pg_version
    except (DatabaseError, OperationalError):
        return []  # Django says by itself that it cannot be reached
    if version < _OLDEST_POSTGRESQL:
        return [_unsupported(f"PostgreSQL {version // 10_000} is too old.")]
    return []


def _of_tenants(alias: str) -> list[CheckMessage]:
    from energycore_django.models import Device  # models come after the checks

    own = current()
    if own.tenant_of is not None:
        return []
    try:
        if Device._meta.db_table not in connections[alias].introspection.table_names():
            return []
        others = Device.objects.using(alias).exclude(tenant_id=own.tenant).exists()
    except (DatabaseError, OperationalError):
        return []  # Django says by itself that it cannot be reached
    text = f"Several tenants have devices, and every GraphQL request is of {own.tenant!r}."
    return [_no_resolver(text, "put this id into SILENCED_SYSTEM_CHECKS")] if others else []


def _no_resolver(message: str, otherwise: str) -> CheckMessage:
    hint = f"Name a TENANT_OF in {SETTING}; where that is meant, {otherwise}."
    return checks.Warning(message, hint=hint, id="energycore.W006")


def _unsupported(message: str, hint: str | None = None) -> CheckMessage:
    known = "Use PostgreSQL 13 or newer with psycopg 3, or SQLite."
    return Error(message, hint=hint or known, id="energycore.E003")
