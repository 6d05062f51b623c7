"""Errors carry a sentence, a stable code and their data, wherever they travel."""

import copy
import pickle  # noqa: TID251 - an executor hands errors from process to process this way

import pytest

from energycore import errors
from energycore.errors import EnergycoreError, InvalidHomeFile, InvalidValue, MissingExtra, NotFound

CLASSES = [
    thing
    for thing in vars(errors).values()
    if isinstance(thing, type) and issubclass(thing, EnergycoreError)
]


def example(error):
    if issubclass(error, InvalidHomeFile):
        return error("step", "1 m", "a duration", file="home.toml", line=7)
    if issubclass(error, InvalidValue):
        return error("capacity_wh", -1.0, "above 0 Wh")
    if issubclass(error, NotFound):
        return error("device", 17)
    if issubclass(error, MissingExtra):
        return error("plot()", "plot")
    if issubclass(error, errors.Conflict):
        return error("another is called so", current="the other")
    return error("that does not work")


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
@pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_arrives_with_its_text_code_and_data(error, travel):
    sent = example(error)
    arrived = travel(sent)
    assert type(arrived) is error
    assert str(arrived) == str(sent) == sent.message
    assert vars(arrived) == vars(sent)
    assert arrived.code == sent.code


def test_a_refused_value_is_named_with_its_field_and_limit():
    refusal = InvalidValue("capacity_wh", -1.0, "above 0 and at most 1e+09 Wh")
    assert str(refusal) == "capacity_wh must be above 0 and at most 1e+09 Wh, not -1.0"
    assert (refusal.field, refusal.value) == ("capacity_wh", -1.0)
    assert refusal.limit == "above 0 and at most 1e+09 Wh"


def test_a_long_value_is_cut_in_the_text_and_kept_in_the_data():
    refusal = InvalidValue("name", "x" * 500, "short")
    assert len(str(refusal)) < 120
    assert refusal.value == "x" * 500


def test_an_error_is_caught_as_the_built_in_that_fits():
    with pytest.raises(LookupError):
        raise NotFound("device", 1)
    with pytest.raises(ValueError, match="must be"):
        raise errors.UnknownTimeZone("time_zone", "Nowhere", "a zone")
    with pytest.raises(ImportError, match='pip install "energycore\\[plot\\]"'):
        raise MissingExtra("plot()", "plot")
