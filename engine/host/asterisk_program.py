"""Which Asterisk to run: the one on PATH when it is new enough, else the project's own."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from engine.host.state import CannotRun

# REST over WebSocket came with 22.4; older ones are not tested and therefore refused.
OLDEST = (22, 4)
# Debian's own Asterisk 22, unpacked by setup/asterisk.sh.
PROJECT_ROOT = Path(__file__).resolve().parents[2] / ".asterisk"


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """How to run it; `root` is set for the project's own, whose modules and data lie below it."""

    argv: tuple[str, ...]
    version: str
    root: Path | None

    @property
    def library(self) -> Path | None:
        """Where the project's own keeps its shared libraries."""
        return self.root / "usr/lib" / f"{platform.machine()}-linux-gnu" if self.root else None


def find(project_root: Path = PROJECT_ROOT) -> AsteriskProgram:
    """The Asterisk to use. Raises CannotRun with what was found and what to do."""
    on_path = os.environ.get("HOTLINE_ASTERISK") or shutil.which("asterisk")
    too_old = ""
    if on_path:
        version = _version([on_path])
        if _new_enough(version):
            return AsteriskProgram((on_path,), version, None)
        too_old = f"Asterisk {version or '(unknown version)'} at {on_path} is too old; "
    program = project_root / "usr/sbin/asterisk"
    if program.exists():
        # Its libc is newer than this system's: its own loader runs it, no chroot and no root needed.
        library = project_root / "usr/lib" / f"{platform.machine()}-linux-gnu"
        loader = next(library.glob("ld-linux*.so.*"), None) or next(project_root.glob("usr/lib64/ld-linux*.so.*"))
        argv = (str(loader), "--library-path", str(library), str(program))
        return AsteriskProgram(argv, _version(list(argv)), project_root)
    oldest = ".".join(map(str, OLDEST))
    raise CannotRun(f"{too_old or 'there is no Asterisk here; '}`make setup` gets Asterisk {oldest} or newer")


def _version(argv: list[str]) -> str:
    try:
        said = subprocess.run([*argv, "-V"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"Asterisk (?:certified/)?(\S+)", said)
    return match[1] if match else ""


def _new_enough(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST
