"""What may stand in a scenario, and what is said of what may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.acd import Intent
from engine.config.source import SiteError
from engine.host.state import CannotRun
from engine.simulation.scenario import Scenario, read_scenario

PROJECT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((PROJECT / "examples/scenarios").glob("*.yaml"))
HOUR_MS = 3_600_000
SMALL = """\
hours: 9:00-18:00
queues:
  sales: {require: sales}
crews:
  day: {count: 3, skills: {sales: 5}}
calls:
  sales: {rate: 30, handle: 3m}
"""


def read(folder: Path, text: str = SMALL, *changes: str) -> Scenario:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return read_scenario(path, changes)


def faults(folder: Path, text: str, *changes: str) -> list[str]:
    with pytest.raises(SiteError) as refused:
        read(folder, text, *changes)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_played(path: Path) -> None:
    scenario = read_scenario(path)
    assert scenario.about
    assert all(callers.rates for callers in scenario.callers)


@pytest.mark.parametrize("page", ["simulation.md", "simulation.zh-CN.md"])
def test_what_the_docs_show_can_be_written_just_so(page: str, tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) >= 2
    for text in shown:
        read(tmp_path, text.replace("site: .", f"site: {PROJECT}"))


def test_both_languages_show_the_same() -> None:
    english, chinese = (
        re.findall(r"```yaml\n.*?```", (PROJECT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)
        for page in ("simulation.md", "simulation.zh-CN.md")
    )
    assert english == chinese


def test_a_crew_is_so_many_agents_alike(tmp_path: Path) -> None:
    scenario = read(tmp_path)
    assert list(scenario.agents) == ["day-1", "day-2", "day-3"]
    assert {agent.skills["sales"] for agent in scenario.agents.values()} == {5}
    assert list(read(tmp_path, SMALL, "crews.day.count=1").agents) == ["day-1"]


def test_a_site_brings_its_queues_agents_and_tiers_and_the_scenario_changes_them(tmp_path: Path) -> None:
    text = f"""\
site: {PROJECT}
duration: 1h
agents:
  "8002": null
  "9001": {{name: 小明, skills: {{service: 5}}}}
calls:
  sales: {{rate: 10, handle: 2m, tier: VIP}}
"""
    scenario = read(tmp_path, text)
    assert "8001" in scenario.agents
    assert "8002" not in scenario.agents
    assert "9001" in scenario.agents
    assert {"sales", "service"} <= set(scenario.queues)
    assert scenario.callers[0].head_start_ms > 0


def test_hours_breaks_and_rates_are_of_the_day(tmp_path: Path) -> None:
    staff = "staff:\n  everybody: {works: 10:00-19:00, breaks: 12:00-12:30}\n"
    scenario = read(tmp_path, SMALL + staff, "calls.sales.rate={9:00-10:00: 5, 16:00-20:00: 60}")
    duty = scenario.duties["day-1"]
    assert [duty.intent(round(hour * HOUR_MS)) for hour in (9.99, 10, 12.25, 12.5, 18.99, 19)] == [
        Intent.LOGGED_OUT,
        Intent.READY,
        Intent.NOT_READY,
        Intent.READY,
        Intent.READY,
        Intent.LOGGED_OUT,
    ]
    # Nobody calls after the scenario's end.
    assert [(rate.start_ms, rate.end_ms) for rate in scenario.callers[0].rates] == [
        (9 * HOUR_MS, 10 * HOUR_MS),
        (16 * HOUR_MS, 18 * HOUR_MS),
    ]


def test_who_works_around_the_clock_does_not_log_out_at_midnight(tmp_path: Path) -> None:
    scenario = read(tmp_path, SMALL.replace("hours: 9:00-18:00", "duration: 50h"))
    assert len(scenario.duties["day-1"].works) == 1
    assert len(scenario.callers[0].rates) == 1


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("sales: {require: sales}", "sales: {requires: sales}", "scenario.yaml:3:11: `requires` is not a setting here"),
        ("  sales: {rate", "  salse: {rate", "scenario.yaml:7:3: no queue `salse` (did you mean `sales`?)"),
        ("{rate: 30", "{queue: service, rate: 30", "scenario.yaml:7:11: no queue `service`"),
        ("{rate: 30", "{tier: vip, rate: 30", "scenario.yaml:7:11: no tier `vip` (there are none)"),
        ("rate: 30", "rate: many", "`rate`: 'many' is no number of calls an hour; write 60, or {9:00-12:00: 60}"),
        ("rate: 30", "rate: {9:00-12:00: 5, 11:00-13:00: 6}", "`rate`: two rates for 11:00; let the hours not overlap"),
        ("rate: 30", "rate: {22:00-6:00: 5, 5:00-9:00: 6}", "`rate`: two rates for 5:00; let the hours not overlap"),
        ("handle: 3m", "handle: soon", "'soon' is not a duration; write it as 20s, 500ms or 10m"),
        ("handle: 3m", "handle: {mean: 3m, deviation: 1m}", "only a lognormal duration has a deviation"),
        ("hours: 9:00-18:00", "seed: 2", "a scenario has either `hours: 9:00-18:00` or `duration: 10h`"),
        ("hours: 9:00-18:00", "hours: 9:00-12:00, 13:00-18:00", "a day is one stretch of hours, such as 9:00-18:00"),
        (
            "skills: {sales: 5}",
            "skills: {service: 5}",
            "scenario.yaml:3:11: no agent in agents.yaml can ever meet `sales`",
        ),
        ("count: 3", "count: 0", "nobody is there to answer; write `site: DIR`, `agents:` or `crews:`"),
        ("calls:", "staff: {nihgt: {}}\ncalls:", "scenario.yaml:6:9: no agent and no crew `nihgt`"),
        ("calls:", "staff: {day: {ignores: 2}}\ncalls:", "`ignores`: 2 is no share; write 2% or 0.02"),
    ],
)
def test_a_fault_is_told_at_its_line_with_its_remedy(written: str, instead: str, said: str, tmp_path: Path) -> None:
    assert written in SMALL
    assert any(said in fault for fault in faults(tmp_path, SMALL.replace(written, instead)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("crews.day", "--set 'crews.day': write a setting and its value, such as crews.day.count=11"),
        ("calls.sales.rate.noon=5", "nothing can be set below `rate`, which is 30"),
        ("calls.sales.rate={", "'{' is not a value in YAML"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(change: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=re.escape(said)):
        read(tmp_path, SMALL, change)


def test_a_change_of_what_there_is_not_is_told_like_a_fault_of_the_file(tmp_path: Path) -> None:
    assert any("`cuont` is not a setting here" in fault for fault in faults(tmp_path, SMALL, "crews.day.cuont=11"))
