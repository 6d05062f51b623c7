"""The contract of a channel as a pytest class, for channels of third parties as well."""

from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Final
from uuid import uuid4

import pytest

from energycore.protocols.channel import Change, Channel, Listening

__all__ = ["ChannelContract", "Heard"]

_PATIENCE_S: Final = 30.0


class Heard:
    """A listener that remembers what it was told.

    Args:
        channel: where it listens.
        tenant: to the changes of this tenant.
    """

    def __init__(self, channel: Channel, tenant: str) -> None:
        self._changes: SimpleQueue[Change] = SimpleQueue()
        self._listening: Listening = channel.subscribe(tenant, self._changes.put)

    def next(self) -> Change:
        """The next change, which is waited for."""
        return self._changes.get(timeout=_PATIENCE_S)

    def until(self, wanted: Change) -> None:
        """Wait for this change, or for one that says that any device may have changed."""
        while self.next() not in (wanted, Change(wanted.tenant)):
            pass

    def none(self) -> bool:
        """Whether nothing more has been told so far."""
        try:
            self._changes.get_nowait()
        except Empty:
            return True
        return False

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()


class ChannelContract:
    """The promises of `energycore.protocols.channel`.

    Subclass it and give it the fixtures `here` and `there`: two channels between which changes
    are carried, which may be one and the same.
    """

    @pytest.fixture
    def here(self) -> Iterator[Channel]:
        """A channel under test."""
        raise NotImplementedError("give the class a fixture that is called here")

    @pytest.fixture
    def there(self, here: Channel) -> Iterator[Channel]:
        """Another end of it."""
        raise NotImplementedError("give the class a fixture that is called there")

    @pytest.fixture
    def tenant(self) -> str:
        """A tenant that nobody else uses."""
        return f"tenant-{uuid4().hex}"

    def test_every_listener_of_the_tenant_is_told(
        self, here: Channel, there: Channel, tenant: str
    ) -> None:
        """At both ends, with the devices that changed."""
        listeners = [Heard(here, tenant), Heard(here, tenant), Heard(there, tenant)]
        changes = [Change(tenant, frozenset({1, 2**62})), Change(tenant), Change(tenant)]
        for change in changes:
            here.publish(change)
        for listener in listeners:
            assert [listener.next() for _ in changes] == changes

    def test_a_listener_hears_nothing_of_other_tenants(
        self, here: Channel, there: Channel, tenant: str
    ) -> None:
        """Not even that they have changed."""
        listeners = [Heard(here, tenant), Heard(there, tenant)]
        here.publish(Change(f"{tenant}-other", frozenset({1})))
        here.publish(Change(tenant[:-1], frozenset({2})))
        here.publish(Change(tenant, frozenset({3})))
        for listener in listeners:
            assert listener.next() == Change(tenant, frozenset({3}))

    def test_a_listener_that_is_closed_is_told_nothing(
        self, here: Channel, there: Channel, tenant: str
    ) -> None:
        """And may be closed again; the others are still told."""
        closed, other = Heard(there, tenant), Heard(there, tenant)
        closed.close()
        closed.close()
        here.publish(Change(tenant))
        assert other.next() == Change(tenant)
        assert closed.none()

    def test_a_listener_that_fails_disturbs_nobody(
        self, here: Channel, there: Channel, tenant: str
    ) -> None:
        """Neither whoever publishes nor the others."""

        def fail(_change: Change) -> None:
            raise RuntimeError("the listener is broken")

        here.subscribe(tenant, fail)
        there.subscribe(tenant, fail)
        listeners = [Heard(here, tenant), Heard(there, tenant)]
        for _ in range(2):
            here.publish(Change(tenant, frozenset({7})))
        for listener in listeners:
            assert [listener.next() for _ in range(2)] == [Change(tenant, frozenset({7}))] * 2

    def test_what_is_published_before_somebody_listens_is_not_told(
        self, here: Channel, there: Channel, tenant: str
    ) -> None:
        """Whoever begins to listen reads what there is."""
        here.publish(Change(tenant, frozenset({1})))
        there.publish(Change(tenant, frozenset({2})))
        listener = Heard(here, tenant)
        here.publish(Change(tenant, frozenset({3})))
        assert listener.next() == Change(tenant, frozenset({3}))

    def test_a_closed_channel_tells_nobody_and_raises_nothing(
        self, here: Channel, tenant: str
    ) -> None:
        """It may be closed again."""
        listener = Heard(here, tenant)
        here.close()
        here.close()
        here.publish(Change(tenant))
        assert listener.none()
