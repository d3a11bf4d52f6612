"""English, with the American order of a date and the British `and`.

- Numbers: one hundred and five, one thousand and one, twelve thousand three hundred and forty-five; decimals digit by
  digit after `point`.
- Money: yuan and fen, without those that are zero: one thousand yuan, one yuan and six fen, fifty fen, zero yuan.
- Dates: October first, twenty twenty-six. Years in two halves (nineteen oh five, nineteen hundred), but two thousand
  and five.
- Time: midnight, noon, else three oh five in the morning (0-11), two o'clock in the afternoon (12-17), nine thirty in
  the evening (18-23): over a telephone a.m. and p.m. sound too much alike.
- Telephone numbers and digits: each by itself, never double five.
"""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the function of this name says one

from engine.speech.values import KEYS, Amount

VOCABULARY = (
    *KEYS.values(),
    "silence-short",
    *(f"number-{n}" for n in range(100)),
    *("hundred", "thousand", "million", "billion", "and", "oh", "point", "minus"),
    *("yuan", "fen"),
    *(f"month-{n}" for n in range(1, 13)),
    *(f"day-{n}" for n in range(1, 32)),
    *(f"weekday-{n}" for n in range(1, 8)),
    *("oclock", "midnight", "noon", "morning", "afternoon", "evening"),
)


def number(amount: Amount) -> list[str]:
    """One thousand two hundred and thirty-four point five."""
    decimals = ["point", *(f"number-{digit}" for digit in amount.decimals)] if amount.decimals else []
    return [*_sign(amount), *_whole(amount.whole), *decimals]


def money(amount: Amount) -> list[str]:
    """One thousand two hundred and thirty-four yuan and fifty-six fen."""
    fen = int(amount.decimals.ljust(2, "0"))
    said = [*_whole(amount.whole), "yuan"] if amount.whole or not fen else []
    if fen:
        said += [*(["and"] if said else []), *_whole(fen), "fen"]
    return [*_sign(amount), *said]


def date(day: Date) -> list[str]:
    """October first, twenty twenty-six."""
    return [f"month-{day.month}", f"day-{day.day}", *_year(day.year)]


def time(hour: int, minute: int) -> list[str]:
    """Half past two is two thirty in the afternoon."""
    if minute == 0 and hour % 12 == 0:
        return ["noon" if hour else "midnight"]
    said = [f"number-{(hour - 1) % 12 + 1}"]
    if minute == 0:
        said.append("oclock")
    else:
        said += [*(["oh"] if minute < 10 else []), f"number-{minute}"]
    return [*said, "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"]


def _year(year: int) -> list[str]:
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return _whole(year)
    if rest == 0:
        return [f"number-{century}", "hundred"]
    return [f"number-{century}", *(["oh"] if rest < 10 else []), f"number-{rest}"]


def _sign(amount: Amount) -> list[str]:
    return ["minus"] if amount.negative else []


def _whole(n: int) -> list[str]:
    said: list[str] = []
    for size, unit in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (1, "")):
        section = n // size % 1000
        if section == 0:
            continue
        if said and not unit and section < 100:
            said.append("and")
        said += _section(section)
        said += [unit] if unit else []
    return said or ["number-0"]


def _section(n: int) -> list[str]:
    """1 to 999."""
    hundreds, rest = divmod(n, 100)
    said = [f"number-{hundreds}", "hundred"] if hundreds else []
    if rest:
        said += [*(["and"] if said else []), f"number-{rest}"]
    return said
