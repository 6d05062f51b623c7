"""The repository speaks of itself alone, and its checks stay strict."""

import re

import pytest

from tests.support.tree import pyproject, relative, tracked_files

# A letter in brackets keeps a pattern from finding itself in this file.
FOREIGN = {
    "a path of somebody's machine": r"(?<![\w.-])/(?:[w]ork|[r]oot|[U]sers|home/\w+)/[\w.]",
    "the host of a package registry": (
        r"[p]ypi\.org|python[h]osted\.org|npm[j]s\.(?:org|com)|registry\.[y]arn|deb\.[d]ebian"
        r"|proxy\.[g]olang"
    ),
    "a folder beside the repository": r"\.\./[s]hared\b",
    "a number of a tracker": r"\b[Ii]ssues? #?\d",
}
REASON = re.compile(r"# type: ignore\[[\w-]+(?:, [\w-]+)*\]\s+# \w")


def readable():
    """Every text of the repository, by name."""
    for path in tracked_files():
        try:
            yield relative(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names_something_outside_the_project(what):
    pattern = re.compile(FOREIGN[what])
    found = [
        f"{name}:{number}: {match.group()}"
        for name, text in readable()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of somebody's machine", "see /~root/notes.md"),
        ("the host of a package registry", '"resolved": "https://registry.npm~js.org/x"'),
        ("a folder beside the repository", "../~shared/notes.md"),
        ("a number of a tracker", "as asked in issue~ 7"),
    ],
)
def test_what_is_looked_for_would_be_found(what, text):
    assert re.search(FOREIGN[what], text.replace("~", ""))


def test_an_ignored_type_error_names_its_rule_and_its_reason():
    bare = [
        f"{name}:{number}: {line.strip()}"
        for name, text in readable()
        if name.endswith((".py", ".pyi")) and name != "tests/architecture/test_repository.py"
        for number, line in enumerate(text.splitlines(), 1)
        if "# type: ignore" in line and not REASON.search(line)
    ]
    assert not bare, "\n".join(bare)


def test_a_silenced_lint_rule_is_named():
    bare = [
        f"{name}:{number}"
        for name, text in readable()
        if name.endswith(".py") and name != "tests/architecture/test_repository.py"
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"# noqa(?!: [A-Z])", line)
    ]
    assert not bare, "\n".join(bare)


def test_types_are_checked_strictly_in_every_package():
    mypy = pyproject()["tool"]["mypy"]
    assert mypy["strict"] is True
    assert "src" in mypy["files"]
    for override in mypy["overrides"]:
        assert "energycore" not in str(override["module"]), "the packages take no exception"


def test_warnings_are_errors_and_unknown_markers_are_refused():
    pytest_settings = pyproject()["tool"]["pytest"]
    assert pytest_settings["strict"] is True
    assert pytest_settings["filterwarnings"][0] == "error"


def test_the_lint_rules_are_the_strict_ones():
    ruff = pyproject()["tool"]["ruff"]
    assert ruff["line-length"] == 100
    assert {"B", "D", "DTZ", "I", "RUF", "S", "TID", "UP"} <= set(ruff["lint"]["select"])
