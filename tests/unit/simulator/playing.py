"""A flow in a test, and a call that is played through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.config.site import Site
from engine.flow.flow import Flow
from engine.simulator.call import Dialled, simulate
from engine.simulator.caller import Script
from engine.simulator.keys import read_keys
from engine.simulator.story import Story
from tests.unit.flow.scripted import default_site

NUMBER = "4008001234"
AT = datetime(2026, 10, 12, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def site_of(steps: Mapping[str, Any], **others: Mapping[str, Any]) -> Site:
    """The default site with these flows: `steps` are where calls begin."""
    flows = {name: Flow.model_validate({"steps": s}) for name, s in {"main": steps, **others}.items()}
    return replace(default_site(), flows=flows)


def play(steps: Mapping[str, Any], keys: str = "", *, site: Site | None = None, **settings: Any) -> Story:
    """A call from Beijing on a Monday morning."""
    settings = {"number": NUMBER, "caller": "13800138000", "at": AT, "language": "en", **settings}
    return simulate(site or site_of(steps), Dialled(**settings), Script(read_keys(keys)))


def said(story: Story) -> list[str]:
    """The prompts that were heard."""
    return [prompt for heard in story.heard for prompt in heard.prompts]
