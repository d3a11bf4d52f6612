"""A phone by hand: `python -m phones register` waits for calls, `python -m phones call` places one."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from phones import Call, PhoneError, Phones

A_DAY_S = 86_400.0
RING_LIMIT_S = 60.0
SETTLE_S = 1.0

app = typer.Typer(add_completion=False, help="Real SIP phones, to try a hotline by hand.")

Server = Annotated[str, typer.Option(help="SIP server, address:port.")]


@app.command()
def register(
    name: Annotated[str, typer.Argument(help="The phone's user name, such as 8001.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="PHONE_PASSWORD")],
    server: Server = "127.0.0.1:5060",
    bind: Annotated[str, typer.Option(help="The phone's own address; not the carrier's.")] = "127.0.0.3",
    answer_after: Annotated[float | None, typer.Option(help="Seconds; without it, it only rings.")] = None,
    tone: Annotated[int, typer.Option(help="Hz to play to whoever is connected; 0 = silence.")] = 0,
) -> None:
    """Registers one agent's phone and stays until Ctrl-C, printing who calls."""
    _run(_register(name, password, server, bind, answer_after, tone))


@app.command()
def call(
    number: Annotated[str, typer.Argument(help="What to dial, such as 4008001234.")],
    caller: Annotated[str, typer.Option(help="The number to call from.")] = "13800138000",
    keys: Annotated[str, typer.Option(help="Keys to press one second apart once answered.")] = "",
    server: Server = "127.0.0.1:5060",
    bind: Annotated[str, typer.Option(help="The carrier's address.")] = "127.0.0.2",
    seconds: Annotated[float, typer.Option(help="Hang up after that long.")] = 60.0,
    record: Annotated[Path | None, typer.Option(help="WAV file of what is heard.")] = None,
) -> None:
    """Calls a number as the carrier's trunk would; Ctrl-C hangs up."""
    _run(_call(number, caller, keys, server, bind, seconds, record))


async def _register(name: str, password: str, server: str, bind: str, answer_after: float | None, tone: int) -> None:
    async with Phones.start(server) as phones:
        phone = await phones.phone(name, password=password, bind=bind)
        phone.auto_answer(after_s=answer_after)
        typer.echo(f"{phone} is registered at {server}; Ctrl-C ends it")
        while True:
            ring = await phone.ringing(timeout=A_DAY_S)
            typer.echo(f"rings: {ring.caller_name or '(no name)'} {ring.caller_number}")
            if tone:
                await ring.play_tone(tone)
            await _tell_end(ring, A_DAY_S)


async def _call(
    number: str, caller: str, keys: str, server: str, bind: str, seconds: float, record: Path | None
) -> None:
    async with Phones.start(server) as phones:
        carrier = await phones.carrier(bind=bind)
        placed = await carrier.call(number, caller=caller)
        if record:
            await placed.record(record)
        await placed.answered(timeout=RING_LIMIT_S)
        typer.echo("answered")
        for key in keys:
            await asyncio.sleep(SETTLE_S)
            await placed.press(key)
            typer.echo(f"pressed {key}")
        try:
            await _tell_end(placed, seconds)
        except TimeoutError:
            await placed.hang_up()
            await _tell_end(placed, RING_LIMIT_S)


async def _tell_end(call: Call, timeout: float) -> None:
    typer.echo(f"ended: {await call.ended(timeout=timeout)}")


def _run(phone: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(phone)
    except PhoneError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app(prog_name="python -m phones")
