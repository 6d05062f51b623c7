"""Backends that keep what the protocols promise: in memory, and in SQL databases."""
