"""In which codecs a site's prompts are kept: those of its trunks, so that Asterisk need not transcode for a caller."""

from __future__ import annotations

from pathlib import Path

from engine.config.conf import Settings, sections
from engine.sounds.ffmpeg import CODECS

# What a carrier's line is without a word on it.
_USUAL = ("alaw", "ulaw")
# Asterisk transcodes it into whatever it has no file for: g729, opus, gsm …
_FOR_ANY_OTHER = "wav"


def trunk_codecs(site: Path) -> tuple[str, ...]:
    """The codecs of prompts (ffmpeg.CODECS), by what `allow` says in sip_trunks/*.conf and in the templates of
    asterisk_conf/pjsip.conf that they inherit (res_pjsip: endpoint, `allow`)."""
    templates: dict[str, Settings] = {}
    list(sections(site / "asterisk_conf/pjsip.conf", templates))
    wanted: dict[str, None] = {}
    for file in sorted((site / "sip_trunks").glob("*.conf")):
        for _, settings in sections(file, templates):
            if ("type", "endpoint") in settings:
                wanted |= dict.fromkeys(_allowed(settings))
    kept = (codec if codec in CODECS else _FOR_ANY_OTHER for codec in wanted)
    return tuple(dict.fromkeys(kept)) or _USUAL


def _allowed(settings: Settings) -> list[str]:
    allowed: list[str] = []
    for key, value in settings:
        if key not in ("allow", "disallow"):
            continue
        for word in filter(None, (word.strip() for word in value.lower().split(","))):
            name, forbid = word.removeprefix("!"), word.startswith("!") or key == "disallow"
            names = [*_USUAL, _FOR_ANY_OTHER] if name == "all" and not forbid else [name]
            allowed = [] if name == "all" and forbid else [codec for codec in allowed if codec not in names]
            allowed += [] if forbid else names
    return allowed
