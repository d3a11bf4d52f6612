"""A site of its own for each test, and the command line on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app

PROJECT = Path(__file__).resolve().parents[2]

FLOW = """
steps:
  greet:
    play: [greeting]
  sale:
    play: [sale, goodbye@en]
  end:
    hangup: flow_hangup
"""
WORDS = """
prompts:
  greeting: {zh-CN: 您好。, en: Good morning.}
  sale: {zh-CN: 春季促销开始了。, en: The spring sale has begun.}
  unused: {en: Nobody plays this.}
"""

Hotline = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose flow plays two prompts of which there are only words."""
    folder = tmp_path / "site"
    (folder / "dialplan/flows").mkdir(parents=True)
    for name in ("asterisk_conf", "sip_trunks"):
        shutil.copytree(PROJECT / name, folder / name)
    (folder / "dialplan/hotline.yaml").write_text('company: Acme\nnumbers: {"4008001234": {flow: main}}\n')
    (folder / "dialplan/agents.yaml").write_text('agents: {"8001": {name: Li Lei, skills: {sales: 5}}}\n')
    (folder / "dialplan/queues.yaml").write_text("queues: {sales: {require: sales}}\n")
    (folder / "dialplan/flows/main.yaml").write_text(FLOW)
    (folder / "sounds").mkdir()
    (folder / "sounds/prompts.yaml").write_text(WORDS)
    return folder


@pytest.fixture
def prompts(site: Path) -> Hotline:
    """`hotline prompts ARGUMENTS` on the site."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["prompts", "--site", str(site), *arguments])

    return run
