"""What a simulated caller does, as it is written."""

from __future__ import annotations

import pytest

from engine.simulator.keys import BadKeys, Leave, Press, Silence, Wait, read_keys


def test_keys_waits_silences_and_a_hang_up_are_read() -> None:
    acts = read_keys("1, wait 3,2#,silence , 0 0 7 ,wait 1.5s,hangup")
    assert acts == (Press("1"), Wait(3), Press("2#"), Silence(), Press("007"), Wait(1.5), Leave())


def test_nothing_is_a_caller_who_does_nothing() -> None:
    assert read_keys("") == read_keys(" , ") == ()


@pytest.mark.parametrize("wrong", ["x", "1 a", "wait", "wait -1", "wait three", "1;2", "１"])
def test_what_cannot_be_read_is_shown_with_what_there_is(wrong: str) -> None:
    with pytest.raises(BadKeys, match="write keys") as caught:
        read_keys(f"1,{wrong}")
    assert f"`{wrong}`" in str(caught.value)
