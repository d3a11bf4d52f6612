"""The site's AGI scripts: every `agi_scripts/NAME.py`, found and loaded at start."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from engine.asterisk.agi_session import Session

log = structlog.get_logger()

Run = Callable[[Session], Coroutine[Any, Any, None]]

_NAME = re.compile(r"[a-z_]+")


class _ScriptError(Exception):
    """Why a file is no script."""


def load(folder: Path) -> dict[str, Run | None]:
    """Scripts by name; None where the file is there but cannot be used, which is logged with file and line."""
    scripts: dict[str, Run | None] = {}
    for path in sorted(folder.glob("*.py")):
        scripts[path.stem] = None
        try:
            scripts[path.stem] = _run_of(path)
        # A script is somebody else's code: whatever it raises (sys.exit() too) is its own calls' misfortune.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            said = str(error) if isinstance(error, _ScriptError) else f"{type(error).__name__}: {error}"
            log.error("agi.script_unusable", file=str(path), line=_line_of(error, path), error=said)  # noqa: TRY400
    return scripts


def _run_of(path: Path) -> Run:
    if not _NAME.fullmatch(path.stem):
        raise _ScriptError("a script's name is made of a-z and _ only")
    run = getattr(_imported(path), "run", None)
    if not inspect.iscoroutinefunction(run):
        raise _ScriptError("there is no `async def run(session: Session) -> None`")
    function: Run = run
    return function


def _imported(path: Path) -> ModuleType:
    name = f"site_agi_scripts.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _ScriptError("Python cannot load this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line_of(error: BaseException, path: Path) -> int:
    """Where in the file it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (lines[-1] if lines else None) or 1
