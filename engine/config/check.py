"""Everything that `hotline check` finds in a site that its models accept: what no single file is wrong about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.config.source import Fault


class Severity(StrEnum):
    """An error keeps a site from being used, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault and what it means."""

    fault: Fault
    severity: Severity

    def __str__(self) -> str:
        return f"{self.fault.file}:{self.fault.line}:{self.fault.column}: {self.severity}: {self.fault.message}"

    def data(self) -> dict[str, Any]:
        """For JSON."""
        fault = self.fault
        return {
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "severity": self.severity,
            "message": fault.message,
        }


def error(fault: Fault) -> Finding:
    """One that keeps the site from being used."""
    return Finding(fault, Severity.ERROR)


def warning(fault: Fault) -> Finding:
    """One to be looked at."""
    return Finding(fault, Severity.WARNING)


def errors(findings: Iterable[Finding]) -> Iterator[Fault]:
    """Only what keeps the site from being used."""
    return (finding.fault for finding in findings if finding.severity is Severity.ERROR)
