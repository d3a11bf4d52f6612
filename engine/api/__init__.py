"""REST and WebSocket for everybody else; the command line is its first user."""
