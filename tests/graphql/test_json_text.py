"""JSON means the same with and without orjson."""

import enum
import json
import math
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.graphql.json_text import decode, encode, encode_plainly

finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
scalars = st.none() | st.booleans() | st.integers() | finite | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20
)


@given(values)
def test_what_is_encoded_decodes_to_itself(value):
    for write in (encode, encode_plainly):
        assert decode(write(value)) == value


@pytest.mark.parametrize("write", [encode, encode_plainly])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_not_finite_becomes_null(write, number):
    written = write({"deep": [{"value": number, "other": 0.1}]})
    assert json.loads(written) == {"deep": [{"value": None, "other": 0.1}]}


@pytest.mark.parametrize("write", [encode, encode_plainly])
@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_an_integer_of_any_size_is_written_to_the_last_digit(write, number):
    assert write([number]) == b"[%d]" % number


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize("write", [encode, encode_plainly])
def test_a_uuid_and_a_member_of_an_enum_are_written_as_their_text(write):
    written = write([uuid.UUID(int=1), Colour.RED])
    assert json.loads(written) == ["00000000-0000-0000-0000-000000000001", "red"]


@pytest.mark.parametrize("write", [encode, encode_plainly])
@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_has_no_json_type_is_refused(write, value):
    with pytest.raises(TypeError):
        write({"value": value})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b'"\xff"',
        b'"\\ud800"',
        b'{"a": "\\uDC00"}',
        b"[" * 100_000,
        b"1" * 5_000,
        '{"a": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_exact_json_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - of JSON, of Unicode and of numbers
        decode(text)


def test_a_surrogate_pair_is_one_character():
    assert decode(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_an_integer_beyond_64_bits_is_read_exactly():
    assert decode(b"18446744073709551617") == 2**64 + 1
