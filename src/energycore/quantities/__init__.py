"""Units, instants and time zones: the small words that everything else is written in."""
