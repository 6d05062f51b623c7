"""The clients of docs/how-to/subscribe.md, run as they stand there against a server."""

import subprocess
import sys

import pytest

from tests.live.worlds import fastapi
from tests.support.pages import blocks
from tests.support.tree import ROOT

PAGE = (ROOT / "docs/how-to/subscribe.md").read_text(encoding="utf-8")
URL = "ws://127.0.0.1:8000/graphql"


def program(language, world):
    """The first block of a language, which asks this server."""
    text = next(block.text for block in blocks(PAGE) if block.language == language)
    assert URL in text
    return text.replace(URL, world.url)


def first_line(command, folder):
    """What a program prints first; it never ends by itself."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        return process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def world(tmp_path):
    with fastapi(tmp_path) as world:
        # Only with the token that the page sends.
        world.let_in.clear()
        world.let_in.add("1234")
        world.panel("Roof")
        world.report(5.0)
        yield world


@pytest.mark.npm
def test_the_client_in_javascript(world, installed, tmp_path):
    # Node has had WebSocket as a global name since version 22.
    begin = 'globalThis.WebSocket ??= (await import("ws")).default;\n'
    script = installed / f"{tmp_path.name}.mjs"
    script.write_text(begin + program("js", world), encoding="utf-8")
    try:
        assert first_line(["node", str(script)], installed) == "Roof 5"
    finally:
        script.unlink()


def test_the_client_in_python(world, tmp_path):
    script = tmp_path / "page.py"
    script.write_text(program("python", world), encoding="utf-8")
    said = first_line([sys.executable, "-u", str(script)], tmp_path)
    assert "'netPowerW': 5.0" in said
