"""`hotline flow`: look at the flows."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import SiteOption, fail
from engine.config import site as sites
from engine.config.source import SiteError, nearest
from engine.host.state import CannotRun

app = typer.Typer(help="Look at the flows.", no_args_is_help=True)


class Format(StrEnum):
    """What a drawing is made of."""

    SVG = "svg"
    MERMAID = "mermaid"


@app.callback()
def flow() -> None:
    """Look at the flows."""


def _require(name: str | None, flows: Collection[str]) -> None:
    if name is not None and name not in flows:
        raise CannotRun(f"no flow {name} in dialplan/flows{nearest(name, flows)}")


@app.command()
def draw(
    name: Annotated[str | None, typer.Argument(help="One flow; without it, all of them.")] = None,
    site: SiteOption = Path(),
    form: Annotated[Format, typer.Option("--format", help="svg or mermaid.")] = Format.SVG,
    out: Annotated[Path | None, typer.Option(help="A file; without it, standard output.")] = None,
) -> None:
    """Draw the flows: every step, every way between them, and what leads there."""
    from engine.flow.draw_mermaid import mermaid
    from engine.flow.draw_svg import CannotDraw, svg
    from engine.flow.drawing import drawing

    try:
        loaded = sites.load(site, unspoken=True)
        _require(name, loaded.flows)
        numbers = {number: settings.flow for number, settings in loaded.hotline.numbers.items()}
        what = drawing(loaded.flows, numbers, only=name)
        text = svg(what) if form is Format.SVG else mermaid(what)
        if out is None:
            typer.echo(text, nl=False)
        else:
            out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise fail(CannotRun(f"{out} cannot be written: {error.strerror}")) from None
    except (SiteError, CannotRun, CannotDraw) as error:
        raise fail(error) from None
