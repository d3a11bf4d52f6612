"""Whether Asterisk dials a leg that was asked for, and that no leg stays behind which it never made."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.asterisk.ari import AriError, AriRefused
from engine.asterisk.channel import Channel
from engine.asterisk.node import LegOf, Node


def node() -> Node:
    return Node(
        "http://127.0.0.1:1",
        "user",
        "password",
        sound=lambda name, _: name,
        recordings=Path(),
        on_arrival=lambda _: None,
        on_device=lambda *_: None,
        on_strangers=lambda _: None,
    )


def ring(at: Node, answer: Exception | None, monkeypatch: pytest.MonkeyPatch) -> tuple[Channel, asyncio.Future[Any]]:
    """Rings a phone through an Asterisk that answers the order so."""
    dialled: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if answer is None:
        dialled.set_result({})
    else:
        dialled.set_exception(answer)
    monkeypatch.setattr(at.ari, "send", lambda *_, **__: dialled)
    return at.originate(LegOf.AGENT.id("t-1"), "PJSIP/8001", caller_id="", originator="c1", timeout_s=5)


@pytest.mark.parametrize("answer", [None, AriRefused(409, "POST channels", "there already")])
async def test_a_leg_that_is_dialled_or_was_already_lives(
    answer: AriRefused | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = node()
    leg, dialled = ring(at, answer, monkeypatch)
    assert await at.refusal(leg, dialled) is None
    assert not leg.gone.done()


@pytest.mark.parametrize("status", [400, 500])
async def test_a_leg_that_asterisk_would_not_dial_is_gone_at_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at = node()
    leg, dialled = ring(at, AriRefused(status, "POST channels", "no"), monkeypatch)
    assert await at.refusal(leg, dialled) == status
    assert leg.gone.done()
    assert not leg.gone.result().lost


async def test_a_line_that_broke_is_nobodys_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    at = node()
    leg, dialled = ring(at, AriError("no answer"), monkeypatch)
    with pytest.raises(AriError):
        await at.refusal(leg, dialled)
    assert not leg.gone.done()


def test_the_id_of_a_leg_says_whose_it_is() -> None:
    assert (LegOf.AGENT.id("t-1"), LegOf.OUTSIDE.id("c-1")) == ("agent-t-1", "outside-c-1")
