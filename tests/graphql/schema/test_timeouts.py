"""A request that takes too long asks no service any more."""

import attrs
import pytest

from energycore.graphql import Limits


@pytest.fixture
def late(client):
    """A client whose time is over when it begins."""
    home = client.home()
    client.ids = home
    client.engine = attrs.evolve(client.engine, limits=Limits(timeout_s=1e-9))
    return client


@pytest.mark.parametrize(
    "query",
    [
        "{ energySummary { netPowerW } }",
        "{ devices { totalCount } }",
        "{ devices { totalCount } is: __typename @include(if: true) }",
        (
            '{ energyHistory(from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z",'
            " interval: DAY) { timeZone } }"
        ),
    ],
)
def test_a_question_that_is_too_late_is_not_asked(late, query, monkeypatch):
    monkeypatch.setattr(
        type(late.services.storage), "transaction", lambda *_, **__: pytest.fail("was asked")
    )
    (error,) = late.respond(query)["errors"]
    assert error["extensions"] == {"code": "TIMEOUT"}


def test_a_change_that_is_too_late_is_not_made(late):
    mutation = 'mutation { registerSite(input: {name: "late", timeZone: "UTC"}) { site { id } } }'
    assert late.refused(mutation) == "TIMEOUT"
    late.engine = attrs.evolve(late.engine, limits=Limits())
    assert late.ask("{ sites { totalCount } }") == {"sites": {"totalCount": 1}}
