"""The layers hold, and each contract that says so notices when they do not."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.support.tree import ROOT, SRC, pyproject, relative, source_modules

SETTINGS = pyproject()["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract["name"] for contract in SETTINGS["contracts"]}
PURE = next(c for c in SETTINGS["contracts"] if c["id"] == "pure-domain")["source_modules"]

# Functions that import what a string names.
BY_NAME = {"import_module", "load_extra", "__import__"}

# What breaks each contract: a file of the package and the line that is added to it.
VIOLATIONS = {
    "layers": ("energycore/quantities/units.py", "import energycore.fleet"),
    "pure-domain": ("energycore/devices/base.py", "import random"),
    "one-home": ("energycore/storage/memory/__init__.py", "import sqlalchemy"),
    "kinds": ("energycore/devices/kinds/battery.py", "import energycore.devices.kinds.appliance"),
    "backends": ("energycore/storage/memory/__init__.py", "import energycore.storage.sql"),
    "thin-adapter": ("energycore_fastapi/__init__.py", "import energycore.services"),
    "django-adapter": ("energycore_django/access.py", "import energycore.fleet"),
    "adapters-on-top": ("energycore/wiring/__init__.py", "import energycore_fastapi"),
}


def lint_imports(src: Path) -> str:
    """Check the contracts against the packages in a folder; one line for each contract."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    options = ["--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    checked = subprocess.run(
        [sys.executable, "-c", program, *options],
        cwd=src,
        env=os.environ | {"PYTHONPATH": str(src), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    return checked.stdout + checked.stderr


@pytest.fixture
def scratch(tmp_path):
    """A copy of the packages that a test may spoil."""
    return shutil.copytree(ROOT / "src", tmp_path / "src")


def test_every_import_keeps_every_contract():
    output = lint_imports(ROOT / "src")
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in output, output


def test_every_contract_has_a_violation_here():
    assert VIOLATIONS.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_each_contract_is_broken_by_its_violation(scratch, contract):
    file, line = VIOLATIONS[contract]
    with (scratch / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    output = lint_imports(scratch)
    assert f"{CONTRACTS[contract]} BROKEN" in output, output


def test_a_module_without_a_place_is_refused(scratch):
    (scratch / "energycore" / "astrology.py").write_text('"""Horoscopes of batteries."""\n')
    assert "- energycore.astrology" in lint_imports(scratch)


def test_the_domain_and_the_services_import_attrs_and_numpy_and_nothing_else_from_outside():
    graph = grimp.build_graph("energycore", include_external_packages=True, cache_dir=None)
    inside = {"energycore", "attrs", "numpy", *sys.stdlib_module_names}
    foreign = {
        f"{module} -> {imported}"
        for part in PURE
        for module in {part} | graph.find_descendants(part)
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.partition(".")[0] not in inside
    }
    assert foreign == set()


def test_the_domain_and_the_services_import_nothing_by_a_name_made_at_run_time():
    # The registry of kinds lists its own folder, and nothing else.
    allowed = {"src/energycore/devices/registry.py"}
    folders = [part.removeprefix("energycore.") for part in PURE]
    found = {
        relative(path)
        for path in source_modules()
        if path.relative_to(SRC).parts[1].removesuffix(".py") in folders
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2]
        in {"import_module", "load_extra", "__import__"}
    }
    assert found == allowed
