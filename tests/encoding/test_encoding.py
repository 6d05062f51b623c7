"""Plain data and back is identity; what does not fit is refused by name."""

import json
import math
import subprocess
import sys
from typing import Any

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.devices.base import Role, fields_of_kind
from energycore.devices.registry import device_kinds
from energycore.encoding import (
    decode_device,
    decode_dispatch,
    decode_state,
    encode_dispatch,
    encode_ratings,
    encode_state,
)
from energycore.encoding.structure import structure
from energycore.errors import InvalidValue, UnknownDeviceKind, UnknownDispatch
from energycore.simulation.dispatch import DISPATCHES, Manual, SelfConsumption

KINDS = pytest.mark.parametrize("kind", device_kinds().values(), ids=device_kinds())


def ratings_of(kind):
    """Ratings that a kind takes: numbers of its own ranges, found by trying."""
    return st.fixed_dictionaries(
        {
            field.name: st.floats(0.3, 1.0) if field.name.endswith(SHARES) else st.floats(0.1, 1e5)
            for field in fields_of_kind(kind)
        }
    )


SHARES = ("efficiency", "duty_cycle", "state_of_charge")


@KINDS
@hypothesis.given(data=st.data())
def test_a_device_survives_the_way_through_json(kind, data):
    ratings = data.draw(ratings_of(kind))
    if kind.role is Role.STORAGE:
        ratings |= {"min_state_of_charge": data.draw(st.floats(0.0, 0.2))}
    if "mean_on_time_s" in ratings:
        ratings |= {"mean_on_time_s": data.draw(st.floats(1.0, 86_400.0))}
    noise_key = data.draw(st.none() | st.integers(0, 2**64 - 1))
    device = kind(name="Näme", noise_key=noise_key, **ratings)
    plain = json.loads(json.dumps(encode_ratings(device)))
    assert decode_device(kind.kind, name="Näme", ratings=plain, noise_key=noise_key) == device


@KINDS
def test_a_missing_rating_is_named(kind):
    required = [field.name for field in fields_of_kind(kind) if field.default is attrs.NOTHING]
    ratings = dict.fromkeys(required, 1.0)
    for name in required:
        with pytest.raises(InvalidValue) as refused:
            decode_device(
                kind.kind, name="x", ratings={k: v for k, v in ratings.items() if k != name}
            )
        assert refused.value.field == name


@KINDS
@pytest.mark.parametrize("wrong", ["1", True, None, [1], math.nan, math.inf, 10**400, {}])
def test_a_rating_that_is_no_number_is_named(kind, wrong):
    first, *others = [f.name for f in fields_of_kind(kind) if f.default is attrs.NOTHING]
    with pytest.raises(InvalidValue) as refused:
        decode_device(kind.kind, name="x", ratings={**dict.fromkeys(others, 1.0), first: wrong})
    assert refused.value.field == first


@pytest.mark.parametrize("unknown", ["ratedPowerW", "name", "noise_key", "kind", ""])
def test_an_unknown_rating_is_named(unknown):
    with pytest.raises(InvalidValue, match="a rating of solar_panel") as refused:
        decode_device("solar_panel", name="x", ratings={"rated_power_w": 1, unknown: 1})
    assert refused.value.field == unknown


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("name", 5), ("noise_key", "7")])
def test_a_name_or_key_that_cannot_be_one_is_named(field, value):
    with pytest.raises(InvalidValue) as refused:
        decode_device("solar_panel", **{"name": "x", "ratings": {"rated_power_w": 1}, field: value})
    assert refused.value.field == field


def test_an_unknown_kind_is_refused():
    with pytest.raises(UnknownDeviceKind):
        decode_device("perpetuum_mobile", name="x", ratings={})


@hypothesis.given(st.just(Manual()) | st.builds(SelfConsumption, priority=st.integers(-100, 100)))
def test_a_dispatch_survives_the_way_through_json(dispatch):
    name, parameters = encode_dispatch(dispatch)
    assert decode_dispatch(name, json.loads(json.dumps(parameters))) == dispatch


@pytest.mark.parametrize("name", DISPATCHES)
def test_parameters_with_a_default_may_be_left_out(name):
    assert decode_dispatch(name, {}) == DISPATCHES[name]()


@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("manual", {"priority": 1}, "priority"),
        ("self_consumption", {"prio": 1}, "prio"),
        ("self_consumption", {"priority": 101}, "priority"),
        ("self_consumption", {"priority": 1.0}, "priority"),
        ("self_consumption", {"priority": "1"}, "priority"),
        ("self_consumption", {"priority": True}, "priority"),
        ("self_consumption", {"priority": None}, "priority"),
    ],
)
def test_a_wrong_parameter_is_named(name, parameters, field):
    with pytest.raises(InvalidValue) as refused:
        decode_dispatch(name, parameters)
    assert refused.value.field == field


def test_an_unknown_dispatch_is_refused():
    with pytest.raises(UnknownDispatch):
        decode_dispatch("magic", {})


@attrs.frozen(kw_only=True)
class Plain:
    """One field of each type that parameters may have."""

    text: str = "a"
    flag: bool = True
    count: int = 1
    share: float = 0.5
    maybe: int | None = None


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("text", 1, "text"),
        ("flag", 1, "true or false"),
        ("count", True, "a whole number"),
        ("share", "1", "a number"),
        ("maybe", "1", "a whole number"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_what_its_field_takes(field, value, limit):
    with pytest.raises(InvalidValue) as refused:
        structure({field: value}, Plain)
    assert (refused.value.field, refused.value.value, refused.value.limit) == (field, value, limit)


def test_a_whole_number_passes_for_a_number():
    assert structure({"share": 1}, Plain) == Plain(share=1.0)
    assert isinstance(structure({"share": 1}, Plain).share, float)


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats()


@hypothesis.given(st.dictionaries(st.text(), NUMBERS))
def test_a_state_returns_to_the_last_bit(state):
    returned = decode_state(encode_state(state))
    assert [(name, type(v), repr(v)) for name, v in returned.items()] == [
        (name, type(v), repr(v)) for name, v in state.items()
    ]


@hypothesis.given(st.dictionaries(st.text(), NUMBERS))
def test_a_state_is_json_as_everybody_reads_it(state):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    json.loads(encode_state(state), parse_constant=refuse)


@pytest.mark.parametrize("text", ["", "[]", "1", '{"a": "1"}', '{"a": null}', '{"a": [1]}'])
def test_a_text_that_is_no_state_is_refused(text):
    with pytest.raises(InvalidValue):
        decode_state(text)


def test_a_state_of_anything_but_numbers_is_refused():
    state: dict[str, Any] = {"x": "text"}
    with pytest.raises(InvalidValue, match="x must be"):
        encode_state(state)


def test_decoding_looks_for_kinds_once():
    program = (
        "from importlib import metadata; calls = []; real = metadata.entry_points;"
        "metadata.entry_points = lambda **more: calls.append(1) or real(**more);"
        "from energycore.encoding import decode_device;"
        "[decode_device('solar_panel', name='x', ratings={'rated_power_w': 1}) for _ in range(9)];"
        "assert len(calls) == 1, calls"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
