"""Fixtures and settings that every test may use."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support import postgresql, tenant_statements

# No test is timed: a slow machine is not a fault. CI repeats the same examples on each run.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000)
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


tenant_statements.listen()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgresql_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgresql)


@pytest.fixture(autouse=True)
def every_statement_is_held_to_a_tenant() -> Iterator[None]:
    """What the sources send on a tenant's table binds the tenant, whatever is tested."""
    yield
    found = tenant_statements.taken()
    assert not found, "\n".join(map(str, found))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a database on a PostgreSQL server; without a server a skip, in CI a failure."""
    try:
        with postgresql.server() as url:
            yield url
    except postgresql.NoServer as reason:
        if IN_CI:
            raise
        pytest.skip(str(reason))


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    with postgresql.new_database(postgresql_server) as url:
        yield url
