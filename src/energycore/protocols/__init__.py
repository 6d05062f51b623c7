"""Ports: what the services ask of storage and clocks, as small promises that tests check."""
