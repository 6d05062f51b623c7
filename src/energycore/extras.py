"""Loading optional packages, with one line that says what to install where one is missing."""

from importlib import import_module
from typing import Any

from energycore.errors import MissingExtra

__all__ = ["load_extra"]


def load_extra(module: str, *, feature: str, extra: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: its dotted name.
        feature: what needs it, as the beginning of a sentence.
        extra: the extra of energycore that brings it.

    Raises:
        MissingExtra: it is not installed; the message is the command to run.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] == top:
            raise MissingExtra(feature, extra) from error
        raise
