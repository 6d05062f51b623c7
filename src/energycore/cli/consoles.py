"""What the terminal shows: tables, notes, and a progress bar where somebody is watching."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from energycore.services.ticking import Progress as Report

__all__ = ["note", "progress_bar", "screen"]


def screen() -> Console:
    """Where results go: the standard output, plain text where it is no terminal."""
    return Console(file=sys.stdout, highlight=False, emoji=False)


def note(sentence: str) -> None:
    """Say something beside the results: on the standard error, word for word."""
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(sentence)


@contextmanager
def progress_bar(what: str) -> Iterator[Report]:
    """Give a function that takes the ticks done and to do, and shows them on a terminal."""
    console = Console(file=sys.stderr)
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show
