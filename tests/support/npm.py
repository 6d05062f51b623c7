"""Packages of npm that tests need, kept between runs."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["installed"]

_INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")


def _not_here(reason: str) -> NoReturn:
    """Skip where a developer lacks npm; fail where nobody would see the skip."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)


def installed(config: pytest.Config, manifest: Path, name: str) -> Path:
    """A folder in which the packages of a package.json are installed, kept between runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _not_here(f"{name} needs node and npm")
    content = manifest.read_bytes()
    assert config.cache is not None
    folder = config.cache.mkdir(f"{name}-{hashlib.sha256(content).hexdigest()[:16]}")
    complete = folder / "complete"
    if not complete.exists():
        (folder / "package.json").write_bytes(content)
        done = subprocess.run(_INSTALL, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            _not_here(f"npm could not install {name}: {done.stderr}")
        complete.touch()
    return folder
