"""Follows a page that builds a Django project: each marked block, in order, in a folder of its own.

The comment directly above a block says what becomes of it:

- `<!-- run in the project -->`: lines of a shell, each of which must succeed;
- `<!-- not run: written to PATH -->`, `<!-- not run: appended to PATH -->`: a file of the project;
- `<!-- not run: typed into manage.py shell -->`: what it says;
- `<!-- asked over GraphQL -->`: a document, which must be answered without errors;
- `<!-- printed -->`: the block before it prints exactly this.

All of them are relative to the folder that the page has changed to with `cd`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.pages import Block, blocks

__all__ = ["follow"]

RUN = "run in the project"
TYPED = "not run: typed into manage.py shell"
ASKED = "asked over GraphQL"
PRINTED = "printed"
FILED = re.compile(r"not run: (written|appended) to ([\w./]+)")
ASK = """
import json
from django.test import Client

asked = {{"query": {query!r}}}
answer = Client(headers={{"host": "localhost"}}).post(
    "/energy/graphql", asked, content_type="application/json"
).json()
assert "errors" not in answer, answer
print(json.dumps(answer["data"], indent=2))
"""
OUR_OWN = ("DJANGO_SETTINGS_MODULE", "PGDATABASE")


class Reader:
    """Somebody who does what a page says, and counts the blocks of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done = 0
        self._environment = {k: v for k, v in os.environ.items() if k not in OUR_OWN}
        # Two edits of a file may fall into one second and be of one length.
        self._environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def run(self, line: str) -> str:
        """Run one line of a shell; its output."""
        command, *arguments = shlex.split(line, comments=True)
        if command == "cd":
            self.folder = self.folder / arguments[0]
            return ""
        programs = {
            "django-admin": [sys.executable, "-m", "django"],
            "energycore": [sys.executable, "-m", "energycore"],
            "python": [sys.executable],
        }
        done = subprocess.run(
            [*programs[command], *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def do(self, block: Block) -> str | None:
        """Do what a block says, if it is one of a project; its output."""
        if block.mark == RUN:
            return "".join(self.run(line) for line in block.text.splitlines())
        if block.mark == TYPED:
            return self.type(block.text)
        if block.mark == ASKED:
            return self.type(ASK.format(query=block.text))
        if filed := FILED.fullmatch(block.mark):
            how, path = filed.groups()
            with (self.folder / path).open("a" if how == "appended" else "w") as file:
                file.write(f"\n\n{block.text}\n" if how == "appended" else f"{block.text}\n")
            return ""
        return None

    def type(self, code: str) -> str:
        """Type code into the project's shell; its output."""
        return self.run(shlex.join(["python", "manage.py", "shell", "-v0", "-c", code]))


def follow(page: Path, folder: Path, *, settings: str = "") -> Reader:
    """Do everything that a page says.

    Args:
        page: the page.
        folder: where its project will lie.
        settings: appended to the project's own before the page's first block that is so.
    """
    reader = Reader(folder)
    printed = ""
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.mark == PRINTED:
            assert _tidy(printed) == _tidy(block.text), f"{where} shows another output:\n{printed}"
            reader.done += 1
            continue
        if settings and block.mark.endswith("/settings.py"):
            path = FILED.fullmatch(block.mark)
            assert path is not None
            with (reader.folder / path[2]).open("a") as file:
                file.write(settings)
            settings = ""
        try:
            output = reader.do(block)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None
        if output is not None:
            printed = output
            reader.done += 1
    return reader


def _tidy(text: str) -> str:
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text.rstrip()
