"""A site's .conf files read by the real Asterisk, in a state folder that is thrown away: what it would reject.

It is an Asterisk of its own on loopback addresses and free ports, which registers nowhere and asks no carrier whether
it is there; the one that runs is not touched. Half a second, where nothing else is going on.
"""

from __future__ import annotations

import random
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.config.check import Finding, error, warning
from engine.config.source import Fault
from engine.host import asterisk_program, generated
from engine.host.asterisk_program import AsteriskProgram
from engine.host.state import CannotRun, Ports, State

BOOTS_S = 20.0
ANSWERS_S = 5.0
ENDS_S = 5.0
HOST = "127.0.0.1"
MOST_TRIES = 3
_PORT_TAKEN = "Address already in use"

# What would reach out to carriers while a mere check is made. Lines are kept, so that their numbers stay right.
_REGISTERS = re.compile(r"^\s*type\s*=>?\s*(?:registration|outbound-publish)\b", re.MULTILINE)
_REACHES_OUT = re.compile(r"^\s*(?:(?:\w+/)?qualify_frequency|sends_registrations|register)\s*=")
_SECTION = re.compile(r"^\[(?P<name>[^]]+)\](?P<rest>.*)$")

_LOGGED = re.compile(r"^\[[^]]+\] (?P<level>WARNING|ERROR)\[\d+\] (?P<file>[\w.-]+): (?P<text>.*)$")
_PLACE = re.compile(r",? ?(?:at |in )?line (?P<line>\d+) of (?P<path>/\S+)")
_NAMED = re.compile(r"(?:with id|Identify|Endpoint|AOR|Context|context) '(?P<name>[^']+)'")
# The machine's, not the site's: a port in use, a name that cannot be asked for here.
_OF_THE_MACHINE = re.compile(
    r"getaddrinfo|bind|Address already in use|Unable to (?:open|connect|load)|getsockname", re.I
)
_FAILS_HERE = re.compile(r"failed when adding resolution results|nonexistent context")

_PRIORITY = re.compile(
    r"^\s*(?:'.*' =>|\[.*\])?\s*\d+\. (?P<call>.*?)\s+\[(?P<file>[^\[\]:]+\.conf):(?P<line>\d+)\]\s*$"
)
_CALL = re.compile(r"(?P<application>\w+)\((?P<arguments>.*)\)$")
_CONTEXT = re.compile(r"^\[ Context '(?P<name>[^']+)'", re.MULTILINE)
_APPLICATION = re.compile(r"^\s*(\w+): ", re.MULTILINE)
_INCLUDES_MANY = re.compile(r"^#include\s+[\"<]?([\w./-]*\*[\w./*-]*)", re.MULTILINE)
_GOES = re.compile(r"^(?P<context>[\w-]+),[^,$]+,[^,$]+$")


@dataclass(frozen=True, slots=True)
class _Heard:
    log: str
    dialplan: str
    applications: str


def rehearse(site: Path) -> list[Finding]:
    """What Asterisk would reject. Blocks for a second or two. Raises CannotRun when there is no Asterisk, or it does
    not start."""
    program = asterisk_program.find()
    for _ in range(MOST_TRIES):
        findings = _rehearse(site, program)
        if findings is not None:
            return findings
    raise CannotRun("the ports for an Asterisk that reads the .conf files were taken by somebody else again and again")


def _rehearse(site: Path, program: AsteriskProgram) -> list[Finding] | None:
    """None when somebody was quicker and took a port that was free when it was chosen."""
    with tempfile.TemporaryDirectory(prefix="hl-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "site"
        _copy(site, copy)
        state = State(Path(folder) / "st")
        state.make()
        conf = generated.write(state, copy, program, HOST, Ports(_free_base()))
        heard = _listen(program, conf, state)
        if _PORT_TAKEN in heard.log:
            return None
        offsets = _offsets(copy)
        return [*_of_log(heard.log, state, site, offsets), *_of_dialplan(heard, site, offsets)]


def _copy(site: Path, copy: Path) -> None:
    for name in ("dialplan", "sip_trunks", "asterisk_conf", "agi_scripts"):
        (copy / name).mkdir(parents=True)
        for path in sorted((site / name).glob("*.conf")):
            text = path.read_text(encoding="utf-8", errors="replace")
            (copy / name / path.name).write_text(_quiet(text), encoding="utf-8")


def _quiet(text: str) -> str:
    """Without what reaches out: what stands in a section that registers, and asking whether a carrier is there. Lines
    and headings stay, so that the others keep their numbers and what they inherit from."""
    sections: list[list[str]] = [[]]
    for line in text.splitlines():
        if _SECTION.match(line):
            sections.append([])
        sections[-1].append(line)
    lines = []
    for section in sections:
        registers = _REGISTERS.search("\n".join(section))
        lines += [
            ";" if not _SECTION.match(line) and (registers or _REACHES_OUT.match(line)) else line for line in section
        ]
    return "\n".join(lines) + "\n"


def _free_base() -> int:
    """A port base of which nobody uses the ports."""
    bases = list(range(33_000, 60_000, 500))
    random.shuffle(bases)  # two checks at the same moment are not to choose the same
    for base in bases:
        ports = Ports(base)
        wanted = [(socket.SOCK_DGRAM, ports.sip), *((socket.SOCK_STREAM, port) for port in (ports.ari, ports.ami))]
        if all(_is_free(kind, port) for kind, port in wanted):
            return base
    raise CannotRun("no ports are free for an Asterisk that reads the .conf files")


def _is_free(kind: int, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _listen(program: AsteriskProgram, conf: Path, state: State) -> _Heard:
    """Starts it, asks, ends it. Raises CannotRun."""
    words = state.log / "asterisk.log"
    with words.open("wb") as output:
        process = subprocess.Popen(
            [*program.argv, "-C", str(conf), "-f", "-n"], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _until_booted(program, conf, process, words)
        dialplan = _ask(program, conf, "dialplan show")
        applications = _ask(program, conf, "core show applications")
    finally:
        process.terminate()
        try:
            process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    log = state.asterisk / "log/messages"
    return _Heard(log.read_text(errors="replace") if log.exists() else "", dialplan, applications)


def _until_booted(program: AsteriskProgram, conf: Path, process: subprocess.Popen[bytes], words: Path) -> None:
    until = time.monotonic() + BOOTS_S
    while "fully booted" not in _ask(program, conf, "core waitfullybooted"):
        if process.poll() is not None or time.monotonic() > until:
            said = words.read_text(errors="replace").strip().splitlines()
            raise CannotRun(f"Asterisk does not start with these .conf files: {said[-1] if said else 'no word'}")
        time.sleep(0.05)


def _ask(program: AsteriskProgram, conf: Path, command: str) -> str:
    try:
        return subprocess.run(
            [*program.argv, "-C", str(conf), "-rx", command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWERS_S,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired:
        return ""


def _of_log(log: str, state: State, site: Path, offsets: Mapping[str, int]) -> Iterator[Finding]:
    before = ""
    for line in log.splitlines():
        logged = _LOGGED.match(line)
        if logged is None or _OF_THE_MACHINE.search(logged["text"]):
            continue
        text, said_of = logged["text"], before
        before = text
        section = _NAMED.search(text)
        if "Could not create an object" in text and section and f"'{section['name']}'" in said_of:
            continue  # why has just been said
        place = _PLACE.search(text)
        if place:
            file = _file(place["path"], state)
            line_there = int(place["line"]) - offsets.get(file, 0)
            fault = Fault(file, line_there, 1, f"Asterisk: {_PLACE.sub('', text)}")
        else:
            file, number = _mentioned(text, site)
            fault = Fault(file, number, 1, f"Asterisk: {text}")
        yield warning(fault) if _FAILS_HERE.search(text) else error(fault)


def _file(path: str, state: State) -> str:
    """The site's own file behind the name that Asterisk read it by."""
    inside = path.removeprefix(f"{state.asterisk}/etc/")
    return inside if "/" in inside else f"asterisk_conf/{inside}"


def _mentioned(text: str, site: Path) -> tuple[str, int]:
    """Where what Asterisk names is written: its section, or the line that includes it."""
    names = [*(match["name"] for match in _NAMED.finditer(text)), *re.findall(r"'([\w./-]+)'", text)]
    for name in reversed(names):
        written = re.compile(
            rf"^(?:\[{re.escape(name)}\]|\s*include\s*=>\s*{re.escape(name)}\b|#include\s+\"?{re.escape(name)})"
        )
        for path in sorted(site.glob("*/*.conf")):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if written.match(line):
                    return f"{path.parent.name}/{path.name}", number
    return "asterisk_conf", 1


def _of_dialplan(heard: _Heard, site: Path, offsets: Mapping[str, int]) -> Iterator[Finding]:
    """Applications and contexts that there are none of: Asterisk finds out when a caller is there."""
    applications = {name.lower() for name in _APPLICATION.findall(heard.applications)}
    contexts = set(_CONTEXT.findall(heard.dialplan))
    for line in heard.dialplan.splitlines():
        priority = _PRIORITY.match(line)
        call = _CALL.match(priority["call"]) if priority else None
        if priority is None or call is None or not applications:
            continue
        file = _conf(priority["file"], site)
        place = (file, int(priority["line"]) - offsets.get(file, 0), 1)
        if call["application"].lower() not in applications:
            said = f"there is no application `{call['application']}` in this Asterisk: the call would end here"
            yield error(Fault(*place, said))
        for context in _leads_to(call["application"].lower(), call["arguments"]):
            if context not in contexts:
                yield error(Fault(*place, f"`{call[0]}` leads to [{context}], a context that there is none of"))


def _leads_to(application: str, arguments: str) -> Iterator[str]:
    """The contexts that stand in it in full."""
    if application in ("goto", "gosub"):
        targets = [arguments]
    elif application in ("gotoif", "gosubif"):
        targets = arguments.rpartition("?")[2].split(":")
    else:
        return
    for target in targets:
        goes = _GOES.match(re.sub(r"\(.*\)$", "", target.strip()))
        if goes:
            yield goes["context"]


def _conf(name: str, site: Path) -> str:
    """The file that Asterisk calls by its last name."""
    found = next((path for path in sorted(site.glob(f"*/{name}"))), None)
    return f"{found.parent.name}/{name}" if found else name


def _offsets(site: Path) -> dict[str, int]:
    """By how much Asterisk miscounts the lines of a file: of those that one `#include` with a * brings in, it counts
    the lines as if they were one file, and one more for each (config.c, config_text_file_load)."""
    offsets: dict[str, int] = {}
    for conf in sorted((site / "asterisk_conf").glob("*.conf")):
        for pattern in _INCLUDES_MANY.findall(conf.read_text(errors="replace")):
            before = 0
            for file in sorted(site.glob(pattern)):
                offsets[f"{file.parent.name}/{file.name}"] = before
                before += len(file.read_text(errors="replace").splitlines()) + 1
    return offsets
