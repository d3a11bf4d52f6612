"""Which prompts a site's callers may hear, and which of those nobody has recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.config.agents import Agent
from engine.config.models import Tier
from engine.config.queues import Queue
from engine.config.source import Fault
from engine.config.source import Source as File
from engine.flow.flow import Flow
from engine.flow.steps import Step
from engine.sounds import LANGUAGES, Sounds, Source, UnknownPrompt
from engine.speech import vocabulary, waits

# What whoever answers a phone hears that may not be the agent's alone.
TAKE_CALL = "take-call"
# What somebody hears who is called back: the question for a key, and that nobody is there after all.
CALLBACK_CONFIRM, CALLBACK_NOBODY = "callback-confirm", "all-agents-busy"
CALLING_BACK = [(prompt, language) for prompt in (CALLBACK_CONFIRM, CALLBACK_NOBODY) for language in LANGUAGES]


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a prompt is played in a language."""

    prompt: str
    language: str
    file: str
    """`agents`, `queues`, or `flows/NAME`."""
    at: tuple[str, ...]
    """The path in that file."""

    def __str__(self) -> str:
        return f"{self.file} {self.at[1]}"


def used(
    flows: Mapping[str, Flow], queues: Mapping[str, Queue], agents: Mapping[str, Agent], sounds: Sounds
) -> Iterator[Use]:
    """Every prompt that a flow or a queue may play, or an agent hears who confirms, at each place."""
    for user, agent in agents.items():
        if agent.confirms:
            setting = "number" if agent.number is not None else "confirm"
            yield from (Use(TAKE_CALL, language, "agents", ("agents", user, setting)) for language in LANGUAGES)
    for name, flow in flows.items():
        for step, box in flow:
            for prompt, language in _of_step(box):
                yield Use(prompt, language, f"flows/{name}", ("steps", step, box.kind))
    for name, queue in queues.items():
        for setting, prompt, language in _of_queue(queue, sounds):
            yield Use(prompt, language, "queues", ("queues", name, setting))


def music_used(
    flows: Mapping[str, Flow], queues: Mapping[str, Queue], tiers: Mapping[str, Tier]
) -> dict[str, list[str]]:
    """Every class of music that callers may wait with, and by what."""
    used_by: dict[str, list[str]] = {}
    for name, queue in queues.items():
        used_by.setdefault(queue.music, []).append(f"queues {name}")
    for name, tier in tiers.items():
        if tier.music:
            used_by.setdefault(tier.music, []).append(f"tier {name}")
    for name, flow in flows.items():
        for step, box in flow:
            if music := getattr(box, "music", None):
                used_by.setdefault(music, []).append(f"flows/{name} {step}")
    return used_by


def unrecorded(sources: Mapping[str, File], uses: Iterable[Use], sounds: Sounds) -> Iterator[Fault]:
    """A fault for each prompt that is used and missing, where it is used first; `sources` by Use.file."""
    told: set[tuple[str, str]] = set()
    for use in uses:
        if (use.prompt, use.language) in told:
            continue
        told.add((use.prompt, use.language))
        try:
            sounds.find(use.prompt, use.language)
        except UnknownPrompt as error:
            yield sources[use.file].fault(use.at, str(error))


def to_be_made(folder: Path, uses: Iterable[Use], sounds: Sounds) -> Iterator[Fault]:
    """A warning for each prompt with words that nobody speaks yet and nobody needs, and for each that was built from
    other words than it has now: at its line in the site's sounds/prompts.yaml."""
    page = folder / "sounds/prompts.yaml"
    if not page.is_file():
        return
    source = File(page, folder)
    needed = {(use.prompt, use.language) for use in uses}
    for language in LANGUAGES:
        for prompt in sounds.prompts(language):
            remedy = f"`hotline prompts build {prompt.name}`"
            if prompt.source is Source.OUTDATED:
                said = f"`{prompt.name}` has new words in {language} since it was built; {remedy} has them spoken"
            elif prompt.source is Source.MISSING and (prompt.name, language) not in needed:
                said = f"no flow plays `{prompt.name}`, which has words in {language} and no recording; {remedy}"
            else:
                continue
            yield source.fault(("prompts", prompt.name, language), said)


def _of_queue(queue: Queue, sounds: Sounds) -> Iterator[tuple[str, str, str]]:
    """By which setting, the prompt, its language."""
    if queue.callbacks is not None:
        yield from (("callbacks", prompt, language) for prompt, language in CALLING_BACK)
    if (said := queue.announcing) is not None:
        setting = "announce" if queue.announce else "announce_position"
        for language in LANGUAGES:
            places = sounds.positions(language) if said.position else []
            reckoned = waits.PROMPTS if said.wait else ()
            keys = [said.keys] if said.keys else []
            for prompt in ("all-agents-busy", *places, *reckoned, *keys):
                yield setting, prompt, language


def _of_step(box: Step) -> Iterator[tuple[str, str]]:
    for prompt in box.prompts():
        plain, _, fixed = prompt.partition("@")
        for language in (fixed,) if fixed else LANGUAGES:
            yield plain, language
    if box.says_values():
        for language in LANGUAGES:
            for word in sorted(vocabulary(language)):
                yield word, language
