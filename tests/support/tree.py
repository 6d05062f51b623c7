"""The repository as the tests read it: its root, its files, its Python modules."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

__all__ = ["ROOT", "SRC", "packages", "pyproject", "relative", "source_modules", "tracked_files"]

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


def pyproject() -> dict[str, Any]:
    """The project's own settings."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages() -> list[Path]:
    """The packages that the wheel carries."""
    wheel = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]
    return [ROOT / package for package in wheel["packages"]]


def source_modules() -> list[Path]:
    """Every module of these packages."""
    return sorted(module for package in packages() for module in package.rglob("*.py"))


def relative(path: Path) -> str:
    """A path as a reader of the repository writes it, for the name of a test."""
    return path.relative_to(ROOT).as_posix()


def tracked_files() -> list[Path]:
    """Every file that git keeps or would keep; outside a clone the test is skipped."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"not a git clone: {listed.stderr.strip()}")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())
