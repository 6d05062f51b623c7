"""What the project relies on; `pytest` runs it, each test with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.main import create
from app.settings import Settings
from app.sign_up import sign_up

DEVICES = {"query": "{ devices { nodes { name } } }"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A database in a folder of the test's own, in which nothing ticks."""
    url = SecretStr(f"sqlite:///{tmp_path / 'homes.db'}")
    return Settings(database_url=url, ticks=False)


@pytest.fixture
def ada(settings: Settings) -> dict[str, str]:
    """The headers of a customer."""
    return {"Authorization": f"Bearer {sign_up(settings, 'ada')}"}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Somebody who asks, without a token yet."""
    with TestClient(create(settings)) as client:
        yield client


def test_a_customer_sees_the_home(ada: dict[str, str], client: TestClient) -> None:
    """By an endpoint of the project and over GraphQL, with the same token."""
    assert client.get("/now", headers=ada).json()["device_count"] == 3
    answer = client.post("/energy/graphql", json=DEVICES, headers=ada).json()
    names = [node["name"] for node in answer["data"]["devices"]["nodes"]]
    assert names == ["Roof", "Fridge", "Wall"]


def test_nobody_sees_the_home_of_another(
    ada: dict[str, str], settings: Settings, client: TestClient
) -> None:
    """What is somebody else's looks like what does not exist."""
    bob = {"Authorization": f"Bearer {sign_up(settings, 'bob')}"}
    shed = {"name": "Shed", "rated_power_w": 800}
    added = client.post("/roofs", json=shed, headers=ada)
    path = f"/devices/{added.json()['device_id']}/hours"
    assert client.get(path, headers=ada).status_code == 200
    assert client.get(path, headers=bob).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer guessed", "Basic YWRhOng="])
def test_nobody_sees_anything_without_a_token(
    ada: dict[str, str], client: TestClient, given: str
) -> None:
    """Neither here nor there."""
    headers = {"Authorization": given}
    assert client.get("/now", headers=headers).status_code == 401
    assert client.post("/energy/graphql", json=DEVICES, headers=headers).status_code == 401


def test_what_makes_no_sense_is_refused(ada: dict[str, str], client: TestClient) -> None:
    """With a status and a code, by energycore."""
    refused = client.post("/roofs", json={"name": "Shed", "rated_power_w": -1}, headers=ada)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_VALUE")
