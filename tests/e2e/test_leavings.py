"""What callers leave behind: said into a box, asked for, answered; from a real phone to the database and the disk."""

from __future__ import annotations

import asyncio
import sys
import wave
from pathlib import Path

import pytest

from phones import Call
from phones.tones import is_tone, samples_of
from tests.e2e.hotline import Hotline, Json
from tests.e2e.scene import CALLER_HZ, SOON_S, Scene, only
from tests.e2e.site_of_tones import PROJECT, PROMPTS_HZ
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOX, CALLBACK, SERVED = "4008001211", "4008001212", "4008001213"
ANNE, BOB, CARL, DORA, EVE, FAY, GINA, HUGO = (f"1360013607{n}" for n in range(8))
GINA_HZ = 1930
BLOCK = 1600  # samples: 200 ms


def seconds_of(file: Path, hz: int) -> float:
    """How much of a recording is that tone."""
    with wave.open(str(file)) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (8000, 1, 2)
        samples = samples_of(recording.readframes(recording.getnframes()))
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    return sum(len(block) for block in blocks if is_tone(block, hz)) / 8000


async def at_the_beep(scene: Scene, caller: str) -> Call:
    call = await scene.dial(caller, number=BOX)
    await call.answered()
    await call.press("#")  # skips the greeting
    assert await call.hears(PROMPTS_HZ["beep"], within=SOON_S)
    return call


async def says(call: Call, seconds: float) -> None:
    await call.play_tone(CALLER_HZ)
    await asyncio.sleep(seconds)
    await call.stop_tone()


async def voicemail_of(scene: Scene, caller: str) -> Json:
    """The one voicemail of a caller, once it is written."""

    async def there() -> list[Json]:
        rows = await scene.hotline.ask("/v1/voicemails?limit=1000")
        return [row for row in rows if row["number"] == f"+86{caller}"]

    (row,) = await until(there, within=SOON_S, what=f"a voicemail of {caller}")
    return row


async def run(hotline: Hotline, *command: str) -> str:
    """A command, as an admin types it."""
    argv = [sys.executable, "-m", "engine.cli", *command, "--state", str(hotline.state.folder)]
    process = await asyncio.create_subprocess_exec(*argv, cwd=PROJECT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_a_caller_who_hangs_up_while_they_speak_has_left_what_they_said(scene: Scene) -> None:
    call = await at_the_beep(scene, ANNE)
    await says(call, 2.5)
    await call.hang_up()

    left = await voicemail_of(scene, ANNE)
    assert left["box"] == "night"
    assert left["length_ms"] >= 2000
    assert seconds_of(Path(left["file"]), CALLER_HZ) >= 1.8
    row = await scene.row(ANNE)
    assert row["end_reason"] == "abandoned_ivr"
    assert only(await scene.events_of(row), "voicemail.left")["voicemail"] == left["id"]


async def test_a_voicemail_is_heard_again_saved_and_copied_out(scene: Scene, tmp_path: Path) -> None:
    call = await at_the_beep(scene, BOB)
    await says(call, 2.0)
    await call.press("#")
    assert await call.hears(PROMPTS_HZ["message-menu"], within=SOON_S)
    await call.press("2")
    assert await call.hears(CALLER_HZ, within=SOON_S), "the caller does not hear what they have said"
    assert await call.hears(PROMPTS_HZ["message-menu"], within=SOON_S)
    await call.press("1")
    assert await call.hears(PROMPTS_HZ["message-saved"], within=SOON_S)
    await call.ended()

    left = await voicemail_of(scene, BOB)
    assert left["id"] in await run(scene.hotline, "voicemail", "--new")
    copy = tmp_path / "copy.wav"
    await run(scene.hotline, "voicemail", "play", left["id"], "--to", str(copy))
    assert seconds_of(copy, CALLER_HZ) >= 1.4
    await run(scene.hotline, "voicemail", "heard", left["id"], "--by", "8001")
    assert left["id"] not in await run(scene.hotline, "voicemail", "--new")
    await run(scene.hotline, "voicemail", "delete", left["id"])
    assert not Path(left["file"]).exists()  # noqa: ASYNC240 - one system call
    assert (await scene.row(BOB))["end_reason"] == "flow_hangup"


async def test_an_agent_hears_it_on_their_phone_and_deletes_it(scene: Scene) -> None:
    call = await at_the_beep(scene, GINA)
    await call.play_tone(GINA_HZ)
    await asyncio.sleep(2.0)
    await call.hang_up()
    left = await voicemail_of(scene, GINA)

    phone = await scene.agent()
    listening = await phone.call("*97")
    await listening.answered()
    while not await listening.hears(GINA_HZ, within=4):
        await listening.press("2")  # past what other tests have left
    await listening.press("3")

    async def gone() -> bool:
        rows = await scene.hotline.ask("/v1/voicemails?limit=1000")
        return left["id"] not in [row["id"] for row in rows]

    await until(gone, within=SOON_S, what="the voicemail is deleted")
    await listening.ended()
    assert only(await scene.events_of(await scene.row(GINA)), "voicemail.deleted")["by"] == scene.user(phone)


@pytest.mark.hotline("fragile")
async def test_who_speaks_while_the_engine_is_killed_is_asked_again_and_what_they_said_is_still_there(
    scene: Scene,
) -> None:
    call = await at_the_beep(scene, HUGO)
    await says(call, 1.0)
    asked_again = asyncio.ensure_future(call.hears(PROMPTS_HZ["leave-message"], within=20))
    old = scene.hotline.kill("engine")
    assert await asked_again
    await scene.hotline.replaced("engine", old)
    await call.hang_up()

    row = await scene.row(HUGO)
    files = (scene.hotline.state.recordings / "voicemail/night").glob(f"{row['id']}-*.wav")
    assert max(seconds_of(file, CALLER_HZ) for file in files) >= 0.6


async def test_who_says_it_again_leaves_only_the_last(scene: Scene) -> None:
    call = await at_the_beep(scene, CARL)
    await says(call, 2.0)
    await call.press("#")
    assert await call.hears(PROMPTS_HZ["message-menu"], within=SOON_S)
    await call.press("3")
    assert await call.hears(PROMPTS_HZ["beep"], within=SOON_S)
    await call.play_tone(430)
    await asyncio.sleep(2.0)
    await call.hang_up()

    left = await voicemail_of(scene, CARL)
    assert seconds_of(Path(left["file"]), 430) >= 1.4
    assert seconds_of(Path(left["file"]), CALLER_HZ) == 0


async def test_who_says_nothing_is_asked_again_and_leaves_nothing(scene: Scene) -> None:
    call = await at_the_beep(scene, DORA)
    assert await call.hears(PROMPTS_HZ["message-too-short"], within=SOON_S)
    assert await call.hears(PROMPTS_HZ["beep"], within=SOON_S)
    assert await call.hears(PROMPTS_HZ["message-too-short"], within=SOON_S)
    assert await call.hears(PROMPTS_HZ["goodbye"], within=SOON_S)
    await call.ended()
    row = await scene.row(DORA)
    assert not [event for event in await scene.events_of(row) if event["type"] == "voicemail.left"]
    assert not list((scene.hotline.state.recordings / "voicemail").rglob(f"{row['id']}*"))


async def test_a_caller_who_asks_twice_is_called_back_once(scene: Scene) -> None:
    for _ in range(2):
        call = await scene.dial(EVE, number=CALLBACK)
        await call.answered()
        assert await call.hears(PROMPTS_HZ["callback-offer"], within=SOON_S)
        await call.press("1")
        assert await call.hears(PROMPTS_HZ["callback-accepted"], within=SOON_S)
        await call.ended()

    async def there() -> list[Json]:
        return [row for row in await scene.hotline.ask("/v1/callbacks") if row["number"] == f"+86{EVE}"]

    (wanted,) = await until(there, within=SOON_S, what="a callback")
    assert (wanted["queue"], wanted["state"]) == ("sales", "requested")
    assert f"the callback to +86{EVE} is done" in await run(scene.hotline, "callbacks", "done", wanted["id"])
    assert not await there()


async def test_a_caller_says_how_it_was_after_the_agent_has_hung_up(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(FAY, number=SERVED)
    ring = await agent.ringing()
    await ring.answer()
    await scene.until_connected(FAY)
    await ring.hang_up()
    assert await call.hears(PROMPTS_HZ["survey-ask"], within=SOON_S)
    await call.press("2")
    assert await call.hears(PROMPTS_HZ["survey-thanks"], within=SOON_S)
    await call.ended()

    row = await scene.row(FAY)
    assert only(await scene.events_of(row), "survey.answered")["score"] == 2
    assert row["end_reason"] == "completed_by_agent"

    async def counted() -> list[Json]:
        rows = await scene.hotline.ask("/v1/surveys")
        return [found for found in rows if (found["agent"], found["queue"]) == (scene.user(agent), row["queue"])]

    (answered,) = await until(counted, within=SOON_S, what="an average for the agent")
    assert (answered["queue"], answered["answers"], answered["average"]) == ("sales", 1, 2.0)


@pytest.mark.hotline("fragile")
async def test_who_is_asked_how_it_was_hears_music_until_redis_is_back(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(FAY, number=SERVED)
    ring = await agent.ringing()
    await ring.answer()
    await scene.until_connected(FAY)
    assert await call.hears_silence(lasting=0.5, within=3)
    with scene.hotline.frozen("redis"):
        await ring.hang_up()
        assert await call.hears_something(within=3)
    assert await call.hears(PROMPTS_HZ["survey-ask"], within=SOON_S)
    await call.hang_up()
    assert (await scene.row(FAY))["end_reason"] == "completed_by_agent"
