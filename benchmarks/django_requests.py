"""CPU time of a GraphQL request of a Django project under WSGI, against the peers over its models.

Each contestant is a process over the same SQLite file, and asks it through its own ORM or services:
what is measured is a whole request.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Line

__all__ = ["lines"]

_DEVICES: Final = 100
_ROUNDS: Final = 7
_REQUESTS: Final = {"list": 20, "summary": 40}
_LIMITS: Final = {"list": 1.6, "summary": 4.0}
_GRAPHENE: Final = "ENERGYCORE_BENCH_GRAPHENE"
"""The interpreter of an environment with graphene-django, which needs an older graphql-core."""


class _Contestant:
    """A process that answers questions."""

    def __init__(self, name: str, python: str, file: str) -> None:
        command = [python, "-m", "benchmarks.django_worker", name, file]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, question: str, count: int) -> dict[str, Any]:
        """CPU time of so many requests, and the last answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(question, count, file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def __enter__(self) -> "_Contestant":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def lines() -> Iterator[Line]:
    """A line for each question and peer."""
    pythons = {"own": sys.executable, "strawberry": sys.executable}
    if _GRAPHENE in os.environ:
        pythons["graphene"] = os.environ[_GRAPHENE]
    else:
        note = f"missing: {_GRAPHENE} is not set, `nox -s bench` sets it"
        yield Line(
            name="django-graphene", figure="", ratio=0.0, limit=1.0, note=note, at_most=False
        )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = str(Path(folder) / "project.sqlite3")
        fill = f"from benchmarks.django_project import fill; fill({file!r}, {_DEVICES})"
        subprocess.run([sys.executable, "-c", fill], check=True)
        contestants = {
            name: stack.enter_context(_Contestant(name, python, file))
            for name, python in pythons.items()
        }
        for question in _REQUESTS:
            yield from _compare(question, contestants)


def _compare(question: str, contestants: dict[str, _Contestant]) -> Iterator[Line]:
    count = _REQUESTS[question]
    answers = {name: contestant.ask(question, 3) for name, contestant in contestants.items()}
    for name, answer in answers.items():
        if _values(answer["answer"]) != _values(answers["own"]["answer"]):
            raise AssertionError(f"{name} answers {question} with {answer}")
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(_ROUNDS):
        for name, contestant in contestants.items():
            times[name].append(contestant.ask(question, count)["seconds"] / count * 1e3)
    milli = {name: statistics.median(each) for name, each in times.items()}
    for peer in milli.keys() - {"own"}:
        yield Line(
            name=f"django-{question}-{peer}",
            figure=f"{milli['own']:.2f} ms of CPU a request",
            ratio=milli[peer] / milli["own"],
            limit=_LIMITS[question],
            at_most=False,
            note=f"times less than {peer}-django ({milli[peer]:.2f} ms)",
        )


def _values(answer: dict[str, Any]) -> Any:
    """What an answer says, whatever its shape: the numbers of a summary, the names of a list."""
    (found,) = answer["data"].values()
    if isinstance(found, dict) and "nodes" in found:
        found = found["nodes"]
    if isinstance(found, list):
        return [(device["name"], _state(device)) for device in found]
    return {
        key: round(value, 6) if isinstance(value, float) else value for key, value in found.items()
    }


def _state(device: dict[str, Any]) -> tuple[Any, ...]:
    state = device["state"] if "state" in device else device["newest"]
    return state["powerW"], state["storedWh"]
