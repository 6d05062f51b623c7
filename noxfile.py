"""The one door to every check: `nox` runs those that a change must pass, `nox -s NAME` runs one.

Dependencies come from the dependency groups in pyproject.toml. All sessions but `wheel` share one
environment, .nox/shared, which grows by a group when a session first asks for it.
"""

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import nox

__all__ = ["bench", "docs", "imports", "lint", "mutants", "tests", "types", "wheel"]

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent.resolve()
PYPROJECT: dict[str, Any] = nox.project.load_toml(ROOT / "pyproject.toml")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


class Environment:
    """A virtual environment in a folder, filled by uv where it is on the PATH, else by pip."""

    def __init__(self, session: nox.Session, folder: Path) -> None:
        self._session = session
        self._folder = folder
        self.python = folder / SCRIPTS / "python"
        session.env["VIRTUAL_ENV"] = str(folder)
        session.env["PATH"] = os.pathsep.join((str(folder / SCRIPTS), os.environ.get("PATH", "")))

    def create(self) -> None:
        """Make the environment anew."""
        self._session.run(sys.executable, "-m", "venv", "--clear", self._folder, silent=True)

    def install(self, *requirements: str | Path) -> None:
        """Install requirements, written as for pip."""
        installer: tuple[str | Path, ...] = (self.python, "-m", "pip", "install", "--quiet")
        if uv := shutil.which("uv"):
            installer = (uv, "pip", "install", "--quiet", "--python", self.python)
        self._session.run(*installer, *requirements)

    def install_once(self, *requirements: str) -> None:
        """Install requirements unless these very ones, of this very project, are installed."""
        wanted = json.dumps([sys.version, requirements, PYPROJECT["project"]], sort_keys=True)
        stamp = self._folder / "installed" / hashlib.sha256(wanted.encode()).hexdigest()
        if not self.python.exists():
            self.create()
        if not stamp.exists():
            self.install(*requirements)
            stamp.parent.mkdir(exist_ok=True)
            stamp.touch()

    def run(self, program: str, *arguments: str | Path, **env: str) -> None:
        """Run a program that is installed in the environment."""
        self._session.run(self._folder / SCRIPTS / program, *arguments, env=env)


def shared(session: nox.Session, *groups: str, project: bool = True) -> Environment:
    """The environment of all sessions, with these groups and, editable, the project in it."""
    environment = Environment(session, ROOT / ".nox" / "shared")
    editable = ("--editable", f"{ROOT}[all]") if project else ()
    environment.install_once(*editable, *nox.project.dependency_groups(PYPROJECT, *groups))
    return environment


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; `nox -s lint -- --fix` repairs what it can."""
    environment = shared(session, "lint", project=False)
    fix = "--fix" in session.posargs
    environment.run("ruff", "check", *session.posargs)
    environment.run("ruff", "format", *(() if fix else ("--check", "--diff")))


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy --strict."""
    shared(session, "types").run("mypy", *session.posargs)


@nox.session
def imports(session: nox.Session) -> None:
    """Hold the layers: the contracts in pyproject.toml against every import."""
    shared(session, "imports").run("lint-imports", "--no-logo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on all cores; arguments after `--` go to pytest instead."""
    environment = shared(session, "tests", *missing_postgresql())
    # The pages have a session of their own.
    everything = ("--numprocesses", "auto", "--ignore", "tests/test_docs.py")
    environment.run("pytest", *(session.posargs or everything))


@nox.session
def docs(session: nox.Session) -> None:
    """Run every code block of the pages, then build the site; a broken link is an error."""
    environment = shared(session, "docs", *missing_postgresql())
    environment.run("pytest", "tests/test_docs.py", *session.posargs)
    environment.run("mkdocs", "build", "--strict", "--quiet", "--site-dir", ROOT / "build" / "site")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure speed as ratios within one run; prints a table and writes JSON."""
    # Its own environment: it needs an older graphql-core than the other peer.
    graphene = Environment(session, ROOT / ".nox" / "graphene")
    graphene.install_once("--editable", f"{ROOT}[django]", "graphene-django>=3.2")
    peer = {"ENERGYCORE_BENCH_GRAPHENE": str(graphene.python)}
    shared(session, "bench").run("python", "-m", "benchmarks", *session.posargs, **peer)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Take away what keeps tenants apart, place by place: a test must notice each time."""
    environment = shared(session, "tests", *missing_postgresql())
    environment.run("python", "-m", "tools.mutants", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the sdist and from it the wheel, and use the wheel where nothing else is installed."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    shared(session, "wheel", project=False).run("python", "-m", "build", "--outdir", dist, ROOT)
    (built,) = dist.glob("*.whl")
    if missing := sorted(packaged_files() - set(zipfile.ZipFile(built).namelist())):
        session.error(f"{built.name} lacks {', '.join(missing)}")

    fresh = Environment(session, Path(session.create_tmp()).resolve() / "fresh")
    fresh.create()
    fresh.install(built)
    fresh.run("python", "-I", ROOT / "tools" / "use_wheel.py")


def packaged_files() -> set[str]:
    """Every file under the packages that the wheel must carry, as paths inside the wheel."""
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return {
        file.relative_to(ROOT / "src").as_posix()
        for package in packages
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def missing_postgresql() -> tuple[str, ...]:
    """The group that brings a PostgreSQL server, where neither a server nor its programs are."""
    found = (
        os.environ.get("ENERGYCORE_TEST_POSTGRESQL")
        or shutil.which("initdb")
        or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    )
    return () if found else ("postgresql",)
