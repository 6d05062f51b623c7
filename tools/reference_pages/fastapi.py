"""The page of FastAPI: settings, statuses of refusals, and what an application may import."""

import json
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import attrs
from pydantic import SecretStr

import energycore_fastapi
from energycore import Retention
from energycore_fastapi import EnergycoreSettings
from energycore_fastapi.refusals import STATUSES
from tools.reference_pages.markdown import NOTE, table
from tools.reference_pages.names import attribute_docstrings, entry

__all__ = ["page"]

PAGE = """# FastAPI

{note}

What an application of FastAPI finds in `energycore_fastapi`.
[Embed in a FastAPI application](../how-to/embed-in-fastapi.md) uses it, and the
[tutorial](../tutorial/fastapi.md) builds a project with it.

## Settings

Fields of `EnergycoreSettings`, each read from the variable beside it. A class of your own has
another prefix. What cannot be used is refused with `INVALID_SETTINGS`, all of it at once.

{settings}

`retention` is JSON with any of {tiers}, such as `{{"raw": 30, "day": null}}`; the others keep their
defaults. `partitioning` is JSON with any of `hash_parts` and `brin`.

## What is refused

In path operations of an application that was given to `provide_energy`, a refusal of energycore
is answered with JSON, `{{"detail": "...", "code": "..."}}`. What is more special counts as what
stands above it in the [tree of errors](errors.md).

{statuses}

Any other error is a fault: it is logged, and the status is 500.

## Python names

{names}
"""


def page() -> str:
    """The whole page."""
    names = [name for name in energycore_fastapi.__all__ if name != "EnergycoreSettings"]
    own = [entry(getattr(energycore_fastapi, name), name, "energycore_fastapi") for name in names]
    return PAGE.format(
        note=NOTE,
        settings=table(("field", "variable", "default", "meaning"), _settings()),
        tiers=", ".join(f"`{field.name}`" for field in attrs.fields(Retention)),
        statuses=table(("code", "status"), _statuses()),
        names="\n\n".join([*_class(), *own]),
    )


def _settings() -> Iterator[tuple[str, str, str, str]]:
    meanings = attribute_docstrings(EnergycoreSettings)
    prefix = EnergycoreSettings.model_config.get("env_prefix", "")
    for name, field in EnergycoreSettings.model_fields.items():
        yield f"`{name}`", f"`{prefix}{name.upper()}`", _default(field.default), meanings[name]


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return f"`{value.get_secret_value()}`"
    if isinstance(value, Retention):
        kept = {name: getattr(part, "days", part) for name, part in attrs.asdict(value).items()}
        return f"`{json.dumps(kept)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _statuses() -> Iterator[tuple[str, str]]:
    for kind, status in STATUSES:
        yield f"`{kind.code}`", str(status)


def _class() -> Iterator[str]:
    parts = entry(EnergycoreSettings, "EnergycoreSettings", "energycore_fastapi").split("\n\n")
    # Its fields have a table of their own, and most of its methods are pydantic's.
    yield from takewhile(lambda part: not part.startswith(("|", "#### ")), parts)
    for name in ("connect", "create_app", "ticking"):
        method = getattr(EnergycoreSettings, name)
        yield "#" + entry(method, f"EnergycoreSettings.{name}")
