"""The GraphiQL page needs nothing from outside, and nothing can be put into it."""

import re
from html.parser import HTMLParser

import pytest

from energycore.errors import NotFound
from energycore.graphql.graphiql import ASSET_NAMES, CONTENT_SECURITY_POLICY, asset, page


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def attributes(html, name):
    return [given[name] for _, given in Elements(html).found if name in given]


def test_every_asset_that_the_page_loads_is_there_under_a_relative_url():
    html = page("graphql", assets="graphiql-assets/")
    wanted = [url for url in attributes(html, "src") + attributes(html, "href") if url != "data:,"]
    assert sorted(wanted) == sorted(f"graphiql-assets/{name}" for name in ASSET_NAMES)
    for name in ASSET_NAMES:
        media_type, content = asset(name)
        assert media_type.startswith("text/javascript" if name.endswith(".js") else "text/css")
        assert content


def test_the_page_shows_the_example_and_asks_the_endpoint_whatever_is_in_their_names():
    example = 'query A { b(c: "<\'&\n>") }'
    html = page('graph"><script>', example=example)
    assert attributes(html, "data-example") == [example]
    assert attributes(html, "data-endpoint") == ['graph"><script>']
    assert all(given.get("src") for tag, given in Elements(html).found if tag == "script")


@pytest.mark.parametrize("name", ["", "..", "../http.py", "start.js/", "graphiql.LICENSE.txt"])
def test_only_the_assets_of_the_page_are_given(name):
    with pytest.raises(NotFound):
        asset(name)


def test_the_policy_allows_scripts_from_the_same_server_only():
    policy = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "http" not in CONTENT_SECURITY_POLICY


def test_no_asset_loads_a_font_or_style_from_elsewhere():
    for name in ASSET_NAMES:
        media_type, content = asset(name)
        if media_type.startswith("text/css"):
            urls = re.findall(rb"url\(([^)]*)\)|@import", content)
            assert all(url.strip(b"\"'").startswith((b"data:", b"#")) for url in urls)
