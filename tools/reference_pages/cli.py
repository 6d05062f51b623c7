"""The page of the command line: every command of `energycore` with its arguments and options."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from tools.reference_pages.markdown import NOTE, table

__all__ = ["render"]

HEAD = """# Command line

{note}

{about}
"""

COMMAND = """## energycore {name}

{about}

{parameters}
"""


def render(app: typer.Typer) -> str:
    """The whole page of an application."""
    # Typer types what it makes of an application loosely.
    group: Any = typer.main.get_command(app)
    head = HEAD.format(note=NOTE, about=_about(group.help))
    commands = (_command(name, group.commands[name]) for name in sorted(group.commands))
    return "\n".join([head, *commands]).rstrip() + "\n"


def _command(name: str, command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    parameters = table(("argument or option", "default", "meaning"), rows) if rows else ""
    text = COMMAND.format(name=name, about=_about(command.help), parameters=parameters)
    return text.rstrip() + "\n"


def _about(text: str | None) -> str:
    return inspect.cleandoc(text or "")


def _row(parameter: Any) -> tuple[str, str, str]:
    return " ".join(_spellings(parameter)), _default(parameter), parameter.help or ""


def _spellings(parameter: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        yield f"`{parameter.name.upper()}`"
    else:
        yield ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default is False or callable(default):
        return ""
    return "on" if default is True else f"`{default}`"
