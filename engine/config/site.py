"""A site: the folder in which a hotline is written down."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from engine.acd import parse
from engine.config.models import Agent, AgentsFile, HotlineFile, IdentitySettings, QueuesFile
from engine.config.models import Queue as QueueSettings
from engine.config.source import Fault, Model, SiteError, Source, nearest
from engine.flow.flow import Flow
from engine.flow.steps import Step
from engine.sounds import LANGUAGES, Sounds, UnknownPrompt, UnusableSounds

FOLDERS = ("dialplan", "sip_trunks", "asterisk_conf", "agi_scripts")


@dataclass(frozen=True, slots=True)
class Site:
    """One version of everything the admin wrote, checked. Never changes; a reload makes a new one."""

    folder: Path
    version: str
    hotline: HotlineFile
    agents: Mapping[str, Agent]
    queues: Mapping[str, QueueSettings]
    flows: Mapping[str, Flow]
    sounds: Sounds

    def sound(self, prompt: str, language: str) -> str:
        """The file of a prompt, without its extension: in the caller's language, or `name@en` in that one. What
        is a path already stays one. Raises UnknownPrompt."""
        if prompt.startswith("/"):
            return prompt
        name, _, fixed = prompt.partition("@")
        return self.sounds.find(name, fixed or language)

    def spoken(self, prompt: str, language: str) -> str:
        """The words of a prompt; "" for a recording that is none."""
        if prompt.startswith("/"):
            return ""
        name, _, fixed = prompt.partition("@")
        return self.sounds.text(name, fixed or language)


def load(folder: Path) -> Site:
    """Reads and checks a site. Raises SiteError with every fault, each at its file and line."""
    dialplan = folder / "dialplan"
    if not dialplan.is_dir():
        message = "no such folder; `hotline init DIR` makes a new site, --site DIR names another"
        raise SiteError([Fault(str(dialplan), 1, 1, message)])
    reading = _Reading(folder)
    hotline_file = reading.file(dialplan / "hotline.yaml", HotlineFile)
    agents_file = reading.file(dialplan / "agents.yaml", AgentsFile)
    queues_file = reading.file(dialplan / "queues.yaml", QueuesFile)
    flow_files = {path.stem: reading.file(path, Flow) for path in sorted((dialplan / "flows").glob("*.yaml"))}
    sounds = reading.sounds()
    if reading.faults or hotline_file is None or agents_file is None or queues_file is None or sounds is None:
        raise SiteError(reading.faults)
    hotline = _with_environment(hotline_file.content)
    agents, queues = agents_file.content.agents, queues_file.content.queues
    flow_sources = {name: file.source for name, file in flow_files.items() if file}
    flows = {name: file.content for name, file in flow_files.items() if file}
    faults = [
        *_numbers(hotline_file.source, hotline, flows),
        *_flows(flow_sources, flows, queues, sounds),
        *_staffing(queues_file.source, queues, agents),
    ]
    if faults:
        raise SiteError(faults)
    return Site(folder, _version(dialplan), hotline, agents, queues, flows, sounds)


@dataclass(frozen=True, slots=True)
class _File(Generic[Model]):
    source: Source
    content: Model


class _Reading:
    """Reads a site's files one by one, and goes on after a faulty one, so that one run tells of all faults."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.faults: list[Fault] = []

    def file(self, path: Path, model: type[Model]) -> _File[Model] | None:
        """None when it is faulty."""
        try:
            source = Source(path, self._folder)
            return _File(source, source.model(model))
        except SiteError as error:
            self.faults += error.faults
            return None

    def sounds(self) -> Sounds | None:
        """None when they cannot be used."""
        try:
            return Sounds(self._folder)
        except UnusableSounds as error:
            self.faults += [Fault("sounds", 1, 1, fault) for fault in error.faults]
            return None


def _with_environment(hotline: HotlineFile) -> HotlineFile:
    """HOTLINE_IDENTITY_URL wins over the file: the same site against another endpoint."""
    url = os.environ.get("HOTLINE_IDENTITY_URL")
    if not url:
        return hotline
    identity = (hotline.identity or IdentitySettings(url=url)).model_copy(update={"url": url})
    return hotline.model_copy(update={"identity": identity})


def _numbers(source: Source, hotline: HotlineFile, flows: Mapping[str, Flow]) -> Iterator[Fault]:
    for number, settings in hotline.numbers.items():
        if settings.flow not in flows:
            where = ("numbers", number, "flow")
            yield source.fault(where, f"no flow `{settings.flow}` in dialplan/flows{nearest(settings.flow, flows)}")


def _flows(
    sources: Mapping[str, Source],
    flows: Mapping[str, Flow],
    queues: Mapping[str, QueueSettings],
    sounds: Sounds,
) -> Iterator[Fault]:
    for name, flow in flows.items():
        source = sources[name]
        for step, box in flow:
            at = ("steps", step)
            for where, target in box.targets():
                yield from _target(source, (*at, *where), target, name, flows)
            for where, called in box.flows():
                if called not in flows:
                    yield source.fault((*at, *where), f"no flow `{called}` in dialplan/flows{nearest(called, flows)}")
            for queue in box.queues():
                if queue not in queues:
                    yield source.fault((*at, "queue"), f"no queue `{queue}`{nearest(queue, queues)}")
            for missing in _missing_prompts(box, sounds):
                yield source.fault((*at, box.kind), missing)


def _missing_prompts(box: Step, sounds: Sounds) -> Iterator[str]:
    for prompt in box.prompts():
        plain, _, fixed = prompt.partition("@")
        for language in (fixed,) if fixed else LANGUAGES:
            try:
                sounds.find(plain, language)
            except UnknownPrompt as error:
                yield str(error)


def _target(
    source: Source, where: tuple[str, ...], target: str, here: str, flows: Mapping[str, Flow]
) -> Iterator[Fault]:
    flow, _, step = target.rpartition("/")
    if flow and flow not in flows:
        yield source.fault(where, f"no flow `{flow}` in dialplan/flows{nearest(flow, flows)}")
    elif step not in flows[flow or here].steps:
        place = f"flow `{flow}`" if flow else "here"
        near = nearest(step, flows[flow or here].steps)
        yield source.fault(where, f"goes to `{step}`, which is no step {place}{near}")


def _staffing(source: Source, queues: Mapping[str, QueueSettings], agents: Mapping[str, Agent]) -> Iterator[Fault]:
    for name, queue in queues.items():
        requirement = parse(queue.require)
        if not any(requirement.met_by(agent.skills, agent_id) for agent_id, agent in agents.items()):
            message = f"no agent in agents.yaml can ever meet `{queue.require}`; give one the skill or ask for less"
            yield source.fault(("queues", name, "require"), message)


def _version(dialplan: Path) -> str:
    """Names this state of the dialplan, so that a call can say which one it ran on."""
    digest = hashlib.sha256()
    for path in sorted(dialplan.rglob("*.yaml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
