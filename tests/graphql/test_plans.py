"""Plans answer what graphql-core answers, or leave it to graphql-core."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock, patch

import pytest
from graphql import (
    ExecutionResult,
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

from energycore.graphql.plans import FieldBudget, NotPlanned, plan_of

NAMED: GraphQLInterfaceType = GraphQLInterfaceType(
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
    assert isinstance(reference, ExecutionResult)
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


def unfolding(levels):
    """A query in which the fields of each level are twice as many as those of the one before."""
    parts = [
        f"fragment F{n} on Panel {{ a: same {{ ...F{n + 1} }} b: same {{ ...F{n + 1} }} }}"
        for n in range(levels)
    ]
    end = f"fragment F{levels} on Panel {{ name }}"
    return parse(" ".join(["{ panel { ...F0 } }", *parts, end]))


def test_a_query_that_unfolds_to_too_many_fields_is_left_to_graphql_core_for_good():
    resolve = Mock(side_effect=lambda _root, _info: panel())
    query = SCHEMA.query_type
    assert query is not None
    with patch.object(query.fields["panel"], "resolve", resolve):
        plan = plan_of(SCHEMA, unfolding(15), None)
        assert plan is not None
        for _ in range(3):
            with pytest.raises(NotPlanned):
                plan.run("me", None)
    assert resolve.call_count == 1, "a plan that came to its end is not begun again"
    many = " ".join(f"a{n}: panel {{ name }}" for n in range(101))
    assert plan_of(SCHEMA, parse(f"{{ {many} }}"), None) is None


def test_what_is_asked_of_types_that_do_not_come_along_costs_no_field():
    source = "{ all { ... on Panel { name power } ... on Wall { name charge colour who } } }"
    query = SCHEMA.query_type
    assert query is not None
    answers = [[panel()], [panel(), panel()], [panel(), wall()]]
    with patch.object(query.fields["all"], "resolve", lambda _root, _info: answers.pop(0)):
        plan = plan_of(SCHEMA, parse(source), None, FieldBudget(6))
        assert plan is not None
        assert plan.run("me", None) == {"all": [{"name": "roof", "power": 1.5}]}
        assert len(plan.run("me", None)["all"]) == 2
        with pytest.raises(NotPlanned):
            plan.run("me", None)


def test_all_operations_of_a_document_share_one_budget():
    source = "query A { panel { name } } query B { panel { name } }"
    budget = FieldBudget(3)
    assert plan_of(SCHEMA, parse(source), "A", budget) is not None
    assert plan_of(SCHEMA, parse(source), "B", budget) is None


class Meeting:
    """A lock that two threads must both have come to before one of them gets it."""

    def __init__(self):
        self.barrier = threading.Barrier(2, timeout=30)
        self.lock = threading.RLock()
        self.met = threading.local()

    def __enter__(self):
        if not hasattr(self.met, "here"):
            self.met.here = True
            self.barrier.wait()
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()


def test_two_threads_that_meet_a_type_first_plan_it_once():
    """Each would spend the budget otherwise, and run out of it."""
    budget = FieldBudget(5)
    source = "{ all { ... on Panel { name power } ... on Wall { name charge } } }"
    plan = plan_of(SCHEMA, parse(source), None, budget)
    assert plan is not None
    budget.lock = Meeting()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: plan.run("me", None), range(2))
    assert first == second
    assert len(first["all"]) == 3


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
