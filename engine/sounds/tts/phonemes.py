"""Words to Kokoro's phonemes: Mandarin by misaki, English from misaki's lexicon."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

# Unstressed forms as misaki's own English front end gives them; the lexicon holds the citation forms. That
# front end wants spaCy and a tagger model, which a few dozen plain sentences do not need.
_WEAK = {"a": "ɐ", "an": "ən", "the": "ðə", "to": "tə", "of": "əv", "and": "ænd"}
_BEFORE_VOWEL = {"the": "ði", "to": "tʊ"}
_NAMES = {"morningstar": "mˈɔɹnɪŋstˌɑɹ"}
_VOWELS = "AIOQWYaeiouæɑɐɒɔəɚɛɜɪʊʌᵻ"


def phonemes(text: str, language: str) -> str:
    """The phonemes that Kokoro speaks for `text`; KeyError holds an English word that is in no lexicon."""
    return _mandarin(text) if language == "zh-CN" else _english(text)


def _mandarin(text: str) -> str:
    spoken: str = _mandarin_front_end()(text)[0]
    return spoken


@cache
def _mandarin_front_end() -> Any:
    import jieba
    from misaki.zh import ZHG2P

    jieba.setLogLevel("WARNING")
    return ZHG2P()


def _english(text: str) -> str:
    tokens = re.findall(r"[A-Za-z']+|[.,!?;:]", text)
    spoken = [token if not token[0].isalpha() else _word(token) for token in tokens]
    for i, token in enumerate(tokens[:-1]):
        if (form := _BEFORE_VOWEL.get(token.lower())) and spoken[i + 1].lstrip("ˈˌ")[0] in _VOWELS:
            spoken[i] = form
    return re.sub(r" ([.,!?;:])", r"\1", " ".join(spoken))


def _word(word: str) -> str:
    found = _found(word)
    if found is not None:
        return found
    key = word.lower()
    if key.endswith("s"):
        return _plural(_word(key[:-1]))
    for ending, added in (("ied", "y"), ("ed", "e"), ("ed", ""), ("ing", ""), ("ing", "e")):
        stem = _found(key.removesuffix(ending) + added) if key.endswith(ending) else None
        if stem is not None:
            return _past(stem) if ending.endswith("ed") else f"{stem}ɪŋ"
    raise KeyError(word)


def _found(word: str) -> str | None:
    """As the lexicon has it; names of months and days are in it as they are written."""
    key = word.lower()
    found = _WEAK.get(key) or _NAMES.get(key) or _lexicon().get(key) or _lexicon().get(word)
    if isinstance(found, dict):
        found = found["DEFAULT"]
    return None if found is None else str(found)


def _past(stem: str) -> str:
    if stem[-1] in "td":
        return stem + "ᵻd"
    return stem + ("t" if stem[-1] in "pkfθʃsʧ" else "d")


def _plural(stem: str) -> str:
    if stem[-1] in "szʃʒʧʤ":
        return stem + "ᵻz"
    return stem + ("s" if stem[-1] in "ptkfθ" else "z")


@cache
def _lexicon() -> dict[str, Any]:
    lexicon: dict[str, Any] = json.loads(
        resources.files("misaki.data").joinpath("us_gold.json").read_text(encoding="utf-8")
    )
    return lexicon
