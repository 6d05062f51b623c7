"""Storages of every kind, each new: alone with one tenant, or shared by two."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from energycore.graphql import GraphQLEngine, Limits, build_engine
from energycore.graphql.documents import DocumentCache
from energycore.protocols.storage import Storage
from energycore.wiring.connect import open_storage
from tests.isolation.outcomes import Outcome, outcome_of
from tests.support import postgresql

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


@attrs.define
class Opens:
    """Opens a new storage of a kind, each time it is called."""

    kind: str
    folder: Path
    server: str
    _count: int = 0

    @contextmanager
    def __call__(self) -> Iterator[Storage]:
        self._count += 1
        path = self.folder / f"{self._count}.db"
        if self.kind == "memory":
            opened: AbstractContextManager[Storage] = _opened("memory://")
        elif self.kind == "sqlite":
            opened = _opened(f"sqlite:///{path}")
        elif self.kind == "django-sqlite":
            opened = _of_django("default", {"NAME": str(path)})
        else:
            opened = self._on_postgresql()
        with opened as storage:
            yield storage

    @contextmanager
    def _on_postgresql(self) -> Iterator[Storage]:
        from tests.django.conftest import of_url

        with postgresql.new_database(self.server) as url:
            is_django = self.kind == "django-postgresql"
            with _of_django("postgresql", of_url(url)) if is_django else _opened(url) as storage:
                yield storage


@pytest.fixture(scope="session", params=BACKENDS)
def opens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opens:
    """Opens a new storage of each kind in turn."""
    server = ""
    if "postgresql" in request.param:
        server = request.getfixturevalue("postgresql_server")
    return Opens(request.param, tmp_path_factory.mktemp("isolation"), server)


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    # Which keeps all documents of the matrix.
    documents = DocumentCache(max_documents=2_000, max_characters=4_000_000)
    # These ask for more in one request than clients may.
    wide = Limits(
        max_cost=None, max_statements=None, max_repeats=None, max_fields=5_000, max_tokens=50_000
    )
    return build_engine(documents=documents, limits=wide)


@pytest.fixture(scope="session")
def outcome(opens: Opens, engine: GraphQLEngine) -> Outcome:
    """What was answered to everybody, in storages of this kind."""
    return outcome_of(engine, opens, every_way=opens.kind in ("memory", "sqlite"))
