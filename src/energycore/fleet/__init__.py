"""A fleet as columns: how it is laid out, moved by a tick, and summed up."""
