"""`hotline identity test`: what the company's endpoint says of a caller, and what the hotline would make of it."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import structlog
import typer

from engine.cli.common import JsonOption, SiteOption, StateOption, console, fail, print_json, run
from engine.config import site as sites
from engine.config.source import SiteError
from engine.host.state import CannotRun, State

if TYPE_CHECKING:
    from engine.cli.identity_findings import Findings
    from engine.config.site import Site
    from engine.identity.trial import Trial

app = typer.Typer(help="Try the company's identity endpoint (docs/identity.md).", no_args_is_help=True)

NO_ANSWER, NOT_ALL = 1, 3
LONGEST_LINE = 256


@app.callback()
def identity() -> None:
    """Try the company's identity endpoint (docs/identity.md)."""


@app.command()
def test(
    number: Annotated[str, typer.Option(help="The caller's number, in any form that a trunk delivers.")],
    member: Annotated[str | None, typer.Option(help="A member number, as a `verify` step would ask for it.")] = None,
    id_card_stdin: Annotated[bool, typer.Option(help="Read an ID card number from standard input.")] = False,
    pin_stdin: Annotated[bool, typer.Option(help="Read a PIN from standard input (after the ID card number).")] = False,
    dialled: Annotated[str | None, typer.Option(help="The number that was called; else the site's first.")] = None,
    trunk: Annotated[str, typer.Option(help="The trunk whose rules the number is read by.")] = "",
    url: Annotated[str | None, typer.Option(help="Another endpoint than that of hotline.yaml.")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="Its secret, if not that of the hotline.")] = None,
    site: SiteOption = Path(),
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Ask about one caller, as a call would, and say what the hotline would do with the answer.

    Exit code 0: all of the answer would be done. 1: there was no usable answer. 3: the answer is good, but not all of
    it can be done. 2: the site or the options are at fault. Tries made here are counted by the endpoint only.
    """
    from engine.cli.identity_findings import judge
    from engine.identity.contract import Member
    from engine.identity.trial import try_out

    try:
        loaded = sites.load(site, unspoken=True)
        settings = loaded.hotline.identity
        address = url or _address(loaded)
        secret = _secret(loaded, state, secret_file)
        id_card = _keyed("ID card number") if id_card_stdin else None
        pin = _keyed("PIN") if pin_stdin else None
    except (CannotRun, SiteError) as error:
        raise _misused(error) from None
    keyed = Member(id=member, id_card=id_card, pin=pin) if member or id_card or pin else None
    deadline_s = settings.deadline if settings else 1.5
    caller = loaded.hotline.caller(number, trunk=trunk, presentation="allowed")
    try:
        with _no_log():
            trial = run(
                try_out(
                    address,
                    secret,
                    caller,
                    dialled=dialled or next(iter(loaded.hotline.numbers)),
                    deadline_s=deadline_s,
                    call_id=f"test-{secrets.token_hex(4)}",
                    member=keyed,
                )
            )
    except ValueError as error:
        raise _misused(error) from None
    findings = judge(loaded, trial, kind="verify" if keyed else "lookup", url=address, deadline_s=deadline_s)
    if not caller.number:
        findings.does.insert(0, f"`{printable(number)}` is no number that anybody could be known by: none is sent")
    if as_json:
        print_json(_as_data(trial, findings, caller.number, address))
    else:
        _tell(trial, findings, caller.number, address)
    raise typer.Exit(_exit_code(trial, findings))


@contextmanager
def _no_log() -> Iterator[None]:
    """What the engine would log is said in our own words."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _address(site: Site) -> str:
    """Raises CannotRun."""
    if site.hotline.identity is None:
        raise CannotRun("dialplan/hotline.yaml has no `identity`; write one, or name an endpoint with --url")
    return site.hotline.identity.url


def _secret(site: Site, state: Path, file: Path | None) -> str:
    """Raises CannotRun."""
    settings = site.hotline.identity
    path = file or (Path(settings.secret_file) if settings and settings.secret_file else None)
    if path is None:
        return State(state).secret("identity")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"the secret in {path} cannot be read: {error}") from None


def _keyed(what: str) -> str:
    """From a person without showing it, or from a pipe. Raises CannotRun."""
    if sys.stdin.isatty():
        keyed: str = typer.prompt(what, hide_input=True)
    else:
        keyed = sys.stdin.readline(LONGEST_LINE).strip()
    if not keyed:
        raise CannotRun(f"no {what} came on standard input")
    return keyed


def _misused(error: Exception) -> typer.Exit:
    fail(error)
    return typer.Exit(2)


def _exit_code(trial: Trial, findings: Findings) -> int:
    if trial.answer.outcome in ("timeout", "unavailable", "invalid"):
        return NO_ANSWER
    return NOT_ALL if findings.faults else 0


def _as_data(trial: Trial, findings: Findings, number: str, url: str) -> dict[str, Any]:
    return {
        "url": url,
        "number": number,
        "sent": trial.sent,
        "headers": dict(trial.headers),
        "status": trial.heard.status if trial.heard else None,
        "came": trial.heard.text if trial.heard else None,
        "ms": trial.answer.ms,
        "outcome": trial.answer.outcome,
        "detail": trial.answer.detail,
        "does": findings.does,
        "faults": findings.faults,
    }


def _tell(trial: Trial, findings: Findings, number: str, url: str) -> None:
    answer = trial.answer
    lines = [("asked", f"{url} about {number or 'a caller without a number'}")]
    if trial.sent is not None:
        lines += [("sent", trial.sent), *(("", f"{name}: {value}") for name, value in trial.headers.items())]
    if trial.heard is not None:
        lines += [("came", f"HTTP {trial.heard.status}"), ("", printable(_readable(trial.heard.text)))]
    why = f" ({answer.detail})" if answer.detail else ""
    lines.append(("outcome", f"{answer.outcome} in {answer.ms} ms{why}"))
    lines += [("does" if first else "", line) for first, line in _numbered(findings.does)]
    lines += [("fault", line) for line in findings.faults]
    for name, line in lines:
        console.print(f"{name:8} {line}", soft_wrap=True, style="red" if name == "fault" else "")


def _numbered(lines: list[str]) -> list[tuple[bool, str]]:
    return [(n == 0, line) for n, line in enumerate(lines)]


def _readable(text: str) -> str:
    """JSON without \\u5f20, which nobody can read."""
    try:
        return orjson.dumps(orjson.loads(text)).decode()
    except orjson.JSONDecodeError:
        return text


def printable(text: str, most: int = 2000) -> str:
    """Somebody else's text, for a terminal: what would act on it is not shown."""
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text[:most])
    return f"{shown}… ({len(text)} characters)" if len(text) > most else shown
