"""Device kinds: one frozen class per file, found by themselves or through an entry point."""
