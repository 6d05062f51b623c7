"""What a dependency that tells the tenant of a request has to look like."""

import inspect
from collections.abc import Callable

from energycore.errors import InvalidValue

__all__ = ["check_dependency"]


def check_dependency(scope_of: Callable[..., object]) -> None:
    """Refuse what FastAPI would take for a dependency that reads the query string.

    Raises:
        InvalidValue: a parameter says neither what it is nor where it comes from.
    """
    for name, parameter in inspect.signature(scope_of).parameters.items():
        if parameter.annotation is parameter.empty and parameter.default is parameter.empty:
            limit = f"a FastAPI dependency: {name} needs an annotation, such as HTTPConnection"
            raise InvalidValue("scope_of", None, limit)
