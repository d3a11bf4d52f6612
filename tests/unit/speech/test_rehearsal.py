"""Every word is rehearsed, in values that may be said."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.speech import LANGUAGES, vocabulary
from engine.speech.rehearsal import rehearsal


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_heard_as_often_as_asked_and_the_same_values_every_time(language: str) -> None:
    values = rehearsal(language, 2)
    heard = Counter(word for value in values for word in value)
    words = {word for word in vocabulary(language) if not word.startswith("silence")}
    assert {word for word in words if heard[word] < 2} == set()
    assert set(heard) <= vocabulary(language)
    assert values == rehearsal(language, 2)
