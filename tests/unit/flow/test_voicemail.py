"""What a caller says into a box is kept, however the call ends."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.flow.steps import read_step
from engine.identity.numbers import normalise
from tests.unit.flow.office import FILE, Boxes, Call, Letters, Speaker

SAID = {"voicemail": "v-1", "box": "night", "number": "+8613800138000", "length_ms": 7_000}


def call(*spoken_s: float | None, keys: tuple[str, ...] = (), letters: Letters | None = None) -> Call:
    boxes = Boxes()
    made = Call(Speaker(boxes, spoken_s, keys), boxes=boxes, letters=letters)
    made.boxes = boxes  # type: ignore[attr-defined]
    return made


def step(**settings: Any) -> Any:
    return read_step({"voicemail": "night", **settings})


async def test_a_caller_leaves_a_voicemail() -> None:
    caller = call(7.0)
    assert await caller.walks(step()) == "left"
    assert caller.leg.heard == ["leave-message", "beep", "message-saved"]
    assert caller.noted("voicemail.left") == [SAID]


async def test_a_caller_who_hangs_up_while_they_speak_has_left_what_they_said() -> None:
    caller = call(7.0, None)
    assert await caller.walks(step()) == ""
    assert caller.noted("voicemail.left") == [SAID]


async def test_a_caller_who_hangs_up_at_the_beep_has_left_nothing() -> None:
    caller = call(0.3, None)
    await caller.walks(step())
    assert caller.noted("voicemail.left") == []
    assert caller.services.voicemail.discarded  # type: ignore[attr-defined]


async def test_who_says_too_little_is_asked_again() -> None:
    caller = call(0.4, 7.0)
    assert await caller.walks(step(greeting=["closed-night"])) == "left"
    assert caller.leg.heard == ["closed-night", "beep", "message-too-short", "beep", "message-saved"]


async def test_who_says_nothing_at_all_leaves_nothing() -> None:
    caller = call(0.0, 0.2)
    assert await caller.walks(step(tries=2)) == "nothing: 2 tries"
    assert caller.noted("voicemail.left") == []
    assert caller.services.voicemail.discarded  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["1", "9", ""])
async def test_whatever_is_not_again_saves_what_was_said(key: str) -> None:
    caller = call(7.0, keys=(key,))
    assert await caller.walks(step(confirm=True)) == "left"
    assert caller.leg.heard == ["leave-message", "beep", "message-menu", "message-saved"]


async def test_a_caller_hears_what_they_said_and_says_it_again() -> None:
    caller = call(3.0, 7.0, keys=("2", "3", "1"))
    assert await caller.walks(step(confirm=True)) == "left"
    played = str(FILE.with_suffix(""))
    asked = ["leave-message", "beep", "message-menu", played, "message-menu"]
    assert caller.leg.heard == [*asked, "beep", "message-menu", "message-saved"]
    assert caller.noted("voicemail.left") == [SAID]


async def test_the_last_version_is_kept_when_the_tries_are_used_up() -> None:
    caller = call(3.0, 7.0, keys=("3", "3"))
    assert await caller.walks(step(confirm=True, tries=2)) == "left"
    assert caller.noted("voicemail.left") == [SAID]


async def test_keys_typed_before_the_beep_are_no_answer_to_the_menu() -> None:
    caller = call(7.0, keys=("1",))
    caller.leg.digits.press("3")
    assert await caller.walks(step(confirm=True)) == "left"


async def test_where_nothing_can_be_recorded_the_flow_goes_another_way() -> None:
    caller = Call(Speaker(Boxes(), ()), boxes=Boxes(room=False))
    assert await caller.walks(step()) == "not_possible"
    assert caller.leg.heard == []


async def test_somebody_is_told_of_a_voicemail_even_of_one_that_ended_with_a_hang_up() -> None:
    letters = Letters()
    caller = call(7.0, None, letters=letters)
    await caller.walks(step(notify={"to": "13912345678", "text": "{caller.number} {voicemail.seconds}s"}))
    facts = {"box": "night", "voicemail": "v-1", "number": "+8613800138000", "seconds": 7}
    assert letters.sent == [("voicemail", "13912345678", "+8613800138000 7s", facts)]


async def test_a_notice_that_cannot_be_worded_is_sent_without_its_words() -> None:
    letters = Letters()
    caller = call(7.0, letters=letters)
    assert await caller.walks(step(notify={"to": "desk", "text": "{caller.number + 1}"})) == "left"
    assert [(event, to, text) for event, to, text, _ in letters.sent] == [("voicemail", "desk", "")]


async def test_an_anonymous_caller_leaves_a_voicemail_without_a_number() -> None:
    caller = call(7.0)
    await caller.walks(step(), caller=normalise("anonymous"))
    assert caller.noted("voicemail.left") == [{**SAID, "number": ""}]


@pytest.mark.parametrize("settings", [{"voicemail": "../night"}, {"longest": "2h"}, {"silence": 0}, {"box": "night"}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        step(**settings)
