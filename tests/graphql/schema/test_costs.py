"""What a query is said to cost is never less than what it does."""

import random

import attrs
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_introspection_query

from energycore.graphql import GraphQLEngine, Limits, build_schema, measuring
from energycore.graphql.costs import COST
from energycore.graphql.documents import Document, DocumentRules
from tests.support.counting import count_calls
from tests.support.random_queries import make_query

WIDE = Limits(
    max_characters=1_000_000,
    max_tokens=100_000,
    max_fields=100_000,
    max_depth=None,
    max_list_depth=None,
    max_root_fields=None,
    max_aliases=None,
    max_repeats=None,
    max_fragments=None,
    max_cost=None,
    max_statements=None,
    timeout_s=None,
)


@pytest.fixture
def storage():
    """Memory: this is about resolvers."""
    from energycore.wiring.connect import open_storage

    return open_storage("memory://")


def bare_schema():
    """The schema, whose fields cost nothing beside the one that each call costs."""
    schema = build_schema()
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                if COST in field.extensions:
                    bare = attrs.evolve(field.extensions[COST], call=0, each=0)
                    field.extensions = {**field.extensions, COST: bare}
    return schema


@pytest.fixture
def fleet(client, clock):
    sites = [
        client.site(name=f"s{n}", timeZone=zone)["id"]
        for n, zone in enumerate(("Europe/Berlin", "Asia/Kathmandu", "UTC"))
    ]
    kinds = ("battery", "solarPanel", "electricVehicle", "appliance")
    devices = [
        client.register(f"d{n}", kinds[n % 4], siteId=sites[n % 3], tags=[f"t{n % 5}"])["id"]
        for n in range(24)
    ]
    for _ in range(9):
        client.services.ticking.tick(client.scope)
        clock.move(minutes=1)
    return [*sites, *devices, "nothing"]


@pytest.mark.slow
def test_of_2000_queries_none_calls_more_resolvers_than_it_is_said_to(client, fleet, monkeypatch):
    for beside in ("FIELD_OF_DOCUMENT", "VALUE_OF_ARGUMENT"):
        monkeypatch.setattr(measuring, beside, 0)
    schema = bare_schema()
    engine = GraphQLEngine(schema, limits=WIDE)
    client.engine = engine
    calls = count_calls(schema)
    dice = random.Random(7)
    busiest, tight, answered = 0, 0, 0
    for _ in range(2_000):
        query = make_query(dice, schema, fleet)
        document = engine.documents.load(engine._rules, query.text)
        assert isinstance(document, Document), (document, query.text)
        estimate = document.cost("Q", query.variables)
        calls.clear()
        response = client.respond(query.text, **query.variables)
        answered += response["data"] is not None
        assert calls.total() <= estimate, (query, calls)
        busiest = max(busiest, calls.total())
        tight += calls.total() >= estimate / 2
    # Or else the law would hold of nothing.
    assert answered > 1_500
    assert busiest > 1_000
    assert tight > 200


def test_introspection_costs_what_it_does(client):
    """Its resolvers are not ours to count; the values of the answer are."""
    schema = build_schema()
    document = DocumentRules(schema=schema, limits=WIDE).check(get_introspection_query())
    assert isinstance(document, Document)
    data = client.ask(get_introspection_query())
    assert values(data) <= document.cost(None, None) <= 6 * values(data)


def values(content):
    if isinstance(content, dict):
        return sum(1 + values(inside) for inside in content.values())
    return sum(map(values, content)) if isinstance(content, list) else 0
