"""Standard Mandarin (普通话).

The rules where usage varies, and what was chosen:

- 两 or 二: a 2 at the head of what is said, right before 千 万 亿 点(钟) 元 角 分, is 两; every other 2 is 二. So
  二百, 两千二百, 两万二千, 十二万, 两亿, 两点十二分, 两元, 一元二角. (吕叔湘《现代汉语八百词》, “二”
  and “两”: before 百 both are used, and inside a number 二千 and 二万.)
- 十 at the head, 一十 inside: 十二, 一百一十二, 一千零一十.
- One 零 for any run of zeros inside a number, none at its end: 一千零一, 一万零五十, 十万五千, 一亿零五百.
- Decimals digit by digit: 三点一四, 十二点五零.
- Money: 元, 角, 分 without those that are zero, 零 where 角 is skipped: 一元零六分, 五角, 一百元; nothing at
  all is 零元.
- A year is said digit by digit, the day of a month as 日: 二零二六年十月一日.
- Time: 凌晨 0-5, 上午 6-11, 中午 12, 下午 13-17, 晚上 18-23, then the hour of a 12-hour clock (midnight: 零点); 整
  on the hour, 半 at thirty, 零 before a single minute: 凌晨零点整, 上午九点零五分, 下午两点半.
- Telephone numbers and digits: 幺 for 1 (`digit-1`); 一 everywhere else.
"""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the function of this name says one

from engine.speech.values import KEYS, Amount

_HUNDRED, _THOUSAND, _TEN_THOUSAND, _HUNDRED_MILLION = 100, 1000, 10_000, 100_000_000

VOCABULARY = (
    *KEYS.values(),
    "silence-short",
    *(f"number-{n}" for n in range(100)),
    *(f"{unit}-{n}" for unit in ("hundred", "thousand") for n in range(1, 10)),
    *("two-of", "two-thousand-inside", "ten-thousand", "hundred-million", "point", "minus"),
    *("yuan", "jiao", "fen"),
    *("year", *(f"month-{n}" for n in range(1, 13)), *(f"day-{n}" for n in range(1, 32))),
    *(f"weekday-{n}" for n in range(1, 8)),
    *("small-hours", "morning", "noon", "afternoon", "evening"),
    *(f"hour-{n}" for n in range(13)),
    *("oclock", "half", "minute"),
)


def number(amount: Amount) -> list[str]:
    """一千二百三十四点五."""
    return [*_sign(amount), *_whole(amount.whole), *_decimals(amount.decimals)]


def money(amount: Amount) -> list[str]:
    """一千二百三十四元五角六分."""
    jiao, fen = map(int, amount.decimals.ljust(2, "0"))
    said = _counted(amount.whole, "yuan", head=True) if amount.whole or not (jiao or fen) else []
    if jiao:
        said += _counted(jiao, "jiao", head=not said)
    elif fen and said:
        said.append("number-0")
    if fen:
        said += _counted(fen, "fen", head=not said)
    return [*_sign(amount), *said]


def date(day: Date) -> list[str]:
    """二零二六年十月一日."""
    return [*(f"number-{digit}" for digit in str(day.year)), "year", f"month-{day.month}", f"day-{day.day}"]


def time(hour: int, minute: int) -> list[str]:
    """下午两点半."""
    said = [_part_of_day(hour), f"hour-{(hour - 1) % 12 + 1 if hour else 0}"]
    if minute == 0:
        return [*said, "oclock"]
    if minute == 30:
        return [*said, "half"]
    return [*said, *(["number-0"] if minute < 10 else []), f"number-{minute}", "minute"]


def _part_of_day(hour: int) -> str:
    if hour < 6:
        return "small-hours"
    if hour < 12:
        return "morning"
    if hour == 12:
        return "noon"
    return "afternoon" if hour < 18 else "evening"


def _sign(amount: Amount) -> list[str]:
    return ["minus"] if amount.negative else []


def _decimals(decimals: str) -> list[str]:
    return ["point", *(f"number-{digit}" for digit in decimals)] if decimals else []


def _counted(n: int, unit: str, *, head: bool) -> list[str]:
    return ["two-of", unit] if n == 2 and head else [*_whole(n), unit]


def _whole(n: int) -> list[str]:
    """亿, 万 and the rest, each a number below ten thousand before its unit."""
    said: list[str] = []
    skipped = False
    for size, unit in ((_HUNDRED_MILLION, "hundred-million"), (_TEN_THOUSAND, "ten-thousand"), (1, "")):
        section = n // size % _TEN_THOUSAND
        if section == 0:
            skipped = bool(said)
            continue
        head = not said
        if not head and (skipped or section < _THOUSAND):
            said.append("number-0")
        said += ["two-of"] if unit and section == 2 and head else _section(section, head=head)
        said += [unit] if unit else []
    return said or ["number-0"]


def _section(n: int, *, head: bool) -> list[str]:
    """1 to 9,999; `head`: nothing is said before it."""
    thousands, hundreds, rest = n // _THOUSAND, n // _HUNDRED % 10, n % _HUNDRED
    said: list[str] = []
    if thousands:
        said.append("two-thousand-inside" if thousands == 2 and not head else f"thousand-{thousands}")
    if hundreds:
        said.append(f"hundred-{hundreds}")
    if rest == 0:
        return said
    if (thousands and not hundreds) or (said and rest < 10):
        said.append("number-0")
    if 10 <= rest < 20 and (said or not head):
        said.append("number-1")
    return [*said, f"number-{rest}"]
