"""The ACD alone, in a Redis of its own: cycles a second, latency of a decision, what it costs as it grows, memory."""
