"""Simulation strategies: pure functions from arrays to arrays that say what devices do in a step."""
