"""What a caller keys in to prove who they are reaches the company's endpoint, and is nowhere else afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.redis_line import RedisLine
from tests.e2e.scene import SOON_S, Scene, only
from tests.e2e.site_of_tones import PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER = "4008001216"
CALLER = "13600136071"
WRONG_MEMBER, WRONG_PIN = "77001923", "90817263"
ID_CARD = "11010519491231002X"
AS_KEYED = ID_CARD.replace("X", "*")


def files_with(folder: Path, texts: list[str]) -> list[str]:
    """Every file below `folder` that holds one of `texts`."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path.relative_to(folder)}: {text}" for text in texts if text.encode() in content]
    return found


async def in_redis(url: str, texts: list[str]) -> list[str]:
    """Every key that is, or holds, one of `texts`."""
    line = RedisLine(url)
    await line.open()
    try:
        keys = await line.call("KEYS", "*")
        kept = [f"{key} {await line.call('DUMP', key)}" for key in keys]
    finally:
        await line.close()
    assert any("attempts:account" in entry for entry in kept), "nothing was counted, so that nothing is proved"
    return [text for text in texts for entry in kept if text in entry]


async def test_a_member_is_verified_by_keys_that_nothing_remembers(scene: Scene) -> None:
    call = await scene.dial(CALLER, number=NUMBER)
    await call.answered()
    assert await call.hears(PROMPTS_HZ["enter-member-number"], within=SOON_S)
    await call.press(f"{WRONG_MEMBER}#")
    assert await call.hears(PROMPTS_HZ["enter-pin"], within=SOON_S)
    await call.press(f"{WRONG_PIN}#")
    assert await call.hears(PROMPTS_HZ["not-verified"], within=SOON_S)
    assert await call.hears(PROMPTS_HZ["enter-id-card"], within=SOON_S)
    await call.press(AS_KEYED)
    await call.ended(timeout=15)

    row = await scene.row(CALLER)
    assert (row["customer_name"], row["tier"]) == ("张三", "VIP")
    assert row["flow_path"] == [f"member/{step}" for step in ("by_number", "by_card", "balance", "right", "end")]
    events = await scene.events_of(row)
    verified = [(event["asked"], event["outcome"]) for event in events if event["type"] == "verify.finished"]
    assert verified == [(["member", "pin"], "not_found"), (["id_card"], "ok")]
    assert only(events, "http.finished")["saved"] == ["balance"]

    keyed = [WRONG_MEMBER, WRONG_PIN, ID_CARD, AS_KEYED]
    hotline = scene.hotline
    assert files_with(hotline.state.folder, ["verify.finished"]), "the test looks in the wrong place"
    assert files_with(hotline.state.folder, keyed) == []
    assert not any(text in hotline.words.read_text() for text in keyed)
    assert await in_redis(f"unix://{hotline.state.redis_socket}", keyed) == []
