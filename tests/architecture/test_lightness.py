"""`import energycore` costs little: the heavy libraries wait until somebody asks for them."""

import subprocess
import sys

import pytest

HEAVY = ("sqlalchemy", "graphql", "cattrs", "django", "pandas", "asyncio")


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has loaded after a statement."""
    program = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.fixture(
    scope="module",
    params=[
        "import energycore",
        "from energycore import Battery, Site, SolarPanel",
        "from energycore import Energy, ReadingBatch, connect, device_kinds, simulate",
        "import energycore; energycore.device_kinds(); energycore.connect('memory://')",
    ],
)
def loaded(request):
    """The modules of the core, of simulations, and of a database in memory."""
    return modules_after(request.param)


@pytest.mark.parametrize("library", HEAVY)
def test_the_core_leaves_a_heavy_library_unloaded(loaded, library):
    assert library not in loaded


def test_the_libraries_that_are_looked_for_would_be_seen():
    assert "asyncio" in modules_after("import asyncio")


def test_import_energycore_loads_no_more_foreign_packages_than_attrs_and_numpy():
    standard = sys.stdlib_module_names
    own = modules_after("import energycore") - modules_after("import attrs, numpy")
    foreign = {name.partition(".")[0] for name in own} - standard - {"energycore", "__main__"}
    assert foreign == set()
