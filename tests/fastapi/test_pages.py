"""The tutorial about FastAPI builds the example, as somebody does who types what it says."""

import pytest

from tests.fastapi.pages import FILED, follow
from tests.support.pages import blocks
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "tutorial" / "fastapi.md"
EXAMPLE = ROOT / "examples" / "fastapi_project"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_tutorial_works_from_its_first_line_to_its_last(database, request, tmp_path):
    """Its own tests have passed on the way."""
    variables = {}
    if database == "postgresql":
        variables["HOMES_DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    assert follow(PAGE, tmp_path, **variables).done > 25


def test_the_example_is_what_the_tutorial_builds():
    built = {}
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        if filed := FILED.fullmatch(block.mark):
            built[filed[1]] = f"{block.text}\n"
    assert len(built) > 7
    for path, text in built.items():
        assert (EXAMPLE / path).read_text(encoding="utf-8") == text, path


KEPT = """<!-- run in the project -->
```sh
N=1
```

<!-- run in the project -->
```sh
echo $N
```

<!-- printed -->
```text
2
```
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!-- run in the project -->\n```sh\npython -c 1/0\n```\n", "page.md:3: .*ZeroDivision"),
        (KEPT, "page.md:13: another output:\n1"),
    ],
)
def test_a_page_that_does_not_work_is_noticed(text, complaint, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError, match=f"(?s){complaint}"):
        follow(page, tmp_path)
