"""Serves an energycore GraphQL engine from FastAPI or any other Starlette application."""

from energycore.errors import MissingExtra

try:
    # Only to say in one line what is missing.
    import fastapi as _fastapi  # noqa: F401
    import pydantic_settings as _pydantic_settings  # noqa: F401
except ModuleNotFoundError as _error:
    if _error.name not in ("fastapi", "pydantic_settings"):
        raise
    raise MissingExtra("energycore_fastapi", "fastapi") from None

from energycore_fastapi.app import create_app
from energycore_fastapi.application import graphql_app, graphql_router
from energycore_fastapi.dependencies import get_energy, get_scope, provide_energy
from energycore_fastapi.settings import EnergycoreSettings
from energycore_fastapi.ticking import ticking

__all__ = [
    "EnergycoreSettings",
    "create_app",
    "get_energy",
    "get_scope",
    "graphql_app",
    "graphql_router",
    "provide_energy",
    "ticking",
]
