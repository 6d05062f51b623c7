"""Simulation strategies: pure functions from arrays to arrays, moving devices a step on."""
