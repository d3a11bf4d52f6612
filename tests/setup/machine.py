"""A machine as the set-up scripts see it: a checkout, and a PATH that holds nothing but what the test put there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What every Debian has, and the scripts use.
ESSENTIAL = (
    *("awk", "bash", "cat", "chmod", "cut", "dirname", "df", "env", "flock", "grep", "head", "id", "ln"),
    *("mkdir", "mktemp", "mv", "rm", "sed", "sort", "sha256sum", "tail", "touch", "uname"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """How a script ended and what it told the person who ran it."""

    exit_code: int
    text: str

    @property
    def sentence(self) -> str:
        """Its last line: why it stopped and what to do."""
        return self.text.strip().splitlines()[-1]


class Machine:
    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(PROJECT / "setup", self.checkout / "setup")
        for name in ("pyproject.toml", "requirements-dev.lock"):
            shutil.copy(PROJECT / name, self.checkout)
        for name in ESSENTIAL:
            real = shutil.which(name)
            assert real is not None, name
            (self.bin / name).symlink_to(real)

    def has(self, program: str, script: str) -> Path:
        """Puts a stand-in on PATH, a bash script, in the place of a real one if need be."""
        path = self.bin / program
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        path.chmod(0o755)
        return path

    def has_redis(self, version: str = "7.0.15") -> Path:
        return self.has("redis-server", f"echo 'Redis server v={version} sha=00000000:0 malloc=jemalloc bits=64'")

    def has_asterisk(self, version: str) -> Path:
        return self.has("asterisk", f"echo 'Asterisk {version}'")

    def run(self, *command: str, **environment: str) -> Said:
        """Runs a script of setup/ with nobody at the keyboard."""
        settings = {"PATH": str(self.bin), "HOME": str(self.checkout), "PYTHON": sys.executable, **environment}
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env={name: value for name, value in settings.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )
        return Said(done.returncode, done.stdout)

    def left(self) -> set[str]:
        """What a script left in the checkout, besides its logs."""
        return {path.name for path in self.checkout.iterdir()} - {
            "setup",
            "pyproject.toml",
            "requirements-dev.lock",
            "var",
        }
