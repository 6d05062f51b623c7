"""Settings from the environment: what is read, what is refused, and what is shown of it."""

import json
import logging
import re
from datetime import timedelta

import attrs
import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.testclient import TestClient

import energycore as ec
from energycore.errors import EnergycoreError, InvalidSettings
from energycore.graphql import Limits
from energycore.graphql.live import SocketLimits
from energycore.storage.sql import Partitioning
from energycore_django.conf import DjangoSettings
from energycore_fastapi import EnergycoreSettings

SECRET = "hunter2-canary"


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    """Nobody else has set anything."""
    for name in EnergycoreSettings.model_fields:
        monkeypatch.delenv(f"ENERGYCORE_{name.upper()}", raising=False)


@pytest.fixture
def given(monkeypatch):
    """Sets variables by the names of fields."""

    def give(prefix="ENERGYCORE_", **values):
        for name, value in values.items():
            monkeypatch.setenv(f"{prefix}{name.upper()}", value)

    return give


def test_every_field_has_a_default_and_a_meaning():
    settings = EnergycoreSettings()
    assert settings.database_url.get_secret_value() == "sqlite:///energycore.db"
    assert (settings.graphiql, settings.ticks) == (False, True)


def test_the_names_are_those_of_django_settings_where_both_have_the_thing():
    """A database is an alias there and a URL here."""
    django = {field.name for field in attrs.fields(DjangoSettings)}
    assert set(EnergycoreSettings.model_fields) - django == {"database_url", "max_threads", "ticks"}


def test_each_field_is_read_from_its_variable(given, tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    given(
        database_url=f"sqlite:///{tmp_path / 'own.db'}",
        tenant="acme",
        default_time_zone="Europe/Berlin",
        seed="7",
        archive=str(tmp_path / "archive"),
        retention='{"RAW": 30, "quarter_hour": 400, "day": null}',
        max_buckets="100",
        partitioning='{"hash_parts": 4, "brin": true}',
        graphiql="true",
        limits='{"max_body_bytes": 1000, "MAX_COST": null}',
        trusted_documents=str(manifest),
        only_trusted="true",
        sockets='{"max_sockets": 3, "allowed_origins": ["https://app.example.com"]}',
        max_threads="2",
        ticks="off",
    )
    settings = EnergycoreSettings()
    kept = ec.Retention(raw=timedelta(days=30), quarter_hour=timedelta(days=400), day=None)
    assert settings.retention == kept
    assert settings.partitioning == Partitioning(hash_parts=4, brin=True)
    assert (settings.graphiql, settings.ticks, settings.max_threads) == (True, False, 2)
    assert settings.limits == Limits(max_body_bytes=1_000, max_cost=None)
    assert settings.sockets == SocketLimits(
        max_sockets=3, allowed_origins=["https://app.example.com"]
    )
    shown = json.loads(settings.model_dump_json())
    again = EnergycoreSettings(limits=shown["limits"], sockets=shown["sockets"])
    assert (again.limits, again.sockets) == (settings.limits, settings.sockets)
    with settings.connect() as energy:
        assert energy.scope.tenant == "acme"
        assert energy.services.histories.default_zone == "Europe/Berlin"
        assert energy.services.histories.max_buckets == 100
        assert energy.services.registration.seed == 7
        assert energy.services.upkeep.retention == kept
        assert energy.services.upkeep.archive is not None
        with TestClient(settings.create_app(energy)) as client:
            assert "GraphiQL" in client.get("/").text
            long = {"query": "{ __typename }" + " " * 1_000}
            assert client.post("/graphql", json=long).status_code == 413
            told = client.post("/graphql", json={"query": "{ __typename }"}).json()
            assert told["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert (tmp_path / "own.db").is_file()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("default_timezone", "UTC", "no setting {}: did you mean ENERGYCORE_DEFAULT_TIME_ZONE?"),
        ("database", "sqlite:///x", "no setting {}: did you mean ENERGYCORE_DATABASE_URL?"),
        ("database_url", "mysql://host/db", "{} cannot be used: there is no backend for mysql"),
        ("database_url", "home.db", "{} cannot be used: this is not the URL of a database"),
        ("tenant", " acme", "{} cannot be used: it must be 1 to 200 printable characters"),
        ("default_time_zone", "Berlin", "{} cannot be used: it must be an IANA time zone name"),
        ("seed", "many", "{} cannot be used: input should be a valid integer"),
        ("retention", "30", "{} cannot be used: it must be JSON with any of the keys raw, quarter"),
        ("retention", '{"raw": 30', "{} cannot be used: it must be JSON with any of the keys raw"),
        ("retention", '{"week": 3}', "{} cannot be used: it must be JSON with any of the keys raw"),
        ("retention", '{"raw": 1.5}', "{} cannot be used: it must be a number of days, or null"),
        ("retention", '{"raw": 99999999999}', "{} cannot be used: it must be a number of days"),
        ("retention", '{"raw": 0}', "{} cannot be used: it must be a timedelta of a day or more"),
        ("partitioning", '{"hash_parts": "4"}', '{} cannot be used: it must be JSON such as {"ha'),
        ("partitioning", '{"hash_parts": -4}', "{} cannot be used: it must be from 0 to 1024"),
        ("limits", '{"max_cost": 0}', "{} cannot be used: it must be a whole number of at least 1"),
        ("sockets", '{"max_sockets": "2"}', "{} cannot be used: it must be a whole number of at "),
        ("channel", "kafka://host", "{} cannot be used: "),
        ("max_threads", "0", "{} cannot be used: input should be greater than 0"),
        ("max_buckets", "1e400", "{} cannot be used: input should be a valid integer"),
        ("graphiql", "perhaps", "{} cannot be used: input should be a valid boolean"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_the_name_of_its_variable(given, name, value, complaint):
    given(**{name: value})
    with pytest.raises(InvalidSettings) as raised:
        EnergycoreSettings()
    assert complaint.replace("{}", f"ENERGYCORE_{name.upper()}", 1) in raised.value.message
    assert raised.value.code == "INVALID_SETTINGS"


def test_all_that_is_wrong_is_told_at_once(given):
    given(max_threads="0", default_time_zone="Berlin")
    with pytest.raises(InvalidSettings, match=r"ENERGYCORE_DEFAULT_TIME_ZONE .*; ENERGYCORE_MAX_T"):
        EnergycoreSettings()


def test_an_argument_that_does_not_exist_is_refused():
    with pytest.raises(InvalidSettings, match="did you mean ENERGYCORE_DATABASE_URL"):
        EnergycoreSettings(databse_url="sqlite:///x")  # type: ignore[call-arg] # what is tested


def test_a_variable_of_another_program_with_the_prefix_is_none_of_ours(given):
    given(test_postgresql="postgresql://somewhere", deployment="blue", seed="")
    assert EnergycoreSettings().seed == 0


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://ada:{SECRET}@127.0.0.1:1/home",
        f"postgresql+psycopg://ada:{SECRET}@x@127.0.0.1:1/home",
        f"mysql://ada:{SECRET}@127.0.0.1/home",
        f"postgresql://ada:{SECRET}@host:port/home",
    ],
)
def test_a_password_is_shown_nowhere(given, url, caplog):
    """Not where it is used, not where it cannot be, and not where another setting is wrong."""
    caplog.set_level(logging.DEBUG)
    given(database_url=url)
    told = []
    for more in ({}, {"seed": "x"}):
        given(**more)
        try:
            settings = EnergycoreSettings()
            shown = (repr, str, EnergycoreSettings.model_dump, vars)
            told += [f"{show(settings)}" for show in shown]
            told.append(settings.model_dump_json())
            settings.connect()
        except EnergycoreError as error:
            told += [repr(error), str(error)]
            for behind in (error.__cause__, error.__context__):
                told += [repr(behind), repr(vars(behind)) if behind else ""]
    assert len(told) >= 12
    assert SECRET not in "".join(told) + caplog.text


def test_what_is_shown_as_json_is_read_again(given):
    given(retention='{"raw": 30, "month": null}', partitioning='{"hash_parts": 4}')
    shown = json.loads(EnergycoreSettings().model_dump_json())
    assert shown["partitioning"] == {"hash_parts": 4, "brin": False}
    assert shown["retention"] == {"raw": 30, "quarter_hour": 90, "day": 730, "month": None}
    given(**{name: json.dumps(shown[name]) for name in ("retention", "partitioning")})
    assert EnergycoreSettings().model_dump_json() == json.dumps(shown, separators=(",", ":"))


class Own(EnergycoreSettings):
    """What a project makes of it."""

    model_config = SettingsConfigDict(env_prefix="HOMES_", env_file="own.env")

    title: str = "Homes"


def test_a_project_has_its_own_prefix_file_and_fields(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.env").write_text("HOMES_TENANT=of-file\nHOMES_SEED=7\nPGPASSWORD=x\n")
    given("HOMES_", tenant="of-environment", title="Cottages")
    given("ENERGYCORE_", tenant="unread", default_timezone="unread")
    settings = Own()
    assert (settings.tenant, settings.seed, settings.title) == ("of-environment", 7, "Cottages")


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_misspelt_name_is_told_with_the_own_prefix(given, tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    if where == "file":
        (tmp_path / "own.env").write_text("HOMES_TITEL=x\n")
    else:
        given("HOMES_", titel="x")
    with pytest.raises(InvalidSettings, match=re.escape("HOMES_TITEL: did you mean HOMES_TITLE?")):
        Own()


def test_it_may_be_a_part_of_other_settings(given):
    class Site(BaseSettings):
        energy: EnergycoreSettings

    given(seed="7")
    assert Site(energy=EnergycoreSettings()).energy.seed == 7
    with pytest.raises(InvalidSettings, match="ENERGYCORE_TENANT"):
        Site(energy=EnergycoreSettings(tenant=""))


def test_two_settings_are_two_databases(tmp_path):
    """Nothing is read or kept outside of the objects."""
    urls = [SecretStr(f"sqlite:///{tmp_path / name}.db") for name in ("one", "two")]
    one, two = (EnergycoreSettings(database_url=url) for url in urls)
    with one.connect() as first, two.connect() as second:
        first.register(ec.SolarPanel(name="Roof", rated_power_w=1))
        assert [len(energy.devices().items) for energy in (first, second)] == [1, 0]
