"""Who speaks the texts that nobody has recorded: one file an engine."""
