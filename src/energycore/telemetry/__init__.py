"""Readings: what was measured or simulated, as columns of exact whole numbers."""
