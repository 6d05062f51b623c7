"""Plans answer what graphql-core answers, or leave it to graphql-core."""

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
    parse,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st

from energycore.graphql.plans import NotPlanned, plan_of

NAMED = GraphQLInterfaceType(
    "Named",
    lambda: {"name": GraphQLField(GraphQLNonNull(GraphQLString)), "next": GraphQLField(NAMED)},
    resolve_type=lambda value, _info, _type: value["type"],
)
COLOUR = GraphQLEnumType("Colour", {"RED": "r", "BLUE": "b"})


def read(key, type_):
    return GraphQLField(type_, resolve=lambda value, _info: value.get(key))


def thing(name, **fields):
    return GraphQLObjectType(
        name,
        lambda: {
            "name": read("name", GraphQLNonNull(GraphQLString)),
            "next": read("next", NAMED),
            "same": GraphQLField(GraphQLNonNull(NAMED), resolve=lambda value, _info: value),
            "others": read("others", GraphQLNonNull(GraphQLList(GraphQLNonNull(NAMED)))),
            "colour": read("colour", COLOUR),
            "who": GraphQLField(GraphQLString, resolve=lambda _value, info: info.context),
            "times": GraphQLField(
                GraphQLNonNull(GraphQLInt),
                args={
                    "by": GraphQLArgument(GraphQLNonNull(GraphQLInt), default_value=2),
                    "plus": GraphQLArgument(GraphQLInt),
                },
                resolve=lambda value, _info, by, plus=0: value["number"] * by + (plus or 0),
            ),
            **fields,
        },
        interfaces=[NAMED],
    )


PANEL = thing("Panel", power=read("power", GraphQLFloat))
WALL = thing("Wall", charge=read("charge", GraphQLNonNull(GraphQLFloat)))
SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Query",
        {
            "panel": GraphQLField(PANEL),
            "all": GraphQLField(GraphQLList(NAMED)),
            "unresolved": GraphQLField(PANEL),
        },
    ),
    types=[PANEL, WALL],
)


def panel(**fields):
    return {
        "type": "Panel",
        "name": "roof",
        "number": 3,
        "power": 1.5,
        "colour": "r",
        "others": [],
        **fields,
    }


def wall(**fields):
    return {
        "type": "Wall",
        "name": "wall",
        "number": 5,
        "charge": 0.5,
        "colour": None,
        "others": [panel()],
        **fields,
    }


DATA = {"panel": panel(next=wall()), "all": [panel(others=[wall(), panel()]), None, wall()]}


def with_root(schema, data):
    query = schema.query_type
    for name, value in data.items():
        query.fields[name].resolve = lambda _root, _info, value=value: value
    return schema


with_root(SCHEMA, DATA)


def both(source, variables=None, name=None):
    document = parse(source)
    assert not validate(SCHEMA, document), validate(SCHEMA, document)
    plan = plan_of(SCHEMA, document, name)
    reference = execute(SCHEMA, document, None, "me", variables, name)
    assert reference.errors is None
    assert plan is not None
    return plan.run("me", variables), reference.data


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("{ panel { name power colour who times } }", None),
        ("{ a: panel { b: name } b: panel { name } __typename }", None),
        ("{ all { __typename name ... on Panel { power } ... on Wall { charge } } }", None),
        ("{ all { ... on Named { name next { name } } } }", None),
        (
            (
                "{ all { ...F ...F } }"
                " fragment F on Wall { others { ...G } charge }"
                " fragment G on Named { name ... { __typename } }"
            ),
            None,
        ),
        ("{ panel { next { name } next { ... on Wall { charge } } } }", None),
        ("{ panel { times(by: 7, plus: null) other: times(plus: 1) } }", None),
        ("query($n: Int! = 4, $p: Int) { panel { times(by: $n, plus: $p) } }", {"n": 9}),
        ("query($n: Int! = 4, $p: Int) { panel { times(by: $n, plus: $p) } }", {"p": 1}),
    ],
)
def test_a_plan_gives_the_data_that_graphql_core_gives(source, variables):
    planned, reference = both(source, variables)
    assert planned == reference
    assert list(planned) == list(reference)


def test_the_operation_that_is_named_is_planned():
    source = "query A { panel { name } } query B { panel { power } }"
    assert both(source, name="B")[0] == {"panel": {"power": 1.5}}
    assert plan_of(SCHEMA, parse(source), "C") is None


@st.composite
def selections(draw, type_name, depth=0):
    names = ["name", "colour", "who", "__typename", "times", "thrice: times(by: 3)"]
    own = {"Panel": "power", "Wall": "charge"}
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        choice = draw(st.integers(0, 5 if depth < 4 else 1))
        if choice <= 1 or type_name == "Named":
            if type_name == "Named":
                inside = draw(st.sampled_from(["Panel", "Wall"]))
                nested = draw(selections(inside, depth + 1)) if depth < 5 else "name"
                parts += ["name", f"... on {inside} {{ {nested} }}"]
            else:
                parts.append(draw(st.sampled_from([*names, own[type_name]])))
        elif choice == 2:
            parts.append(f"... on {type_name} {{ {draw(selections(type_name, depth + 1))} }}")
        else:
            field = draw(st.sampled_from(["next", "others", "same"]))
            nested = draw(selections("Named", depth + 1))
            parts.append(f"{field} {{ {nested} }}")
    return " ".join(parts)


@given(selections("Panel"))
def test_any_query_has_the_same_answer_with_and_without_a_plan(inside):
    planned, reference = both(f"{{ panel {{ {inside} }} all {{ ... on Panel {{ {inside} }} }} }}")
    assert planned == reference


@pytest.mark.parametrize(
    "source",
    [
        "mutation { panel { name } }",
        "{ panel @include(if: true) { name } }",
        "{ panel { ...F @skip(if: false) } } fragment F on Panel { name }",
        "{ __schema { queryType { name } } }",
        "{ unresolved { name } }",
    ],
)
def test_what_a_plan_does_not_know_is_left_to_graphql_core(source):
    assert plan_of(SCHEMA, parse(source), None) is None


def test_a_query_that_unfolds_to_too_many_fields_is_not_planned():
    levels = 15
    parts = [
        f"fragment F{n} on Named {{ a: next {{ ...F{n + 1} }} b: next {{ ...F{n + 1} }} }}"
        for n in range(levels)
    ]
    source = " ".join(["{ panel { ...F0 } }", *parts, f"fragment F{levels} on Named {{ name }}"])
    assert plan_of(SCHEMA, parse(source), None) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"name": None},
        {"colour": "green"},
        {"power": "much"},
        {"power": float("nan")},
        {"others": None},
        {"others": [None]},
        {"others": "text"},
        {"next": {"type": "Cellar"}},
    ],
)
def test_an_answer_that_went_wrong_is_left_to_graphql_core(broken):
    source = "{ panel { name power colour others { name } next { name } } }"
    schema = GraphQLSchema(
        GraphQLObjectType(
            "Query",
            {"panel": GraphQLField(PANEL, resolve=lambda _root, _info: panel(**broken))},
        ),
        types=[PANEL, WALL],
    )
    plan = plan_of(schema, parse(source), None)
    assert plan is not None
    with pytest.raises(NotPlanned):
        plan.run("me", None)


def test_variables_that_do_not_fit_are_left_to_graphql_core():
    plan = plan_of(SCHEMA, parse("query($n: Int!) { panel { times(by: $n) } }"), None)
    assert plan is not None
    for variables in ({}, {"n": "x"}, {"n": None}, None):
        with pytest.raises(NotPlanned):
            plan.run("me", variables)
