"""The GraphQL interface of energycore: schema, documents and the HTTP engine without I/O."""

from energycore.graphql.http import GraphQLEngine, HttpRequest, HttpResponse
from energycore.graphql.limits import Limits
from energycore.graphql.schema import GraphQLContext, build_engine, build_schema, sdl
from energycore.graphql.trusted import TrustedDocuments

__all__ = [
    "GraphQLContext",
    "GraphQLEngine",
    "HttpRequest",
    "HttpResponse",
    "Limits",
    "TrustedDocuments",
    "build_engine",
    "build_schema",
    "sdl",
]
