"""GraphQL in a Django project: forged requests, permissions, GraphiQL, and the whole schema."""

import json
import logging

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.test import Client, override_settings
from django.urls import path

import energycore as ec
from energycore.graphql import graphiql
from energycore_django import energy
from energycore_django.permissions import anyone, staff
from energycore_django.routes import graphql_urls, project_urls

ASK = '{"query": "{ devices { nodes { name kind } totalCount } }"}'
REGISTER = json.dumps(
    {
        "query": "mutation { registerDevice(input: {name: \\"Roof\\", spec: {solarPanel:"
        " {ratedPowerW: 5000}}}) { device { name } userErrors { code } } }"
    }
)


class Urls:
    """A URLconf."""

    def __init__(self):
        self.urlpatterns = project_urls()


@pytest.fixture(autouse=True)
def _quiet(project):
    logging.getLogger("django.request").setLevel(logging.ERROR)


@pytest.fixture
def served(project):
    """Settings of energycore in force, with GraphQL at the root of the project."""

    def serve(debug=False, **settings):
        with override_settings(ENERGYCORE=settings, DEBUG=debug):
            return override_settings(ENERGYCORE=settings, DEBUG=debug, ROOT_URLCONF=Urls())

    return serve


def ask(client, body=ASK, **headers):
    return client.post("/graphql", body, content_type="application/json", headers=headers)


def names(response):
    return [node["name"] for node in response.json()["data"]["devices"]["nodes"]]


def user(name="ada", **more):
    return get_user_model().objects.create_user(name, password="secret", **more)


def code_of(response):
    return response.json()["errors"][0]["extensions"]["code"]
