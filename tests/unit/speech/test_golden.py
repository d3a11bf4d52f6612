"""How values are said, word for word."""

from __future__ import annotations

import pytest

from engine.speech import Kind
from tests.unit.speech.heard import said

NUMBERS = [
    ("0", "零", "zero"),
    ("2", "二", "two"),
    ("10", "十", "ten"),
    ("11", "十一", "eleven"),
    ("20", "二十", "twenty"),
    ("99", "九十九", "ninety-nine"),
    ("100", "一百", "one hundred"),
    ("101", "一百零一", "one hundred and one"),
    ("110", "一百一十", "one hundred and ten"),
    ("112", "一百一十二", "one hundred and twelve"),
    ("200", "二百", "two hundred"),
    ("222", "二百二十二", "two hundred and twenty-two"),
    ("1000", "一千", "one thousand"),
    ("1001", "一千零一", "one thousand and one"),
    ("1010", "一千零一十", "one thousand and ten"),
    ("1099", "一千零九十九", "one thousand and ninety-nine"),
    ("1100", "一千一百", "one thousand one hundred"),
    ("2000", "两千", "two thousand"),
    ("2222", "两千二百二十二", "two thousand two hundred and twenty-two"),
    ("10000", "一万", "ten thousand"),
    ("10050", "一万零五十", "ten thousand and fifty"),
    ("20000", "两万", "twenty thousand"),
    ("22222", "两万二千二百二十二", "twenty-two thousand two hundred and twenty-two"),
    ("100000", "十万", "one hundred thousand"),
    ("105000", "十万五千", "one hundred and five thousand"),
    ("100012", "十万零一十二", "one hundred thousand and twelve"),
    ("110000", "十一万", "one hundred and ten thousand"),
    ("120000", "十二万", "one hundred and twenty thousand"),
    ("2020000", "二百零二万", "two million twenty thousand"),
    ("10050000", "一千零五万", "ten million fifty thousand"),
    ("20000002", "两千万零二", "twenty million and two"),
    ("100000000", "一亿", "one hundred million"),
    ("100000500", "一亿零五百", "one hundred million five hundred"),
    ("200000000", "两亿", "two hundred million"),
    ("200020000", "两亿零二万", "two hundred million twenty thousand"),
    ("1000005000", "十亿零五千", "one billion five thousand"),
    ("1000000001", "十亿零一", "one billion and one"),
    (
        "999,999,999,999",
        "九千九百九十九亿九千九百九十九万九千九百九十九",
        " ".join(f"nine hundred and ninety-nine {unit}".strip() for unit in ("billion", "million", "thousand", "")),
    ),
    ("1,234.50", "一千二百三十四点五零", "one thousand two hundred and thirty-four point five zero"),
    ("0.05", "零点零五", "zero point zero five"),
    ("2.2", "二点二", "two point two"),
    ("-7", "负七", "minus seven"),
    ("-2000.1", "负两千点一", "minus two thousand point one"),
    ("-0", "零", "zero"),
]


@pytest.mark.parametrize(("value", "mandarin", "english"), NUMBERS)
def test_a_number(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.NUMBER, value, "zh-CN") == mandarin
    assert said(Kind.NUMBER, value, "en") == english


@pytest.mark.parametrize(
    ("value", "mandarin", "english"),
    [
        ("0", "零元", "zero yuan"),
        ("0.00", "零元", "zero yuan"),
        ("1", "一元", "one yuan"),
        ("2", "两元", "two yuan"),
        ("2.22", "两元二角二分", "two yuan and twenty-two fen"),
        ("12.2", "十二元二角", "twelve yuan and twenty fen"),
        ("100.00", "一百元", "one hundred yuan"),
        ("0.5", "五角", "fifty fen"),
        ("0.20", "两角", "twenty fen"),
        ("0.22", "两角二分", "twenty-two fen"),
        ("0.02", "两分", "two fen"),
        ("0.06", "六分", "six fen"),
        ("1.06", "一元零六分", "one yuan and six fen"),
        ("1,234.56", "一千二百三十四元五角六分", "one thousand two hundred and thirty-four yuan and fifty-six fen"),
        ("1000000", "一百万元", "one million yuan"),
        ("-88.10", "负八十八元一角", "minus eighty-eight yuan and ten fen"),
        ("-0.00", "零元", "zero yuan"),
    ],
)
def test_an_amount_of_money(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.MONEY, value, "zh-CN") == mandarin
    assert said(Kind.MONEY, value, "en") == english


@pytest.mark.parametrize(
    ("value", "mandarin", "english"),
    [
        ("2026-10-01", "二零二六年十月一日", "October first twenty twenty-six"),
        ("2000-02-29", "二零零零年二月二十九日", "February twenty-ninth two thousand"),
        ("2005-12-31", "二零零五年十二月三十一日", "December thirty-first two thousand and five"),
        ("2010-01-20", "二零一零年一月二十日", "January twentieth twenty ten"),
        ("1900-03-12", "一九零零年三月十二日", "March twelfth nineteen hundred"),
        ("1905-05-02", "一九零五年五月二日", "May second nineteen oh five"),
        ("1909-09-09", "一九零九年九月九日", "September ninth nineteen oh nine"),
        ("1066-10-14", "一零六六年十月十四日", "October fourteenth ten sixty-six"),
        ("9999-11-11", "九九九九年十一月十一日", "November eleventh ninety-nine ninety-nine"),
    ],
)
def test_a_date(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.DATE, value, "zh-CN") == mandarin
    assert said(Kind.DATE, value, "en") == english


@pytest.mark.parametrize(
    ("value", "mandarin", "english"),
    [("2026-10-01", "星期四", "Thursday"), ("2026-10-04", "星期日", "Sunday"), ("2026-10-05", "星期一", "Monday")],
)
def test_a_day_of_the_week(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.WEEKDAY, value, "zh-CN") == mandarin
    assert said(Kind.WEEKDAY, value, "en") == english


@pytest.mark.parametrize(
    ("value", "mandarin", "english"),
    [
        ("00:00", "凌晨零点整", "midnight"),
        ("00:05", "凌晨零点零五分", "twelve oh five in the morning"),
        ("03:05", "凌晨三点零五分", "three oh five in the morning"),
        ("06:00", "上午六点整", "six o'clock in the morning"),
        ("11:59", "上午十一点五十九分", "eleven fifty-nine in the morning"),
        ("12:00", "中午十二点整", "noon"),
        ("12:30", "中午十二点半", "twelve thirty in the afternoon"),
        ("13:10", "下午一点十分", "one ten in the afternoon"),
        ("14:02", "下午两点零二分", "two oh two in the afternoon"),
        ("14:30", "下午两点半", "two thirty in the afternoon"),
        ("18:00", "晚上六点整", "six o'clock in the evening"),
        ("23:12", "晚上十一点十二分", "eleven twelve in the evening"),
    ],
)
def test_a_time(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.TIME, value, "zh-CN") == mandarin
    assert said(Kind.TIME, value, "en") == english


@pytest.mark.parametrize(
    ("value", "mandarin"),
    [
        ("13800138000", "幺三八 零零幺三 八零零零"),
        ("+8613800138000", "幺三八 零零幺三 八零零零"),
        ("0086 138-0013-8000", "幺三八 零零幺三 八零零零"),
        ("010-65529988", "零幺零 六五五二 九九八八"),
        ("+86 10 6552 9988", "零幺零 六五五二 九九八八"),
        ("(0755) 2653 1234", "零七五五 二六五三 幺二三四"),
        ("07312345678", "零七三幺 二三四 五六七八"),
        ("400-800-1234", "四零零 八零零 幺二三四"),
        ("+864008001234", "四零零 八零零 幺二三四"),
        ("6552998", "六五五 二九九八"),
        ("65529988", "六五五二 九九八八"),
        ("95588", "九五五八八"),
        ("110", "幺幺零"),
        ("+8612345", "幺二三四五"),
        ("+85223456789", "零零 八五二 二三四五 六七八九"),
        ("+12125550123", "零零 幺 二幺二 五五五 零幺二三"),
    ],
)
def test_a_telephone_number_is_said_in_the_groups_people_say_it_in(value: str, mandarin: str) -> None:
    assert said(Kind.PHONE, value, "zh-CN") == mandarin


def test_each_digit_of_an_english_telephone_number_is_said_by_itself() -> None:
    assert said(Kind.PHONE, "13800138000", "en") == (
        "one three eight, zero zero one three, eight zero zero zero"
    )  # not "double zero"


@pytest.mark.parametrize(
    ("value", "mandarin", "english"),
    [
        ("1", "幺", "one"),
        ("0012", "零零幺二", "zero zero one two"),
        ("123456", "幺二三 四五六", "one two three, four five six"),
        ("12*#", "幺二星号井号", "one two star pound"),
    ],
)
def test_keys(value: str, mandarin: str, english: str) -> None:
    assert said(Kind.DIGITS, value, "zh-CN") == mandarin
    assert said(Kind.DIGITS, value, "en") == english
