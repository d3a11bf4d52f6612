"""The music that waiting callers hear: classes of Asterisk's res_musiconhold, one a section of musiconhold.conf."""

from __future__ import annotations

from pathlib import Path

from engine.config.conf import sections

OURS = Path(__file__).resolve().parent / "moh"


def music_classes(site: Path) -> dict[str, str]:
    """Where each class of a site comes from: a folder, a program, a stream. `default` comes with Hotline."""
    classes = {"default": str(OURS)}
    for name, settings in sections(site / "asterisk_conf/musiconhold.conf"):
        written = dict(settings)
        classes[name] = written.get("directory") or written.get("application") or written.get("mode", "")
    return classes
