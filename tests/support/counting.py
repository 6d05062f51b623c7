"""A schema that counts how often its resolvers are called."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

__all__ = ["count_calls"]


def count_calls(schema: GraphQLSchema) -> "Counter[str]":
    """Let the resolvers of a schema be counted, by type and field; returns the counts."""
    calls: Counter[str] = Counter()
    seen: set[int] = set()
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                # Types may share a field.
                if field.resolve is not None and id(field) not in seen:
                    seen.add(id(field))
                    field.resolve = _counted(field.resolve, calls, f"{type_.name}.{name}")
    return calls


def _counted(resolve: Callable[..., Any], calls: "Counter[str]", place: str) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        calls[place] += 1
        return resolve(*given, **named)

    return counted
