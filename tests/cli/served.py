"""A real server in a process of its own, asked over HTTP like any other."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx

__all__ = ["DEADLINE_S", "Server", "Starting", "energycore", "running", "signalled", "starting"]

DEADLINE_S = 120


def energycore(folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "energycore", *arguments],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def signalled(
    folder: Path, arguments: Sequence[str | Path], holds: Callable[[], bool], number: int
) -> tuple[int, str]:
    """Start a command, send it a signal as soon as something holds: its exit status and words."""
    process = subprocess.Popen(
        [sys.executable, "-m", "energycore", *arguments],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None and not holds():
        assert time.monotonic() < end
        # Looks again soon, and at once if it ends.
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.001)
    process.send_signal(number)
    said, _ = process.communicate(timeout=DEADLINE_S)
    return process.returncode, said


class Starting(NamedTuple):
    """A process, and the files that it writes to."""

    process: "subprocess.Popen[str]"
    output: Path
    errors: Path


class Server:
    """One `energycore serve` that has said where it is."""

    def __init__(self, starting: Starting) -> None:
        self.process, self._output, self._errors = starting
        self.until(lambda: "Ctrl-C stops" in self.output)
        found = re.search(r"GraphQL +(http://\S+)/graphql", self.output)
        assert found, self.output
        self.client = httpx.Client(base_url=found[1], timeout=DEADLINE_S)
        self.until(lambda: self.client.get("/health").json() == {"status": "ok"})

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._output.read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        """What it has said beside that so far."""
        return self._errors.read_text(encoding="utf-8")

    def until(self, holds: Any) -> None:
        """Ask again and again until the answer is yes, or the time is up."""
        end = time.monotonic() + DEADLINE_S
        while not holds():
            assert self.process.poll() is None, f"it ended:\n{self.output}{self.errors}"
            assert time.monotonic() < end, f"it takes too long:\n{self.output}{self.errors}"
            # Looks again soon, and at once if the server ends.
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data that a query or mutation brings."""
        body = {"query": query, "variables": variables}
        answer = self.client.post("/graphql", json=body).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, and wait for the exit status."""
        self.client.close()
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def starting(folder: Path, *arguments: str | Path) -> Iterator[Starting]:
    """Start `energycore serve` in a folder, on a free port; at the end it is gone."""
    number = len(list(folder.glob("*.out")))
    output, errors = folder / f"{number}.out", folder / f"{number}.err"
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "energycore", "serve", "--port", "0", *arguments],
            cwd=folder,
            env=_environment(),
            stdout=out,
            stderr=err,
            text=True,
        )
    try:
        yield Starting(process, output, errors)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(folder: Path, *arguments: str | Path) -> Iterator[Server]:
    """Start `energycore serve` in a folder, and wait until it answers."""
    with starting(folder, *arguments) as process:
        yield Server(process)


def _environment() -> dict[str, str]:
    return os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"}
