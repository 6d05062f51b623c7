"""What is due to be told in one subscription: bounded, and always the newest.

A feed is told of changes in any thread, and asked what to tell by the one task that tells it.
Between two messages changes add up to a set of devices; beyond a size that becomes "all that are
selected". However slow a client is, nothing else grows.
"""

import hashlib
import math
import threading
from collections.abc import Mapping
from typing import Any, Final, Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
)

from energycore.graphql import json_text
from energycore.graphql.live.limits import SocketLimits
from energycore.graphql.schema.scalars import format_instant
from energycore.graphql.schema.subscriptions import DeviceStatesEvent, SummaryEvent
from energycore.protocols.channel import Change
from energycore.protocols.records import MAX_PAGE, Cursor

__all__ = ["MAX_PENDING", "DeviceStates", "Feed", "Summary", "feed_of", "root_field"]

MAX_PENDING: Final = 2_000
_RETRY_S: Final = 5.0


class Feed(Protocol):
    """What one subscription has to tell."""

    def add(self, change: Change) -> bool:
        """Note a change, in any thread; whether the feed has more to tell now than before."""
        ...

    def due_in(self, now_s: float) -> float | None:
        """How long until there is something to ask for [s]; None for not before a change."""
        ...

    def event(self) -> object:
        """What to ask for now: the root value of an execution, noted as asked."""
        ...

    def is_news(self, event: Any, data: Mapping[str, Any], now_s: float) -> bool:
        """Take what was answered to an event; whether the client is to be told."""
        ...

    def failed(self, event: Any, now_s: float) -> None:
        """Take back that an event was answered; it is asked for again after a while."""
        ...


def feed_of(field: str, limits: SocketLimits) -> Feed | None:
    """The feed of a field of Subscription; None where the field is none of energycore's."""
    if field == "deviceStates":
        return DeviceStates()
    if field == "energySummary":
        return Summary(limits.summary_s, limits.heartbeat_s)
    return None


class DeviceStates:
    """First all devices that are selected, page by page, then those that change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[int] = set()
        self._walks = True
        self._walk_has_begun = False
        self._after: Cursor | None = None
        self._walks_again = False
        self._is_first = True
        self._not_before_s = -math.inf

    def add(self, change: Change) -> bool:
        """Note a change."""
        with self._lock:
            if self._walks and not self._walk_has_begun:
                return False
            was_waiting = not self._walks and not self._ids
            if change.device_ids is not None and not self._walks_again:
                self._ids |= change.device_ids
                if len(self._ids) <= MAX_PENDING:
                    return was_waiting
            self._ids.clear()
            # A walk under way is not begun anew: a slow client would never see its end.
            self._walks_again = self._walks
            self._walks = True
            return was_waiting

    def due_in(self, now_s: float) -> float | None:
        """How long until there is something to ask for."""
        with self._lock:
            if not self._walks and not self._ids:
                return None
            return max(0.0, self._not_before_s - now_s)

    def event(self) -> DeviceStatesEvent:
        """A page of all devices, or some that changed."""
        with self._lock:
            if self._walks:
                self._walk_has_begun = True
                return DeviceStatesEvent(after=self._after)
            chosen = sorted(self._ids)[:MAX_PAGE]
            self._ids.difference_update(chosen)
            return DeviceStatesEvent(chosen)

    def is_news(self, event: DeviceStatesEvent, data: Mapping[str, Any], now_s: float) -> bool:
        """Whether it holds any device; the first one is told in any case."""
        with self._lock:
            is_first, self._is_first = self._is_first, False
            if event.device_ids is None:
                self._after = event.next_after
                if self._after is None:
                    self._walks, self._walks_again = self._walks_again, False
                    self._walk_has_begun = False
        return is_first or any(data.values())

    def failed(self, event: DeviceStatesEvent, now_s: float) -> None:
        """Ask for the same devices again."""
        with self._lock:
            self._not_before_s = now_s + _RETRY_S
            self._ids.update(event.device_ids or ())


class Summary:
    """The totals when they have changed, not too often and not too seldom.

    Args:
        least_s: between two looks at them [s].
        most_s: between two messages [s].
    """

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._is_dirty = True
        self._asked_s = self._told_s = -math.inf
        self._told = b""
        self._not_before_s = -math.inf

    def add(self, change: Change) -> bool:
        """Note a change."""
        was_waiting, self._is_dirty = not self._is_dirty, True
        return was_waiting

    def due_in(self, now_s: float) -> float:
        """How long until they are looked at."""
        at_s = self._told_s + self._most_s
        if self._is_dirty:
            at_s = min(at_s, self._asked_s + self._least_s)
        return max(0.0, at_s - now_s, self._not_before_s - now_s)

    def event(self) -> SummaryEvent:
        """The totals of now."""
        # Before they are read: a change from here on is looked at again.
        self._is_dirty = False
        return SummaryEvent()

    def is_news(self, event: SummaryEvent, data: Mapping[str, Any], now_s: float) -> bool:
        """Whether anything but the instant differs, or it is time."""
        self._asked_s = now_s
        instant = format_instant(event.at_us).encode()
        text = json_text.encode(data).replace(instant, b"")
        answer = hashlib.blake2b(text, digest_size=16).digest()
        if answer == self._told and now_s - self._told_s < self._most_s:
            return False
        self._told, self._told_s = answer, now_s
        return True

    def failed(self, event: SummaryEvent, now_s: float) -> None:
        """Look again."""
        self._not_before_s = now_s + _RETRY_S
        self._asked_s = now_s
        self._is_dirty = True


def root_field(document: DocumentNode, operation_name: str | None) -> str | None:
    """The name of the one field of a subscription, wherever its fragments put it."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    waiting: list[Any] = [
        node.selection_set
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (operation_name is None or (node.name and node.name.value == operation_name))
    ]
    # A valid document has no cycle of fragments.
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                return node.name.value
            if isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                waiting.append(fragments[node.name.value].selection_set)
    return None
