"""A site: the folder in which a hotline is written down."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Generic

from engine.acd import Policy
from engine.config import policies, prompts, reach, serving
from engine.config.agents import Agent, AgentsFile
from engine.config.models import HotlineFile, IdentitySettings
from engine.config.queues import KINDS, Kind, QueuesFile
from engine.config.queues import Queue as QueueSettings
from engine.config.references import references
from engine.config.source import Fault, Model, SiteError, Source, nearest
from engine.config.trunks import Branch
from engine.flow.claim import ASKED_FURTHER
from engine.flow.expression import Variables
from engine.flow.flow import Flow
from engine.flow.steps import ToQueue
from engine.hours import Calendar
from engine.hours.endings import endings
from engine.hours.written import CalendarsFile
from engine.identity.groups import AreaGroup, AreasFile
from engine.orders.lists import CallerList, ListsFile
from engine.sounds import Sounds, UnusableSounds

FOLDERS = ("dialplan", "sip_trunks", "asterisk_conf", "agi_scripts")


@dataclass(frozen=True, slots=True)
class Site:
    """One version of everything the admin wrote, checked. Never changes; a reload makes a new one. `warnings`: what
    can be used today and should be looked at before long."""

    folder: Path
    version: str
    hotline: HotlineFile
    agents: Mapping[str, Agent]
    queues: Mapping[str, QueueSettings]
    flows: Mapping[str, Flow]
    sounds: Sounds
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    areas: Mapping[str, AreaGroup] = field(default_factory=dict)
    lists: Mapping[str, CallerList] = field(default_factory=dict)
    warnings: Sequence[Fault] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    """Asterisk's files by name, each with the digest of what it says: what a reload has to tell Asterisk of."""
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    _policies: dict[tuple[str, str | None, frozenset[str]], Policy] = field(default_factory=dict, repr=False)

    def phones(self) -> dict[str, Agent | Branch]:
        """Whose SIP phone registers with us, by user name: the agents and the branches that no trunk leads to."""
        everybody: dict[str, Agent | Branch] = {**self.agents, **self.hotline.branches}
        return {user: owner for user, owner in everybody.items() if owner.number is None}

    def policy(self, to: ToQueue, variables: Variables) -> Policy:
        """How a caller is served who goes to a queue: worked out once for all who go there alike, unless the identity
        endpoint asks something of its own for this caller."""
        if variables.get(ASKED_FURTHER):
            return policies.policy_of(to, self, variables)
        alike = (to.queue, to.require, frozenset(to.branches))
        policy = self._policies.get(alike)
        if policy is None:
            policy = self._policies[alike] = policies.policy_of(to, self, variables)
        return policy

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


def load(folder: Path, *, unspoken: bool = False) -> Site:
    """Reads and checks a site. Raises SiteError with every fault, each at its file and line.

    `unspoken`: prompts without a recording are no fault, for whoever is about to make them.
    """
    dialplan = folder / "dialplan"
    if not dialplan.is_dir():
        message = "no such folder; `hotline init DIR` makes a new site, --site DIR names another"
        raise SiteError([Fault(str(dialplan), 1, 1, message)])
    reading = _Reading(folder)
    hotline_file = reading.file(dialplan / "hotline.yaml", HotlineFile)
    agents_file = reading.file(dialplan / "agents.yaml", AgentsFile)
    queues_file = reading.file(dialplan / "queues.yaml", QueuesFile)
    calendars_file = reading.file_if_there(dialplan / "calendars.yaml", CalendarsFile)
    areas_file = reading.file_if_there(dialplan / "areas.yaml", AreasFile)
    lists_file = reading.file_if_there(dialplan / "lists.yaml", ListsFile)
    flow_files = {path.stem: reading.file(path, Flow) for path in sorted((dialplan / "flows").glob("*.yaml"))}
    sounds = reading.sounds()
    if reading.faults or hotline_file is None or agents_file is None or queues_file is None or sounds is None:
        raise SiteError(reading.faults)
    hotline = _with_environment(hotline_file.content)
    agents, queues = agents_file.content.agents, queues_file.content.queues
    flow_sources = {name: file.source for name, file in flow_files.items() if file}
    flows = {name: file.content for name, file in flow_files.items() if file}
    calendars = _calendars(calendars_file)
    areas = areas_file.content.areas if areas_file else {}
    lists = {name: each.read(name) for name, each in lists_file.content.lists.items()} if lists_file else {}
    prompt_sources = {f"flows/{name}": source for name, source in flow_sources.items()}
    prompt_sources |= {"queues": queues_file.source, "agents": agents_file.source}
    heard = list(prompts.used(flows, queues, agents, sounds))
    faults = [
        *_numbers(hotline_file.source, hotline, flows),
        *_flows(flow_sources, flows, queues),
        *([] if unspoken else prompts.unrecorded(prompt_sources, heard, sounds)),
        *serving.of_queues(queues_file.source, queues_file.content, agents, calendars),
        *serving.of_agents(agents_file.source, agents, queues_file.content),
        *reach.of_hotline(hotline_file.source, hotline, agents, folder),
        *reach.of_agents(agents_file.source, hotline, agents),
        *reach.of_queues(queues_file.source, hotline, queues),
        *reach.of_flows(flow_sources, flows, hotline, agents),
        *references(flow_sources, flows, calendars=calendars, lists=lists, areas=areas),
        *_tiers(lists_file, hotline),
    ]
    if faults:
        raise SiteError(faults)
    warnings = [*_ending(calendars_file, calendars), *prompts.to_be_made(folder, heard, sounds)]
    return Site(
        folder,
        _version(folder),
        hotline,
        agents,
        queues,
        flows,
        sounds,
        calendars,
        areas,
        lists,
        warnings,
        _conf(folder),
        queues_file.content.all_kinds(),
    )


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

    def file_if_there(self, path: Path, model: type[Model]) -> _File[Model] | None:
        """None when it is faulty, or when the site has no such file."""
        return self.file(path, model) if path.exists() else None

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


def _calendars(file: _File[CalendarsFile] | None) -> dict[str, Calendar]:
    return {name: Calendar(name, each) for name, each in file.content.calendars.items()} if file else {}


def _tiers(file: _File[ListsFile] | None, hotline: HotlineFile) -> Iterator[Fault]:
    if file is None:
        return
    for name, each in file.content.lists.items():
        if each.tier and each.tier not in hotline.tiers:
            near = nearest(each.tier, hotline.tiers)
            yield file.source.fault(("lists", name, "tier"), f"no tier `{each.tier}` in dialplan/hotline.yaml{near}")


def _ending(file: _File[CalendarsFile] | None, calendars: Mapping[str, Calendar]) -> Iterator[Fault]:
    """Calendars that have ended or soon will."""
    if file is None:
        return
    for name, calendar in calendars.items():
        for setting, said in endings(calendar, datetime.now(calendar.zone).date()):
            yield file.source.fault(("calendars", name, setting), said)


# What makes a version, by folder; the tests of flows and the recordings do not.
_SAYS = ("dialplan/*.yaml", "dialplan/flows/*.yaml", "*/*.conf", "agi_scripts/*.py", "sounds/*.yaml")


def _version(folder: Path) -> str:
    """Names this state of what the admin wrote, so that a call can say which one it ran on."""
    digest = hashlib.sha256()
    for pattern in _SAYS:
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.relative_to(folder)}".encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _conf(folder: Path) -> dict[str, str]:
    folders = ("dialplan", "sip_trunks", "asterisk_conf")
    files = (path for name in folders for path in sorted(folder.glob(f"{name}/*.conf")))
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
