"""No secret gets out of any adapter: neither into an answer nor into the log."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema
from sqlalchemy import create_engine, text

import energycore as ec
from energycore.graphql import GraphQLEngine
from energycore.wiring.connect import open_storage
from tests.http.frameworks import Serve

CANARY = "kanarie-7f3a"
NAMES = ("dsn", "sql", "values", "text", "path", "chain", "leaf")
SDL = f"type Query {{ {' '.join(f'{name}: Int' for name in NAMES)} again: Int! }}"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Ways to fail with a secret in hand, by name."""
    folder = tmp_path_factory.mktemp(CANARY)

    def dsn() -> object:
        return ec.connect(f"postgresql+psycopg://{CANARY}:{CANARY}@127.0.0.1:1/{CANARY}")

    def sql() -> object:
        path = folder / "energy.db"
        with ec.connect(f"sqlite:///{path}"):
            pass
        broken = create_engine(f"sqlite:///{path}")
        with broken.begin() as connection:
            connection.execute(text("DROP TABLE energycore_device_tag"))
            connection.execute(text("DROP TABLE energycore_device"))
        broken.dispose()
        storage = open_storage(f"sqlite:///{path}")
        try:
            with storage.transaction(write=False) as work:
                return work.devices.count(
                    ec.Scope("acme"), ec.DeviceFilter(name_contains=CANARY, tags=(CANARY,))
                )
        finally:
            storage.close()

    def values() -> object:
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            return connection.execute(text("SELECT nothing FROM x WHERE y = :y"), {"y": CANARY})

    def fail() -> object:
        raise RuntimeError(f"the password is {CANARY}")

    def path() -> object:
        return Path(folder / "nothing").read_bytes()

    def chain() -> object:
        try:
            fail()
        except RuntimeError as error:
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ec.StorageUnavailable(f"{CANARY}:5432 is gone") from error
        return None

    ways: dict[str, Callable[[], object]] = {
        "dsn": dsn,
        "sql": sql,
        "values": values,
        "text": fail,
        "path": path,
        "chain": chain,
        "leaf": lambda: CANARY,
        "again": fail,
    }
    return ways.__getitem__


def failing(way: Callable[[], object]) -> Callable[..., object]:
    return lambda *_: way()


@pytest.fixture(scope="module")
def served(serve: Serve, secrets: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """A server whose fields fail."""
    schema = build_schema(SDL)
    assert schema.query_type is not None
    for name, field in schema.query_type.fields.items():
        field.resolve = failing(secrets(name))
    with serve(GraphQLEngine(schema)) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize("name", [*NAMES, "again"])
@pytest.mark.parametrize("directive", ["", "@include(if: true)"], ids=["plan", "core"])
def test_no_secret_is_in_an_answer_or_in_the_log(served, caplog, capfd, name, directive):
    query = f"{{ {name} {directive} }}"
    response = served.post("/graphql", json={"query": query})
    (error,) = response.json()["errors"]
    error_id = error["extensions"]["errorId"]
    assert error["extensions"]["code"] in ("INTERNAL_ERROR", "STORAGE_UNAVAILABLE")
    printed = capfd.readouterr()
    seen = "\n".join(
        [response.text, str(response.headers), caplog.text, printed.out, printed.err]
        + [f"{vars(record)}" for record in caplog.records]
    )
    assert CANARY not in seen
    assert "SELECT" not in seen
    faults = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert any(error_id in record.getMessage() for record in faults)
