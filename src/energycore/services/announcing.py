"""Saying what changed, as soon as everybody can read it."""

from collections.abc import Collection
from functools import partial

from energycore.protocols.channel import MAX_CHANGED, Change, Channel
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import UnitOfWork
from energycore.quantities.units import IntArray

__all__ = ["announce"]


def announce(
    channel: Channel | None,
    work: UnitOfWork,
    scope: Scope,
    device_ids: IntArray | Collection[int],
) -> None:
    """Tell the channel of these devices when the transaction has committed.

    Args:
        channel: None for nobody to tell.
        work: the transaction.
        scope: whose devices they are.
        device_ids: what changed, each once; of none, nothing is told.
    """
    if channel is None or not len(device_ids):
        return
    tenant = tenant_of(scope)
    ids = None if len(device_ids) > MAX_CHANGED else frozenset(int(one) for one in device_ids)
    work.after_commit(partial(channel.publish, Change(tenant, ids)))
