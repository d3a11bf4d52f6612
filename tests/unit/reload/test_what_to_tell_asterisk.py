"""Which of Asterisk's modules a reload has to tell, and what waits for a restart; the swap itself is tests/e2e's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.config import site as sites
from engine.reload import _modules, _restart_for

PROJECT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("file", "modules"),
    [
        ("dialplan/inbound.conf", ["pbx_config.so"]),
        (
            "sip_trunks/new.conf",
            ["res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so", "res_pjsip_outbound_registration.so"],
        ),
        ("asterisk_conf/queues.conf", ["app_queue.so"]),
        ("asterisk_conf/musiconhold.conf", ["res_musiconhold.so"]),
        ("asterisk_conf/modules.conf", []),
    ],
)
def test_who_reads_a_file_is_told_when_it_is_written_changed_or_removed(file: str, modules: list[str]) -> None:
    assert list(_modules({file: "a"}, {})) == modules
    assert list(_modules({file: "b"}, {file: "a"})) == modules
    assert list(_modules({}, {file: "a"})) == modules


def test_nothing_changed_and_nobody_is_told() -> None:
    files = {"dialplan/inbound.conf": "a", "asterisk_conf/http.conf": "b"}
    assert list(_modules(files, files)) == []
    assert list(_restart_for(files, files)) == []


def test_each_module_is_told_once() -> None:
    now = {"sip_trunks/a.conf": "1", "sip_trunks/b.conf": "1", "asterisk_conf/pjsip.conf": "1"}
    assert list(_modules(now, {})).count("res_pjsip.so") == 1


def test_what_asterisk_reads_only_when_it_starts_is_said() -> None:
    (said,) = _restart_for({"asterisk_conf/http.conf": "b"}, {"asterisk_conf/http.conf": "a"})
    assert said.startswith("asterisk_conf/http.conf has changed")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in sites.FOLDERS:
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "file", ["dialplan/flows/main.yaml", "dialplan/inbound.conf", "sip_trunks/demo-carrier.conf", "agi_scripts/menu.py"]
)
def test_whatever_an_admin_writes_makes_another_version(site: Path, file: str) -> None:
    before = sites.load(site).version
    with (site / file).open("a") as text:
        text.write("\n# changed\n" if not file.endswith(".conf") else "\n; changed\n")
    assert sites.load(site).version != before


def test_tests_of_flows_make_no_other_version(site: Path) -> None:
    before = sites.load(site).version
    shutil.rmtree(site / "dialplan/tests")
    assert sites.load(site).version == before
