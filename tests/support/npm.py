"""Packages of npm that tests hold energycore against, installed once for each list of them."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["install"]

_INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")


def install(config: pytest.Config, manifest: Path) -> Path:
    """A folder in which the packages of a package.json are installed, kept between runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _not_here(f"{manifest.parent.name} needs node and npm")
    text = manifest.read_bytes()
    assert config.cache is not None
    folder = config.cache.mkdir(f"npm-{hashlib.sha256(text).hexdigest()[:16]}")
    complete = folder / "complete"
    if not complete.exists():
        (folder / "package.json").write_bytes(text)
        done = subprocess.run(_INSTALL, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            _not_here(f"npm could not install {manifest}: {done.stderr}")
        complete.touch()
    return folder


def _not_here(reason: str) -> NoReturn:
    """Skip where a developer lacks npm; fail where nobody would see the skip."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)
