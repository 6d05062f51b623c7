"""Every field, edge, argument and subscription, asked by its owner, another tenant, and nobody."""

import json
from importlib import import_module
from typing import Any

import pytest
from graphql import execute_sync, extend_schema, parse

from energycore.errors import ScopeRequired
from energycore.graphql import GraphQLContext
from energycore.protocols.scope import Scope
from tests.isolation.documents import arguments, coordinates, documents, values_of
from tests.isolation.matrix import (
    CALLS,
    CHANGES,
    COMMON,
    EMPTY,
    EVENTS,
    MATRIX,
    OWN,
    REFUSED,
    SAME,
)
from tests.isolation.probes import KEYS, NEUTRAL, NEUTRAL_INPUTS, PROBES
from tests.isolation.worlds import ALDER, BIRCH, Place

OBJECT = "an object"
ROOTS = ("Query", "Mutation", "Subscription")


def rows_missing(schema):
    """Fields without a row, arguments without a probe, and both without what they are about."""
    fields, given = coordinates(schema), arguments(schema)
    probed = {name for probe in (*PROBES, *KEYS) for name in probe.covers}
    neutral = {name for name in given if name.partition("(")[2].removesuffix(":)") in NEUTRAL}
    of_events = {f"{name}(filter:)" for name in EVENTS}
    missing = fields - set(MATRIX), given - probed - neutral - set(NEUTRAL_INPUTS) - of_events
    # Subscriptions are written down before the schema has them.
    later = {name for name in MATRIX if name.startswith("Subscription.")}
    stale = set(MATRIX) - fields - later, (probed | set(NEUTRAL_INPUTS)) - given
    return missing, stale


def test_every_field_and_argument_has_a_row_and_every_row_a_field(engine):
    missing, stale = rows_missing(engine.schema)
    assert missing == (set(), set())
    assert stale == (set(), set())


def test_every_root_field_is_asked(engine):
    called = {name.split(" ")[0] for name in (*CALLS, *CHANGES, *EVENTS)}
    fields = {name for name in coordinates(engine.schema) if name.split(".")[0] in ROOTS}
    assert fields <= called


def test_a_new_field_or_argument_without_a_row_is_noticed(engine):
    more = "extend type Query { newest(secretOf: ID): String }"
    schema = extend_schema(engine.schema, parse(more))
    (fields_missing, arguments_missing), _ = rows_missing(schema)
    assert fields_missing == {"Query.newest"}
    assert arguments_missing == {"Query.newest(secretOf:)"}


def test_every_row_says_what_all_three_see():
    for row in MATRIX.values():
        assert row.owner in (OWN, SAME)
        assert (row.other, row.nobody) == (EMPTY, REFUSED)


def seen_in(answers):
    found: dict = {}
    for response in answers.values():
        values_of(json.loads(response.body)["data"], found)
    return found


def test_the_owner_sees_what_is_its_own_and_what_is_the_same_for_all(outcome):
    owner, other = seen_in(outcome.owner), seen_in(outcome.other)
    for name, row in MATRIX.items():
        if name.startswith("Subscription."):
            continue
        assert owner.get(name), f"{name} is not reached, or is always null"
        mine, theirs = (seen[name] - COMMON.get(name, set()) for seen in (owner, other))
        if row.owner == OWN:
            assert mine & theirs - {0, OBJECT} == set(), f"{name}: is this a tenant's own?"
            assert mine - {0} or name in COMMON, name
        else:
            assert mine == theirs, name


def test_no_question_of_the_owner_fails(outcome):
    for answers in (outcome.owner, outcome.other):
        for name, response in answers.items():
            assert response.status == 200
            assert "errors" not in json.loads(response.body), name


def test_the_other_tenant_sees_nothing_of_the_owners(outcome):
    owner, foreign = seen_in(outcome.owner), seen_in(outcome.foreign)
    for name, row in MATRIX.items():
        if row.owner == OWN:
            leaked = owner.get(name, set()) & foreign.get(name, set())
            assert leaked - COMMON.get(name, set()) - {0, OBJECT} == set(), name


def test_no_byte_of_an_answer_tells_of_the_owner(outcome):
    canaries = {text.encode() for text in outcome.owner_world.canaries()}
    told = b"".join(response.body for response in outcome.owner.values())
    shown = {outcome.owner_world.values[name] for name in ("site", "panel", "vehicle", "tag")}
    assert all(text.encode() in told for text in (*shown, ALDER.word, str(ALDER.number)[:5]))
    for name, response in outcome.foreign.items():
        assert [text for text in canaries if text in response.body] == [], name


@pytest.mark.parametrize("kind", ["foreign", "probes"])
def test_another_tenants_things_are_answered_as_if_they_were_not_there(outcome, kind):
    """Status, headers and every byte are those of a storage that the owner is not in.

    The same question with the same ids, cursors and words: there they are nobody's.
    """
    here, alone = getattr(outcome, kind), getattr(outcome, f"{kind}_alone")
    assert len(here) == len(alone) > 30
    for name, response in here.items():
        assert response == alone[name], name


def test_every_probe_means_something_to_the_owner(outcome):
    """A probe that tells the owner no more than a stranger would prove nothing."""
    for name, response in outcome.probes_own.items():
        assert response.body != outcome.probes[name].body, name


def test_a_cursor_of_the_owner_is_refused(outcome):
    refused = [
        json.loads(response.body)["errors"][0]["extensions"]["code"]
        for name, response in outcome.probes.items()
        if "after: $x" in name or "before: $x" in name
    ]
    assert len(refused) >= 10
    assert set(refused) == {"INVALID_CURSOR"}


def test_nobody_is_refused_before_anything_is_asked_of_the_storage(outcome):
    assert outcome.transactions == 0
    for name, response in outcome.nobody.items():
        answer = json.loads(response.body)
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes == {"SCOPE_REQUIRED"}, name
        data = answer.get("data") or {}
        assert not any(data[key] for key in data if key != "__typename"), name


def test_whatever_the_other_tenant_tries_the_owner_sees_what_it_saw(outcome):
    assert outcome.after == outcome.before


def subscriptions(schema):
    return [name for name in EVENTS if schema.subscription_type and name in coordinates(schema)]


def test_a_subscription_tells_each_tenant_of_its_own(opens, engine):
    """One answer of each, asked for with the filters of the owner, for all three."""
    schema = engine.schema
    names = subscriptions(schema)
    if not names:
        assert schema.subscription_type is None
        return
    events = import_module("energycore.graphql.schema.subscriptions")
    with opens() as storage:
        place = Place(storage, engine)
        place.build(BIRCH)
        owner = place.build(ALDER)
        for name in names:
            field, event = EVENTS[name]
            given = "(filter: {ids: [$panel, $battery, $vehicle, $appliance]})"
            for call in (field, f"{field}{given}"):
                for document in documents(schema, {name: call}, "Subscription"):
                    answers = {
                        mark: first_answer(place, mark, document.text, owner, events, event)
                        for mark in (ALDER, BIRCH, None)
                    }
                    check_answers(answers, owner, document.name)


def first_answer(place, mark, text, owner, events, event):
    scope: Any = None if mark is None else Scope(mark.tenant)
    before = place.storage.transactions
    with GraphQLContext(services=place.services, scope=scope).open_operation() as operation:
        result = execute_sync(
            place.engine.schema,
            parse(text),
            getattr(events, event)(),
            operation,
            owner.given(text),
        )
    if mark is None:
        assert place.storage.transactions == before
        assert result.data is None
        assert result.errors is not None
        assert isinstance(result.errors[0].original_error, ScopeRequired)
        return {}
    assert result.errors is None
    return result.data


def check_answers(answers, owner, name):
    told = json.dumps(answers[BIRCH])
    assert [text for text in owner.canaries() if text in told] == [], name
    mine, theirs = values_of(answers[ALDER]), values_of(answers[BIRCH])
    assert OBJECT in mine[name.split(" ")[0]]
    for coordinate, values in mine.items():
        if MATRIX[coordinate].owner == OWN:
            leaked = values & theirs.get(coordinate, set())
            assert leaked - COMMON.get(coordinate, set()) - {0, OBJECT} == set(), coordinate
