"""CPU time of a GraphQL request over FastAPI, against strawberry with the same objects.

Both applications are called through ASGI in this process, and both answer from objects that were
made beforehand: what is left is GraphQL and HTTP.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import attrs
from fastapi import FastAPI
from starlette.types import ASGIApp, Message

import energycore as ec
from benchmarks.measure import Line, interleaved
from benchmarks.strawberry_peer import strawberry_app
from energycore.graphql import GraphQLContext, build_engine
from energycore.protocols.records import DeviceRecord, Page
from energycore.services.insight import ObservedState
from energycore_fastapi import graphql_router

__all__ = ["lines"]

_SIZES: Final = (100, 500)
_ROUNDS: Final = 15
_NOON: Final = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
_LIST: Final = """
  query Devices($first: Int!) {
    devices(first: $first) {
      nodes { id name kind isActive state { at powerW storedWh mode } }
      pageInfo { hasNextPage endCursor }
    }
  }
"""
# Parsing and validating cost the peer nearly the same for few fields and many: with more fields,
# the ratio says more about execution.
_WIDE_LIST: Final = """
  query Devices($first: Int!) {
    devices(first: $first) {
      nodes {
        id name kind isActive version
        state { at powerW storedWh stateOfCharge mode isStale }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
"""
_SUMMARY: Final = """
  query Summary {
    energySummary {
      productionW consumptionW netPowerW deviceCount silentCount
      storage { capacityWh storedWh stateOfCharge deviceCount }
    }
  }
"""


@attrs.frozen(kw_only=True)
class Question:
    """What is asked, how often in one measurement, and how much dearer the peer must be.

    Args:
        name: of the line.
        query: the document.
        devices: how many there are; a list shows all of them.
        requests: how often it is asked in one measurement.
        limit: the least ratio to strawberry as it comes; with its caches it only informs.
    """

    name: str
    query: str
    devices: int
    requests: int
    limit: float | None

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables of the document."""
        return {"first": self.devices} if "$first" in self.query else {}


_QUESTIONS: Final = (
    Question(name="graphql-list", query=_LIST, devices=100, requests=10, limit=2.0),
    Question(name="graphql-wide-list", query=_WIDE_LIST, devices=100, requests=10, limit=2.0),
    Question(name="graphql-list-500", query=_LIST, devices=500, requests=2, limit=1.3),
    Question(name="graphql-wide-list-500", query=_WIDE_LIST, devices=500, requests=2, limit=1.3),
    Question(name="graphql-summary", query=_SUMMARY, devices=100, requests=100, limit=10.0),
)


class _Clock:
    def now(self) -> datetime:
        return _NOON


@attrs.frozen
class _Answers:
    """Stands where the service of questions stands, and answers from objects made beforehand."""

    page: Page[DeviceRecord]
    observed: dict[int, ObservedState]
    totals: ec.EnergySummary

    @contextmanager
    def snapshot(self, _scope: object) -> Iterator["_Answers"]:
        yield self

    def find(self, *_: object) -> Page[DeviceRecord]:
        return self.page

    def states(self, *_: object) -> dict[int, ObservedState]:
        return self.observed

    def summary(self, *_: object) -> ec.EnergySummary:
        return self.totals


def lines() -> Iterator[Line]:
    """Two lines for each question: against strawberry as it comes, and with its caches."""
    made = {size: _made(size) for size in _SIZES}
    with asyncio.Runner() as runner:
        for question in _QUESTIONS:
            answers, own = made[question.devices]
            data = _ask(runner, own, question)["data"]
            cursor = data["devices"]["pageInfo"]["endCursor"] if "devices" in data else ""
            peers = {
                name: strawberry_app(
                    answers.page.items, answers.observed, answers.totals, cursor, cached=cached
                )
                for name, cached in (("plain", False), ("cached", True))
            }
            for peer in peers.values():
                assert _plain(_ask(runner, peer, question)) == _plain({"data": data})
            seconds = interleaved(
                {name: _many(runner, app, question) for name, app in {"own": own, **peers}.items()},
                rounds=_ROUNDS,
            )
            yield from _lines(question, seconds)


def _lines(question: Question, seconds: Mapping[str, float]) -> Iterator[Line]:
    milli = {name: value / question.requests * 1e3 for name, value in seconds.items()}
    for peer, name, limit in (
        ("plain", question.name, question.limit),
        ("cached", f"{question.name}-cached", None),
    ):
        yield Line(
            name=name,
            figure=f"{milli['own']:.2f} ms of CPU a request",
            ratio=milli[peer] / milli["own"],
            limit=limit,
            at_most=False,
            note=f"times less than strawberry, {peer} ({milli[peer]:.2f} ms)",
        )


def _made(size: int) -> tuple[_Answers, ASGIApp]:
    """So many devices with their states, and an application that answers from them."""
    with ec.connect("memory://", clock=_Clock()) as energy:
        answers = _answers(energy, size)
        return answers, _own_app(energy, answers)


def _answers(energy: ec.Energy, size: int) -> _Answers:
    kinds: tuple[Callable[[str], ec.Device], ...] = (
        lambda name: ec.SolarPanel(name=name, rated_power_w=5_000),
        lambda name: ec.Appliance(name=name, average_power_w=600),
        lambda name: ec.Battery(
            name=name, capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000
        ),
        lambda name: ec.ElectricVehicle(
            name=name, capacity_wh=60_000, max_charge_w=11_000, max_discharge_w=11_000
        ),
    )
    for number in range(size):
        energy.register(kinds[number % len(kinds)](f"Device {number:03}"))
    energy.tick(_NOON)
    page = energy.devices(page=ec.PageRequest(first=size))
    states = energy.services.insight.states(energy.scope, page.items)
    return _Answers(page, dict(states), energy.summary())


def _own_app(energy: ec.Energy, answers: _Answers) -> ASGIApp:
    insight: Any = answers
    services = attrs.evolve(energy.services, insight=insight)
    context = GraphQLContext(services=services, scope=energy.scope)
    app = FastAPI()
    app.include_router(graphql_router(build_engine(), lambda _request: context))
    return app


def _many(runner: asyncio.Runner, app: ASGIApp, question: Question) -> Callable[[], object]:
    async def ask_all() -> None:
        for _ in range(question.requests):
            await _send(app, question)

    return lambda: runner.run(ask_all())


def _ask(runner: asyncio.Runner, app: ASGIApp, question: Question) -> Any:
    return json.loads(runner.run(_send(app, question)))


async def _send(app: ASGIApp, question: Question) -> bytes:
    """One POST over ASGI; returns the body of the answer."""
    body = json.dumps({"query": question.query, "variables": question.variables}).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"accept", b"application/json"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(parts)


def _plain(answer: Any) -> Any:
    """The answer with its instants in one notation."""
    if isinstance(answer, dict):
        return {
            key: datetime.fromisoformat(value) if key == "at" else _plain(value)
            for key, value in answer.items()
        }
    return [_plain(item) for item in answer] if isinstance(answer, list) else answer
