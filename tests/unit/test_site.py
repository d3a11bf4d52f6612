"""`hotline check`: every fault of a site, at its place and in words that say what to write instead."""

import shutil
from pathlib import Path

import pytest

from engine.config import site as sites
from engine.config.source import SiteError

PROJECT = Path(__file__).resolve().parents[2]


SMALL = Path(__file__).parent / "small_site"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of a small site, to be spoilt."""
    shutil.copytree(SMALL / "dialplan", tmp_path / "dialplan")
    return tmp_path


def spoil(site: Path, file: str, right: str, wrong: str) -> None:
    path = site / "dialplan" / file
    text = path.read_text()
    assert text.count(right) == 1, right
    path.write_text(text.replace(right, wrong))


def line_of(site: Path, file: str, text: str) -> int:
    lines = (site / "dialplan" / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def faults_of(site: Path) -> list[str]:
    with pytest.raises(SiteError) as caught:
        sites.load(site)
    return [str(fault) for fault in caught.value.faults]


def test_the_default_site_has_no_faults() -> None:
    loaded = sites.load(PROJECT)
    assert list(loaded.hotline.numbers) == ["4008001234"]


@pytest.mark.parametrize("key", ["8002", "0800", "010", "yes", "1_000", "1.5"])
def test_an_agent_without_quotes_is_told_to_have_them(site: Path, key: str) -> None:
    spoil(site, "agents.yaml", '"8002":', f"{key}:")
    if key == "0800":  # not octal, so YAML reads text: as good as quoted
        assert "0800" in sites.load(site).agents
        return
    assert f"dialplan/agents.yaml:7:3: `{key}` must stand in quotes" in faults_of(site)


def test_a_number_without_quotes_is_told_to_have_them(site: Path) -> None:
    spoil(site, "hotline.yaml", '"4008001234":', "4008001234:")
    line = line_of(site, "hotline.yaml", "4008001234")
    assert faults_of(site) == [f"dialplan/hotline.yaml:{line}:3: `4008001234` must stand in quotes"]


def test_text_that_looks_like_a_number_is_told_to_have_quotes(site: Path) -> None:
    spoil(site, "hotline.yaml", "# A tier's", "area_code: 0755\n# A tier's")
    line = line_of(site, "hotline.yaml", "area_code")
    (fault,) = faults_of(site)
    assert fault.startswith(f"dialplan/hotline.yaml:{line}:1: `area_code`: its value must stand in quotes")


def test_a_value_that_yaml_cannot_make_sense_of_is_a_fault_and_not_a_crash(site: Path) -> None:
    spoil(site, "queues.yaml", "require: sales", "require: 2026-13-45")
    (fault,) = faults_of(site)
    assert fault.startswith("dialplan/queues.yaml:4:14: `2026-13-45` is no value: month must be in 1..12")


@pytest.mark.parametrize(
    ("right", "wrong", "line", "column"),
    [
        ('"2": service, "0"', '"2": servic, "0"', "keys:", 24),
        ("    then: operator", "    then: servic", "then: servic", 5),
        ("{rejected: refuse}", "{rejected: servic}", "when: {rejected", 12),
        ("any\n    when: {timed_out: sorry}", "any\n    when: {timed_out: servic}", "timed_out: servic", 12),
    ],
    ids=["a key", "then", "a look-up's branch", "a queue's branch"],
)
def test_a_target_that_is_no_step_is_shown_where_it_is_written(
    site: Path, right: str, wrong: str, line: str, column: int
) -> None:
    spoil(site, "flows/main.yaml", right, wrong)
    place = f"dialplan/flows/main.yaml:{line_of(site, 'flows/main.yaml', line)}:{column}"
    assert faults_of(site) == [f"{place}: goes to `servic`, which is no step here (did you mean `service`?)"]


def test_the_faults_of_all_files_are_told_in_one_run(site: Path) -> None:
    spoil(site, "hotline.yaml", "deadline: 1.5s", "deadlin: 1.5s")
    spoil(site, "agents.yaml", '"8002":', "8002:")
    (site / "dialplan/queues.yaml").write_text("queues: [")
    (site / "dialplan/flows/second.yaml").write_text("steps: {}\n")
    (site / "dialplan/flows/third.yaml").write_text("- play\n")
    files = [fault.split(":")[0].removeprefix("dialplan/") for fault in faults_of(site)]
    assert files == ["hotline.yaml", "agents.yaml", "queues.yaml", "flows/second.yaml", "flows/third.yaml"]


def test_a_missing_file_does_not_hide_the_faults_of_the_others(site: Path) -> None:
    (site / "dialplan/agents.yaml").unlink()
    spoil(site, "queues.yaml", "require: sales", "requir: sales")
    missing, other = faults_of(site)
    assert missing == "dialplan/agents.yaml:1:1: cannot be read: No such file or directory"
    assert "`requir` is not a setting here" in other
