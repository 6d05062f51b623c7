"""The audit of GraphQL over HTTP by graphql-http passes without a warning or a notice."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
AUDITS = 61
INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")


def not_here(reason: str) -> NoReturn:
    """Skip where a developer lacks npm; fail where nobody would see the skip."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Path:
    """A folder in which the packages of package.json are installed, kept between runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        not_here("the audit needs node and npm")
    manifest = (HERE / "package.json").read_bytes()
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("graphql-http-" + hashlib.sha256(manifest).hexdigest()[:16])
    complete = folder / "complete"
    if not complete.exists():
        (folder / "package.json").write_bytes(manifest)
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            not_here(f"npm could not install the audit: {done.stderr}")
        complete.touch()
    return folder


@pytest.mark.npm
def test_every_audit_of_graphql_http_is_ok(installed, url):
    command = ["node", str(HERE / "audit.mjs"), f"{url}/graphql"]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    audits = json.loads(done.stdout)
    failed = [audit for audit in audits if audit["status"] != "ok"]
    assert not failed
    assert len(audits) == AUDITS
