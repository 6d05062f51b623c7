"""The GraphQL schema of energycore and its resolvers, over the services."""

from energycore.graphql.schema.build import build_engine, build_schema, sdl
from energycore.graphql.schema.context import GraphQLContext

__all__ = ["GraphQLContext", "build_engine", "build_schema", "sdl"]
