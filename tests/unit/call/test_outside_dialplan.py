"""The shipped dialplan: whoever comes in by a trunk finds no way out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]

# Applications that make a call, run what a variable says, or hand out a line.
WAYS_OUT = {
    *("dial", "retrydial", "originate", "page", "followme", "disa", "transfer", "bridge", "chanspy", "extenspy"),
    *("system", "trysystem", "externalivr", "exec", "execif", "tryexec", "execiftime", "macro", "confbridge"),
}
_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_LINE = re.compile(r"(?:exten\s*=>?\s*[^,]+,|same\s*=>?\s*)[^,]+,\s*(?P<app>\w+)\s*\((?P<arguments>.*)\)\s*$")
_INCLUDE = re.compile(r"include\s*=>?\s*(?P<context>[\w-]+)")
_TO_CONTEXT = {"goto", "gotoif", "gotoiftime", "gosub", "gosubif"}


class Dialplan:
    """Contexts with what stands in them, read from .conf text."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, list[str]] = {}
        context = ""
        for written in text.splitlines():
            line = written.split(";")[0].strip()
            if section := _SECTION.match(line):
                context = section["name"]
            elif line:
                self.lines.setdefault(context, []).append(line)

    def reachable(self, start: str) -> set[str]:
        found: set[str] = set()
        coming = {start}
        while coming:
            context = coming.pop()
            found.add(context)
            coming |= {following for following in self._following(context) if following not in found}
        return found

    def _following(self, context: str) -> Iterator[str]:
        for line in self.lines.get(context, ()):
            if include := _INCLUDE.match(line):
                yield include["context"]
            for app, arguments in self.applications(context):
                if app in _TO_CONTEXT:
                    yield from (name for name in self.lines if re.search(rf"\b{re.escape(name)}\b", arguments))

    def applications(self, context: str) -> Iterator[tuple[str, str]]:
        for line in self.lines.get(context, ()):
            if match := _LINE.match(line):
                yield match["app"].lower(), match["arguments"]

    def ways_out(self, start: str) -> list[str]:
        return [
            f"[{context}] {app}({arguments})"
            for context in sorted(self.reachable(start))
            for app, arguments in self.applications(context)
            if app in WAYS_OUT
        ]


def shipped() -> Dialplan:
    return Dialplan("\n".join(path.read_text() for path in sorted((PROJECT / "dialplan").glob("*.conf"))))


def contexts_of_trunks() -> set[str]:
    files = [PROJECT / "asterisk_conf/pjsip.conf", *(PROJECT / "sip_trunks").glob("*.conf")]
    said = (re.findall(r"^\s*context\s*=>?\s*([\w-]+)", path.read_text(), re.MULTILINE) for path in files)
    return {context for contexts in said for context in contexts}


def test_no_context_that_a_trunk_can_reach_dials_out() -> None:
    assert contexts_of_trunks() == {"from-trunk"}
    for context in contexts_of_trunks():
        assert shipped().reachable(context) > {context}, "the trunk's context leads nowhere: the test reads it wrongly"
        assert shipped().ways_out(context) == []


def test_a_phone_reaches_phones_and_no_trunk() -> None:
    trunks = {path.stem for path in (PROJECT / "sip_trunks").glob("*.conf")}
    for context in shipped().lines:
        for app, arguments in shipped().applications(context):
            assert app not in WAYS_OUT or "@" not in arguments, f"[{context}] dials a trunk: {arguments}"
            assert not any(trunk in arguments for trunk in trunks), f"[{context}] names a trunk: {arguments}"


@pytest.mark.parametrize(
    "added",
    [
        "exten => _X.,1,Dial(PJSIP/${EXTEN}@carrier)",
        "include => outside\n[outside]\nexten => _0.,1,Dial(PJSIP/${EXTEN:1}@carrier,30)",
        "exten => 9,1,Goto(outside,s,1)\n[outside]\nexten => s,1,NoOp()\n same => n,Originate(PJSIP/1@x,app,Echo)",
    ],
)
def test_a_way_out_that_somebody_adds_is_found(added: str) -> None:
    assert Dialplan(f"[from-trunk]\n{added}").ways_out("from-trunk")
