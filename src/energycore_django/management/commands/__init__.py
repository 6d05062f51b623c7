"""The commands; each module is one, under its name."""
