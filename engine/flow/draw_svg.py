"""Flows as SVG, laid out by Graphviz' own algorithm: the program `graphviz-pure`, which comes with the project.

The words are measured here and every box is given its size, so that Chinese fits whatever fonts there are where the
layout is made; whoever looks at the picture has fonts of their own.
"""

from __future__ import annotations

import html
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from engine.flow import drawing
from engine.flow.drawing import Arrow, Box, Drawing

PROGRAM = "graphviz-pure"
LAYS_OUT_S = 30.0

NAME_PT, WORDS_PT, LABEL_PT = 13.0, 10.0, 10.0
LINE_HEIGHT = 1.35
PADDING_PT = 10.0
# How wide letters are, as a part of how high; bold ones are wider.
_EM = {"W": 1.0, "F": 1.0, "A": 0.9}
LATIN_EM = 0.56
BOLD = 1.08
FONT = "Helvetica, Arial, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"

_COLOURS = {
    drawing.ASKS: ("#dbeafe", "#2563eb"),
    drawing.SAYS: ("#ffffff", "#6b7280"),
    drawing.DECIDES: ("#fef3c7", "#d97706"),
    drawing.HANDS_OVER: ("#dcfce7", "#16a34a"),
    drawing.ENDS: ("#fee2e2", "#dc2626"),
    drawing.ELSEWHERE: ("#f3f4f6", "#9ca3af"),
}


class CannotDraw(RuntimeError):  # noqa: N818 - said to a person
    """The layout could not be made; says why."""


# Both lines of a box are laid out alike; what a person sees is styled here.
_STYLE = f"""<style>
.node text {{ font-size: {NAME_PT:g}px; font-weight: bold; fill: #111827; }}
.node text:nth-of-type(2) {{ font-size: {WORDS_PT:g}px; font-weight: normal; fill: #4b5563; }}
.start text {{ fill: white; }}
</style>
"""


def svg(what: Drawing) -> str:
    """The picture. Raises CannotDraw."""
    program = Path(sys.executable).with_name(PROGRAM)
    found = str(program) if program.exists() else shutil.which(PROGRAM)
    if found is None:
        raise CannotDraw(f"there is no {PROGRAM} here; `make setup` installs it. `--format mermaid` needs none")
    try:
        made = subprocess.run(
            [found, "-Tsvg"], input=dot(what).encode(), capture_output=True, timeout=LAYS_OUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotDraw(
            f"{PROGRAM} was not done in {LAYS_OUT_S:g} s; draw one flow: `hotline flow draw NAME`"
        ) from None
    if made.returncode != 0:
        raise CannotDraw(f"{PROGRAM}: {made.stderr.decode(errors='replace').strip()}")
    head, graph, rest = made.stdout.decode().partition('<g id="graph0"')
    return head + _STYLE + graph + rest


def dot(what: Drawing) -> str:
    """The drawing in Graphviz' language."""
    return "\n".join(["digraph flows {", *_lines(what), "}"]) + "\n"


def _lines(what: Drawing) -> Iterator[str]:
    yield f'  graph [rankdir=TB, nodesep=0.35, ranksep=0.45, pad=0.3, bgcolor=white, fontname="{FONT}"]'
    yield f'  node [shape=box, style="rounded,filled", fixedsize=true, penwidth=1.2, fontname="{FONT}", fontsize=12]'
    yield f'  edge [color="#6b7280", fontcolor="#374151", arrowsize=0.7, fontname="{FONT}", fontsize={LABEL_PT:g}]'
    ids = {box.id: f"n{number}" for number, box in enumerate(what.boxes)}
    flows = dict.fromkeys(box.flow for box in what.boxes if box.sort != drawing.ELSEWHERE)
    for number, flow in enumerate(flows):
        nodes = [_node(ids[box.id], box) for box in what.boxes if box.flow == flow and box.sort != drawing.ELSEWHERE]
        nodes += [_end(n) for n, a in enumerate(what.arrows) if a.target is None and a.source.startswith(f"{flow}/")]
        yield from _framed(number, flow, nodes) if len(flows) > 1 else nodes  # one flow needs no frame
    yield from (_node(ids[box.id], box) for box in what.boxes if box.sort == drawing.ELSEWHERE)
    for number, (start, dialled) in enumerate(what.starts.items()):
        words = ", ".join(dialled)
        size = _size(text_width(words, NAME_PT), NAME_PT)
        yield f'  s{number} [class=start, {size}, style=filled, fillcolor="#1f2937", label="{_quoted(words)}"]'
        yield f"  s{number} -> {ids[start]}"
    for number, arrow in enumerate(what.arrows):
        yield from _arrow(number, arrow, ids)


def _framed(number: int, flow: str, nodes: list[str]) -> Iterator[str]:
    yield f"  subgraph cluster_{number} {{"
    yield f'    label="{_quoted(flow)}"; labeljust=l; style=rounded; color="#9ca3af"; fontsize=14'
    yield from nodes
    yield "  }"


def _node(id_: str, box: Box) -> str:
    fill, line = _COLOURS[box.sort]
    size = _size(max(text_width(box.name, NAME_PT) * BOLD, text_width(box.words, WORDS_PT)), NAME_PT + WORDS_PT)
    label = f"{_quoted(box.name)}\\n{_quoted(box.words)}"
    return f'    {id_} [{size}, fillcolor="{fill}", color="{line}", label="{label}", tooltip="{_quoted(box.id)}"]'


def _end(number: int) -> str:
    return f'    e{number} [shape=circle, width=0.14, height=0.14, label="", fillcolor="#111827", tooltip="the end"]'


def _arrow(number: int, arrow: Arrow, ids: dict[str, str]) -> Iterator[str]:
    target = ids[arrow.target] if arrow.target else f"e{number}"
    label = f" [label=<{_label(arrow.label)}>]" if arrow.label else ""
    yield f"  {ids[arrow.source]} -> {target}{label}"


def _label(text: str) -> str:
    """In a cell of our own size: the layout keeps room for what will be seen, not for what it thinks of CJK."""
    width, height = text_width(text, LABEL_PT) + LABEL_PT, LABEL_PT * LINE_HEIGHT
    size = f'FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    cell = f'<TD {size} ALIGN="LEFT">&#160;{html.escape(text)}</TD>'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cell}</TR></TABLE>'


def _size(width: float, lines: float) -> str:
    """Of a box around words of this width and of these lines' heights, in inches."""
    return f"width={(width + 2 * PADDING_PT) / 72:.3f}, height={(lines * LINE_HEIGHT + PADDING_PT) / 72:.3f}"


def _quoted(text: str) -> str:
    """Inside quotes of Graphviz' language, in which a backslash begins an escape."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def text_width(text: str, points: float) -> float:
    """How wide a line is, in points: East Asian wide characters are as wide as high (Unicode TR 11)."""
    return sum(_EM.get(unicodedata.east_asian_width(letter), LATIN_EM) for letter in text) * points
