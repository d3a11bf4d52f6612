"""Areas as a company sees them: which group, province, city or carrier a caller is of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.identity import area
from engine.identity.groups import (
    PROVINCES,
    AreasFile,
    Place,
    city,
    group,
    known_city,
    known_province,
    own,
    place,
    province,
)
from engine.identity.numbers import Caller, normalise

AREAS = AreasFile.model_validate(
    {
        "areas": {
            "shenzhen": {"cities": ["深圳市"]},
            "south": {"provinces": ["广东", "广西壮族自治区", "海南省"]},
            "hongkong": {"provinces": ["中国香港"], "prefixes": ["+8610"]},
            "guangdian": {"carriers": ["中国广电"]},
        }
    }
).areas


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("广东省深圳市", Place("广东", ("深圳",))),
        ("北京市", Place("北京", ("北京",))),
        ("天津", Place("天津", ("天津",))),
        ("内蒙古锡林郭勒盟", Place("内蒙古", ("锡林郭勒",))),
        ("内蒙古包头市", Place("内蒙古", ("包头",))),
        ("广西壮族自治区南宁市、崇左市", Place("广西", ("南宁", "崇左"))),
        ("新疆维吾尔自治区乌鲁木齐市", Place("新疆", ("乌鲁木齐",))),
        ("新疆克孜勒苏柯尔克孜自治州", Place("新疆", ("克孜勒苏",))),
        ("青海省海西蒙古族藏族自治州", Place("青海", ("海西",))),
        ("青海省海南藏族自治州", Place("青海", ("海南",))),
        ("吉林省吉林市", Place("吉林", ("吉林",))),
        ("湖北省恩施土家族苗族自治州", Place("湖北", ("恩施",))),
        ("黑龙江省大兴安岭地区", Place("黑龙江", ("大兴安岭",))),
        ("中国香港", Place("香港")),
        ("日本", Place("日本")),
        ("", Place()),
    ],
)
def test_a_place_has_a_province_and_cities(name: str, parts: Place) -> None:
    assert place(name) == parts


def test_every_place_of_the_table_has_a_province_and_a_city_without_its_rank() -> None:
    for name in area.load().places.names:
        parts = place(name)
        assert not name or (parts.province in PROVINCES and parts.cities), name
        assert not any(each.endswith(("市", "州市", "自治州", "地区", "盟")) for each in parts.cities), name


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("075588881234", "shenzhen"),
        ("02088881234", "south"),
        ("07715588123", "south"),
        ("01088881234", "hongkong"),  # by its prefix
        ("+85223456789", "hongkong"),
        ("13800138000", "other"),  # 北京市, in no group
        ("+81312345678", "other"),
        ("anonymous", "unknown"),
        ("10086", "unknown"),
    ],
)
def test_a_caller_is_in_the_first_group_that_has_them(raw: str, expected: str) -> None:
    assert group(normalise(raw), AREAS) == expected


def test_a_carrier_makes_a_group_even_of_numbers_without_a_place() -> None:
    assert group(Caller("", "+8619212345678", "allowed", "", "中国广电"), AREAS) == "guangdian"


@given(st.builds(Caller, st.text(), st.just(""), st.just("restricted"), st.just(""), st.just("")))
def test_an_anonymous_caller_is_always_unknown(caller: Caller) -> None:
    everything = AreasFile.model_validate({"areas": {"all": {"prefixes": [f"+{digit}" for digit in range(1, 10)]}}})
    assert group(caller, everything.areas) == "unknown"
    assert {own(caller, kind) for kind in ("province", "city", "carrier")} == {()}


def test_a_caller_has_a_province_cities_and_a_carrier_of_their_own() -> None:
    caller = Caller("", "+867715588123", "allowed", "广西壮族自治区南宁市、崇左市", "")
    assert [own(caller, kind) for kind in ("province", "city", "carrier")] == [("广西",), ("南宁", "崇左"), ()]


def test_short_names() -> None:
    written = ("广东省", "广西壮族自治区", "北京市", "内蒙古")
    assert [province(name) for name in written] == [
        "广东",
        "广西",
        "北京",
        "内蒙古",
    ]
    assert [city(name) for name in ("深圳市", "恩施土家族苗族自治州", "和田地区")] == ["深圳", "恩施", "和田"]


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ({"south": {}}, "needs provinces, cities, carriers or prefixes"),
        ({"south": {"provinces": ["广动"]}}, "no province '广动' is known"),
        ({"south": {"provinces": ["深圳"]}}, "no province '深圳'"),
        ({"south": {"cities": ["深证市"]}}, "no city '深证市' is known .did you mean .*深圳"),
        ({"south": {"carriers": ["移动"]}}, "no carrier '移动' is known .did you mean .*中国移动"),
        ({"south": {"prefixes": ["0755"]}}, "pattern"),
        ({"unknown": {"provinces": ["广东"]}}, "give the group another name"),
        ({"other": {"provinces": ["广东"]}}, "give the group another name"),
    ],
)
def test_a_group_that_cannot_be_is_refused(areas: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AreasFile.model_validate({"areas": areas})


def test_names_that_are_written_are_kept_short() -> None:
    assert known_province("日本") == "日本"
    assert known_city("深圳市") == "深圳"
