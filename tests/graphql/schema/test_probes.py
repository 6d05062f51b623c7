"""What is made to hurt is refused before anything is resolved."""

import json
from collections import Counter

import pytest

from energycore.graphql import GraphQLContext, GraphQLEngine, HttpRequest, build_schema
from tests.support.counting import count_calls
from tests.support.probes import PROBES, Probe


@pytest.fixture(scope="module")
def counted() -> tuple[GraphQLEngine, "Counter[str]"]:
    """An engine with its default limits, and how often its resolvers were called."""
    schema = build_schema()
    return GraphQLEngine(schema), count_calls(schema)


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_probe_is_refused_by_its_code_and_no_resolver_is_called(counted, client, probe: Probe):
    engine, calls = counted
    calls.clear()
    request = HttpRequest(
        method="POST",
        headers={"content-type": probe.media_type, "accept": "application/graphql-response+json"},
        body=probe.body,
    )
    context = GraphQLContext(services=client.services, scope=client.scope)
    response = engine.respond(request, context)
    content = json.loads(response.body)
    extensions = content["errors"][0]["extensions"]
    assert extensions["code"] == probe.code
    assert extensions.get("limit") == probe.limit
    assert response.status == (probe.status or 400)
    assert "data" not in content
    assert len(content["errors"]) <= 20
    assert len(response.body) < 10_000
    assert not calls


def test_the_resolvers_are_counted_at_all(counted, client):
    engine, calls = counted
    calls.clear()
    client.engine = engine
    client.ask("{ energySummary { netPowerW } }")
    assert calls == {"Query.energySummary": 1, "EnergySummary.netPowerW": 1}


@pytest.mark.parametrize(
    "text",
    [
        b'["devices:name:asc","\\u0000",1]',
        b'["devices:name:asc","\\ud800",1]',
        b'["devices:name:asc",' + b"9" * 5_000 + b",1]",
        b'["devices:name:asc",1e400,1]',
    ],
)
def test_a_forged_cursor_holds_nothing_that_a_database_chokes_on(client, text):
    from base64 import urlsafe_b64encode

    cursor = urlsafe_b64encode(text).decode().rstrip("=")
    query = (
        "query ($after: String) { devices(orderBy: {field: NAME}, after: $after) { nodes { id } } }"
    )
    assert client.refused(query, after=cursor) == "INVALID_CURSOR"
