"""`hotline prompts`: what callers are told, what of it is missing, and how it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.common import JsonOption, SiteOption, console, fail, plain_table, print_json
from engine.config import prompts as uses
from engine.config import site as sites
from engine.config.site import Site
from engine.config.source import SiteError
from engine.host.state import CannotRun
from engine.sounds import LANGUAGES, Prompt, Source, UnusableSounds
from engine.sounds.music import music_classes
from engine.sounds.tts import CannotSpeak, Voice, named
from engine.sounds.tts.kokoro import Kokoro
from engine.speech import vocabulary

LanguageOption = Annotated[str | None, typer.Option("--language", help=f"Only this one: {' or '.join(LANGUAGES)}.")]
AllOption = Annotated[bool, typer.Option("--all", help="Also what no flow and no queue plays.")]
OwnSiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder.")]

_SOURCES = {
    Source.RECORDED: "own recording",
    Source.SHIPPED: "shipped",
    Source.MISSING: "MISSING",
    Source.OUTDATED: "OUTDATED",
}

NO_MUSIC = "MISSING: no such section in asterisk_conf/musiconhold.conf"

app = typer.Typer(
    help="List the prompts that callers hear; record, build and verify them.", invoke_without_command=True
)


@dataclass(frozen=True, slots=True)
class _Row:
    prompt: Prompt
    used_by: Sequence[str]


@app.callback()
def prompts(
    context: typer.Context,
    site: SiteOption = Path(),
    everything: AllOption = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every prompt that flows and queues play: its words, who speaks them, how long."""
    context.obj = site
    if context.invoked_subcommand is None:
        listing(context, None, everything, language, as_json)


@app.command("list")
def listing(
    context: typer.Context,
    site: OwnSiteOption = None,
    everything: AllOption = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """The same."""
    loaded = _load(site or context.obj)
    rows, music = _rows(loaded, everything, language), _music(loaded)
    if as_json:
        print_json({"prompts": [_as_data(row) for row in rows], "music": music})
        return
    table = plain_table("prompt", "language", "source", "seconds", "words", whole=("prompt",))
    shown = [row.prompt for row in rows if everything or not _is_shipped_word(row.prompt)]
    for prompt in shown:
        source = prompt.voice if prompt.source is Source.BUILT else _SOURCES[prompt.source]
        seconds = "" if prompt.duration_s is None else f"{prompt.duration_s:.1f}"
        table.add_row(prompt.name, prompt.language, source, seconds, prompt.text or "—")
    console.print(table)
    if words := len(rows) - len(shown):
        console.print(f"and {words} shipped words that numbers, money, dates and times are made of (--all)")
    for each in music:
        console.print(f"music {each['name']}: {each['source'] or NO_MUSIC} ({', '.join(each['used_by'])})")


def _is_shipped_word(prompt: Prompt) -> bool:
    return prompt.source is Source.SHIPPED and prompt.name in vocabulary(prompt.language)


def _music(site: Site) -> list[dict[str, Any]]:
    classes = music_classes(site.folder)
    used_by = uses.music_used(site.flows, site.queues, site.hotline.tiers)
    return [{"name": name, "source": classes.get(name), "used_by": by} for name, by in sorted(used_by.items())]


@app.command()
def missing(
    context: typer.Context,
    site: OwnSiteOption = None,
    everything: AllOption = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List only what callers would not hear; exit code 1 when there is any."""
    loaded = _load(site or context.obj)
    rows = [row for row in _rows(loaded, everything, language) if row.prompt.wanting]
    silent = [each for each in _music(loaded) if each["source"] is None]
    if as_json:
        print_json({"prompts": [_as_data(row) for row in rows], "music": silent})
    else:
        _tell_missing(rows)
        for each in silent:
            typer.echo(f"music {each['name']}: {NO_MUSIC}; played by {', '.join(each['used_by'])}")
        if not rows and not silent:
            typer.echo("Nothing is missing.")
    if rows or silent:
        raise typer.Exit(1)


def _tell_missing(rows: Sequence[_Row]) -> None:
    for row in rows:
        prompt = row.prompt
        why = "has no words" if not prompt.text else "has only words"
        why = "has other words than were built" if prompt.source is Source.OUTDATED else why
        places = ", ".join(row.used_by[:3]) + (" …" if len(row.used_by) > 3 else "")
        typer.echo(f"{prompt.language}/{prompt.name} {why}; played by {places or 'nobody'}")
    speakable = sum(bool(row.prompt.text) for row in rows)
    if speakable:
        typer.echo(f"`hotline prompts build` has {speakable} spoken; `hotline prompts import FILE` takes a recording.")
    if len(rows) > speakable:
        typer.echo(
            f"{len(rows) - speakable} without words: write them into sounds/prompts.yaml, or import a recording."
        )


@app.command()
def build(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    site: OwnSiteOption = None,
    everything: AllOption = False,
    language: LanguageOption = None,
    engine: Annotated[
        str | None,
        typer.Option(help="kokoro, espeak-ng, command:PROGRAM ARGS or http://…; else what `tts` in hotline.yaml says."),
    ] = None,
) -> None:
    """Have words spoken that have no recording, or a built one of other words; your own recordings stay."""
    loaded = _load(site or context.obj)
    voices: dict[str, Voice] = {each: Kokoro() for each in LANGUAGES}
    voices |= {str(each): voice for each, voice in loaded.hotline.tts.items()}
    try:
        voices = dict.fromkeys(LANGUAGES, named(engine)) if engine else voices
    except CannotSpeak as error:
        raise fail(error) from None
    asked_for = _asked_for(loaded, names or (), everything, language)
    if not asyncio.run(_build(loaded, asked_for, voices, by_name=bool(names))):
        raise typer.Exit(1)


async def _build(site: Site, asked_for: Sequence[Prompt], voices: dict[str, Voice], *, by_name: bool) -> bool:
    from engine.sounds.ffmpeg import UnusableAudio
    from engine.sounds.making import build as speak
    from engine.sounds.making import why_not
    from engine.sounds.trunk_codecs import trunk_codecs

    codecs = trunk_codecs(site.folder)
    warned: set[str] = set()
    failed = made = 0
    for prompt in asked_for:
        voice = voices[prompt.language]
        if refusal := why_not(prompt, voice, codecs):
            failed += prompt.wanting
            if by_name or prompt.wanting:
                typer.echo(f"{prompt.language}/{prompt.name} {refusal}", err=prompt.wanting)
            continue
        if (warning := voice.warning(prompt.language)) and warning not in warned:
            warned.add(warning)
            typer.secho(f"warning: {warning}", fg="yellow", err=True)
        try:
            seconds = await speak(site.folder / "sounds", prompt, voice, codecs)
        except (CannotSpeak, UnusableAudio, UnusableSounds, OSError) as error:
            failed += 1
            typer.secho(f"{prompt.language}/{prompt.name}: {error}", fg="red", err=True)
        else:
            made += 1
            by = voice.said_by(prompt.language)
            typer.echo(f"{prompt.language}/{prompt.name}: {seconds:.1f} s by {by}, in {', '.join(codecs)}")
    if made:
        typer.echo(
            f"Built {made}. Listen to them, or `hotline prompts verify`; `hotline reload` lets callers hear them."
        )
    elif not failed and not by_name:
        typer.echo("Nothing to build: every prompt that is played has its recording.")
    return not failed


@app.command("import")
def take(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Audio files, of whatever format.")],
    name: Annotated[str | None, typer.Option("--as", help="The prompt's name; else the file's.")] = None,
    language: Annotated[str, typer.Option(help=f"{' or '.join(LANGUAGES)}.")] = LANGUAGES[0],
    site: OwnSiteOption = None,
) -> None:
    """Take recordings: at one loudness, without the silence around them, in the codecs of your trunks."""
    from engine.sounds.ffmpeg import UnusableAudio
    from engine.sounds.making import CannotMake
    from engine.sounds.making import take as keep
    from engine.sounds.trunk_codecs import trunk_codecs

    folder = site or context.obj
    _known(language)
    if name and len(files) > 1:
        raise typer.BadParameter("names one prompt, and there are several files", param_hint="--as")
    if not (folder / "dialplan").is_dir():
        raise fail(CannotRun(f"{folder} is no site; name one with --site"))
    codecs = trunk_codecs(folder)
    failed = False
    for file in files:
        try:
            seconds = keep(folder / "sounds", file, name or file.stem, language, codecs)
        except (CannotMake, UnusableAudio, UnusableSounds, OSError) as error:
            failed = True
            typer.secho(f"{file}: {error}", fg="red", err=True)
        else:
            typer.echo(f"{language}/{name or file.stem}: {seconds:.1f} s, in {', '.join(codecs)}")
    if failed:
        raise typer.Exit(1)


@app.command()
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    site: OwnSiteOption = None,
    everything: AllOption = False,
    language: LanguageOption = None,
    most: Annotated[float, typer.Option(help="Share of syllables or words that may be misheard.", min=0, max=1)] = 0.1,
    as_json: JsonOption = False,
) -> None:
    """Have Whisper listen at 8 kHz; exit code 1 when a prompt is not understood, or too much of a language."""
    from engine.cli import verify as verifying

    loaded = _load(site or context.obj)
    asked_for = _asked_for(loaded, names or (), everything, language)
    if not verifying.listen(loaded.sounds, asked_for, verifying.whisper(), most=most, as_json=as_json):
        raise typer.Exit(1)


def _load(folder: Path) -> Site:
    try:
        return sites.load(folder, unspoken=True)
    except SiteError as error:
        raise fail(error) from None


def _rows(site: Site, everything: bool, language: str | None) -> list[_Row]:
    """By name, its languages together."""
    if language is not None:
        _known(language)
    used_by: dict[tuple[str, str], dict[str, None]] = {}
    for use in uses.used(site.flows, site.queues, site.agents, site.sounds):
        used_by.setdefault((use.prompt, use.language), {})[str(use)] = None
    keys = set(used_by)
    if everything:
        keys |= {(prompt.name, each) for each in LANGUAGES for prompt in site.sounds.prompts(each)}
    wanted = (key for key in keys if language in (None, key[1]))
    ordered = sorted(wanted, key=lambda key: (key[0], LANGUAGES.index(key[1])))
    return [_Row(site.sounds.prompt(*key), list(used_by.get(key, ()))) for key in ordered]


def _known(language: str) -> None:
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{' and '.join(LANGUAGES)} are spoken here", param_hint="--language")


def _asked_for(site: Site, names: Collection[str], everything: bool, language: str | None) -> list[Prompt]:
    """Those that are named, whether anybody plays them or not; without a name all that are listed."""
    listed = [row.prompt for row in _rows(site, everything or bool(names), language)]
    there = {prompt.name for prompt in listed}
    for name in names:
        if name not in there:
            message = f"no prompt `{name}`: no flow plays it, and it has no words in sounds/prompts.yaml"
            raise typer.BadParameter(message, param_hint="NAME")
    return [prompt for prompt in listed if not names or prompt.name in names]


def _as_data(row: _Row) -> dict[str, Any]:
    prompt = row.prompt
    return {
        "name": prompt.name,
        "language": prompt.language,
        "source": str(prompt.source),
        "voice": prompt.voice,
        "codecs": sorted(prompt.codecs),
        "seconds": prompt.duration_s,
        "words": prompt.text,
        "used_by": list(row.used_by),
    }
