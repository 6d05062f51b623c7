"""`manage.py check` names what is wrong with a project, each by its id."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections, router
from django.test import override_settings

import energycore as ec
from energycore.graphql import Limits
from energycore_django import energy
from energycore_django.conf import current
from energycore_django.models import Site
from energycore_django.permissions import anyone
from energycore_django.storage import DjangoStorage

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Clock:
    def now(self):
        return NOW


class ClockWithoutZone:
    def now(self):
        return NOW.replace(tzinfo=None)


class BrokenClock:
    def now(self):
        return broken()


def broken():
    return 1 / 0


def found(tags=(Tags.compatibility,), **options):
    messages = run_checks(tags=tags, **options)
    return {str(m.id): m for m in messages if str(m.id).startswith("energycore.")}


def test_a_project_without_settings_is_fine():
    assert found() == {}


def test_every_key_that_is_documented_is_known(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    settings = {
        "TENANT": "acme",
        "DATABASE": "default",
        "DEFAULT_TIME_ZONE": "Asia/Kathmandu",
        "SEED": 7,
        "CLOCK": "tests.django.test_checks.Clock",
        "ARCHIVE": str(tmp_path),
        "RETENTION": {"RAW": 14, "QUARTER_HOUR": 90, "DAY": None, "MONTH": None},
        "MAX_BUCKETS": 50,
        "PARTITIONING": {"HASH_PARTS": 4, "BRIN": True},
        "GRAPHIQL": False,
        "LIMITS": {"MAX_BODY_BYTES": 1_000, "MAX_DEPTH": 9},
        "TENANT_OF": "energycore_django.tenancy.each_user",
        "AUTHORIZE": "energycore_django.permissions.staff",
        "TRUSTED_DOCUMENTS": str(tmp_path / "manifest.json"),
        "ONLY_TRUSTED": True,
    }
    with override_settings(ENERGYCORE=settings):
        assert found() == {}
        own = current()
    assert (own.tenant, own.database, own.default_time_zone) == (
        "acme",
        "default",
        "Asia/Kathmandu",
    )
    assert isinstance(own.clock, Clock)
    assert own.retention == ec.Retention(raw=timedelta(days=14), day=None)
    assert own.limits == Limits(max_body_bytes=1_000, max_depth=9)
    assert (own.partitioning.hash_parts, own.partitioning.brin) == (4, True)


def test_time_zone_and_graphiql_follow_the_projects_settings():
    with override_settings(DEBUG=True, TIME_ZONE="Asia/Tokyo"):
        assert (current().graphiql, current().default_time_zone) == (True, "Asia/Tokyo")
    with override_settings(DEBUG=False):
        assert current().graphiql is False


def test_an_unknown_key_is_an_error_that_names_the_one_that_was_meant():
    with override_settings(ENERGYCORE={"TENNANT": "x"}):
        error = found()["energycore.E001"]
        assert "TENNANT" in error.msg
        assert error.hint == "Did you mean TENANT?"
        with pytest.raises(ImproperlyConfigured, match="TENNANT"):
            energy()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("TENANT", "", "TENANT = ''"),
        ("DATABASE", "nowhere", "one of DATABASES"),
        ("RETENTION", {"RAW": True}, "days"),
        ("RETENTION", {"RAW": 10**12}, "RETENTION"),
        ("DEFAULT_TIME_ZONE", "Mars/Olympus", "IANA"),
        ("SEED", "x", "whole number"),
        ("CLOCK", "nowhere.Clock", "nowhere"),
        ("RETENTION", {"RAW": 0}, "RETENTION"),
        ("RETENTION", {"WEEK": 1}, "QUARTER_HOUR"),
        ("RETENTION", {"RAW": "x"}, "days"),
        ("PARTITIONING", {"HASH_PARTS": -1}, "from 0"),
        ("PARTITIONING", {"HASH_PARTS": "x"}, "PARTITIONING"),
        ("GRAPHIQL", "yes", "True or False"),
        ("MAX_BUCKETS", 0, "at least 1"),
        ("TRUSTED_DOCUMENTS", "nowhere.json", "sha256"),
        ("TRUSTED_DOCUMENTS", 5, "manifest"),
        ("LIMITS", 100, "MAX_DEPTH"),
        ("LIMITS", {"DEPTH": 5}, "MAX_DEPTH"),
        ("LIMITS", {"MAX_DEPTH": 0}, "at least 1"),
        ("LIMITS", {"MAX_TOKENS": None}, "at least 1"),
        ("LIMITS", {"TIMEOUT_S": "1 s"}, "seconds"),
        ("AUTHORIZE", "energycore_django.permissions", "permissions"),
        ("CLOCK", "tests.django.test_checks.broken", "ZeroDivisionError: division by zero"),
        ("CLOCK", "tests.django.broken_module.Clock", "RuntimeError: not today"),
        ("CLOCK", dict, "which has now()"),
        ("CLOCK", ClockWithoutZone, "now() is a datetime with an offset"),
        ("CLOCK", BrokenClock, "ZeroDivisionError"),
        ("CHANNEL", "tests.django.test_checks.broken", "ZeroDivisionError"),
        ("ARCHIVE", "ftp://host/archive", "s3://bucket"),
        ("ARCHIVE", "s3://", "s3://bucket"),
        ("ARCHIVE", 5, "a folder"),
        ("PARTITIONING", {"HASH_PARTS": "a"}, "HASH_PARTS must be a whole number"),
        ("PARTITIONING", {"BRIN": 1}, "BRIN must be True or False"),
        ("RETENTION", {"RAW": 10**12}, "RAW must be at most 999,999,999 days"),
        ("LIMITS", {"MAX_DEPTH": 0}, "MAX_DEPTH must be"),
        ("DATABASE", [], "one of DATABASES"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_says_what_can(key, value, message):
    with override_settings(ENERGYCORE={key: value}):
        error = found()["energycore.E002"]
    assert key in error.msg
    assert message in error.msg


def test_a_limit_that_is_off_is_a_warning_outside_of_debug():
    settings = {"LIMITS": {"MAX_COST": None, "TIMEOUT_S": None, "MAX_DEPTH": 5}}
    with override_settings(ENERGYCORE=settings, DEBUG=False):
        assert "MAX_COST, TIMEOUT_S" in found()["energycore.W005"].msg
    with override_settings(ENERGYCORE=settings, DEBUG=True):
        assert "energycore.W005" not in found()


def test_settings_that_are_no_dict_are_an_error():
    with override_settings(ENERGYCORE=["TENANT"]):
        assert "is a dict" in found()["energycore.E002"].msg


def test_an_archive_may_be_named_by_a_path(tmp_path):
    with override_settings(ENERGYCORE={"ARCHIVE": tmp_path}):
        assert found() == {}
        assert current().archive == str(tmp_path)


def test_a_limit_of_bodies_above_djangos_own_is_a_warning():
    settings = {"LIMITS": {"MAX_BODY_BYTES": 3_000_000}}
    with override_settings(ENERGYCORE=settings, DATA_UPLOAD_MAX_MEMORY_SIZE=2_621_440):
        warning = found()["energycore.W008"]
        assert "3000000" in warning.msg
        assert "2621440" in warning.msg
    for unlimited in (None, 3_000_000):
        with override_settings(ENERGYCORE=settings, DATA_UPLOAD_MAX_MEMORY_SIZE=unlimited):
            assert found() == {}


def test_a_warning_hides_no_other():
    with override_settings(USE_TZ=False, ENERGYCORE={"GRAPHIQL": True}, DEBUG=False):
        assert set(found()) == {"energycore.W001", "energycore.W002"}


def test_use_tz_off_is_a_warning():
    with override_settings(USE_TZ=False):
        assert set(found()) == {"energycore.W001"}


def test_graphiql_without_debug_is_a_warning():
    with override_settings(ENERGYCORE={"GRAPHIQL": True}, DEBUG=False):
        assert set(found()) == {"energycore.W002"}
    with override_settings(ENERGYCORE={"GRAPHIQL": True}, DEBUG=True):
        assert found() == {}


def test_anyone_without_debug_is_a_warning():
    with override_settings(ENERGYCORE={"AUTHORIZE": anyone}, DEBUG=False):
        assert set(found()) == {"energycore.W004"}
    with override_settings(ENERGYCORE={"AUTHORIZE": anyone}, DEBUG=True):
        assert found() == {}


def test_a_deployment_says_whose_data_a_request_may_see():
    def of_deployment(**own):
        with override_settings(ENERGYCORE=own):
            return set(found(tags=[Tags.security], include_deployment_checks=True))

    assert of_deployment() == {"energycore.W006"}
    assert of_deployment(TENANT="default") == set()
    assert of_deployment(TENANT_OF="energycore_django.tenancy.each_user") == set()


def of_database(alias, routers=("energycore_django.routers.EnergycoreRouter",)):
    with override_settings(ENERGYCORE={"DATABASE": alias}, DATABASE_ROUTERS=list(routers)):
        return found(tags=[Tags.database], databases=[alias])


def test_the_databases_of_the_tests_are_fine(alias):
    assert of_database(alias) == {}


def test_several_tenants_that_no_resolver_tells_apart_are_a_warning(project):
    """One tenant is none of our business: many projects have one home."""
    own = {"DATABASE": project}

    def told(**more):
        with override_settings(ENERGYCORE={**own, **more}):
            return set(found(tags=[Tags.database], databases=[project]))

    with override_settings(ENERGYCORE=own):
        energy().register(ec.SolarPanel(name="Roof", rated_power_w=1))
        assert told() == set()
        energy("acme").register(ec.SolarPanel(name="Roof", rated_power_w=1))
    assert told() == {"energycore.W006"}
    assert told(TENANT_OF="energycore_django.tenancy.each_user") == set()


def test_routers_that_name_another_database_are_an_error(postgresql_alias):
    """`energy` would work with one, and the models with the other.

    `manage.py check` says so by the settings alone, and `migrate` before it makes tables.
    """
    with override_settings(ENERGYCORE={"DATABASE": postgresql_alias}, DATABASE_ROUTERS=[]):
        error = found()["energycore.E004"]
        with pytest.raises(SystemCheckError, match="E004"):
            call_command("migrate", database="default", verbosity=0, skip_checks=False)
    assert "'postgresql'" in error.msg
    assert "'default'" in error.msg


def test_the_router_keeps_energycore_and_nothing_else_in_its_database(alias):
    with override_settings(
        ENERGYCORE={"DATABASE": alias},
        DATABASE_ROUTERS=["energycore_django.routers.EnergycoreRouter"],
    ):
        assert (Site.objects.db, Group.objects.db) == (alias, "default")
        allowed = {
            (db, app): router.allow_migrate(db, app)
            for db in ("default", "postgresql")
            for app in ("energycore", "auth")
        }
    other = {"default": "postgresql", "postgresql": "default"}[alias]
    assert not allowed.pop((other, "energycore"))
    assert all(allowed.values())


def test_leaving_a_block_of_energy_ends_nothing_for_others(project):
    with energy() as own:
        own.devices()
    assert energy().devices().items == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [("vendor", "mysql"), ("pg_version", 120_009)],
)
def test_a_database_that_is_not_supported_is_an_error(postgresql_alias, monkeypatch, name, value):
    monkeypatch.setitem(vars(connections[postgresql_alias]), name, value)
    error = of_database(postgresql_alias)["energycore.E003"]
    assert "PostgreSQL 13" in error.hint


def test_requests_that_are_transactions_of_sqlite_are_a_warning(sqlite_alias, monkeypatch):
    own = connections[sqlite_alias].settings_dict
    monkeypatch.setitem(own, "ATOMIC_REQUESTS", True)
    assert set(of_database(sqlite_alias)) == {"energycore.W003"}
    monkeypatch.setitem(own, "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    assert of_database(sqlite_alias) == {}


def test_settings_are_read_again_when_a_test_overrides_them(project):
    """And `energy` is bound to what they say."""
    with override_settings(ENERGYCORE={"TENANT": "acme"}):
        assert energy().scope.tenant == "acme"
        assert isinstance(energy().services.storage, DjangoStorage)
        assert energy("other").scope.tenant == "other"
    assert energy().scope.tenant == "default"
