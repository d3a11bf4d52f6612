"""How much of what was said a recogniser has understood, whatever way it writes numbers down.

A recogniser writes 一千二百零五 as 1205, 幺三八 as 138 and "three oh five" as 3:05. Each written number is read
in every way that it can be said, and the reading nearest to what was said counts: spelling is the recogniser's
choice, not a fault of the voice. Mandarin is compared by syllables without tone (案件 for 按键 is a choice among
homophones), English by words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Units: TypeAlias = list[str]

# 1,234.5 or 21st; where commas are not between thousands, each piece is a number. Or whatever is none.
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?![,\d])(?:\.\d+)?|\d+(?:\.\d+|st|nd|rd|th)?|[^\d]+", re.ASCII)
_CLOCK = re.compile(r"(?<=\d)[:：](\d\d)", re.ASCII)
_MINUTES = {"00": "整", "30": "半"}
_MANDARIN_DIGITS = "零一二三四五六七八九"
_ENGLISH_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_ENGLISH_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ENGLISH_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth",
}  # fmt: skip
# What sounds alike in English and is written otherwise.
_ENGLISH_HOMOPHONES = {
    "to": "two", "too": "two", "for": "four", "ate": "eight", "won": "one", "o": "oh", "fenn": "fen",
    "fend": "fen", "fendt": "fen",
}  # fmt: skip


def score(said: str, heard: str, language: str) -> tuple[int, int]:
    """Errors and length, in toneless Mandarin syllables or English words."""
    wanted = units(said, language)
    return sum(errors(wanted, heard, language)), len(wanted)


def units(text: str, language: str) -> Units:
    """The syllables or words of a text without figures."""
    return _syllables(text) if language == "zh-CN" else _english_words(text)


def errors(wanted: Sequence[str], heard: str, language: str) -> list[int]:
    """For each unit of `wanted` the errors made at it; what was heard beyond them counts where it stands."""
    if language == "zh-CN":
        # 七点钟 and 七点整 are the same hour, and Whisper writes the first for whole sentences of the second.
        heard = re.sub("[点點][钟鐘]", "点整", heard)
        heard = _CLOCK.sub(lambda match: f"点{_MINUTES.get(match[1], f'{match[1]}分')}", heard)
    readings = [list(_readings(part, language)) for part in _NUMBER.findall(heard.lower())]
    chosen = [options[0] for options in readings]
    # One number after the other takes its best reading: all combinations of a long sentence are too many.
    for at, options in enumerate(readings):
        chosen[at] = min(
            options, key=lambda reading: sum(_edits(wanted, _joined(chosen[:at], [reading], chosen[at + 1 :])))
        )
    return _edits(wanted, _joined(chosen))


def _joined(*parts: list[Units]) -> Units:
    return [unit for part in parts for units in part for unit in units]


def _readings(part: str, language: str) -> Iterator[Units]:
    if not part[0].isdigit():
        yield units(part, language)
        return
    if part[-1].isalpha():
        yield _english_ordinal(int(part[:-2]))
        return
    whole, _, decimals = part.replace(",", "").partition(".")
    if language == "zh-CN":
        yield from _mandarin_readings(whole, decimals)
    else:
        yield from _english_readings(whole, decimals)


def _mandarin_readings(whole: str, decimals: str) -> Iterator[Units]:
    tail = ("点" if decimals else "") + "".join(_MANDARIN_DIGITS[int(digit)] for digit in decimals)
    yield _syllables("".join(_MANDARIN_DIGITS[int(digit)] for digit in whole) + tail)
    if 2 <= len(whole) <= 12:
        number = ("零" if whole[0] == "0" else "") + _mandarin_number(int(whole))
        yield _syllables(number + tail)
    if len(decimals) == 2:  # a time: 2.51
        minutes = ("零" if decimals[0] == "0" else "") + _mandarin_number(int(decimals))
        said = _syllables(f"{_mandarin_number(int(whole))}点{minutes}分")
        yield said
        yield said[:-1]


def _mandarin_number(n: int) -> str:
    """As in a schoolbook, 二 throughout: the comparison takes 两 for it."""
    said = ""
    for power, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section = n // power % 10**4
        if section:
            digits = f"{section:04}" if said else str(section)
            places = "千百十 "[4 - len(digits) :]
            spelled = (
                _MANDARIN_DIGITS[int(d)] + (place if d != "0" else "") for d, place in zip(digits, places, strict=True)
            )
            said += "".join(spelled).replace(" ", "").rstrip("零") + unit
    said = re.sub("零+", "零", said)
    return said[1:] if said.startswith("一十") else said


def _english_readings(whole: str, decimals: str) -> Iterator[Units]:
    tail = (["point"] if decimals else []) + [_ENGLISH_ONES[int(digit)] for digit in decimals]
    digits = [_ENGLISH_ONES[int(digit)] for digit in whole]
    yield digits + tail
    if "0" in whole:
        yield ["oh" if digit == "zero" else digit for digit in digits] + tail
    if whole[0] != "0" and 2 <= len(whole) <= 12:
        said = _english_number(int(whole))
        yield said + tail
        yield [word for word in said if word != "and"] + tail
    if len(whole) == 4 and whole[0] != "0":
        rest = _below_hundred(int(whole[2:])) if whole[2] != "0" else ["oh", _ENGLISH_ONES[int(whole[3])]]
        yield _below_hundred(int(whole[:2])) + (["hundred"] if whole[2:] == "00" else rest)
    if whole[0] != "0" and len(whole) <= 2 and len(decimals) == 2:  # a time: 10.49
        minutes = ["oh", _ENGLISH_ONES[int(decimals[1])]] if decimals[0] == "0" else _below_hundred(int(decimals))
        yield _below_hundred(int(whole)) + minutes
    if whole[0] != "0" and len(whole) <= 2 and not decimals:  # a day: February 18
        yield _english_ordinal(int(whole))


def _english_number(n: int) -> Units:
    said: Units = []
    for size, unit in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (1, "")):
        hundreds, rest = divmod(n // size % 1000, 100)
        said += [_ENGLISH_ONES[hundreds], "hundred"] if hundreds else []
        said += ["and"] if rest and said and (hundreds or not unit) else []
        said += _below_hundred(rest) if rest else []
        said += [unit] if unit and (hundreds or rest) else []
    return said


def _english_ordinal(n: int) -> Units:
    *before, last = _english_number(n)
    return [*before, _ENGLISH_ORDINALS.get(last) or (f"{last[:-1]}ieth" if last[-1] == "y" else f"{last}th")]


def _below_hundred(n: int) -> Units:
    if n < 20:
        return [_ENGLISH_ONES[n]]
    return [_ENGLISH_TENS[n // 10], *([_ENGLISH_ONES[n % 10]] if n % 10 else [])]


def _syllables(text: str) -> Units:
    from pypinyin import Style, lazy_pinyin

    spoken = re.sub(r"[^\u4e00-\u9fff]", "", text.replace("〇", "零"))
    # 幺 (yāo) and 两 (liǎng) are other words for 一 and 二, and a recogniser that writes 1 or 2 has understood both.
    return [
        {"yao": "yi", "liang": "er"}.get(syllable, syllable) for syllable in lazy_pinyin(spoken, style=Style.NORMAL)
    ]


def _english_words(text: str) -> Units:
    words = re.findall(
        r"[a-z']+", text.lower().replace("good bye", "goodbye").replace("o'clock", "oclock").replace("you on", "yuan")
    )
    return [_ENGLISH_HOMOPHONES.get(word, word) for word in words]


def _edits(wanted: Sequence[str], got: Sequence[str]) -> list[int]:
    """The errors of the shortest way from `wanted` to `got`, each at the unit of `wanted` where it happens."""
    rows = [list(range(len(got) + 1))]
    for i, unit in enumerate(wanted, 1):
        above = rows[-1]
        row = [i]
        for j, other in enumerate(got, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (unit != other)))
        rows.append(row)
    at = [0] * len(wanted)
    i, j = len(wanted), len(got)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (wanted[i - 1] != got[j - 1]):
            i, j = i - 1, j - 1
            at[i] += wanted[i] != got[j]
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            at[i] += 1
        else:
            j -= 1
            at[max(i - 1, 0)] += 1
    return at
