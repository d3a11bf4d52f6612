"""What a caller hears: the steps, their runner, the Leg they run on. Knows nothing of Asterisk."""
