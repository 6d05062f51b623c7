"""The frameworks that the HTTP suite runs against."""

from collections.abc import Iterator

import httpx
import pytest

from energycore.graphql.http import GraphQLEngine
from energycore.graphql.limits import Limits
from tests.http.frameworks import FRAMEWORKS, Serve
from tests.http.toy import make_schema


@pytest.fixture(scope="session", params=FRAMEWORKS)
def serve(request: pytest.FixtureRequest) -> Serve:
    """Serve an engine by one of the frameworks."""
    return FRAMEWORKS[request.param]


@pytest.fixture(scope="session")
def url(serve: Serve) -> Iterator[str]:
    """The URL of a server of the toy schema."""
    with serve(GraphQLEngine(make_schema(), limits=Limits(max_body_bytes=20_000))) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=url) as client:
        yield client
