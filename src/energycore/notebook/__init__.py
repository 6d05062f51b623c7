"""Simulating a home in one call, with results that notebooks can show."""
