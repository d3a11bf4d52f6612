"""Where the neural models are put together once: they are large, and the same for every site."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """~/.cache/hotline, or where XDG_CACHE_HOME says."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hotline"
