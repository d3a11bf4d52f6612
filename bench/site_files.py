"""Configuration that is kept as it would be written by hand, with @NAME@ where a run has its own value."""

from __future__ import annotations

import re
from pathlib import Path


def copy_filled(source: Path, target: Path, values: dict[str, str], *, pattern: str = "*") -> None:
    """Copy the files of `source` that match to `target`; raises `KeyError` for an @NAME@ without a value."""
    for file in sorted(path for path in source.rglob(pattern) if path.is_file()):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"@([A-Z_]+)@", lambda name: values[name[1]], file.read_text()))
