"""Values that between them say every word there is: what recordings of single words are listened to in.

A word by itself is understood worst, by people as by machines, and no caller ever hears it so.
"""

from __future__ import annotations

import random
from collections import Counter

from engine.speech.say import Kind, prompts_for, vocabulary

_CHOICES = 40
# A recogniser takes as long for a few words as for many.
_ENOUGH = 10
_BETWEEN = ["silence-short", "silence-short"]


def rehearsal(language: str, times: int) -> list[list[str]]:
    """Lists of prompts: a value or a few, with every word of `language` in them at least `times` times. Always the
    same ones."""
    dice = random.Random(f"{language} {times}")  # noqa: S311 - the same values every time
    missing = Counter({word: times for word in vocabulary(language) if not word.startswith("silence")})
    said: list[list[str]] = [[]]
    while missing:
        offered = [_said(dice, language) for _ in range(_CHOICES)]
        best = max(offered, key=lambda words: sum(missing[word] for word in set(words)) / len(words) ** 0.5)
        missing -= Counter(best)
        if len(said[-1]) > _ENOUGH or (said[-1] and _is_figure(said[-1][-1]) and _is_figure(best[0])):
            said.append([])
        said[-1] += [*(_BETWEEN if said[-1] else []), *best]
    return said


def _is_figure(word: str) -> bool:
    """Two numbers in a row are written as one by a recogniser, and nobody could say which of them it has misheard."""
    return word.startswith(("digit-", "number-", "hundred", "thousand"))


def _said(dice: random.Random, language: str) -> list[str]:
    kind = dice.choice(list(Kind))
    return prompts_for(kind, _value(dice, kind), language)


def _value(dice: random.Random, kind: Kind) -> str:
    whole = dice.randrange(10 ** dice.randrange(2, 11))
    date = f"{dice.choice((1900, 1987, 2000, 2008, 2026, 2031))}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    last = f"2026-{dice.choice((1, 3, 5, 7, 8, 10, 12)):02}-{dice.randint(29, 31)}"
    return {
        Kind.DIGITS: "".join(dice.choice("0123456789*#") for _ in range(dice.randint(6, 9))),
        Kind.NUMBER: f"{dice.choice(('', '-'))}{whole}{dice.choice(('', f'.{dice.randint(1, 99)}'))}",
        Kind.MONEY: f"{whole % 10**6}.{dice.randrange(100):02}",
        Kind.DATE: dice.choice((date, last)),
        Kind.WEEKDAY: date,
        Kind.TIME: f"{dice.randrange(24):02}:{dice.choice((0, 30, dice.randrange(60))):02}",
        Kind.PHONE: f"1{dice.randint(3, 9)}{dice.randrange(10**9):09}",
    }[kind]
