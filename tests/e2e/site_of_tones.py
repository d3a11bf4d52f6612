"""The configuration of the default site around flows of its own, with short times, many agents, and a sine for
every prompt.

A test that hears 600 Hz knows that the caller hears the menu, not merely `something`.
"""

from __future__ import annotations

import math
import shutil
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from engine.config.site import FOLDERS
from engine.speech import waits

PROJECT = Path(__file__).resolve().parents[2]
WRITTEN = Path(__file__).parent / "site"
RATE_HZ = 8000

NUMBER, RULES = "4008001234", "4008001221"
VIP, VIP_NAME = "13800138000", "张三"
ORDINARY, ORDINARY_NAME = "13900139000", "李四"
BLOCKED = "13700137000"

MUSIC_HZ = 700
PROMPTS_HZ = {
    "welcome": 500,
    "menu-main": 600,
    "invalid-key": 750,
    "no-input": 800,
    "all-agents-busy": 850,
    "position-1": 900,
    "position-2": 950,
    "position-3": 1000,
    "blocked": 1050,
    "goodbye": 1100,
    "enter-extension": 550,
    "extension-unknown": 650,
    "too-short": 1250,
    "leave-message": 2200,
    "beep": 2250,
    "message-saved": 2300,
    "message-too-short": 2350,
    "message-menu": 2400,
    "callback-offer": 2450,
    "callback-accepted": 2500,
    "callback-confirm": 2850,
    "survey-ask": 2550,
    "survey-thanks": 2600,
    "enter-member-number": 2650,
    "enter-phone-number": 2900,
    "enter-pin": 2700,
    "enter-id-card": 2750,
    "not-verified": 2800,
    "take-call": 2850,
}
ENGLISH_IS_HIGHER_BY_HZ = 825
PROMPT_S = 0.6
# How long one waits for service is told, whatever that is; long enough for an agent to answer meanwhile.
WAIT_HZ, WAIT_S = 2125, 3.0

# Everyone who answers in these tests: both skills, so that any key of the menu reaches them. Each test takes
# those that no test before it has left in a cool-down.
POOL = [str(number) for number in range(8011, 8038)]

# Those of the queues in flows/rules.yaml; and those with an outside phone, who are rung whenever they are ready.
RULES_POOL = [str(number) for number in range(8101, 8121)]
BACK_POOL = [str(number) for number in range(8131, 8143)]  # those who call back
OUTSIDE_POOL = [str(number) for number in range(8121, 8130)]

WRAP_UP_S, LONG_WRAP_UP_S = 0.6, 6.0
RING_S = 3.0
IDENTITY_DEADLINE_S = 0.6


def write(folder: Path, *, far_end_port: int, identity_deadline_s: float = IDENTITY_DEADLINE_S) -> Path:
    """A new site in `folder`; `far_end_port` is where calls to the outside arrive, on the carrier's address."""
    for name in FOLDERS:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    dialplan = folder / "dialplan"
    for file in dialplan.rglob("*.yaml"):
        file.unlink()
    shutil.copytree(WRITTEN, dialplan, dirs_exist_ok=True)
    _change(dialplan / "agents.yaml", _more_agents)
    _change(dialplan / "queues.yaml", _short_queues)
    _change(dialplan / "flows/main.yaml", _short_menu)
    # No answer outlives its test: the next one's endpoint may be in another mood.
    identity = {"deadline": identity_deadline_s, "cache": 0}
    _change(dialplan / "hotline.yaml", lambda hotline: hotline["identity"].update(identity))
    trunk = folder / "sip_trunks/demo-carrier.conf"
    trunk.write_text(trunk.read_text().replace("sip:127.0.0.2:5060", f"sip:127.0.0.2:{far_end_port}"))
    for language, higher in (("zh-CN", 0), ("en", ENGLISH_IS_HIGHER_BY_HZ)):
        (folder / "sounds" / language).mkdir(parents=True)
        for prompt, hz in PROMPTS_HZ.items():
            _sine(folder / "sounds" / language / f"{prompt}.sln", hz + higher, PROMPT_S)
        for prompt in waits.PROMPTS:
            _sine(folder / "sounds" / language / f"{prompt}.sln", WAIT_HZ + higher, WAIT_S)
    music = folder / "music"
    music.mkdir()
    _sine(music / "tone.sln", MUSIC_HZ, 20.0)
    with (folder / "asterisk_conf/musiconhold.conf").open("a") as classes:
        classes.write(f"\n[tone]\nmode = files\ndirectory = {music}\n")
    return folder


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = yaml.safe_load(file.read_text())
    change(data)
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


def _more_agents(file: dict[str, Any]) -> None:
    for user in POOL:
        file["agents"][user] = {"name": f"座席{user}", "skills": {"sales": 5, "service": 5}}
    for user in RULES_POOL:
        file["agents"][user] = {"name": f"座席{user}", "skills": {"rules": 5}}
    for user in BACK_POOL:
        file["agents"][user] = {"name": f"座席{user}", "skills": {"back": 5}}
    for user in OUTSIDE_POOL:
        file["agents"][user] = {"name": f"座席{user}", "skills": {"outside": 5}, "number": f"+861391234{user}"}


def _short_queues(file: dict[str, Any]) -> None:
    for queue in file["queues"].values():
        queue.update(ring=RING_S, wrap_up=WRAP_UP_S, music="tone")
        if "announce" not in queue:
            queue["announce_position"] = 2
    file["queues"]["back_ahead"].update(wrap_up=LONG_WRAP_UP_S)


def _short_menu(file: dict[str, Any]) -> None:
    file["steps"]["menu"].update(wait=1.0, tries=2)


def _sine(path: Path, hz: int, seconds: float) -> None:
    step = 2 * math.pi * hz / RATE_HZ
    path.write_bytes(array("h", (round(8000 * math.sin(step * n)) for n in range(round(RATE_HZ * seconds)))).tobytes())
