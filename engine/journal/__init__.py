"""What happened: typed events, the stream that carries them, and its readers."""
