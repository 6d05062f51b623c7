"""The audit of GraphQL over HTTP by graphql-http passes without a warning or a notice."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support import npm

HERE = Path(__file__).parent
AUDITS = 61


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Path:
    """A folder in which the packages of package.json are installed, kept between runs."""
    return npm.install(pytestconfig, HERE / "package.json")


@pytest.mark.npm
def test_every_audit_of_graphql_http_is_ok(installed, url):
    command = ["node", str(HERE / "audit.mjs"), f"{url}/graphql"]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    audits = json.loads(done.stdout)
    failed = [audit for audit in audits if audit["status"] != "ok"]
    assert not failed
    assert len(audits) == AUDITS
