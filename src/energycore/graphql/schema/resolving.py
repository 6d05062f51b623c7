"""Resolvers that only read an attribute, as cheap as a call can be."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import GraphQLField, GraphQLNonNull, GraphQLOutputType

__all__ = ["Resolver", "field", "read", "required"]

Resolver = Callable[..., Any]


def read(path: str) -> Resolver:
    """A resolver that reads an attribute of its source, or of one of its attributes."""
    get = attrgetter(path)

    def resolve(source: Any, _info: object) -> Any:
        return get(source)

    return resolve


def field(type_: GraphQLOutputType, path: str, description: str | None = None) -> GraphQLField:
    """A field that is an attribute and may be null."""
    return GraphQLField(type_, resolve=read(path), description=description)


def required(type_: Any, path: str, description: str | None = None) -> GraphQLField:
    """A field that is an attribute and never null."""
    return GraphQLField(GraphQLNonNull(type_), resolve=read(path), description=description)
