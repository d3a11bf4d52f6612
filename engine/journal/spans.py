"""Durations as people say them."""


def span(ms: int) -> str:
    """A duration as people say it: 37 ms, 1.5 s, 42 s, 3 min 20 s, 2 h 05 min."""
    seconds = ms / 1000
    if ms < 1000:
        return f"{ms} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{ms // 60_000} min {ms // 1000 % 60:02d} s"
    return f"{ms // 3_600_000} h {ms // 60_000 % 60:02d} min"
