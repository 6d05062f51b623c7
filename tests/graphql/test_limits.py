"""Limits are numbers that can be set, a request beyond one is told which, and time is one."""

import json
from typing import Any

import attrs
import pytest
from graphql import GraphQLObjectType, build_schema

from energycore.errors import InvalidValue, TimedOut
from energycore.graphql import GraphQLEngine, HttpRequest, Limits
from energycore.graphql.deadlines import NO_DEADLINE, Deadline
from energycore.graphql.documents import Document, DocumentRules, Refusal

SCHEMA = build_schema("""
type Query { a: Query b: Query c: Int list: [Query] take(values: [Int], one: In): Int }
input In { values: [Int] }
""")
OFF = {name: None for name in attrs.asdict(Limits()) if attrs.fields_dict(Limits)[name].metadata}


def check(query, **limits):
    found = DocumentRules(schema=SCHEMA, limits=Limits(**{**OFF, **limits})).check(query)
    if isinstance(found, Document):
        return None
    (error,) = found.errors
    assert found.code == "LIMIT_EXCEEDED"
    assert error.extensions is not None
    assert str(error.extensions["maximum"]) in error.message
    return error.extensions["limit"]


@pytest.mark.parametrize(
    ("limit", "value", "within", "beyond"),
    [
        ("max_depth", 3, "{ a { b { c } } }", "{ a { b { a { c } } } }"),
        (
            "max_depth",
            2,
            "{ a { ... { ... on Query { c } } } }",
            "{ a { ...F } } fragment F on Query { a { c } }",
        ),
        ("max_list_depth", 1, "{ list { a { c } } }", "{ list { a { list { c } } } }"),
        (
            "max_list_depth",
            1,
            "{ a: list { c } b: list { c } }",
            "{ list { ...F } } fragment F on Query { list { c } }",
        ),
        ("max_root_fields", 2, "{ a { c c: c } c }", "{ a { c } b { c } c }"),
        (
            "max_root_fields",
            2,
            "{ ...F } fragment F on Query { a { c } c }",
            "{ ...F b { c } } fragment F on Query { a { c } c }",
        ),
        ("max_fields", 3, "{ a { b { c } } }", "{ a { b { c } } c }"),
        (
            "max_fields",
            3,
            "{ a { ...F } } fragment F on Query { c x: c }",
            "{ a { ...F } ...F } fragment F on Query { c x: c }",
        ),
        ("max_aliases", 1, "{ x: c c }", "{ x: c y: c }"),
        (
            "max_aliases",
            1,
            "{ ...F } fragment F on Query { x: c }",
            "{ ...F a { ...F } } fragment F on Query { x: c }",
        ),
        ("max_repeats", 1, "{ c c }", "{ c c c }"),
        ("max_repeats", 1, "{ ...F c } fragment F on Query { c }", "{ a { c } a { c } }"),
        (
            "max_fragments",
            1,
            "{ ...F } fragment F on Query { c }",
            "{ ...F ...G } fragment F on Query { c } fragment G on Query { c }",
        ),
        (
            "max_directives",
            1,
            "{ c @skip(if: true) }",
            "{ c @skip(if: true) a @skip(if: true) { c } }",
        ),
        (
            "max_directives",
            1,
            "{ ...F } fragment F on Query { c @skip(if: true) }",
            "{ ...F a { ...F } } fragment F on Query { c @skip(if: true) }",
        ),
        ("max_cost", 40, "{ c }", "{ a { c } }"),
        ("max_cost", 500, "{ list { c } }", "{ list { a { a { a { c } } } } }"),
        (
            "max_cost",
            60,
            "{ take(values: [1, 2, 3]) }",
            "{ take(one: {values: [" + "1 " * 20 + "]}) }",
        ),
        ("max_characters", 5, "{ c }", "{ c  }"),
    ],
)
def test_a_document_at_a_limit_is_served_and_one_beyond_is_not(limit, value, within, beyond):
    assert check(within, **{limit: value}) is None
    assert check(beyond, **{limit: value}) == limit


def test_a_cost_is_that_of_the_values_of_the_request():
    query = "query ($v: [Int] = [1]) { take(values: $v) }"
    document = DocumentRules(schema=SCHEMA).check(query)
    assert isinstance(document, Document)
    values: list[object] = [None, 1, [], [1, 2, [3, {"x": 4}]]]
    costs = [document.cost(None, {"v": value}) for value in values]
    assert [document.cost(None, None), *costs] == [39, 31, 31, 35, 59]


def test_each_operation_of_a_document_has_its_own_cost():
    document = DocumentRules(schema=SCHEMA).check("query A { c } query B { a { c } }")
    assert isinstance(document, Document)
    assert [document.cost(name, {}) for name in "AB"] == [31, 62]


@pytest.mark.parametrize("count", [20, 25])
def test_of_many_errors_of_validation_ten_are_told(count):
    found = DocumentRules(schema=SCHEMA).check("{" + " ".join(f"x{n}" for n in range(count)) + "}")
    assert isinstance(found, Refusal)
    # Too many root fields come first.
    assert found.code == "LIMIT_EXCEEDED"
    nested = "{ a {" + " ".join(f"x{n}" for n in range(count)) + "} }"
    found = DocumentRules(schema=SCHEMA).check(nested)
    assert isinstance(found, Refusal)
    assert found.code == "GRAPHQL_VALIDATION_FAILED"
    assert len(found.errors) == 10
    assert "Too many validation errors" in found.errors[-1].message


@pytest.mark.parametrize("name", [name for name in attrs.asdict(Limits()) if name not in OFF])
def test_what_keeps_the_others_cheap_cannot_be_switched_off(name):
    off: dict[str, Any] = {name: None}
    with pytest.raises(InvalidValue, match=name):
        attrs.evolve(Limits(), **off)


@pytest.mark.parametrize("name", attrs.asdict(Limits()))
@pytest.mark.parametrize("value", [0, -1, True, "10", float("nan")])
def test_a_limit_that_is_no_number_is_refused(name, value):
    with pytest.raises(InvalidValue, match=name):
        Limits(**{name: value})


def test_limits_that_are_off_are_told():
    assert Limits().switched_off == ()
    assert Limits(max_cost=None, timeout_s=None).switched_off == ("max_cost", "timeout_s")


def test_errors_beyond_the_limit_are_counted():
    schema = build_schema("type Query { list: [Item] } type Item { bad: Int }")
    assert schema.query_type is not None
    schema.query_type.fields["list"].resolve = lambda *_: [{}] * 30
    item = schema.type_map["Item"]
    assert isinstance(item, GraphQLObjectType)
    item.fields["bad"].resolve = lambda *_: 1 / 0
    engine = GraphQLEngine(schema, limits=Limits(max_errors=7))
    request = HttpRequest(
        method="POST",
        headers={"content-type": "application/json"},
        body=b'{"query": "{ list { bad } }"}',
    )
    content = json.loads(engine.respond(request, None).body)
    assert len(content["errors"]) == 7
    assert content["extensions"] == {"omittedErrors": 23}


def test_a_deadline_lets_steps_begin_until_it_comes():
    now = [0.0]
    deadline = Deadline.after(2.5, lambda: now[0])
    deadline.check()
    now[0] = 2.4
    deadline.check()
    now[0] = 2.5
    with pytest.raises(TimedOut, match=r"longer than 2\.5 s"):
        deadline.check()
    NO_DEADLINE.check()
    assert Deadline.after(None) is NO_DEADLINE
