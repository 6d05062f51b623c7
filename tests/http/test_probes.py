"""Every adapter refuses what is made to hurt, before anything is resolved."""

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from energycore.graphql import GraphQLEngine, build_schema
from tests.http.frameworks import Serve
from tests.support.counting import count_calls
from tests.support.probes import PROBES, Probe


@pytest.fixture(scope="module")
def served(serve: Serve) -> Iterator[tuple[httpx.Client, "Counter[str]"]]:
    """A server of the whole schema, and how often its resolvers were called."""
    schema = build_schema()
    calls = count_calls(schema)
    with serve(GraphQLEngine(schema)) as url, httpx.Client(base_url=url) as client:
        yield client, calls


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_probe_is_refused_and_no_resolver_is_called(served, probe: Probe):
    client, calls = served
    accept = "application/graphql-response+json"
    headers = {"content-type": probe.media_type, "accept": accept}
    response = client.post("/graphql", content=probe.body, headers=headers)
    extensions = response.json()["errors"][0]["extensions"]
    assert extensions["code"] == probe.code
    assert extensions.get("limit") == probe.limit
    assert response.status_code == (probe.status or 400)
    assert not calls


def test_a_change_is_not_made_by_get(served):
    client, calls = served
    query = 'mutation { deactivateDevice(input: {id: "x"}) { userErrors { code } } }'
    response = client.get("/graphql", params={"query": query})
    assert response.status_code == 405
    assert not calls


def test_the_resolvers_are_counted_at_all(served):
    client, calls = served
    content = client.post("/graphql", json={"query": "{ energySummary { netPowerW } }"}).json()
    assert content["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR", "it has no services"
    assert calls.pop("Query.energySummary")
    assert not calls
