"""In which codecs a site's prompts are kept: those of its trunks, so that Asterisk need not transcode for a caller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from engine.sounds.ffmpeg import CODECS

_SECTION = re.compile(r"\[(?P<name>[^]]+)\](?:\((?P<inherits>[^)]*)\))?")
_SETTING = re.compile(r"(?P<key>[\w-]+)\s*=>?\s*(?P<value>.*)")
_COMMENT = re.compile(r"(?<!\\);.*")
# What a carrier's line is without a word on it.
_USUAL = ("alaw", "ulaw")
# Asterisk transcodes it into whatever it has no file for: g729, opus, gsm …
_FOR_ANY_OTHER = "wav"

_Settings = list[tuple[str, str]]


def trunk_codecs(site: Path) -> tuple[str, ...]:
    """The codecs of prompts (ffmpeg.CODECS), by what `allow` says in sip_trunks/*.conf and in the templates of
    asterisk_conf/pjsip.conf that they inherit (Asterisk: "Template Syntax"; res_pjsip: endpoint, `allow`)."""
    templates: dict[str, _Settings] = {}
    for _ in _sections(site / "asterisk_conf/pjsip.conf", templates):
        pass
    wanted: dict[str, None] = {}
    for file in sorted((site / "sip_trunks").glob("*.conf")):
        for settings in _sections(file, templates):
            if ("type", "endpoint") in settings:
                wanted |= dict.fromkeys(_allowed(settings))
    kept = (codec if codec in CODECS else _FOR_ANY_OTHER for codec in wanted)
    return tuple(dict.fromkeys(kept)) or _USUAL


def _sections(file: Path, templates: dict[str, _Settings]) -> Iterator[_Settings]:
    """The settings of each section that is no template; the templates are added to `templates`."""
    current: _Settings = []
    found: list[_Settings] = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
        text = _COMMENT.sub("", line).strip()
        if section := _SECTION.fullmatch(text):
            parents = [parent.strip() for parent in (section["inherits"] or "").split(",")]
            current = [setting for parent in parents for setting in templates.get(parent, ())]
            if "!" in parents:
                templates[section["name"]] = current
            else:
                found.append(current)
        elif setting := _SETTING.fullmatch(text):
            current.append((setting["key"].lower(), setting["value"].strip().lower()))
    yield from found


def _allowed(settings: _Settings) -> list[str]:
    allowed: list[str] = []
    for key, value in settings:
        if key not in ("allow", "disallow"):
            continue
        for word in filter(None, (word.strip() for word in value.split(","))):
            name, forbid = word.removeprefix("!"), word.startswith("!") or key == "disallow"
            names = [*_USUAL, _FOR_ANY_OTHER] if name == "all" and not forbid else [name]
            allowed = [] if name == "all" and forbid else [codec for codec in allowed if codec not in names]
            allowed += [] if forbid else names
    return allowed
