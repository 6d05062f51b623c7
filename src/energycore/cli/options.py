"""What the options of several commands share."""

from typing import Annotated, Final

import typer

__all__ = ["DATABASE", "Channel"]

DATABASE: Final = "sqlite:///energycore.db"
"""Where everything is kept unless a command is told otherwise."""

Channel = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="ENERGYCORE_CHANNEL",
        help="Where processes tell each other what changed, such as redis://127.0.0.1:6379/0.",
    ),
]
"""The option `--channel`."""
