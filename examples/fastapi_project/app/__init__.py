"""Homes of customers, behind FastAPI."""
