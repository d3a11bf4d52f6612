"""The keys of a channel that the dialplan has: asked for at Asterisk's other door, and no longer than a script runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.asterisk.ari import AriError
from engine.asterisk.node import Node

SOURCE = {"eventSource": "channel:c1"}
SUBSCRIPTION = "applications/hotline/subscription"


class Line:
    """Asterisk at the end of a Node's line."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self.node = node
        self.sent: list[tuple[str, str, Any]] = []
        self.refuses = False
        self.channels: list[dict[str, Any]] = []
        for name in ("request", "send", "http"):
            monkeypatch.setattr(node.ari, name, getattr(self, name))
        node.ari.up.set()

    def send(self, method: str, uri: str, query: Any = None, **_: Any) -> asyncio.Future[Any]:
        self.sent.append((method, uri, query))
        answer = asyncio.get_running_loop().create_future()
        if self.refuses:
            answer.set_exception(AriError("no"))
        else:
            answer.set_result({"channel_ids": [c["id"] for c in self.channels]} if "subscr" not in uri else None)
        return answer

    async def request(self, method: str, uri: str, query: Any = None, **_: Any) -> Any:
        return await self.send(method, uri, query)

    async def http(self, method: str, uri: str, *_: Any, **__: Any) -> Any:
        return self.channels if uri == "channels" else {"channel_ids": [c["id"] for c in self.channels]}

    def press(self, digit: str, channel: str = "c1") -> None:
        self.node._note(
            {
                "type": "ChannelDtmfReceived",
                "digit": digit,
                "duration_ms": 120,
                "timestamp": "2026-11-21T23:00:00.250+0000",
                "channel": {"id": channel},
            }
        )


def node(strangers: list[Sequence[dict[str, Any]]] | None = None) -> Node:
    def nobody(*_: Any) -> None:
        pass

    return Node(
        "http://127.0.0.1:1/ari",
        "x",
        "x",
        sound=lambda name, _: name,
        recordings=Path(),
        on_arrival=nobody,
        on_device=nobody,
        on_strangers=nobody if strangers is None else strangers.append,
    )


async def test_a_key_of_the_channel_is_told_for_as_long_as_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(node(), monkeypatch)
    told: list[tuple[str, float, float]] = []
    async with line.node.ears.hear("c1", lambda *key: told.append(key)) as hears:
        assert hears()
        assert line.sent == [("POST", SUBSCRIPTION, SOURCE)]
        line.press("5")
        line.press("6", channel="c2")
    line.press("7")
    assert told == [("5", 0.12, 1795302000.25)]
    assert line.sent[1:] == [("DELETE", SUBSCRIPTION, SOURCE)]


async def test_without_a_line_nothing_is_asked_for_and_nothing_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(node(), monkeypatch)
    line.node.ari.up.clear()
    async with line.node.ears.hear("c1", lambda *_: None) as hears:
        assert not hears()
        line.node.ari.up.set()
        assert not hears()  # nobody has asked
    assert line.sent == []


async def test_a_line_that_is_lost_meanwhile_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(node(), monkeypatch)
    async with line.node.ears.hear("c1", lambda *_: None) as hears:
        line.node.ari.up.clear()
        assert not hears()
        line.refuses = True  # also when the script is over: nobody needs that answer
    await asyncio.sleep(0)


async def test_an_asterisk_that_will_not_tell_is_no_fault_of_the_script_s(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(node(), monkeypatch)
    line.refuses = True
    with capture_logs() as logs:
        async with line.node.ears.hear("c1", lambda *_: None) as hears:
            assert not hears()
    assert [log["event"] for log in logs] == ["ears.cannot_hear"]


async def test_a_channel_that_is_only_heard_is_no_stranger_whom_an_engine_takes_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strangers: list[Sequence[dict[str, Any]]] = []
    line = Line(node(strangers), monkeypatch)
    line.channels = [
        {"id": "heard", "dialplan": {"app_name": "AGI"}},
        {"id": "heard before the engine was killed", "dialplan": {"app_name": "Playback"}},
        {"id": "ours", "dialplan": {"app_name": "Stasis"}},
    ]
    await line.node._resync_channels("hotline")
    assert [[about["id"] for about in abouts] for abouts in strangers] == [["ours"]]
