"""What others say of the printed schema: graphql-inspector and graphql-eslint."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import npm
from tests.support.contract import CONTRACT, PRINTED

HERE = Path(__file__).parent

pytestmark = pytest.mark.npm


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Path:
    return npm.install(pytestconfig, HERE / "package.json")


@pytest.fixture
def run(installed):
    """Runs one of the scripts beside this file and returns what it prints."""

    def run(script: str, *files: Path) -> list[dict[str, Any]]:
        command = ["node", str(HERE / script), *map(str, files)]
        done = subprocess.run(command, cwd=installed, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    return run


def breaking(changes):
    return [change["message"] for change in changes if change["level"] == "BREAKING"]


def test_inspector_finds_no_breaking_change_of_the_contract(run):
    assert breaking(run("diff.mjs", CONTRACT, PRINTED)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  isStale: Boolean!\n", "  isOld: Boolean!\n", "Field 'isStale' was removed"),
        ("ratedPowerW: Float! }", "ratedPowerW: Float! more: Int! }", "'more' of type 'Int!'"),
    ],
)
def test_inspector_finds_a_promise_that_is_broken(run, tmp_path, old, new, message):
    text = CONTRACT.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "broken.graphql"
    broken.write_text(text.replace(old, new), encoding="utf-8")
    assert any(message in found for found in breaking(run("diff.mjs", CONTRACT, broken)))


def test_eslint_finds_nothing_against_its_recommended_and_relay_rules(run):
    assert run("lint.mjs", PRINTED) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("  hasNextPage: Boolean!\n", "  hasNextPage: Boolean\n", "relay-page-info"),
        ("  pageInfo: PageInfo!\n", "  page: PageInfo!\n", "relay-connection-types"),
        ('  """What stands there."""\n', "", "require-description"),
        ("\n  nameContains: ", "\n  name_contains: ", "naming-convention"),
    ],
)
def test_eslint_finds_what_is_against_its_rules(run, tmp_path, old, new, rule):
    text = PRINTED.read_text(encoding="utf-8")
    assert old in text
    odd = tmp_path / "odd.graphql"
    odd.write_text(text.replace(old, new), encoding="utf-8")
    assert any(rule in found["rule"] for found in run("lint.mjs", odd))
