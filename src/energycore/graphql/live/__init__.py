"""Subscriptions, and all other requests, over graphql-transport-ws: one ASGI application."""

from energycore.graphql.live.app import SocketApp
from energycore.graphql.live.limits import SocketLimits

__all__ = ["SocketApp", "SocketLimits"]
