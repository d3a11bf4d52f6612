"""`hotline prompts verify`: what a machine understands of what callers hear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import typer

from engine.cli.common import console, print_json
from engine.sounds import LANGUAGES, Prompt, Sounds
from engine.sounds.verifying import Ear, Heard, verify

INSTALL = "Whisper is not installed here; `pip install 'hotline[verify]'` adds it (for development, not for calls)"


def listen(sounds: Sounds, prompts: Sequence[Prompt], ear: Ear, *, most: float, as_json: bool) -> bool:
    """Prints what was heard of each prompt, and whether all of it is good enough: no prompt that is not understood,
    and no language with a share of more than `most` misheard."""
    heard = []
    for one in verify(sounds, prompts, ear):
        heard.append(one)
        if not as_json:
            mark = "ok " if one.understood else "BAD"
            places = f"{one.language}/{one.prompt}"
            console.print(f"{mark} {places:30} {one.errors}/{one.length}  {one.words} → {one.heard}", soft_wrap=True)
    shares = {language: share for language in LANGUAGES if (share := _share(heard, language)) is not None}
    good = all(one.understood for one in heard) and all(share <= most for share in shares.values())
    if as_json:
        print_json({"good": good, "misheard": shares, "prompts": [_as_data(one) for one in heard]})
        return good
    unit = {"zh-CN": "syllables", "en": "words"}
    for language, share in shares.items():
        count = sum(one.length for one in heard if one.language == language)
        console.print(f"{language}: {share:.1%} of {count} {unit[language]} misheard (at most {most:.0%} may be)")
    unheard = len(prompts) - len(heard)
    if unheard:
        console.print(f"{unheard} not listened to: they have no words to compare with, or no recording.")
    return good


def _share(heard: Iterable[Heard], language: str) -> float | None:
    ours = [one for one in heard if one.language == language]
    length = sum(one.length for one in ours)
    return sum(one.errors for one in ours) / length if length else None


def _as_data(one: Heard) -> dict[str, Any]:
    return asdict(one) | {"understood": one.understood}


def whisper() -> Ear:
    """The recogniser. Raises typer.Exit where it is not installed."""
    try:
        from engine.sounds.hearing import Whisper
    except ImportError:
        typer.secho(INSTALL, fg="red", err=True)
        raise typer.Exit(1) from None
    from engine.sounds.models_kept import folder

    ear: Ear = Whisper(folder())
    return ear
