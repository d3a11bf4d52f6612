"""What a caller hears of a value, as text, and a listener who makes the value out of it again.

The listener knows the languages by their grammar books, not by engine/speech.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import engine.sounds
from engine.speech import Kind, prompts_for

_MANIFEST = yaml.safe_load((Path(engine.sounds.__file__).parent / "manifest.yaml").read_text(encoding="utf-8"))

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_PARTS_OF_DAY = {"凌晨": (0, 5), "上午": (6, 11), "中午": (12, 12), "下午": (13, 17), "晚上": (18, 23)}
_PARTS_OF_DAY |= {"morning": (0, 11), "afternoon": (12, 17), "evening": (18, 23)}


def said(kind: Kind, value: str, language: str) -> str:
    """The words of the prompts that say `value`; a pause is a space in Mandarin and a comma in English."""
    words = [_word(name, language) for name in prompts_for(kind, value, language)]
    return "".join(words) if language == "zh-CN" else re.sub(" ,", ",", " ".join(words))


def _word(name: str, language: str) -> str:
    prompt = _MANIFEST["prompts"][name]
    if "silence_s" in prompt:
        return " " if language == "zh-CN" else ","
    return str(prompt[language])


# Mandarin.


def mandarin_number(text: str) -> str:
    """一千零五点五 → 1005.5, as a Chinese schoolchild reads it. Raises ValueError for what is no good Mandarin."""
    sign = "-" if text.startswith("负") else ""
    whole, point, decimals = text.removeprefix("负").partition("点")
    tail = "".join(str("零一二三四五六七八九".index(digit)) for digit in decimals)
    return f"{sign}{_mandarin_whole(whole)}{'.' if point else ''}{tail}"


def _mandarin_whole(text: str) -> int:
    if "零零" in text or (text.endswith("零") and text != "零"):
        raise ValueError(f"{text}: a zero too many")
    total, section, digit = 0, 0, 0
    last_power = 10**12
    zero = False
    for char in text:
        if char == "零":
            zero = True
        elif char in "一二两三四五六七八九":
            digit = 2 if char == "两" else "零一二三四五六七八九".index(char)
        elif char in "十百千":
            power = {"十": 10, "百": 100, "千": 1000}[char]
            section += (digit or 1) * power
            digit = 0
        else:
            power = 10**8 if char == "亿" else 10**4
            if power >= last_power:
                raise ValueError(f"{text}: {char} after a smaller unit")
            _zeros_are_right(text, section + digit, zero, first=total == 0)
            total += (section + digit) * power
            section, digit, last_power, zero = 0, 0, power, False
    return total + section + digit


def _zeros_are_right(text: str, section: int, zero: bool, *, first: bool) -> None:
    if not first and section < 1000 and not zero:
        raise ValueError(f"{text}: no zero before {section}")


def mandarin_money(text: str) -> str:
    """一元零五分 → 1.05."""
    match = re.fullmatch(r"(负?)(?:(.+?)元)?(零)?(?:(.)角)?(?:(.)分)?", text)
    assert match is not None, text
    sign, yuan, zero, jiao, fen = match.groups()
    assert bool(zero) == bool(yuan and fen and not jiao), text
    digits = {None: 0, "两": 2} | {char: n for n, char in enumerate("零一二三四五六七八九")}
    return f"{'-' if sign else ''}{_mandarin_whole(yuan) if yuan else 0}.{digits[jiao]}{digits[fen]}"


def mandarin_date(text: str) -> str:
    """二零二六年十月一日 → 2026-10-01."""
    year, month, day = re.fullmatch(r"(.{4})年(.+)月(.+)日", text).groups()  # type: ignore[union-attr]
    digits = "".join(str("零一二三四五六七八九".index(char)) for char in year)
    return f"{digits}-{_mandarin_whole(month):02}-{_mandarin_whole(day):02}"


def mandarin_time(text: str) -> str:
    """下午两点半 → 14:30."""
    part, hour, minute = re.fullmatch(r"(..)(.+?)点(.+)", text).groups()  # type: ignore[union-attr]
    minutes = {"整": 0, "半": 30}.get(minute)
    if minutes is None:
        single = minute.startswith("零")
        minutes = _mandarin_whole(minute.removeprefix("零").removesuffix("分"))
        assert minute.endswith("分"), text
        assert single == (minutes < 10), text
    return _clock(part, _mandarin_whole(hour) % 12, minutes)


# English.


def english_number(text: str) -> str:
    """One thousand and five point five → 1005.5."""
    sign = "-" if text.startswith("minus ") else ""
    whole, point, decimals = text.removeprefix("minus ").partition(" point ")
    tail = "".join(str(_ONES.index(word)) for word in decimals.split())
    return f"{sign}{_english_whole(whole)}{'.' if point else ''}{tail}"


def _english_whole(text: str) -> int:
    total, section = 0, 0
    for word in text.split():
        if word == "and":
            continue
        if word == "hundred":
            section *= 100
        elif word in ("thousand", "million", "billion"):
            total += section * {"thousand": 10**3, "million": 10**6, "billion": 10**9}[word]
            section = 0
        else:
            section += _below_hundred(word)
    return total + section


def _below_hundred(word: str) -> int:
    tens, _, ones = word.partition("-")
    if tens in _ONES:
        return _ONES.index(tens)
    return 20 + 10 * _TENS.index(tens) + (_ONES.index(ones) if ones else 0)


def english_money(text: str) -> str:
    """One yuan and five fen → 1.05."""
    sign = "-" if text.startswith("minus ") else ""
    yuan, fen = re.fullmatch(r"(?:(.+) yuan)?(?: and )?(?:(.+) fen)?", text.removeprefix("minus ")).groups()  # type: ignore[union-attr]
    return f"{sign}{_english_whole(yuan) if yuan else 0}.{_english_whole(fen) if fen else 0:02}"


def english_date(text: str) -> str:
    """October first twenty twenty-six → 2026-10-01."""
    month, day, *year = text.split()
    tens, _, ones = day.partition("-")
    number = _ORDINALS[tens] if tens in _ORDINALS else 20 + 10 * _TENS.index(tens) + _ORDINALS[ones]
    return f"{_english_year(year)}-{_MONTHS.index(month) + 1:02}-{number:02}"


def _english_year(words: list[str]) -> int:
    if "thousand" in words or "hundred" in words:
        return _english_whole(" ".join(words))
    century, *rest = words
    return 100 * _below_hundred(century) + _below_hundred(rest[-1])


def english_time(text: str) -> str:
    """Three oh five in the morning → 03:05."""
    if text in ("noon", "midnight"):
        return "12:00" if text == "noon" else "00:00"
    hour, minute, part = re.fullmatch(r"(\S+) (.+) in the (\w+)", text).groups()  # type: ignore[union-attr]
    minutes = 0 if minute == "o'clock" else _below_hundred(minute.removeprefix("oh "))
    assert minute.startswith("oh ") == (0 < minutes < 10), text
    return _clock(part, _below_hundred(hour) % 12, minutes)


def _clock(part: str, hour: int, minute: int) -> str:
    earliest, latest = _PARTS_OF_DAY[part]
    (at,) = [h for h in (hour, hour + 12) if earliest <= h <= latest]
    return f"{at:02}:{minute:02}"


def keys(text: str) -> str:
    """Digit by digit, 幺 for 1, without the pauses."""
    mandarin = {char: str(n) for n, char in enumerate("零幺二三四五六七八九")}
    if text[0] in "零幺二三四五六七八九星井":
        return "".join(mandarin[char] for char in re.sub(" ", "", text))
    return "".join(str(_ONES.index(word.strip(","))) for word in text.split())
