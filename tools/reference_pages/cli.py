"""The page of the command line: every command of `energycore` with its arguments and options."""

import inspect
from typing import Any

import typer

from energycore.cli.app import app
from tools.reference_pages.markdown import NOTE, table

__all__ = ["page"]

HEAD = """# Command line

{note}

{about}
"""

COMMAND = """## energycore {name}

{about}

{parameters}
"""


def page() -> str:
    """The whole page."""
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
    return _spelling(parameter), _default(parameter), parameter.help or ""


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    value = f" {parameter.metavar}" if parameter.metavar else ""
    return ", ".join(
        f"`{option}{value}`" for option in [*parameter.opts, *parameter.secondary_opts]
    )


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default is False or callable(default):
        return ""
    return "on" if default is True else f"`{default}`"
