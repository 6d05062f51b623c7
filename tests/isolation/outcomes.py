"""All questions of the matrix, in a storage that two tenants share and in one of one alone."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs

from energycore.graphql import GraphQLEngine, HttpResponse
from energycore.protocols.storage import Storage
from tests.isolation.documents import Document, documents
from tests.isolation.matrix import CALLS, CHANGES
from tests.isolation.probes import KEYS, PROBES, Probe
from tests.isolation.worlds import ALDER, BIRCH, Mark, Place, World

__all__ = ["Outcome", "outcome_of", "questions"]

Answers = Mapping[str, HttpResponse]


@attrs.frozen(kw_only=True)
class Outcome:
    """What was answered to whom.

    Args:
        owner_world, other_world: what there is to ask about each of the two.
        owner: what the owner was told about its own world.
        other: what the other tenant was told about its own.
        foreign: what it was told when it asked about the owner's.
        foreign_alone: the same, in a storage that the owner is not in.
        probes, probes_alone: what it was told when one argument was the owner's, likewise.
        probes_own: what the owner was told to the same.
        nobody: what somebody without a scope was told about the owner's world.
        transactions: how many were begun for that.
        before, after: what the owner saw before and after the other one had tried everything.
    """

    owner_world: World
    other_world: World
    owner: Answers
    other: Answers
    foreign: Answers
    foreign_alone: Answers
    probes: Answers
    probes_alone: Answers
    probes_own: Answers
    nobody: Answers
    transactions: int
    before: Answers
    after: Answers


def questions(engine: GraphQLEngine, *, every_way: bool) -> list[Document]:
    """What reads: every field by every way, or each type by one way."""
    found = list(documents(engine.schema, CALLS, "Query"))
    if every_way:
        return found
    first = {document.target: document for document in reversed(found)}
    calls = {document.call: document for document in reversed(found)}
    return list(dict.fromkeys([*first.values(), *calls.values()]))


def changes(engine: GraphQLEngine) -> list[Document]:
    """What changes something: every mutation."""
    return list(documents(engine.schema, CHANGES, "Mutation", deep=False))


def outcome_of(
    engine: GraphQLEngine,
    opens: Callable[[], AbstractContextManager[Storage]],
    *,
    every_way: bool,
) -> Outcome:
    """Ask everything; the same resolvers need not be asked by every way at every storage."""
    asked, changing = questions(engine, every_way=every_way), changes(engine)
    with opens() as storage:
        place = Place(storage, engine)
        other, owner = place.build(BIRCH), place.build(ALDER)
        seen: dict[str, Any] = {
            "owner": _ask(place, ALDER, asked, owner),
            "other": _ask(place, BIRCH, asked, other),
            "foreign": _ask(place, BIRCH, asked, owner),
            "probes_own": _probe(place, ALDER, [p for p in PROBES if _reads(p)], owner, owner),
        }
        before = place.storage.transactions
        seen["nobody"] = {
            **_ask(place, None, [*asked, *changing], owner),
            **_probe(place, None, [*PROBES, *KEYS], owner, other),
        }
        seen["transactions"] = place.storage.transactions - before
        seen["before"] = seen["owner"]
        seen["probes"] = _probe(place, BIRCH, [*PROBES, *KEYS], owner, other)
        seen["after"] = _ask(place, ALDER, asked, owner)
    with opens() as storage:
        place = Place(storage, engine)
        alone = place.build(BIRCH)
        assert alone == other
        seen["foreign_alone"] = _ask(place, BIRCH, asked, owner)
        seen["probes_alone"] = _probe(place, BIRCH, [*PROBES, *KEYS], owner, alone)
    with opens() as storage:
        place = Place(storage, engine)
        assert (place.build(BIRCH), place.build(ALDER)) == (other, owner)
        seen["owner"] = {**seen["owner"], **_ask(place, ALDER, changing, owner)}
        seen["other"] = {**seen["other"], **_ask(place, BIRCH, changing, other)}
    return Outcome(owner_world=owner, other_world=other, **seen)


def _reads(probe: Probe) -> bool:
    return probe.query.startswith("query")


def _ask(place: Place, mark: Mark | None, asked: Sequence[Document], about: World) -> Answers:
    return {
        document.name: place.ask(mark, document.text, about.given(document.text))
        for document in asked
    }


def _probe(
    place: Place, mark: Mark | None, probes: Sequence[Probe], owner: World, asker: World
) -> Answers:
    """What is answered when an argument is the owner's; its ids stand in the place of names."""
    answers = {}
    for probe in probes:
        query = probe.query.replace("OWN_PANEL", asker.values["panel"])
        query = query.replace("OWN_SITE", asker.values["site"])
        value = probe.value(owner)
        answers[f"{probe.query} where x is {value}"] = place.ask(mark, query, {"x": value})
    return answers
