"""`hotline check` and the real Asterisk: what it would reject, at its file and line."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from engine.config.check import Severity
from engine.config.site import FOLDERS
from engine.host import rehearsal
from engine.host.rehearsal import _quiet, rehearse
from engine.host.state import Ports

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


def test_the_default_sites_files_are_accepted(site: Path) -> None:
    assert [str(finding) for finding in rehearse(site)] == []


def test_a_port_that_somebody_else_takes_at_that_moment_is_no_fault_of_the_site(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_base = rehearsal._free_base
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:

        def taken_at_once() -> int:
            base = free_base()
            if somebody.getsockname()[1] == 0:
                somebody.bind((rehearsal.HOST, Ports(base).sip))
            return base

        monkeypatch.setattr(rehearsal, "_free_base", taken_at_once)
        assert [str(finding) for finding in rehearse(site)] == []
        assert somebody.getsockname()[1] != 0


# Each: a file, what is added at its end, what must be said of which line of the addition.
FAULTS = [
    ("dialplan/phones.conf", "[x]\nexten => s,1,NoOpp(1)\n", 2, "there is no application `NoOpp`"),
    ("dialplan/phones.conf", "[x]\nexten => s,1,Goto(nowhere,s,1)\n", 2, "leads to [nowhere], a context that there"),
    ("dialplan/phones.conf", "[x]\nexten => s,1,GotoIf($[1]?away,s,1:s,2)\n", 2, "leads to [away]"),
    ("dialplan/phones.conf", "[x]\nexten s,1,Answer()\n", 2, "No '=' (equal sign)"),
    ("dialplan/phones.conf", "[x\nexten => s,1,Answer()\n", 1, "no closing ']'"),
    ("dialplan/phones.conf", "[x]\nexten => s,one\n", 2, "Invalid priority/label 'one'"),
    ("sip_trunks/demo-carrier.conf", "[x]\ntype = endpoint\ncontxt = a\n", 3, "named 'contxt'"),
]


@pytest.mark.parametrize(("file", "text", "line", "said"), FAULTS, ids=[said for *_, said in FAULTS])
def test_what_it_would_reject_is_told_at_its_line(site: Path, file: str, text: str, line: int, said: str) -> None:
    path = site / file
    before = path.read_text()
    path.write_text(f"{before}{text}")
    findings = rehearse(site)
    place = f"{file}:{len(before.splitlines()) + line}:1: error: "
    assert [finding for finding in findings if str(finding).startswith(place) and said in str(finding)], findings


def test_a_context_that_is_included_and_missing_is_a_warning(site: Path) -> None:
    (site / "dialplan/more.conf").write_text("[x]\ninclude => elsewhere\nexten => s,1,Answer()\n")
    (finding,) = rehearse(site)
    assert finding.severity is Severity.WARNING
    assert str(finding).startswith("dialplan/more.conf:2:1: warning: ")


def test_no_carrier_hears_of_it(site: Path) -> None:
    """A registration would bring the carrier's calls to an Asterisk that is about to end."""
    registers = (
        "[reg](!)\ntype = registration\n"
        "[x-reg](reg)\ntype = registration\nserver_uri = sip:127.0.0.2:9\nclient_uri = sip:a@127.0.0.2\ncontxt = 1\n"
    )
    (site / "sip_trunks/other.conf").write_text(registers)
    qualifies = "[y]\ntype = aor\ncontact = sip:127.0.0.2:9\nqualify_frequency = 30\n"
    text = _quiet(registers + qualifies)
    assert "registration" not in text
    assert "qualify" not in text
    assert len(text.splitlines()) == len((registers + qualifies).splitlines())
    assert rehearse(site) == []
