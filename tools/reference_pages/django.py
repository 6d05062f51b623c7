"""The page of Django: settings, system checks, commands, tasks, and what a project may import."""

import inspect
import re
from argparse import Action
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import attrs

from energycore.telemetry.tiers import Retention
from energycore_django import access, permissions, routes, tasks
from energycore_django.checks import check_database, check_settings
from energycore_django.conf import SETTING, DjangoSettings
from energycore_django.management import commands
from tools.reference_pages.markdown import NOTE, first_sentence, table
from tools.reference_pages.names import attribute_docstrings, entry

__all__ = ["check_ids", "page"]

PAGE = """# Django

{note}

What a project of Django finds in the app `energycore_django`.
[Add energycore to a Django project](../how-to/add-to-django.md) uses it.

## Settings

Keys of the dict `{setting}` in the project's settings. Each may be left out, and so may the dict. A
key that does not exist, or a value that cannot be used, is an error of `manage.py check`.

{settings}

`RETENTION` is a dict with any of {tiers}; the others keep their defaults.

## System checks

{checks}

Those of the database are asked by `manage.py migrate` and `manage.py check --database NAME`.

## Commands

{commands}

## Celery tasks

{tasks}

`energycore_django.tasks.BEAT_SCHEDULE` has these entries for `CELERY_BEAT_SCHEDULE`:

{schedule}

## Who may use GraphQL

Functions of `energycore_django.permissions` for `AUTHORIZE`, which may also be one of the project's
own.

{permissions}

## Python names

{names}

### committed

In `energycore_django.signals`. A signal, sent after a unit of work that may have written is
committed, with the `alias` of its database:
[Use energycore in your own transactions](../how-to/django-transactions.md).

The models are in `energycore_django.models`, with the tables and columns of
[Read what was stored](../how-to/read-stored-data.md).
"""

CHECK = re.compile(r"(?P<id>energycore\.(?P<level>[EW])\d{3}): (?P<meaning>.+)")
LEVELS = {"E": "error", "W": "warning"}
# Options that every command of Django has.
OF_DJANGO = {
    *("force_color", "help", "no_color", "pythonpath", "settings", "skip_checks", "traceback"),
    *("verbosity", "version"),
}


def page() -> str:
    """The whole page."""
    hooks = [getattr(permissions, name) for name in permissions.__all__]
    return PAGE.format(
        note=NOTE,
        setting=SETTING,
        settings=table(("key", "default", "meaning"), _settings()),
        tiers=", ".join(f"`{field.name.upper()}`" for field in attrs.fields(Retention)),
        checks=table(("id", "level", "meaning"), _checks()),
        commands="\n\n".join(_commands()),
        tasks=table(("task", "arguments", "meaning"), _tasks()),
        schedule=table(("entry", "task", "when", "arguments"), _schedule()),
        permissions=table(
            ("name", "meaning"), [(f"`{h.__name__}`", first_sentence(h)) for h in hooks]
        ),
        names="\n\n".join(
            [
                entry(access.energy, "energy", "energycore_django"),
                entry(routes.graphql_urls, "graphql_urls", "energycore_django.routes"),
            ]
        ),
    )


def check_ids() -> set[str]:
    """The checks that the page has."""
    return {match["id"] for match in _matches()}


def _settings() -> Iterator[tuple[str, str, str]]:
    meanings = attribute_docstrings(DjangoSettings)
    for field in attrs.fields(DjangoSettings):
        meaning = meanings[field.name]
        # What follows another setting says so itself.
        default = "" if "by default" in meaning else _default(field.default)
        yield f"`{field.name.upper()}`", default, meaning


def _default(value: Any) -> str:
    if value is None:
        return ""
    if attrs.has(type(value)):
        given = {key.upper(): _days(part) for key, part in attrs.asdict(value).items()}
        return f"`{given!r}`"
    return f"`{value!r}`"


def _days(part: Any) -> Any:
    return getattr(part, "days", part)


def _matches() -> Iterator[re.Match[str]]:
    for check in (check_settings, check_database):
        yield from CHECK.finditer(inspect.getdoc(check) or "")


def _checks() -> Iterator[tuple[str, str, str]]:
    for match in sorted(_matches(), key=lambda match: match["id"]):
        meaning = match["meaning"]
        yield f"`{match['id']}`", LEVELS[match["level"]], meaning[0].upper() + meaning[1:]


def _commands() -> Iterator[str]:
    for module in iter_modules(commands.__path__):
        command: Any = import_module(f"{commands.__name__}.{module.name}").Command()
        parser = command.create_parser("manage.py", module.name)
        actions = parser._actions  # noqa: SLF001 - argparse tells it in no other way
        rows = [_option(action) for action in actions if action.dest not in OF_DJANGO]
        yield f"### manage.py {module.name}\n\n{command.help}\n\n" + table(
            ("option", "meaning"), rows
        )


def _option(action: Action) -> tuple[str, str]:
    value = f" {action.metavar}" if action.metavar else ""
    return ", ".join(f"`{name}{value}`" for name in action.option_strings), action.help or ""


def _tasks() -> Iterator[tuple[str, str, str]]:
    for task in (tasks.tick, tasks.upkeep):
        run: Callable[..., Any] = task.run
        arguments = (
            f"`{name}={parameter.default!r}`"
            for name, parameter in inspect.signature(run).parameters.items()
        )
        yield f"`{task.name}`", ", ".join(arguments), first_sentence(run)


def _due(schedule: Any) -> str:
    if isinstance(schedule, float):
        return f"every {schedule:.0f} s"
    # crontab prints itself as <crontab: 17 3 * * * (m/h/dM/MY/d)>.
    return f"`{repr(schedule).removeprefix('<crontab: ').partition(' (')[0]}`"


def _schedule() -> Iterator[tuple[str, str, str, str]]:
    for name, due in tasks.BEAT_SCHEDULE.items():
        arguments = ", ".join(f"`{key}={value!r}`" for key, value in due.get("kwargs", {}).items())
        yield f"`{name}`", f"`{due['task']}`", _due(due["schedule"]), arguments
