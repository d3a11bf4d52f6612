"""A site whose queues and agents a test has written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from engine.config import site as sites
from engine.config.check_site import look
from engine.config.site import Site
from engine.config.source import SiteError

PROJECT = Path(__file__).resolve().parents[3]
AGENTS: dict[str, dict[str, Any]] = {
    "8001": {"name": "李雷", "skills": {"billing": 8, "mandarin": 10}},
    "8002": {"name": "韩梅梅", "skills": {"billing": 5, "english": 6}},
    "8003": {"name": "王芳", "skills": {"sales": 4}},
}
CALENDAR = {"calendars": {"office": {"zone": "Asia/Shanghai", "open": {"mon-fri": ["9:00-18:00"]}}}}


def write(
    folder: Path,
    queues: Mapping[str, Any],
    *,
    agents: Mapping[str, Any] = AGENTS,
    steps: Mapping[str, Any] | None = None,
    hotline: Mapping[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A site with these queues; `steps` are those of its flow, else each queue has one; `more` stands beside
    `queues:` in queues.yaml, `hotline` in hotline.yaml."""
    shutil.copytree(PROJECT / "sip_trunks", folder / "sip_trunks", dirs_exist_ok=True)
    flow = steps or {name: {"queue": name} for name in queues}
    files: dict[str, Any] = {
        "queues": {"queues": dict(queues), **more},
        "agents": {"agents": dict(agents)},
        "calendars": CALENDAR,
        "hotline": {"company": "晨星科技", "numbers": {"4008001234": {"flow": "main"}}, **(hotline or {})},
        "flows/main": {"steps": flow},
    }
    for name, data in files.items():
        path = folder / f"dialplan/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    return folder


def site(folder: Path, queues: Mapping[str, Any], **others: Any) -> Site:
    """That site, loaded. Raises SiteError."""
    return sites.load(write(folder, queues, **others), unspoken=True)


def faults(folder: Path, queues: Mapping[str, Any], **others: Any) -> list[str]:
    """What keeps it from being loaded."""
    try:
        site(folder, queues, **others)
    except SiteError as error:
        return list(map(str, error.faults))
    return []


def findings(folder: Path, queues: Mapping[str, Any], **others: Any) -> list[str]:
    """What `hotline check` says of it."""
    return list(map(str, look(site(folder, queues, **others))))
