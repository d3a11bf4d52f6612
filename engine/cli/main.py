"""The commands, and those of them that run or check a hotline; show.py has those that look at one."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from engine.cli import (
    acd,
    agents,
    announcements,
    callbacks,
    check,
    explain,
    flows,
    hours,
    identity,
    items,
    lists,
    messages,
    prompts,
    queues,
    reload,
    show,
    simulate,
    surveys,
    voicemail,
)
from engine.cli.common import SiteOption, StateOption, fail, faults, run
from engine.config import site as sites
from engine.host.state import CannotRun, Ports, State

app = typer.Typer(
    help="A 400 hotline on Asterisk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PROJECT = Path(__file__).resolve().parents[2]
DRAIN_S = 30.0


@app.command()
def up(
    site: SiteOption = Path(),
    state: StateOption = Path("var"),
    sip_bind: Annotated[str, typer.Option(help="Address for SIP; 0.0.0.0 for phones on the network.")] = "127.0.0.1",
    port_base: Annotated[int, typer.Option(help="First port: SIP; ARI +2, AMI +3, AGI +4, RTP +1000.")] = 5060,
    redis: Annotated[
        str | None, typer.Option(envvar="HOTLINE_REDIS_URL", help="Use this Redis and start none: redis://host:port/0")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(envvar="DATABASE_URL", help="Use this database instead of SQLite: postgresql://user@host/name"),
    ] = None,
    ari: Annotated[
        str | None,
        typer.Option(
            envvar="HOTLINE_ARI_URL", help="Use this Asterisk and start none: http://user:password@host:8088/ari"
        ),
    ] = None,
    drain: Annotated[float, typer.Option(help="Seconds that calls may take to end when told to stop.")] = DRAIN_S,
) -> None:
    """Run the hotline of a site, with its Asterisk and its Redis, until Ctrl-C."""
    from engine.host.up import Options, Supervisor

    options = Options(site, state, sip_bind, port_base, redis, database, ari, drain)

    async def supervise() -> None:
        await Supervisor(options, lambda words: typer.echo(f"hotline: {words}")).run()

    run(supervise())


@app.command()
def engine(
    site: SiteOption = Path(),
    state: StateOption = Path("var"),
    redis: Annotated[
        str, typer.Option(envvar="HOTLINE_REDIS_URL", help="redis://host:port/db or unix:///path?db=0")
    ] = "redis://127.0.0.1:6379/0",
    database: Annotated[
        str | None, typer.Option(envvar="DATABASE_URL", help="Without it, SQLite in the state folder.")
    ] = None,
    ari: Annotated[
        str,
        typer.Option(envvar="HOTLINE_ARI_URL", help="http://user:password@host:8088/ari; password: STATE/secrets/ari"),
    ] = "http://127.0.0.1:8088/ari",
    port_base: Annotated[
        int | None,
        typer.Option(envvar="HOTLINE_PORT_BASE", help="AMI is at +3, FastAGI at +4; without it, neither is used."),
    ] = None,
    drain: Annotated[float, typer.Option(help="Seconds that calls may take to end when told to stop.")] = DRAIN_S,
) -> None:
    """Run only the engine, beside an Asterisk and a Redis that run already (systemd, containers)."""
    import uvloop

    from engine.app import Engine, Settings
    from engine.logs import configure

    configure()
    try:
        folder = State(state)
        folder.make()
        where = urlsplit(ari)
        settings = Settings(
            state=folder,
            redis_url=redis,
            database_url=database or folder.database_url,
            ari_url=f"{where.scheme}://{where.hostname}:{where.port or 8088}{where.path}",
            ari_user=where.username or "hotline",
            ari_password=where.password or folder.secret("ari"),
            ami_port=Ports(port_base).ami if port_base else None,
            ami_secret=folder.secret("ami"),
            agi_port=Ports(port_base).agi if port_base else None,
            drain_s=drain,
        )
        loaded = sites.load(site)

        async def serve() -> None:
            await Engine(loaded, settings).run()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    except Exception as error:
        if isinstance(error, faults()):
            raise fail(error) from None
        raise


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Make a new site: a copy of the default one, to be edited."""
    if folder.exists() and any(folder.iterdir()):
        raise fail(CannotRun(f"{folder} is not empty; name a new folder"))
    for name in sites.FOLDERS:
        if not (PROJECT / name).is_dir():
            raise fail(CannotRun(f"the default site is not at {PROJECT}; run this from a checkout of the project"))
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    typer.echo(
        f"{folder}: edit dialplan/*.yaml, then `hotline check --site {folder}` and `hotline up --site {folder}`."
    )


# Registered here so that --help lists the commands in the order of an admin's day.
check.register(app)
simulate.register(app)
app.add_typer(flows.app, name="flow")
app.command()(reload.reload)
show.register(app)
app.command()(queues.queues)
app.add_typer(queues.app, name="queue")
app.command()(explain.explain)
app.add_typer(items.app, name="items")
app.add_typer(agents.app, name="agents")
app.add_typer(acd.app, name="acd")
app.add_typer(hours.app, name="hours")
app.add_typer(announcements.app, name="announcements")
app.add_typer(lists.app, name="lists")
app.add_typer(identity.app, name="identity")
app.add_typer(voicemail.app, name="voicemail")
app.add_typer(callbacks.app, name="callbacks")
app.command("surveys")(surveys.surveys)
app.command("messages")(messages.messages)
app.add_typer(prompts.app, name="prompts")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def bench(context: typer.Context) -> None:
    """Measure calls beside app_queue, or the ACD alone: `hotline bench acd --json`. Needs a checkout of the project."""
    sys.path.insert(0, str(PROJECT))
    try:
        from bench.__main__ import app as measure
    except ModuleNotFoundError:
        raise fail(CannotRun("the benchmarks come with a checkout of the project; run this from one")) from None
    measure(context.args, prog_name="hotline bench")


def main() -> None:
    """Entry point."""
    app()
