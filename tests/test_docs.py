"""The documentation runs: every Python block of every page, marked shell lines, every docstring.

A page is run from top to bottom in a folder of its own that holds a copy of examples/. The comment
directly above a block decides what is not obvious:

- `<!-- not run: REASON -->` leaves a Python block out;
- `<!-- run -->` runs a shell block, whose lines then all start with `energycore `;
- `<!-- output -->` above a text block: the block before it prints exactly this.
"""

import contextlib
import doctest
import importlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests.support.pages import Block, blocks, pages
from tests.support.tree import ROOT, SRC, relative, source_modules

NOT_RUN = re.compile(r"not run: \w.{9,}")
LANGUAGES = {
    "",
    "console",
    "csv",
    "graphql",
    "js",
    "json",
    "mermaid",
    "python",
    "sh",
    "text",
    "toml",
}
WITH_EXAMPLES = [path for path in source_modules() if ">>> " in path.read_text(encoding="utf-8")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that a page runs in."""
    if (ROOT / "examples").is_dir():
        grown = shutil.ignore_patterns("*.db*", "__pycache__")
        shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=grown)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def run_python(block: Block, page: str, namespace: dict[str, object]) -> str:
    """Run a block as if it stood alone in its page, so that a traceback names the page's line."""
    printed = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.text, page, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def run_shell(block: Block) -> str:
    """Run lines of the energycore command, each of which must succeed."""
    printed = ""
    program = Path(sys.executable).with_name("energycore")
    for line in block.text.replace("\\\n", " ").splitlines():
        command, *arguments = shlex.split(line, comments=True)
        assert command == "energycore", f"only energycore is run, not: {line}"
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed += done.stdout
    return printed


def run_page(text: str, page: str) -> None:
    """Run the blocks of a page in order; they share their names."""
    namespace: dict[str, object] = {"__name__": page}
    printed = ""
    for block in blocks(text):
        where = f"{page}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: ```{block.language} is not a language here"
        if block.mark == "output":
            assert printed.rstrip() == block.text.rstrip(), f"{where} shows another output"
        elif block.language == "python" and block.mark.startswith("not run"):
            assert NOT_RUN.fullmatch(block.mark), f"{where}: say why it is not run"
        elif block.language == "python":
            try:
                printed = run_python(block, page, namespace)
            except Exception:  # noqa: BLE001 - whatever a page raises is what the test shows
                pytest.fail(f"{where}\n{traceback.format_exc(limit=-3)}", pytrace=False)
        elif block.mark == "run":
            printed = run_shell(block)


@pytest.mark.parametrize("page", pages(ROOT), ids=relative)
def test_the_code_of_a_page_runs(page, folder):
    run_page(page.read_text(encoding="utf-8"), relative(page))


@pytest.mark.parametrize("module", WITH_EXAMPLES, ids=relative)
def test_the_examples_of_a_docstring_give_what_they_show(module, folder):
    name = ".".join(module.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not failed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\n1 / 0\n```", "ZeroDivisionError"),
        ("<!-- not run: no -->\n```python\n1 / 0\n```", "say why"),
        ("```py\nprint(1)\n```", "not a language"),
        ("```python\nprint(1)\n```\n<!-- output -->\n```text\n2\n```", "another output"),
        ("<!-- run -->\n```sh\nrm -r docs\n```", "only energycore"),
    ],
)
def test_a_page_that_is_wrong_is_noticed(text, complaint, folder):
    with pytest.raises((AssertionError, pytest.fail.Exception), match=complaint):
        run_page(text, "page.md")


def test_blocks_of_a_page_share_their_names_and_lines_count_from_the_page():
    text = "# Page\n\n```python\na = 1\n```\n\n   ```python\n   if a:\n       print(a)\n   ```\n"
    text += "<!-- output -->\n```text\n1\n```"
    run_page(text, "page.md")
    assert [block.line for block in blocks(text)] == [4, 8, 13]


def test_a_block_that_never_closes_is_noticed():
    with pytest.raises(ValueError, match="line 1 never closes"):
        list(blocks("```python\nprint(1)"))


def test_every_page_is_reached_from_the_index_of_its_room():
    for room in sorted(path for path in (ROOT / "docs").iterdir() if path.is_dir()):
        index = next(path for name in ("index.md", "README.md") if (path := room / name).is_file())
        linked = index.read_text(encoding="utf-8")
        for page in room.glob("*.md"):
            assert page == index or f"({page.name})" in linked, f"{relative(index)}: {page.name}"


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=relative)
def test_what_a_page_at_the_top_points_at_is_there(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    named = re.findall(r"`((?:src|tests|docs|tools|examples|benchmarks)/[\w./]*)`", text)
    missing = [path for path in links + named if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("mark", ["main job", "tests"])
def test_the_readme_gives_one_shell_block_for_each_command_of_a_fresh_machine(mark):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = (block for block in blocks(readme) if block.mark == mark)
    assert block.language == "sh"
    assert f"<!-- {mark} -->\n```sh\n{block.text}\n```\n" in readme
