"""What devices can be grouped by, and which groups a device belongs to."""

from enum import Enum
from typing import TypeAlias

from energycore.protocols.records import DeviceRecord

__all__ = ["GroupKey", "SummaryGroup", "group_keys"]

GroupKey: TypeAlias = int | str | None
"""A site's identity, a kind's name or a tag; None for devices without site or tag."""


class SummaryGroup(Enum):
    """What totals, and the lists of devices behind them, may be grouped by."""

    SITE = "site"
    KIND = "kind"
    TAG = "tag"


def group_keys(record: DeviceRecord, group: SummaryGroup) -> tuple[GroupKey, ...]:
    """The groups that a device belongs to: one for each of its tags, one otherwise."""
    if group is SummaryGroup.SITE:
        return (record.site_id,)
    if group is SummaryGroup.KIND:
        return (record.device.kind,)
    return record.tags or (None,)
