"""The little Markdown that the generated pages need."""

import inspect
from collections.abc import Iterable, Sequence

__all__ = ["NOTE", "first_sentence", "table"]

NOTE = "<!-- Written by `python -m tools.reference` from the code; edit the code. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def first_sentence(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(paragraph.split())
