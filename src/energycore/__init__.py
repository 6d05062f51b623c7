"""Home and distributed energy."""
