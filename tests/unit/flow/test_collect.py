"""A number keyed in: the machine against a model that reads the keys as a whole, and the step around it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.flow.digits import Digits
from engine.flow.entry import Entry, EntryState, Keying
from engine.flow.steps import Ended, read_step
from tests.unit.flow.scripted import walk

PAUSE = ""


def as_a_person_reads_it(entry: Entry, keys: list[str]) -> tuple[EntryState, str]:
    """What the entry should be, told from all the keys at once."""
    typed = ""
    for key in keys:
        if key == PAUSE or (entry.end and key == entry.end):
            if len(typed) >= entry.min:
                return EntryState.COMPLETE, typed
            return (EntryState.SILENCE if key == PAUSE and not typed else EntryState.TOO_SHORT), typed
        typed = "" if entry.again and key == entry.again else typed + key
        if len(typed) == entry.max:
            return EntryState.COMPLETE, typed
    return EntryState.TYPING, typed


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    least = draw(st.integers(1, 6))
    end = draw(st.sampled_from(["#", "*", "", "0"]))
    again = draw(st.sampled_from(["", "*", "#"]).filter(lambda key: not key or key != end))
    return Entry(min=least, max=draw(st.integers(least, 8)), end=end, again=again)


@given(entries(), st.lists(st.sampled_from([*"0123456789*#", PAUSE]), max_size=20))
def test_an_entry_is_what_its_keys_make_it(entry: Entry, keys: list[str]) -> None:
    keying = Keying(entry)
    for key in keys:
        if keying.state is not EntryState.TYPING:
            break
        assert keying.patience_s() == (entry.between if keying.keys else entry.first)
        if key == PAUSE:
            keying.pause()
        else:
            keying.press(key)
    assert (keying.state, keying.keys) == as_a_person_reads_it(entry, keys)


@pytest.mark.parametrize(
    ("keys", "outcome", "kept"),
    [
        (["1", "2", "3", "4"], "ok", "1234"),
        (["1", "2", "#"], "ok", "12"),
        (["1", "2", ""], "ok", "12"),
        (["1", "#", "1", "2", "#"], "ok", "12"),
        (["", "", ""], "silence", None),
        (["1", "#", "1", "#", "1", "#"], "too_short", None),
    ],
)
async def test_each_way_an_entry_ends_has_its_branch(keys: list[str], outcome: str, kept: str | None) -> None:
    names = ("ok", "silence", "too_short", "unconfirmed")
    steps: dict[str, Any] = {
        "ask": {
            "collect": "order",
            "ask": ["enter-order-number"],
            "min": 2,
            "max": 4,
            "when": {name: name for name in names},
        },
        **{name: {"set": {"how": f"'{name}'"}, "then": "end"} for name in names},
        "end": {"hangup": "flow_hangup"},
    }
    walked = await walk(keys, steps)
    assert walked.variables["how"] == outcome
    assert walked.variables.get("order") == kept


async def test_a_number_is_said_back_until_the_caller_agrees() -> None:
    ask = {"collect": "order", "ask": ["enter-order-number"], "min": 2, "max": 2, "confirm": "digits"}
    walked = await walk(["1", "2", "2", "1", "3", "1"], {"ask": ask})
    assert walked.variables["order"] == "13"
    assert walked.leg.heard.count("you-entered") == 2


@pytest.mark.parametrize("kind", ["digits", "number", "phone", "money"])
async def test_whatever_was_keyed_in_can_be_said_back(kind: str) -> None:
    ask = {"collect": "order", "ask": ["enter-order-number"], "min": 4, "max": 4, "confirm": kind}
    walked = await walk(["0", "0", "1", "2", "1"], {"ask": ask})
    assert walked.variables["order"] == "0012"


async def test_secret_keys_are_in_no_event() -> None:
    ask = {"collect": "pin", "ask": ["enter-pin"], "min": 6, "max": 6, "secret": True}
    walked = await walk(list("735172"), {"ask": ask})
    assert walked.variables["pin"] == "735172"
    assert "735172" not in str(walked.notes)


async def test_the_hash_behind_a_full_entry_belongs_to_it_and_not_to_the_next_menu() -> None:
    steps: dict[str, Any] = {
        "ask": {"collect": "order", "ask": ["enter-order-number"], "min": 2, "max": 2},
        "menu": {"menu": ["menu-main"], "keys": {"1": "end"}, "tries": 1, "then": "lost"},
        "lost": {"hangup": "timed_out"},
        "end": {"hangup": "rejected"},
    }
    walked = await walk(["1", "2", "1"], steps)
    assert walked.end == Ended("rejected")
    digits = Digits(clock=iter([0.0, 1.0, 1.1, 1.2]).__next__)
    digits.ignore_next("#")
    assert not digits.press("#")
    assert digits.press("#")


def test_one_press_that_came_by_two_transports_is_one_key() -> None:
    digits = Digits(clock=iter([0.20, 0.36, 0.60, 0.82, 1.0]).__next__)
    assert digits.press("5", 0.16)  # SIP INFO, sent as the key went down
    assert not digits.press("5", 0.20)  # RFC 4733, told as it came up
    assert digits.press("5", 0.10)
    assert digits.press("5", 0.10)
    assert digits.press("6", 0.10)
    assert [digits.take() for _ in range(5)] == ["5", "5", "5", "6", None]


def test_one_key_twice_is_two_however_fast_a_phone_dials_and_however_late_they_are_told() -> None:
    digits = Digits(clock=iter([10.0, 10.0, 10.001, 10.3]).__next__)
    told = [digits.press("9", 0.2, at_s) for at_s in (1.200, 1.439, 1.678)]  # 39 ms between them, as pjsip's phones
    assert told == [True, True, True]
    assert not digits.press("9", 0.16, 1.7)


def test_a_key_that_asterisk_tells_twice_is_one_key() -> None:
    digits = Digits()
    assert [digits.press("7", 0.2, at_s) for at_s in (1.200, 1.215, 1.439)] == [True, False, True]
    assert digits.press("8", 0.2, 1.450)


def test_keys_of_a_phone_that_tells_one_duration_for_all_are_not_lost_however_quickly_they_come() -> None:
    digits = Digits()
    assert all(digits.press("0", 0.16, at_s) for at_s in (1.0, 1.125, 1.25))


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": True, "confirm": "digits"},
        {"min": 5, "max": 4},
        {"end": "#", "again": "#"},
        {"end": "##"},
        {"min": 0},
    ],
)
def test_an_impossible_entry_is_a_fault_of_the_file(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_step({"collect": "n", "ask": ["enter-order-number"], **wrong})
