"""A command as somebody at a keyboard gives it, and what it prints."""

from __future__ import annotations

from typer.testing import CliRunner

from engine.cli.main import app
from engine.host.state import State


def said(*command: str, code: int = 0) -> str:
    """What it prints."""
    result = CliRunner().invoke(app, command)
    assert result.exit_code == code, result.output
    return result.output


def run(state: State, *command: str, code: int = 0) -> str:
    """The same of the hotline with this state."""
    return said(*command, "--state", str(state.folder), code=code)


def row(output: str, word: str) -> str:
    """The one line that has this word."""
    (line,) = [line for line in output.splitlines() if word in line]
    return line
