"""What processes cost, read from /proc (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


def cpu_ms(pids: Iterable[int]) -> float:
    """User and system time of the processes, all their threads, and the children they have reaped."""
    return sum(_stat_ms(pid) for pid in pids)


def peak_rss_mb(pids: Iterable[int]) -> float:
    """Sum of the processes' largest resident sizes (VmHWM) in MB of 10^6 bytes."""
    return sum(_status_kb(pid, "VmHWM") for pid in pids) * 1024 / 1e6


def descendants(root: int) -> list[int]:
    """`root` and every process below it that is running now."""
    found = [root]
    for pid in found:
        for task in _PROC.glob(f"{pid}/task/*/children"):
            found += [int(child) for child in _read(task).split()]
    return found


def command_line(pid: int) -> list[str]:
    return [part for part in _read(_PROC / str(pid) / "cmdline").split("\0") if part]


def named(program: str) -> list[int]:
    """Every process on this machine that runs `program`, whoever started it."""
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if _read(_PROC / str(pid) / "comm").strip() == program]


@dataclass(frozen=True, slots=True)
class MachineTime:
    """CPU time of the whole machine since boot in milliseconds."""

    busy: float
    stolen: float

    @classmethod
    def now(cls) -> MachineTime:
        fields = [int(field) for field in _read(_PROC / "stat").split("\n", 1)[0].split()[1:]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
        return cls((user + nice + system + irq + softirq) * _MS_PER_TICK, steal * _MS_PER_TICK)


def _stat_ms(pid: int) -> float:
    # Fields 14-17 (utime, stime, cutime, cstime), counted after the command name, which may hold spaces.
    fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * _MS_PER_TICK if fields else 0.0


def _status_kb(pid: int, name: str) -> int:
    for line in _read(_PROC / str(pid) / "status").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
