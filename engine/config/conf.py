"""Asterisk's own .conf files, as far as we read them: sections, their settings, the templates that they inherit
(Asterisk documentation, "Asterisk Configuration Files": "Templates")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_SECTION = re.compile(r"\[(?P<name>[^]]+)\](?:\((?P<inherits>[^)]*)\))?")
_SETTING = re.compile(r"(?P<key>[\w-]+)\s*=>?\s*(?P<value>.*)")
_COMMENT = re.compile(r"(?<!\\);.*")

Settings = list[tuple[str, str]]
"""Key and value in their order; both may come again."""


def sections(file: Path, templates: dict[str, Settings] | None = None) -> Iterator[tuple[str, Settings]]:
    """Name and settings of each section that is no template, those of its templates first; nothing where there is no
    such file. Templates are looked up in `templates`, and those of this file are added to it."""
    known = {} if templates is None else templates
    found: list[tuple[str, Settings]] = []
    current: Settings = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
        text = _COMMENT.sub("", line).strip()
        if section := _SECTION.fullmatch(text):
            parents = [parent.strip() for parent in (section["inherits"] or "").split(",")]
            current = [setting for parent in parents for setting in known.get(parent, ())]
            if "!" in parents:
                known[section["name"]] = current
            else:
                found.append((section["name"], current))
        elif setting := _SETTING.fullmatch(text):
            current.append((setting["key"].lower(), setting["value"].strip()))
    yield from found
