"""The pages of docs/reference that come from the code say what the code says."""

import ast
import json
import re

import pytest

from energycore import errors
from tests.support.tree import SRC
from tools import reference
from tools.reference_pages.django import check_ids
from tools.reference_pages.error_examples import Asked, Raised, Sent, Told
from tools.reference_pages.error_pages import TEXTS, below
from tools.reference_pages.errors import tree


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_generated_page_is_up_to_date(name):
    page = reference.FOLDER / name
    assert page.is_file(), f"{name} is missing: run `python -m tools.reference`"
    written = page.read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run `python -m tools.reference`"


def test_a_page_that_was_edited_by_hand_is_out_of_date(tmp_path):
    for name, page in reference.PAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(page(), encoding="utf-8")
    assert reference.outdated(tmp_path) == []
    edited = tmp_path / "errors.md"
    edited.write_text(edited.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    (tmp_path / "devices.md").unlink()
    assert reference.outdated(tmp_path) == ["devices.md", "errors.md"]


def test_the_tree_at_the_top_of_the_errors_is_the_tree_of_their_classes():
    _, _, drawn = (errors.__doc__ or "").partition("\n\n")
    assert [line.split() for line in drawn.split("\n\n")[0].splitlines()] == [
        line.split() for line in tree()
    ]


# Capitals in the code of the GraphQL server that are no codes of errors.
NO_CODES = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}


def codes_in(path):
    """Texts in capitals in a module, without the names that it exports."""
    found = set()
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            continue
        nodes = (node.value for node in ast.walk(statement) if isinstance(node, ast.Constant))
        found |= {value for value in nodes if isinstance(value, str)}
    return {text for text in found - NO_CODES if re.fullmatch(r"[A-Z]{3,}(_[A-Z]+)*", text)}


def test_every_code_has_a_page():
    """By the classes of errors, and by what stands in the code of the GraphQL server."""
    server = [
        *(SRC / "energycore" / "graphql").glob("*.py"),
        *(SRC / "energycore" / "graphql" / "live").glob("*.py"),
    ]
    known = {kind.code for kind in below(errors.EnergycoreError)}
    codes = known.union(*(codes_in(path) for path in server))
    assert "PAGE_TOO_LARGE" in codes
    assert "BAD_REQUEST" in codes
    missing = codes - set(TEXTS)
    assert not missing, f"{missing}: say in tools/reference_pages/*_texts.py what to do about it"
    assert set(TEXTS) == codes, "a page is of no code"
    files = {path.stem for path in (reference.FOLDER / "errors").glob("*.md")}
    assert files == codes, "a page is left over: remove it"


@pytest.mark.parametrize("code", TEXTS)
def test_the_example_of_a_code_is_of_it(code):
    text = TEXTS[code]
    if isinstance(text.example, Raised):
        assert text.example.make().code == code
        return
    if isinstance(text.example, Told):
        (error,) = json.loads(text.example.message)["payload"]
        assert error["extensions"]["code"] == code
        return
    assert isinstance(text.example, Asked | Sent)
    _, answer = text.example.answer()
    shown = [error["extensions"]["code"] for error in answer.get("errors", ())]
    for payload in (answer.get("data") or {}).values():
        shown += [error["code"] for error in (payload or {}).get("userErrors", ())]
    assert set(shown) == {code}


def test_every_code_of_an_error_is_its_own():
    declared = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    codes = [thing.code for thing in declared if issubclass(thing, errors.EnergycoreError)]
    assert len(codes) == len(set(codes))


def test_every_system_check_of_django_has_a_line_in_its_table():
    """By the ids that stand in the code; those of the settings are made of a number."""
    code = "".join(
        path.read_text(encoding="utf-8") for path in (SRC / "energycore_django").rglob("*.py")
    )
    found = set(re.findall(r'id="(energycore\.[EWID]\d{3})"', code))
    assert found | {"energycore.E001", "energycore.E002"} == check_ids()
