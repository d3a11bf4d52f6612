"""Questions to other people's programs over HTTP, which may be slow, dead or talk nonsense."""
