"""What the terminal shows: tables, notes, and a progress bar where somebody is watching."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from energycore.services.ticking import Progress as Report
from energycore.services.upkeep import UpkeepProgress

__all__ = ["note", "progress_bar", "screen", "stages_bar"]


def screen() -> Console:
    """Where results go: the standard output, plain text where it is no terminal."""
    return Console(file=sys.stdout, highlight=False, emoji=False)


def note(sentence: str) -> None:
    """Say something beside the results: on the standard error, word for word."""
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(sentence)


@contextmanager
def progress_bar(what: str) -> Iterator[Report]:
    """Give a function that takes what is done and what is to do, and shows it on a terminal."""
    with stages_bar(what) as show:
        yield lambda done, total: show(what, done, total)


@contextmanager
def stages_bar(first: str) -> Iterator[UpkeepProgress]:
    """The same for work of several stages, whose names the function takes before the numbers."""
    console = Console(file=sys.stderr)
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield _Stages(bar, first).show


class _Stages:
    """A bar that begins anew with each stage."""

    def __init__(self, bar: Progress, first: str) -> None:
        self._bar = bar
        self._stage = first
        self._task: TaskID = bar.add_task(first, total=None)

    def show(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(self._task, description=stage)
        self._bar.update(self._task, completed=done, total=total)
