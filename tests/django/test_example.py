"""The project in examples/django_project starts as its README says, on each database."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from sqlalchemy import make_url

from tests.support import postgresql
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow

PROJECT = ROOT / "examples" / "django_project"
FROM_OUTSIDE = ("PGDATABASE", "DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE")
ON_A_SERVER = {
    "DJANGO_SECRET_KEY": "a long text that nobody guesses, of more than fifty characters",
    "DJANGO_ALLOWED_HOSTS": "energy.example",
}
LOOK = """
import json
from django.contrib.auth import get_user_model
from django.test import Client

client = Client(headers={"host": "localhost"})
query = "{ energySummary { deviceCount netPowerW } devices { totalCount } }"
asked = client.post("/energy/graphql", {"query": query}, content_type="application/json")
get_user_model().objects.create_superuser("ada", password="secret")
client.login(username="ada", password="secret")
admin = client.get("/admin/")
print(json.dumps({
    "data": asked.json()["data"],
    "graphiql": client.get("/energy/").status_code,
    "home": client.get("/")["location"],
    "admin": admin.status_code,
    "shown": "Energy" in admin.content.decode(),
}))
"""


class Project:
    """A copy of the project, driven by its manage.py."""

    def __init__(self, folder, environment):
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        self._folder = folder
        self._environment = environment

    def replace(self, path, there, instead):
        file = self._folder / path
        file.write_text(file.read_text(encoding="utf-8").replace(there, instead), encoding="utf-8")

    def manage(self, *arguments, status=0, **environment):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self._folder,
            env=self._environment | environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def copied(tmp_path, **environment):
    kept = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
    return Project(tmp_path / "project", kept | environment)


@pytest.fixture
def on_sqlite(tmp_path):
    return copied(tmp_path)


@pytest.fixture
def on_postgresql(tmp_path, postgresql_server):
    with postgresql.new_database(postgresql_server) as url:
        parsed = make_url(url)
        named = {
            "PGDATABASE": parsed.database,
            "PGUSER": parsed.username,
            "PGPASSWORD": parsed.password,
            "PGHOST": parsed.host or parsed.query.get("host"),
            "PGPORT": parsed.port and str(parsed.port),
        }
        yield copied(tmp_path, **{name: value for name, value in named.items() if value})


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request):
    """The project on each database in turn."""
    return request.getfixturevalue(f"on_{request.param}")


def test_the_commands_of_the_readme_work_in_their_order(project):
    """Migrate, fill, serve, tick; a second run of them changes nothing."""
    project.manage("migrate", "--verbosity", "0")
    demo = ("energycore_demo", "--sites", "2", "--days", "1")
    assert "registered 15 devices" in project.manage(*demo)
    assert "nothing was registered" in project.manage(*demo)
    assert "readings stored" in project.manage("energycore_tick", "--once")
    assert "Nothing is wrong" in project.manage("energycore_doctor")
    assert "No changes detected" in project.manage("makemigrations", "--check", "--dry-run")
    seen = json.loads(project.manage("shell", "--verbosity", "0", "--command", LOOK))
    assert seen["data"]["devices"] == {"totalCount": 15}
    assert seen["data"]["energySummary"]["deviceCount"] == 15
    assert seen["data"]["energySummary"]["netPowerW"] is not None
    assert (seen["graphiql"], seen["home"]) == (200, "/energy/")
    assert (seen["admin"], seen["shown"]) == (200, True)


def test_its_own_tests_pass(project):
    assert "Ran 3 tests" in project.manage("test")


def test_a_deployment_has_nothing_of_energycore_to_mend(on_sqlite):
    told = on_sqlite.manage("check", "--deploy", "--database", "default", **ON_A_SERVER)
    assert "energycore." not in told
    assert "security.W00" not in told.replace("security.W005", "")


def test_celery_finds_the_tasks_and_when_they_are_due(on_sqlite):
    code = "from home import celery_app as app; app.loader.import_default_modules(); "
    code += "print(*sorted(e['task'] for e in app.conf.beat_schedule.values()), *sorted(app.tasks))"
    beat_and_tasks = on_sqlite.manage("shell", "--verbosity", "0", "--command", code).split()
    assert beat_and_tasks[:3] == ["energycore.tick", "energycore.upkeep", "energycore.upkeep"]
    assert {"energycore.tick", "energycore.upkeep"} <= set(beat_and_tasks[3:])


def test_a_key_that_does_not_exist_is_told_by_the_checks(on_sqlite):
    """Which Django runs after it has read the URLs; whoever asks all the same is refused."""
    on_sqlite.replace("home/settings.py", "DEFAULT_TIME_ZONE", "DEFAULT_TIMEZONE")
    told = on_sqlite.manage("check", status=1)
    assert "Traceback" not in told
    assert "(energycore.E001) ENERGYCORE: there is no key 'DEFAULT_TIMEZONE'" in told
    assert "Did you mean DEFAULT_TIME_ZONE?" in told
    asked = "from django.test import Client; print(Client(headers={'host': 'localhost'}).get("
    asked += "'/energy/graphql', {'query': '{ devices { totalCount } }'}).content)"
    answer = on_sqlite.manage("shell", "--verbosity", "0", "--command", asked)
    assert "INTERNAL" in answer
    assert "ImproperlyConfigured: ENERGYCORE: there is no key 'DEFAULT_TIMEZONE'" in answer
