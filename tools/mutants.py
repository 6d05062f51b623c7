"""Mutants of tenant isolation: each place that keeps tenants apart is taken away, one at a time.

    python -m tools.mutants                 all of them
    python -m tools.mutants devices fleet   those of some modules

A mutant is a copy of the sources with one change: a condition on a tenant that is always true, or
a method of the backend in memory that works for one and the same tenant, whoever asks. The tests
that must notice it are run against the copy; a mutant that they do not notice has survived, and
ends the run with 1.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Mutant", "main", "mutants"]

ROOT: Final = Path(__file__).parents[1]
SQL: Final = Path("energycore", "storage", "sql")
MEMORY: Final = Path("energycore", "storage", "memory")
TESTS: Final = {
    SQL: (
        "tests/storage/test_statements.py",
        "tests/storage/test_contract.py",
        "tests/storage/test_partitions.py",
    ),
    MEMORY: ("tests/storage/test_contract.py",),
}
"""The tests that must notice."""
CHOSEN: Final = {
    SQL: "binds or (world and (TestSqliteFile or TestPostgresql))"
    " or test_a_day_that_another_tenant_has_too",
    MEMORY: "TestMemory",
}
"""Which of them, as for `pytest -k`."""
WORKERS: Final = 2
PASSED, FAILED = 0, 1


@attrs.frozen
class Mutant:
    """A change of one place."""

    file: Path
    line: int
    source: str
    """The whole file with the change."""
    was: str
    family: Path

    @property
    def name(self) -> str:
        """Where it is and what was there."""
        return f"{self.file.name}:{self.line} {self.was}"


def mutants(source_root: Path = ROOT / "src") -> Iterator[Mutant]:
    """Each place that keeps tenants apart, taken away."""
    for family in (SQL, MEMORY):
        for path in sorted((source_root / family).glob("*.py")):
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
            # A call that only checks its argument keeps nothing apart.
            checks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if id(node) in checks:
                    continue
                instead = _instead(node, family)
                if instead is not None:
                    changed = _replaced(source, node, instead)
                    was = ast.get_source_segment(source, node) or ""
                    file = path.relative_to(source_root)
                    yield Mutant(file, getattr(node, "lineno", 0), changed, was, family)


def _instead(node: ast.AST, family: Path) -> str | None:
    """What takes the place of a node that keeps tenants apart."""
    if family == MEMORY:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "tenant_of":
            return f"({ast.unparse(node)}, 'everybody')[1]"
        return None
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return None
    sides = (node.left, node.comparators[0])
    if any(_is_tenant(side) for side in sides):
        return "__import__('sqlalchemy').true()"
    return None


def _is_tenant(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "tenant_id"


def _replaced(source: str, node: ast.AST, instead: str) -> str:
    assert isinstance(node, ast.expr)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    content = source.encode()
    return (content[:begin] + instead.encode() + content[end:]).decode()


def _is_noticed(mutant: Mutant) -> bool:
    """Whether the tests fail on a copy of the sources with this change."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        sources = Path(folder, "src")
        shutil.copytree(ROOT / "src", sources, ignore=shutil.ignore_patterns("__pycache__"))
        (sources / mutant.file).write_text(mutant.source, encoding="utf-8")
        # First those of the same repository: they notice most, and soon.
        near = _run(
            sources,
            mutant.family,
            f"({CHOSEN[mutant.family]}) and (world or binds) and {mutant.file.stem}.",
        )
        if near.returncode == FAILED:
            return True
        done = _run(sources, mutant.family)
    if done.returncode not in (PASSED, FAILED):
        raise RuntimeError(f"{mutant.name}\n{done.stdout[-3_000:]}{done.stderr[-3_000:]}")
    return done.returncode == FAILED


def _run(
    sources: Path, family: Path, chosen: str | None = None
) -> subprocess.CompletedProcess[str]:
    tests = (ROOT / path for path in TESTS[family])
    options = ("-q", "-x", "--no-header", "--tb=no", "--no-showlocals", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *options, "-k", chosen or CHOSEN[family]]
    command += map(str, tests)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(sources), str(ROOT)))}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def main(chosen: list[str]) -> int:
    """Try them all, and tell the survivors."""
    found = [one for one in mutants() if not chosen or one.file.stem in chosen]
    for family in sorted({one.family for one in found}):
        done = _run(ROOT / "src", family)
        if done.returncode != 0:
            print(done.stdout, "the tests fail without any mutant")
            return 1
    survivors = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for mutant, noticed in zip(found, pool.map(_is_noticed, found), strict=True):
            print("noticed " if noticed else "SURVIVED", mutant.name, flush=True)
            survivors += [] if noticed else [mutant]
    print(f"{len(found)} mutants, {len(survivors)} survivors")
    return 1 if survivors or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
