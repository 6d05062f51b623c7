"""The pages about Django build a project that works, as somebody does who types what they say."""

import re

import pytest
from sqlalchemy import make_url

from tests.django.pages import follow
from tests.support import postgresql
from tests.support.pages import blocks
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
OF_EXAMPLE = re.compile(r"not run: ([\w/.]+) of examples/django_project")
LOOK = """
from django.contrib.auth import get_user_model
from django.test import Client
from energycore_django.models import Device, Site

client = Client(headers={"host": "localhost"})
client.force_login(get_user_model().objects.create_superuser("ada"))
for model in (Site, Device):
    name = model._meta.model_name
    page = client.get(f"/admin/energycore/{name}/{model.objects.first().pk}/change/")
    if "energycore-chart" in page.content.decode():
        print("a chart of a", name)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request):
    """What a project says of its database."""
    if request.param == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgresql_server")
    with postgresql.new_database(server) as url:
        parsed = make_url(url)
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parsed.database,
            "USER": parsed.username or "",
            "PASSWORD": parsed.password or "",
            "HOST": parsed.host or str(parsed.query.get("host", "")),
            "PORT": parsed.port or "",
        }
        yield f"\nDATABASES = {{'default': {database!r}}}\n"


def test_the_tutorial_ends_with_a_project_that_shows_charts(settings, tmp_path):
    """Its own tests have passed on the way."""
    reader = follow(DOCS / "tutorial" / "django.md", tmp_path, settings=settings)
    assert reader.done > 10
    assert "a chart of a site\na chart of a device" in reader.type(LOOK)


@pytest.mark.parametrize("page", ["add-to-django.md", "django-transactions.md"])
def test_a_how_to_works_in_a_new_project(page, settings, tmp_path):
    assert follow(DOCS / "how-to" / page, tmp_path, settings=settings).done > 3


def test_what_a_page_shows_of_the_example_is_there():
    page = (DOCS / "how-to" / "django-celery.md").read_text(encoding="utf-8")
    shown = [(OF_EXAMPLE.match(block.mark), block.text) for block in blocks(page)]
    files = [(match[1], text) for match, text in shown if match]
    assert len(files) == 2
    for path, text in files:
        there = (ROOT / "examples" / "django_project" / path).read_text(encoding="utf-8")
        assert set(text.replace("mysite", "home").splitlines()) <= set(there.splitlines()), path


def test_a_database_moves_to_django_and_back(tmp_path):
    assert follow(DOCS / "how-to" / "django-move-database.md", tmp_path).done > 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!-- run in the project -->\n```sh\npython -c 1/0\n```\n", "page.md:3: .*ZeroDivision"),
        (
            """<!-- run in the project -->
```sh
python -c print(1)
```

<!-- printed -->
```text
2
```
""",
            "page.md:8 shows another output",
        ),
    ],
)
def test_a_page_that_does_not_work_is_noticed(text, complaint, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError, match=f"(?s){complaint}"):
        follow(page, tmp_path)
