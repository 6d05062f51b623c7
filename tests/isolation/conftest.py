"""Storages of every kind, each new: alone with one tenant, or shared by two."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

import pytest

from energycore.graphql import GraphQLEngine, build_engine
from energycore.graphql.documents import DocumentCache
from energycore.protocols.storage import Storage
from energycore.wiring.connect import open_storage
from tests.isolation.outcomes import Outcome, outcome_of
from tests.support import postgresql

Opens = Callable[[], AbstractContextManager[Storage]]
BACKENDS = ("memory", "sqlite", "postgresql", "django-sqlite", "django-postgresql")


@contextmanager
def _opened(url: str) -> Iterator[Storage]:
    storage = open_storage(url)
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def _of_django(alias: str, settings: dict[str, Any]) -> Iterator[Storage]:
    from django.core.management import call_command

    from energycore_django.storage import DjangoStorage
    from tests.django.conftest import database

    with database(alias, **settings):
        call_command("migrate", "energycore", database=alias, verbosity=0)
        yield DjangoStorage(alias)


@pytest.fixture(scope="session", params=BACKENDS)
def opens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opens:
    """Opens a new storage of each kind in turn."""
    folder, numbers = tmp_path_factory.mktemp("isolation"), count()
    server = ""
    if "postgresql" in request.param:
        server = request.getfixturevalue("postgresql_server")

    @contextmanager
    def opened() -> Iterator[Storage]:
        path = folder / f"{next(numbers)}.db"
        if request.param == "memory":
            with _opened("memory://") as storage:
                yield storage
        elif request.param == "sqlite":
            with _opened(f"sqlite:///{path}") as storage:
                yield storage
        elif request.param == "django-sqlite":
            with _of_django("default", {"NAME": str(path)}) as storage:
                yield storage
        else:
            with postgresql.new_database(server) as url:
                if request.param == "postgresql":
                    with _opened(url) as storage:
                        yield storage
                else:
                    from tests.django.conftest import of_url

                    with _of_django("postgresql", of_url(url)) as storage:
                        yield storage

    return opened


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    # Which keeps all documents of the matrix.
    documents = DocumentCache(max_documents=2_000, max_characters=4_000_000)
    return build_engine(documents=documents)


@pytest.fixture(scope="session")
def outcome(opens: Opens, engine: GraphQLEngine) -> Outcome:
    """What was answered to everybody, in storages of this kind."""
    return outcome_of(engine, opens)
