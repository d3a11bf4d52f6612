"""Flows as pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.cli.main import app
from engine.flow.draw_mermaid import mermaid
from engine.flow.draw_svg import svg, text_width
from engine.flow.drawing import Drawing, drawing
from engine.flow.flow import Flow

PROJECT = Path(__file__).resolve().parents[3]
NUMBERS = {"4008001234": "main"}
SVG = "{http://www.w3.org/2000/svg}"

STEPS: dict[str, Any] = {
    "问候": {"play": ["welcome"]},
    "主菜单": {"menu": ["menu-main"], "keys": {"1": "sales", "2": "night/leave"}, "when": {"silence": "bye"}},
    "sales": {"queue": "sales", "when": {"timed_out": "bye"}, "then": "bye"},
    "bye": {"hangup": "flow_hangup"},
}
NIGHT: dict[str, Any] = {"leave": {"voicemail": "night"}, "thanks": {"play": ['"<goodbye> & co"']}}


def drawn(only: str | None = None, **flows: Mapping[str, Any]) -> Drawing:
    written = flows or {"main": STEPS, "night": NIGHT}
    return drawing({name: Flow.model_validate({"steps": steps}) for name, steps in written.items()}, NUMBERS, only)


def labels(what: Drawing) -> dict[tuple[str, str | None], str]:
    return {(arrow.source, arrow.target): arrow.label for arrow in what.arrows}


def test_arrows_say_which_outcomes_and_keys_lead_there() -> None:
    ways = labels(drawn())
    assert ways["main/问候", "main/主菜单"] == ""
    assert ways["main/主菜单", "main/sales"] == "1, wrong key"
    assert ways["main/主菜单", "main/bye"] == "silence"
    assert ways["main/主菜单", "night/leave"] == "2"
    assert ways["main/sales", None] == "served"


def test_many_outcomes_without_a_branch_are_otherwise() -> None:
    ways = labels(
        drawn(main={"who": {"lookup": "caller", "when": {"rejected": "no"}}, "on": STEPS["bye"], "no": STEPS["bye"]})
    )
    assert ways["main/who", "main/on"] == "otherwise"
    assert ways["main/who", "main/no"] == "rejected"


def test_one_flow_shows_where_it_leads_to_in_others() -> None:
    boxes = {box.id: box.sort for box in drawn(only="main").boxes}
    assert boxes["night/leave"] == "elsewhere"
    assert "night/thanks" not in boxes


def test_svg_has_every_step_its_words_and_its_arrows() -> None:
    picture = ET.fromstring(svg(drawn()))  # noqa: S314
    said = {text.text for text in picture.iter(f"{SVG}text")}
    assert {
        "4008001234",
        "问候",
        "主菜单",
        "menu menu-main",
        "sales",
        "leave",
        "voicemail night",
        "main",
        "night",
    } <= said
    assert 'play "<goodbye> & co"' in said
    edges = [group for group in picture.iter(f"{SVG}g") if group.get("class") == "edge"]
    assert len(edges) == len(drawn().arrows) + 1


def test_chinese_is_as_wide_as_it_is_high_and_its_box_has_room_for_it() -> None:
    assert text_width("主菜单", 10) == 30
    assert text_width("menu", 10) < text_width("主菜单菜", 10)
    name = "销售部门排队等候的客户"
    picture = ET.fromstring(svg(drawn(main={name: {"hangup": "flow_hangup"}})))  # noqa: S314
    (box,) = [
        group
        for group in picture.iter(f"{SVG}g")
        if group.get("class") == "node" and any(text.text == name for text in group.iter(f"{SVG}text"))
    ]
    path = next(box.iter(f"{SVG}path")).get("d") or ""
    xs = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", path)]
    assert max(xs) - min(xs) > 13 * len(name)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_whatever_a_prompt_is_called_mermaid_has_one_line_a_box(name: str) -> None:
    text = mermaid(drawn(main={"a": {"play": [name]}}))
    (box,) = [line for line in text.split("\n") if "<b>a</b>" in line]
    assert re.fullmatch(r'    n0\("<b>a</b><br/>[^"<>]*"\)', box)


def test_mermaid_has_every_flow_every_arrow_and_the_end() -> None:
    text = mermaid(drawn())
    assert text.startswith("flowchart TD\n")
    assert 'subgraph main ["main"]' in text
    assert '-->|"1, wrong key"|' in text
    assert "((end))" in text


@pytest.mark.parametrize("name", [None, "main", "member", "night"])
def test_the_default_sites_flows_can_be_drawn(name: str | None, tmp_path: Path) -> None:
    out = tmp_path / "flow.svg"
    command = ["flow", "draw", *([name] if name else []), "--site", str(PROJECT), "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert ET.parse(out).getroot().tag == f"{SVG}svg"  # noqa: S314


def test_a_flow_that_there_is_none_of_is_told_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["flow", "draw", "mian", "--site", str(PROJECT)])
    assert result.exit_code == 1
    assert "no flow mian in dialplan/flows (did you mean `main`?)" in result.output
