"""Follows a page that builds a FastAPI project: each marked block, in order, in an empty folder.

The comment directly above a block says what becomes of it:

- `<!-- run in the project -->`: lines of bash, which must succeed; folder and variables last;
- `<!-- served in the project -->`: a command of uvicorn, which runs until the next such block;
- `<!-- not run: written to PATH -->`: a file, seen from where `cd` has led;
- `<!-- printed -->`: the block before it prints exactly this, or the same JSON.

The port 8000 of the page becomes a free one.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.conftest import IN_CI
from tests.django.celery_projects import DEADLINE_S, Process
from tests.support.pages import blocks

__all__ = ["FILED", "follow"]

RUN: Final = "run in the project"
SERVED: Final = "served in the project"
PRINTED: Final = "printed"
FILED: Final = re.compile(r"not run: written to ([\w./]+)")
ADDRESS: Final = "127.0.0.1:8000"


class Reader:
    """Somebody who does what a page says, and counts the blocks of it."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.done = 0
        self._scratch = folder / "reader"
        self._scratch.mkdir()
        self._server: Process | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HOMES_")}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        self._env = kept | {
            **variables,
            "PATH": programs,
            "PYTHONDONTWRITEBYTECODE": "1",
            "UVICORN_PORT": self._address.rpartition(":")[2],
        }

    def run(self, lines: str) -> str:
        """Run lines of bash; their output."""
        after = self._scratch / "after"
        # What the lines set is there in the next block as well.
        script = f"set -ae\n{lines}\npwd > {shlex.quote(f'{after}')}\n"
        script += f"env -0 > {shlex.quote(f'{after}.env')}\n"
        done = subprocess.run(
            ["bash", "-c", script.replace(ADDRESS, self._address)],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"
        self.folder = Path(after.read_text().strip())
        entries = Path(f"{after}.env").read_text().split("\0")
        self._env = dict(entry.split("=", 1) for entry in entries if entry)
        return done.stdout

    def serve(self, command: str) -> None:
        """Start a server in place of the one before, and wait until it answers."""
        self.stop()
        program, *arguments = shlex.split(command)
        assert program == "uvicorn"
        log = self._scratch / f"{self.done}.log"
        command_line = [sys.executable, "-m", program, *arguments]
        self._server = Process(command_line, self._env, log, cwd=self.folder)
        self._server.until(lambda: "Application startup complete" in log.read_text())
        health = f"http://{self._address}/energy/health"
        assert httpx.get(health, timeout=DEADLINE_S).json() == {"status": "ok"}

    def stop(self) -> str:
        """Stop the server with Ctrl-C, if there is one; what it said."""
        if self._server is None:
            return ""
        server, self._server = self._server, None
        try:
            assert server.stop(signal.SIGINT) in (0, -signal.SIGINT, 128 + signal.SIGINT)
            assert "Application shutdown complete" in server.said
            assert "Traceback" not in server.said, server.said
        finally:
            server.kill()
        return server.said

    def end(self) -> None:
        """End whatever still runs."""
        if self._server is not None:
            self._server.kill()


def follow(page: Path, folder: Path, **variables: str) -> Reader:
    """Do everything that a page says.

    Args:
        page: the page.
        folder: where its project will lie.
        variables: what the environment has beside that of the tests.
    """
    if not shutil.which("curl") and not IN_CI:
        pytest.skip("the page uses curl, which is not here")
    reader = Reader(folder, variables)
    printed = ""
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            where = f"{page.name}:{block.line}"
            filed = FILED.fullmatch(block.mark)
            try:
                if block.mark == PRINTED:
                    assert _tidy(printed) == _tidy(block.text), f"another output:\n{printed}"
                elif block.mark == RUN:
                    printed = reader.run(block.text)
                elif block.mark == SERVED:
                    reader.serve(block.text)
                elif filed:
                    (reader.folder / filed[1]).write_text(f"{block.text}\n", encoding="utf-8")
                else:
                    continue
            except AssertionError as error:
                raise AssertionError(f"{where}: {error}") from None
            reader.done += 1
        reader.stop()
    finally:
        reader.end()
    return reader


def _tidy(text: str) -> str:
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text.rstrip()
