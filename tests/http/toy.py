"""A small schema that every HTTP test asks."""

import threading
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from energycore.errors import NameTaken

SDL = """
type Query {
  greeting(name: String! = "you"): String
  person: Person
  people: [Person!]!
  huge: Anything
  anything(value: Anything): Anything
  pick(one: One!): String
  double(number: Int!): Int
  thread: String
  fault: String
  required: String!
  faults(count: Int! = 3): [Person]!
  refused: String
  stated: String
  shouted: Int
  even(value: Even): Anything
}
type Person { name: String! broken: String }
type Mutation { rename(name: String!): String }
input One @oneOf { first: String second: Int }
scalar Anything
scalar Even
"""


def make_schema() -> GraphQLSchema:
    """Build the schema anew, so that no test sees what another did to it."""
    schema = build_schema(SDL)
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    even = schema.type_map["Even"]
    assert isinstance(even, GraphQLScalarType)
    # The 3.2 line of graphql-core calls the one, the 3.3 line the other.
    for name in ("parse_value", "coerce_input_value"):
        setattr(even, name, _parse_even)
    person = {"name": "Ada"}
    resolvers: dict[str, Callable[..., Any]] = {
        "greeting": lambda _root, info, name: f"Hello {name}, {info.context}",
        "person": lambda *_: person,
        "people": lambda *_: [person] * 3,
        "huge": lambda *_: 2**70,
        "anything": lambda _root, _info, value=None: value,
        "even": lambda _root, _info, value=None: value,
        "pick": lambda _root, _info, one: str(one),
        "double": lambda _root, _info, number: 2 * number,
        "thread": lambda *_: threading.current_thread().name,
        "fault": _fail,
        "required": _fail,
        "faults": lambda _root, _info, count: [person] * count,
        "refused": _refuse,
        "stated": _state,
        "shouted": lambda *_: "not a number: password",
    }
    for name, resolver in resolvers.items():
        schema.query_type.fields[name].resolve = resolver
    person_type = schema.type_map["Person"]
    assert isinstance(person_type, GraphQLObjectType)
    person_type.fields["broken"].resolve = _fail
    schema.mutation_type.fields["rename"].resolve = lambda _root, _info, name: name
    return schema


def _fail(*_arguments: object) -> str:
    raise RuntimeError("the password is swordfish")


def _refuse(_root: object, _info: GraphQLResolveInfo) -> str:
    raise NameTaken("another device of the site is called Roof")


def _state(_root: object, _info: GraphQLResolveInfo) -> str:
    raise GraphQLError("said on purpose", extensions={"code": "ON_PURPOSE", "hint": 1})


def _parse_even(value: object) -> object:
    if value == "defect":
        raise RuntimeError("the password is swordfish")
    if not isinstance(value, int) or value % 2:
        raise ValueError("this is not even")
    return value
