"""Dispatch strategies as a name and typed parameters, and back."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from energycore.encoding.structure import structure, unstructure
from energycore.errors import InvalidValue
from energycore.simulation.dispatch import Dispatch, dispatch_class

__all__ = ["decode_dispatch", "encode_dispatch"]


def encode_dispatch(dispatch: Dispatch) -> tuple[str, dict[str, Any]]:
    """The name of a strategy, and its parameters by name."""
    return dispatch.name, unstructure(dispatch)


def decode_dispatch(name: str, params: Mapping[str, Any]) -> Dispatch:
    """Make a strategy from its name and parameters; those with a default may be left out.

    Raises:
        UnknownDispatch: no strategy has that name.
        InvalidValue: the parameters are no mapping, or one of them is unknown, missing, of a
            wrong type or outside of its limits.
    """
    if not isinstance(params, Mapping):
        raise InvalidValue("dispatch_parameters", params, "an object")
    return structure(params, dispatch_class(name)) if params else _plain(name)


@cache
def _plain(name: str) -> Dispatch:
    return structure({}, dispatch_class(name))
