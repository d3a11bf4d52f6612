"""The rival: the same call through plain dialplan and app_queue."""

from __future__ import annotations

from pathlib import Path

from bench.children import Child, spawn
from bench.network import AGENTS, Network
from bench.site_files import copy_filled
from bench.sounds import Sounds, prepare
from bench.system import BenchError, Group
from engine.host import asterisk_program
from engine.host.asterisk_program import AsteriskProgram
from engine.host.state import CannotRun

_CONF = Path(__file__).resolve().parent / "app_queue"
_START_S = 30.0


class AppQueue:
    name = "app_queue"

    def __init__(self) -> None:
        self._asterisk: Child | None = None

    async def start(self, workdir: Path, network: Network) -> None:
        asterisk = _program()
        conf, state = workdir / "conf", workdir / "state"
        for folder in (conf, state):
            folder.mkdir(parents=True)
        sounds = await prepare(workdir / "sounds")
        copy_filled(_CONF, conf, _values(asterisk, conf, state, network, sounds))
        _write_agents(conf, network)
        self._asterisk = await spawn(
            "Asterisk of app_queue",
            [*asterisk.argv, "-C", conf / "asterisk.conf", "-f", "-q"],
            log=workdir / "asterisk.log",
        )
        await self._asterisk.until((state / "asterisk.ctl").exists, timeout=_START_S)
        booted = await spawn(
            "asterisk -rx",
            [*asterisk.argv, "-C", conf / "asterisk.conf", "-rx", "core waitfullybooted"],
            log=workdir / "console.log",
        )
        await booted.wait(timeout=_START_S)

    def processes(self) -> dict[Group, list[int]]:
        return {"asterisk": [self._asterisk.pid]} if self._asterisk else {}

    async def loop_lag_ms_p99(self) -> float | None:
        return None

    async def stop(self) -> None:
        if self._asterisk is not None:
            await self._asterisk.stop()


def _values(asterisk: AsteriskProgram, conf: Path, state: Path, network: Network, sounds: Sounds) -> dict[str, str]:
    rtp_start, rtp_end = network.rtp_range
    return {
        "CONF": str(conf),
        "MODULES": str(_modules(asterisk)),
        "SHARE": str(asterisk.root / "usr/share/asterisk" if asterisk.root else "/usr/share/asterisk"),
        "STATE": str(state),
        "SIP_HOST": network.system.host,
        "SIP_PORT": str(network.system.port),
        "CALLER_HOST": network.caller.host,
        "IDENTITY_URL": f"http://{network.identity}/identity",
        "MENU": str(sounds.menu),
        "MUSIC": str(sounds.music),
        "RTP_START": str(rtp_start),
        "RTP_END": str(rtp_end),
    }


def _write_agents(target: Path, network: Network) -> None:
    endpoints = [
        f"[{agent}](agent)\naors = {agent}\n[{agent}](contact)\ncontact = sip:{agent}@{network.agents}\n"
        for agent in AGENTS
    ]
    (target / "agents_pjsip.conf").write_text("\n".join(endpoints))
    members = [f"member => PJSIP/{agent},0,{agent},PJSIP/{agent}\n" for agent in AGENTS]
    (target / "agents_members.conf").write_text("".join(members))


def _program() -> AsteriskProgram:
    """The Asterisk that the engine would use."""
    try:
        return asterisk_program.find()
    except CannotRun as missing:
        raise BenchError(str(missing)) from missing


def _modules(asterisk: AsteriskProgram) -> Path:
    """Where its modules are; raises `BenchError` when an installed Asterisk keeps them in no usual place."""
    libraries = [asterisk.library] if asterisk.library else sorted(Path("/usr").glob("lib*/*-linux-gnu"))
    for folder in (*libraries, Path("/usr/lib"), Path("/usr/lib64")):
        if (folder / "asterisk/modules").is_dir():
            return folder / "asterisk/modules"
    raise BenchError(f"the modules of Asterisk {asterisk.version} are not below /usr/lib")
