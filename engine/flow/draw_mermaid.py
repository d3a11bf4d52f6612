"""Flows as Mermaid, which many a wiki shows as a picture. Source: mermaid.js.org, flowchart syntax."""

from __future__ import annotations

from collections.abc import Iterator

from engine.flow import drawing
from engine.flow.drawing import Box, Drawing

_SHAPES = {
    drawing.ASKS: ("[/", "/]"),
    drawing.SAYS: ("(", ")"),
    drawing.DECIDES: ("{{", "}}"),
    drawing.HANDS_OVER: ("[[", "]]"),
    drawing.ENDS: ("([", "])"),
    drawing.ELSEWHERE: (">", "]"),
}


def mermaid(what: Drawing) -> str:
    """The drawing as a flowchart."""
    return "\n".join(["flowchart TD", *_lines(what)]) + "\n"


def _lines(what: Drawing) -> Iterator[str]:
    ids = {box.id: f"n{number}" for number, box in enumerate(what.boxes)}
    for flow in dict.fromkeys(box.flow for box in what.boxes if box.sort != drawing.ELSEWHERE):
        yield f'  subgraph {flow} ["{_text(flow)}"]'
        yield from (f"    {_box(ids[b.id], b)}" for b in what.boxes if b.flow == flow and b.sort != drawing.ELSEWHERE)
        yield "  end"
    yield from (f"  {_box(ids[box.id], box)}" for box in what.boxes if box.sort == drawing.ELSEWHERE)
    for number, (start, dialled) in enumerate(what.starts.items()):
        yield f'  s{number}(["{_text(", ".join(dialled))}"]) --> {ids[start]}'
    for number, arrow in enumerate(what.arrows):
        label = f'|"{_text(arrow.label)}"|' if arrow.label else ""
        yield f"  {ids[arrow.source]} -->{label} {ids[arrow.target] if arrow.target else f'e{number}((end))'}"


def _box(id_: str, box: Box) -> str:
    opens, closes = _SHAPES[box.sort]
    return f'{id_}{opens}"<b>{_text(box.name)}</b><br/>{_text(box.words)}"{closes}'


def _text(text: str) -> str:
    """Mermaid reads # as the beginning of a character's name, and HTML."""
    for letter, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(letter, code) if letter != "#" else text.replace("#", "\0").replace("\0", code)
    return text
