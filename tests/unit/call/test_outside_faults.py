"""Trunks, branches, numbers and extensions that lead to nobody are faults, each at its line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine.config.site import Site, load
from engine.config.source import SiteError

PROJECT = Path(__file__).resolve().parents[3]
Change = Callable[[str, str], Site]

TRUNK = 'trunks:\n  demo-carrier: {outbound: {allow: ["+86*"], caller_id: "4008001234"}}\n'


@pytest.fixture
def site(tmp_path: Path) -> Change:
    """The default site with more in hotline.yaml and a flow of its own."""
    for name in ("dialplan", "sip_trunks"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    hotline = tmp_path / "dialplan/hotline.yaml"
    written = yaml.safe_load(hotline.read_text())
    for key in ("trunks", "branches"):
        written.pop(key, None)

    def change(more: str, steps: str) -> Site:
        hotline.write_text(yaml.safe_dump(written, allow_unicode=True) + more)
        (tmp_path / "dialplan/flows/outside.yaml").write_text(f"steps:\n{steps or '  end: {hangup: rejected}'}\n")
        return load(tmp_path)

    return change


def faults(change: Change, more: str, steps: str = "") -> list[str]:
    with pytest.raises(SiteError) as error:
        change(more, steps)
    return [str(fault) for fault in error.value.faults]


def test_what_is_right_is_no_fault(site: Change) -> None:
    branches = 'branches:\n  "801": {name: 前台}\n  "802": {name: 上海, number: "021-88881234"}\n'
    steps = '  a: {number: "+862188881234"}\n  b: {extension: keyed, among: ["801", "8001"]}\n  c: {extension: "{x}"}'
    loaded = site(TRUNK + branches, steps)
    assert "801" in loaded.phones()
    assert "802" not in loaded.phones()


def test_a_trunk_that_no_file_defines(site: Change) -> None:
    (fault,) = faults(site, TRUNK.replace("demo-carrier", "demo-carier"))
    assert fault.startswith("dialplan/hotline.yaml:")
    assert "no section [demo-carier] in sip_trunks/*.conf (did you mean `demo-carrier`?)" in fault


def test_a_branch_with_an_agents_number_or_one_that_no_trunk_dials(site: Change) -> None:
    agent, foreign = faults(
        site, TRUNK + 'branches:\n  "8001": {name: x}\n  "802": {name: y, number: "+442079460000"}\n'
    )
    assert "`8001` is an agent's already" in agent
    assert "`+442079460000` is not allowed by any trunk" in foreign


def test_a_branch_cannot_be_a_number_and_a_phone(site: Change) -> None:
    (fault,) = faults(site, TRUNK + 'branches:\n  "801": {name: x, number: "+862188881234", contact: "sip:1@2"}\n')
    assert "not both" in fault


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('{number: "+442079460000"}', "is not allowed by any trunk; add it to"),
        ('{number: "+862188881234", trunk: elsewhere}', "no such trunk has `outbound`"),
        ('{number: "4008001234"}', "one of our own numbers"),
        ('{number: "somebody"}', "is no number that can be dialled"),
        ('{extension: "8009"}', "`8009` is neither an agent nor a branch"),
        ('{extension: keyed, among: ["8001", "8009"]}', "`8009` is neither an agent nor a branch"),
    ],
)
def test_a_step_that_can_reach_nobody(site: Change, step: str, said: str) -> None:
    (fault,) = faults(site, TRUNK, f"  dial: {step}")
    assert fault.startswith("dialplan/flows/outside.yaml:2:")
    assert said in fault


def test_without_any_trunk_every_number_is_a_fault(site: Change) -> None:
    (fault,) = faults(site, "", '  dial: {number: "+862188881234"}')
    assert "no such trunk" in fault
