"""Questions made from the schema: every field of every type, by every way that leads there."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_input_object_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
)

from tests.isolation.matrix import REQUIRED

__all__ = ["Document", "arguments", "coordinates", "documents", "selection", "values_of"]


@attrs.frozen
class Document:
    """A question: which root field it calls, and which type it is about."""

    call: str
    target: str
    text: str

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.call} to {self.target}"


Step = tuple[GraphQLObjectType, str, GraphQLObjectType]
"""From an object, by a field, to an object."""


def coordinates(schema: GraphQLSchema) -> set[str]:
    """Every field of every object type."""
    return {f"{type_.name}.{name}" for type_ in _objects(schema) for name in type_.fields}


def arguments(schema: GraphQLSchema) -> set[str]:
    """Every argument of every field, and every field of every input."""
    found = {
        f"{type_.name}.{name}({argument}:)"
        for type_ in _objects(schema)
        for name, field in type_.fields.items()
        for argument in field.args
    }
    inputs = (type_ for type_ in schema.type_map.values() if is_input_object_type(type_))
    return found | {f"{type_.name}.{name}" for type_ in inputs for name in type_.fields}


def documents(
    schema: GraphQLSchema, calls: Mapping[str, str], root: str, *, deep: bool = True
) -> Iterator[Document]:
    """A question for each call of a root field and, if `deep`, each type that it leads to."""
    type_ = schema.get_type(root)
    assert isinstance(type_, GraphQLObjectType)
    for name, call in calls.items():
        field = type_.fields[name.split(".")[1].split(" ")[0]]
        words = set(re.findall(r"\$(\w+)", call))
        used = [f"${word}: {kind}" for word, kind in _VARIABLES.items() if word in words]
        head = f"{root.lower()} ({', '.join(used)})" if used else root.lower()
        ways = _ways(schema, field) if deep else [("itself", ())]
        for target, path in ways:
            inner = selection(schema, field.type, path)
            yield Document(name, target, f"{head} {{ __typename {call} {inner} }}")


_VARIABLES: Final = {
    **dict.fromkeys(("site", "panel", "battery", "vehicle", "appliance"), "ID!"),
    **dict.fromkeys(("tag", "name", "siteName"), "String!"),
}


def _ways(schema: GraphQLSchema, field: GraphQLField) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The shortest way from what a field gives to each type that it leads to."""
    seen: dict[str, tuple[Step, ...]] = {}
    left: deque[tuple[GraphQLObjectType, tuple[Step, ...]]] = deque(
        (type_, ()) for type_ in _possible(schema, field.type)
    )
    while left:
        type_, path = left.popleft()
        if type_.name in seen:
            continue
        seen[type_.name] = path
        for name, inner in type_.fields.items():
            left.extend(
                (target, (*path, (type_, name, target))) for target in _possible(schema, inner.type)
            )
    yield from seen.items()


def selection(schema: GraphQLSchema, of: Any, path: tuple[Step, ...] = ()) -> str:
    """What is selected of a type: along a way, and all fields at its end."""
    named = get_named_type(of)
    if is_leaf_type(named):
        return ""
    if not path:
        return _at(schema, named, lambda type_: _everything(schema, type_))
    (source, name, _), *rest = path

    def along(type_: GraphQLObjectType) -> str:
        # Each kind of object that has the field goes that way.
        field, asked = type_.fields.get(name), source.fields[name]
        if field is None or field.type != asked.type:
            return ""
        return f"{name}{_given(field)} {selection(schema, field.type, tuple(rest))}"

    return _at(schema, named, along)


def _at(schema: GraphQLSchema, named: GraphQLNamedType, fields: Any) -> str:
    if not is_abstract_type(named):
        return f"{{ __typename {fields(named)} }}"
    parts = ((type_.name, fields(type_)) for type_ in _possible(schema, named))
    return "{ __typename " + " ".join(f"... on {name} {{ {p} }}" for name, p in parts if p) + " }"


def _everything(schema: GraphQLSchema, type_: GraphQLObjectType, deeper: bool = True) -> str:
    parts = []
    for name, field in type_.fields.items():
        named = get_named_type(field.type)
        if is_leaf_type(named):
            parts.append(f"{name}{_given(field)}")
        elif deeper:
            inner = _at(schema, named, lambda one: _everything(schema, one, deeper=False))
            parts.append(f"{name}{_given(field)} {inner}")
    return " ".join(parts)


def _given(field: GraphQLField) -> str:
    """The arguments that a field cannot do without, and short pages."""
    names = [name for name, one in field.args.items() if is_required_argument(one)]
    missing = [name for name in names if name not in REQUIRED]
    assert not missing, f"say in REQUIRED of the matrix what is given for {missing}"
    given = [f"{name}: {REQUIRED[name]}" for name in names]
    given += ["first: 5"] if "first" in field.args else []
    return f"({', '.join(given)})" if given else ""


def _objects(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    for type_ in schema.type_map.values():
        if is_object_type(type_) and not type_.name.startswith("__"):
            yield type_


def _possible(schema: GraphQLSchema, of: Any) -> list[GraphQLObjectType]:
    named = get_named_type(of)
    if is_abstract_type(named):
        return sorted(schema.get_possible_types(named), key=lambda type_: type_.name)
    return [named] if is_object_type(named) else []


def values_of(answer: Any, found: dict[str, set[Any]] | None = None) -> dict[str, set[Any]]:
    """What stands at each coordinate of an answer; every object in it tells its type."""
    found = {} if found is None else found
    if isinstance(answer, list):
        for item in answer:
            values_of(item, found)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if name == "__typename":
                continue
            own = found.setdefault(f"{answer['__typename']}.{name}", set())
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    own.add("an object")
                    values_of(one, found)
                elif one is not None:
                    own.add(one)
    return found
