"""IDs, cursors and instants: what clients hand back, and what they make up."""

import base64
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from energycore.errors import InstantWithoutZone, InvalidCursor, InvalidValue, ScopeRequired
from energycore.graphql.schema.cursors import (
    Listing,
    decode_cursor,
    decode_instant,
    decode_key,
    encode_cursor,
    encode_key,
)
from energycore.graphql.schema.ids import NOBODY, IdKind, device_id, identity, number_of, site_id
from energycore.graphql.schema.opaque import reveal, seal, seal_bytes
from energycore.graphql.schema.scalars import format_instant, parse_instant
from energycore.protocols.records import Cursor
from energycore.protocols.scope import Scope
from energycore.quantities.instants import to_epoch_us

NUMBERS = st.integers(min_value=1, max_value=(1 << 63) - 1)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
KEYS = st.one_of(
    TEXTS,
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
TENANTS = st.from_regex(r"[A-Za-z0-9:_-]{1,20}", fullmatch=True)


def of(order, tenant="acme"):
    return Listing(Scope(tenant), order)


@given(NUMBERS)
def test_an_id_stands_for_one_object(number):
    assert identity(device_id(number)) == (IdKind.DEVICE, number)
    assert identity(site_id(number)) == (IdKind.SITE, number)
    assert device_id(number) == seal(f"device:{number}")
    assert number_of(IdKind.SITE, device_id(number)) == NOBODY


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "42",
        "ü",
        seal("device:0"),
        seal("device:01"),
        seal("device:-1"),
        seal("device:1 "),
        seal("device:\N{ARABIC-INDIC DIGIT ONE}"),
        seal(f"device:{1 << 63}"),
        seal("device:" + "9" * 5_000),
        seal("user:1"),
        device_id(1) + "=",
        device_id(1) + "\n",
        " " + device_id(1),
        base64.b64encode(b"device:1\xff").decode(),
    ],
)
def test_what_is_no_id_stands_for_nobody(forged):
    assert identity(forged) is None
    assert number_of(IdKind.DEVICE, forged) == NOBODY


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_ids_and_cursors(text):
    found = identity(text)
    assert found is None or text in (device_id(found[1]), site_id(found[1]))
    with pytest.raises(InvalidCursor):
        decode_cursor(of("sites"), "after", text)


@given(KEYS, st.integers(), TENANTS)
def test_a_cursor_returns_the_place_that_it_was_made_of(key, number, tenant):
    place = Cursor(key, number)
    read = decode_cursor(of("o", tenant), "after", encode_cursor(of("o", tenant), place))
    assert read == place
    assert type(read.key) is type(key)


@given(KEYS, st.integers(), st.data())
def test_a_cursor_that_was_cut_or_changed_is_refused(key, number, data):
    cursor = encode_cursor(of("o"), Cursor(key, number))
    cut = data.draw(st.integers(0, len(cursor) - 1))
    with pytest.raises(InvalidCursor):
        decode_cursor(of("o"), "after", cursor[:cut])
    other = data.draw(st.sampled_from("abcXYZ019-_=~ ").filter(lambda c: c != cursor[cut]))
    with pytest.raises(InvalidCursor):
        decode_cursor(of("o"), "after", cursor[:cut] + other + cursor[cut + 1 :])


@given(KEYS, st.integers(), TENANTS, TENANTS)
def test_a_cursor_of_another_tenant_is_refused(key, number, tenant, stranger):
    assume(tenant != stranger)
    cursor = encode_cursor(of("o", tenant), Cursor(key, number))
    with pytest.raises(InvalidCursor):
        decode_cursor(of("o", stranger), "after", cursor)


def test_a_tenant_whose_name_goes_on_like_an_order_has_cursors_of_its_own():
    cursor = encode_cursor(of("groups:site", "a"), Cursor("a", 1))
    for order, tenant in (("site", "agroups:"), ("s:site", "agroup"), ("groups:site", "a b")):
        with pytest.raises(InvalidCursor):
            decode_cursor(of(order, tenant), "after", cursor)


def test_another_process_takes_the_cursor_of_this_one():
    """It holds no secret of a process: two workers answer the pages of one client."""
    cursor = encode_cursor(of("devices:name:asc", "acme"), Cursor("roof", 7))
    code = (
        "from energycore.graphql.schema.cursors import Listing, decode_cursor;"
        "from energycore.protocols.scope import Scope;"
        "listing = Listing(Scope('acme'), 'devices:name:asc');"
        f"print(decode_cursor(listing, 'after', {cursor!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(Cursor("roof", 7))


def test_no_cursor_is_made_without_a_scope():
    with pytest.raises(ScopeRequired):
        Listing(None, "o")  # type: ignore[arg-type] # as a caller without types may


def made_up(text, order="devices:name:asc"):
    """What somebody writes who has read how cursors are made."""
    content = text.encode()
    return seal_bytes(of(order)._digest(content) + content)


def test_what_somebody_makes_up_can_be_a_place_only():
    assert decode_cursor(of("devices:name:asc"), "after", made_up('["a",1]')) == Cursor("a", 1)


@pytest.mark.parametrize(
    "forged",
    [
        encode_cursor(of("devices:name:desc"), Cursor("a", 1)),
        encode_key(of("devices:name:asc"), "a"),
        made_up('["a",1,2]'),
        made_up('["a",true]'),
        made_up('["a",1.0]'),
        made_up("[null,1]"),
        made_up("[NaN,1]"),
        made_up("[1e999,1]"),
        made_up("[{},1]"),
        made_up("[" * 100_000),
        made_up("5"),
        made_up(""),
        seal('["a",1]'),
        seal('["devices:name:asc","a",1]'),
        "%",
    ],
)
def test_a_cursor_of_another_list_or_none_at_all_is_refused(forged):
    with pytest.raises(InvalidCursor):
        decode_cursor(of("devices:name:asc"), "after", forged)


def test_a_cursor_of_groups_holds_a_key_of_their_type_or_none():
    tags, sites = of("groups:tag"), of("groups:site")
    for key in ("roof", None):
        assert decode_key(tags, "after", encode_key(tags, key), str) == key
    with pytest.raises(InvalidCursor):
        decode_key(sites, "after", encode_key(sites, "roof"), int)
    with pytest.raises(InvalidCursor):
        decode_key(sites, "after", encode_key(sites, True), int)


@pytest.mark.parametrize("at_us", [0, -1_000, 1_780_315_200_000_000])
def test_a_cursor_of_readings_holds_their_instant(at_us):
    readings = of("readings")
    assert decode_instant(readings, "after", encode_key(readings, at_us)) == at_us


@pytest.mark.parametrize(
    "forged",
    [
        encode_key(of("groups:site"), 0),
        encode_key(of("readings"), None),
        encode_key(of("readings"), "0"),
        encode_key(of("readings"), True),
        encode_key(of("readings"), 1 << 63),
        encode_key(of("readings"), -(10**30)),
        encode_cursor(of("readings"), Cursor(0, 0)),
        made_up("[0.0]", "readings"),
        "nonsense",
    ],
)
def test_a_cursor_that_holds_no_instant_of_a_reading_is_refused(forged):
    with pytest.raises(InvalidCursor):
        decode_instant(of("readings"), "after", forged)


@given(TEXTS)
def test_a_sealed_text_has_one_spelling(text):
    sealed = seal(text)
    assert reveal(sealed) == text
    with pytest.raises(ValueError, match="not base64url as it is written here"):
        reveal(sealed + "=")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000Z"),
        ("2026-06-01T12:00:00.123Z", "2026-06-01T12:00:00.123Z"),
        ("2026-06-01T12:00:00.5+02:00", "2026-06-01T10:00:00.500Z"),
        ("2026-01-01T00:00:00-03:30", "2026-01-01T03:30:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_comes_back_in_utc_with_its_milliseconds(text, utc):
    assert format_instant(to_epoch_us(parse_instant(text))) == utc


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01",
        "2026-06-01 12:00:00Z",
        "2026-06-01T12:00Z",
        "2026-06-01T12:00:60Z",
        "2026-06-01T24:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-06-01T12:00:00z",
        "2026-06-01t12:00:00Z",
        "2026-06-01T12:00:00.Z",
        "2026-06-01T12:00:00,5Z",
        "2026-06-01T12:00:00+0200",
        "2026-06-01T12:00:00+24:00",
        "2026-06-01T12:00:00-00:00",
        "2026-06-01T12:00:00Z\n",
        "202\N{ARABIC-INDIC DIGIT SIX}-06-01T12:00:00Z",
        "20260601T120000Z",
        "2026-W23-1T12:00:00Z",
        "2026-06-01T25:00:00Z",
        "0000-01-01T00:00:00Z",
        "",
    ],
)
def test_a_text_that_is_no_instant_is_refused_by_whoever_takes_it(text):
    with pytest.raises(InvalidValue, match=r"^from must be") as refused:
        to_epoch_us(parse_instant(text), "from")
    assert refused.value.value == text


def test_an_instant_without_an_offset_is_refused_by_name():
    with pytest.raises(InstantWithoutZone, match=r"^from must be"):
        to_epoch_us(parse_instant("2026-06-01T12:00:00"), "from")


@pytest.mark.parametrize("value", [0, 1_780_315_200, None, True, ["2026-06-01T12:00:00Z"]])
def test_what_is_no_text_is_refused_at_once(value):
    with pytest.raises(InvalidValue, match="RFC 3339"):
        parse_instant(value)
