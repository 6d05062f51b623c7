"""A snapshot answers as things stood when it was taken, and changes nothing."""

import pytest

import energycore as ec
from energycore.errors import NotAllowed, ScopeRequired


def test_a_snapshot_stands_still(services, scope, clock):
    """What is stored later, and how late it gets, show outside of it only."""
    start_us = services.insight.summary(scope).at_us
    with services.insight.snapshot(scope) as insight:
        assert insight.summary(scope).device_count == 0
        device = ec.SolarPanel(name="Roof", rated_power_w=5_000)
        services.registration.register_device(scope, device)
        clock.move(hours=1)
        summary = insight.summary(scope)
        assert (summary.device_count, summary.at_us) == (0, start_us)
        assert (insight.count(scope), services.insight.count(scope)) == (0, 1)
    assert services.insight.summary(scope).device_count == 1


def test_a_snapshot_does_not_write(services, scope):
    with (
        services.insight.snapshot(scope) as insight,
        pytest.raises(NotAllowed),
        insight.storage.transaction(write=True),
    ):
        pass


def test_there_is_no_snapshot_without_a_scope(services):
    with pytest.raises(ScopeRequired):
        services.insight.snapshot(None)
