"""calendars.yaml, lists.yaml and areas.yaml as parts of a site: what is wrong with them, at its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.config import site as sites
from engine.config.source import SiteError

FILES = {
    "hotline.yaml": 'company: Test\nnumbers: {"4008001234": {flow: main}}\ntiers: {VIP: {head_start: 5m}}\n',
    "agents.yaml": 'agents: {"8001": {name: 李雷, skills: {sales: 8}}}\n',
    "queues.yaml": "queues: {sales: {require: sales}}\n",
    "flows/main.yaml": "steps:\n  bye: {hangup: flow_hangup}\n",
}
CALENDAR = "calendars:\n  office:\n    open: {mon-fri: 9:00-18:00}\n"


def site(folder: Path, **files: str) -> sites.Site:
    """A small site with these files besides: `main` is the flow, the others are named as they are called."""
    dialplan = folder / "dialplan"
    (dialplan / "flows").mkdir(parents=True)
    names = {name: f"{name}.yaml" for name in files} | {"main": "flows/main.yaml"}
    for name, text in (FILES | {names[name]: text for name, text in files.items()}).items():
        (dialplan / name).write_text(text)
    return sites.load(folder)


def faults(folder: Path, **files: str) -> list[str]:
    with pytest.raises(SiteError) as error:
        site(folder, **files)
    return [str(fault) for fault in error.value.faults]


def test_a_site_needs_none_of_these_files(tmp_path: Path) -> None:
    loaded = site(tmp_path)
    assert (loaded.calendars, loaded.lists, loaded.areas) == ({}, {}, {})


def test_what_is_written_is_there_to_be_asked(tmp_path: Path) -> None:
    loaded = site(
        tmp_path,
        calendars=CALENDAR,
        lists="lists:\n  block:\n  vip: {tier: VIP, numbers: {'13800138000': {}, '+86170*': }}\n",
        areas="areas:\n  south: {provinces: [广东]}\n",
        main="steps:\n  a: {hours: office}\n  b: {list: vip}\n  c: {area: group, when: {south: d, other: d}}\n"
        "  d: {hangup: rejected}\n",
    )
    assert loaded.calendars["office"].state(datetime(2026, 11, 20, 2, tzinfo=UTC))
    assert loaded.lists["vip"].entry("+8613800138000", datetime.now(UTC))
    assert not loaded.lists["block"].entry("+8613800138000", datetime.now(UTC))
    assert list(loaded.areas) == ["south"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"calendars": "calendars:\n  office:\n    open:\n      mon-fri: 9-18\n"},
            "dialplan/calendars.yaml:4:7: `mon-fri`: '9-18' are no hours; write 9:00-18:00",
        ),
        (
            {"calendars": CALENDAR + "    exceptions:\n      '2026-10-32': closed\n"},
            "dialplan/calendars.yaml:5:7: `2026-10-32`: day",
        ),
        (
            {"calendars": CALENDAR + "    exceptions:\n      2026-10-01: {open: noon}\n"},
            "dialplan/calendars.yaml:5:20: `open`: 'noon' are no hours",
        ),
        ({"calendars": CALENDAR + "    zone: Asia/Peking\n"}, "dialplan/calendars.yaml:4:5: `zone`: no time zone"),
        ({"calendars": CALENDAR + "    opens: 9:00\n"}, "dialplan/calendars.yaml:4:5: `opens` is not a setting here"),
        (
            {"lists": "lists:\n  block:\n    numbers:\n      '10086': {}\n"},
            "dialplan/lists.yaml:4:7: `10086`: '10086' is no caller's number",
        ),
        ({"lists": "lists:\n  vip: {tier: VPI}\n"}, "dialplan/lists.yaml:2:9: no tier `VPI` in dialplan/hotline.yaml"),
        (
            {"areas": "areas:\n  south:\n    provinces: [广东, 广北]\n"},
            "dialplan/areas.yaml:3:21: `1`: no province '广北' is known",
        ),
        (
            {"calendars": CALENDAR, "main": "steps:\n  a:\n    hours: offce\n"},
            "dialplan/flows/main.yaml:3:5: no calendar `offce` in dialplan/calendars.yaml (did you mean `office`?)",
        ),
        (
            {"main": "steps:\n  a:\n    list: block\n"},
            "dialplan/flows/main.yaml:3:5: no list `block` in dialplan/lists.yaml",
        ),
        (
            {"main": "steps:\n  a:\n    area: group\n    when: {south: b}\n  b: {hangup: rejected}\n"},
            "dialplan/flows/main.yaml:4:12: no group `south` in dialplan/areas.yaml",
        ),
        (
            {"main": "steps:\n  a:\n    area: city\n    when: {深证: b}\n  b: {hangup: rejected}\n"},
            "dialplan/flows/main.yaml:4:12: no city '深证' is known (did you mean",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_line(tmp_path: Path, files: dict[str, str], said: str) -> None:
    (fault,) = faults(tmp_path, **files)
    assert fault.startswith(said)


def test_a_calendar_that_has_ended_is_a_warning_at_its_line_and_no_fault(tmp_path: Path) -> None:
    loaded = site(tmp_path, calendars=CALENDAR + "    until: 2020-01-01\n")
    assert [str(warning) for warning in loaded.warnings if warning.file.endswith("calendars.yaml")] == [
        "dialplan/calendars.yaml:4:5: the calendar ended on 2020-01-01: it is closed from then on"
    ]
