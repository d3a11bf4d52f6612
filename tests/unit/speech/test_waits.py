"""A range of milliseconds as people say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sounds import LANGUAGES, Sounds
from engine.speech.waits import PROMPTS, spoken

MINUTE = 60_000
SOUNDS = Sounds()


@pytest.mark.parametrize(
    ("low", "high", "chinese", "english"),
    [
        (0.2, 0.9, "预计等候时间不到一分钟。", "The expected waiting time is less than a minute."),
        (0.2, 2.0, "预计等候时间不到两分钟。", "The expected waiting time is less than two minutes."),
        (1.1, 1.9, "预计等候时间约一到两分钟。", "The expected waiting time is one to two minutes."),
        (1.9, 5.4, "预计等候时间约两到五分钟。", "The expected waiting time is two to five minutes."),
        (3.0, 5.0, "预计等候时间约三到五分钟。", "The expected waiting time is three to five minutes."),
        (6.0, 14.0, "预计等候时间约五到十五分钟。", "The expected waiting time is five to fifteen minutes."),
        (12.0, 40.0, "预计等候时间在十分钟以上。", "The expected waiting time is more than ten minutes."),
        (45.0, 90.0, "预计等候时间在三十分钟以上。", "The expected waiting time is more than thirty minutes."),
    ],
)
def test_a_wait_is_said_in_the_narrowest_words_that_are_true(
    low: float, high: float, chinese: str, english: str
) -> None:
    wait = spoken(round(low * MINUTE), round(high * MINUTE))
    assert wait is not None
    assert [SOUNDS.text(wait.prompt, language) for language in ("zh-CN", "en")] == [chinese, english]


def test_one_to_twenty_five_minutes_is_not_worth_saying() -> None:
    assert spoken(MINUTE, 25 * MINUTE) is None


@given(st.integers(0, 120 * MINUTE), st.integers(0, 120 * MINUTE))
def test_what_is_said_leaves_out_no_more_than_a_tenth_of_what_was_reckoned(one: int, other: int) -> None:
    low, high = sorted((one, other))
    wait = spoken(low, high)
    assert wait is None or (wait.low_ms <= 1.1 * low and 0.9 * high <= wait.high_ms and wait.prompt in PROMPTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_recorded_and_has_no_wrong_two(language: str) -> None:
    texts = [SOUNDS.text(prompt, language) for prompt in PROMPTS]
    assert len(set(texts)) == len(PROMPTS)
    assert not any("二分" in text or "二到" in text for text in texts)
