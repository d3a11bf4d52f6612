"""What happened in a simulated call: as lines for a person, as data for a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.flow.expression import Value


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `at_s` seconds after the call came."""

    at_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.at_s:+9.3f} s  {self.text}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in one breath."""

    prompts: tuple[str, ...]
    texts: tuple[str, ...]
    language: str

    @property
    def words(self) -> str:
        """As a person hears it: Chinese has no blanks between words."""
        return ("" if self.language.startswith("zh") else " ").join(text for text in self.texts if text)


@dataclass(frozen=True, slots=True)
class End:
    """Where the caller ends. `kind`: queue, agent, number, hangup, caller_hung_up, lost (the flow ended, or went round
    without end). `target`: the queue's name, the agent's id, the number; the reason of a hang-up."""

    kind: str
    target: str = ""
    why: str = ""
    facts: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.target}".rstrip()


@dataclass(frozen=True, slots=True)
class Story:
    """A simulated call from its beginning to its end."""

    lines: tuple[Line, ...]
    path: tuple[str, ...]
    heard: tuple[Heard, ...]
    end: End
    language: str
    variables: Mapping[str, Value]
    unused: str
    """What the caller would still have done: the hotline never asked for it."""

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": self.path,
            "heard": [{"prompts": h.prompts, "words": h.words, "language": h.language} for h in self.heard],
            "end": {"kind": self.end.kind, "target": self.end.target, "why": self.end.why, **self.end.facts},
            "language": self.language,
            "variables": dict(self.variables),
            "unused": self.unused,
            "lines": [{"at_s": round(line.at_s, 3), "text": line.text} for line in self.lines],
        }
