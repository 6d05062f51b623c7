"""The debug toolbar shows the statements of energycore like those of the project."""

import json
from types import ModuleType

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import include, path

import energycore as ec
from energycore_django import energy

ASK = json.dumps({"query": "{ energySummary { deviceCount } }"})


@pytest.fixture
def store(project):
    """What the toolbar has noted, of a project that has it."""
    with override_settings(
        DEBUG=True,
        INTERNAL_IPS=["127.0.0.1"],
        INSTALLED_APPS=[*settings.INSTALLED_APPS, "debug_toolbar"],
        MIDDLEWARE=["debug_toolbar.middleware.DebugToolbarMiddleware"],
        DEBUG_TOOLBAR_CONFIG={"IS_RUNNING_TESTS": False},
    ):
        # They cannot be imported where the toolbar is not installed.
        from debug_toolbar.store import get_store
        from debug_toolbar.toolbar import debug_toolbar_urls

        own = [path("energy/", include("energycore_django.urls"))]
        urls = ModuleType("urls")
        vars(urls)["urlpatterns"] = own + debug_toolbar_urls()
        with override_settings(ROOT_URLCONF=urls):
            yield get_store()


def test_the_toolbar_shows_the_statements_of_a_request(store):
    energy().register(ec.SolarPanel(name="Roof", rated_power_w=5_000))
    answer = Client().post("/energy/graphql", ASK, content_type="application/json")
    assert answer.json() == {"data": {"energySummary": {"deviceCount": 1}}}
    newest, *_ = store.request_ids()
    shown = store.panel(newest, "SQLPanel")["queries"]
    (statement,) = [query for query in shown if "energycore_device" in query["sql"]]
    assert "default" in str(statement["params"])
