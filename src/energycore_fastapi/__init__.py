"""Serves an energycore GraphQL engine from FastAPI or any other Starlette application."""

from energycore.errors import MissingExtra

try:
    import fastapi as _fastapi  # noqa: F401 - only to say in one line what is missing
except ModuleNotFoundError as _error:
    if _error.name != "fastapi":
        raise
    raise MissingExtra("energycore_fastapi", "fastapi") from None

from energycore_fastapi.app import create_app
from energycore_fastapi.application import graphql_app, graphql_router

__all__ = ["create_app", "graphql_app", "graphql_router"]
