"""Everything spoken with Asterisk."""
