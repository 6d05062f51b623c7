"""The code blocks of a Markdown page, each with its language, its line and the mark above it."""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

__all__ = ["Block", "blocks", "pages"]

OPENING = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<language>\w*)")
MARK = re.compile(r"<!-- (?P<mark>.+) -->")


@attrs.frozen(kw_only=True)
class Block:
    """A fenced block: where it begins, and the HTML comment directly above it as `mark`."""

    language: str
    mark: str
    line: int
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Take the fenced blocks out of a page, in order."""
    lines = enumerate(text.splitlines(), 1)
    mark = ""
    for number, line in lines:
        if opening := OPENING.fullmatch(line.rstrip()):
            closing = opening["indent"] + opening["fence"]
            body = []
            for _, inner in lines:
                if inner.rstrip() == closing:
                    break
                body.append(inner.removeprefix(opening["indent"]))
            else:
                raise ValueError(f"the block that opens on line {number} never closes")
            yield Block(
                language=opening["language"], mark=mark, line=number + 1, text="\n".join(body)
            )
            mark = ""
        elif line.strip():
            found = MARK.fullmatch(line.strip())
            mark = found["mark"] if found else ""


def pages(root: Path) -> list[Path]:
    """The README and every page under docs/."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
