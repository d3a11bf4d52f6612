"""The golden table of what trunks deliver, and what must hold for anything that they might."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from _pytest.mark import ParameterSet
from hypothesis import example, given
from hypothesis import strategies as st

from engine.config.models import HotlineFile
from engine.config.trunks import Trunk
from engine.identity.numbers import MAX_RAW, Caller, normalise

MOBILE = "+8613912345678"
SHENZHEN = "+8675588881234"
GOLDEN = Path(__file__).with_name("numbers.txt")


def golden() -> Iterator[ParameterSet]:
    trunk = Trunk()
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            trunk = Trunk.model_validate(yaml.safe_load("{" + line[1:-1] + "}"))
        elif line and not f"{line} ".startswith("# "):
            delivered, number, *found = (cell.strip() for cell in line.split(" | "))
            label = f"{delivered} {trunk.model_dump(exclude_defaults=True) or ''}"
            yield pytest.param(trunk, delivered, number, found, id=label)


def site(**trunks: Trunk) -> HotlineFile:
    return HotlineFile.model_validate({"company": "x", "numbers": {"4008001234": {"flow": "main"}}, "trunks": trunks})


@pytest.mark.parametrize(("trunk", "delivered", "number", "found"), list(golden()))
def test_what_a_trunk_delivers(trunk: Trunk, delivered: str, number: str, found: list[str]) -> None:
    caller = site(carrier=trunk).caller(delivered, trunk="carrier", presentation="allowed")
    if number in ("restricted", "unavailable"):
        assert (caller.number, caller.presentation) == ("", number)
    else:
        assert (caller.number, caller.presentation) == ("" if number == "-" else number, "allowed")
    if found:
        assert f"{caller.area} {caller.carrier}".split() == found[0].split()


def test_the_golden_table_is_read_whole() -> None:
    rows = list(golden())
    assert len(rows) > 200
    assert len({(str(row.values[0]), row.values[1]) for row in rows}) == len(rows)


def test_a_trunk_without_rules_has_the_sites_area_code_and_a_foreign_one_has_not() -> None:
    file = site(abroad=Trunk(region="GB"), london=Trunk(region="GB", area_code="020"))
    shenzhen, guangzhou = (file.model_copy(update={"area_code": code}) for code in ("0755", "020"))
    assert shenzhen.caller("88881234", trunk="carrier", presentation="allowed").number == SHENZHEN
    assert guangzhou.caller("83612345", trunk="london", presentation="allowed").number == "+442083612345"
    assert guangzhou.caller("83612345", trunk="abroad", presentation="allowed").number == ""


@pytest.mark.parametrize("raw", ["1391234\r\n5678", "\u202d139 1234 5678\u202c", "139\u200b12345678\ufeff"])
def test_what_cannot_be_seen_does_not_matter(raw: str) -> None:
    assert normalise(raw).number == MOBILE


@pytest.mark.parametrize("raw", ["13912345678" + "0" * 60, "9" * 100_000])
def test_what_is_longer_than_any_number_is_none(raw: str) -> None:
    assert normalise(raw).number == ""


@pytest.mark.parametrize("given_by_asterisk", ["restricted", "prohib", "prohib_passed_screen", "prohib_not_screened"])
def test_a_restricted_callers_digits_are_dropped_everywhere(given_by_asterisk: str) -> None:
    caller = normalise("13912345678", presentation=given_by_asterisk, name="13912345678")
    assert caller == Caller("", "", "restricted", "", "", "")


def test_an_unavailable_presentation_gives_no_number() -> None:
    assert normalise("13912345678", presentation="unavailable").number == ""


def test_area_and_carrier_come_with_the_number() -> None:
    caller = normalise("013800138000")
    assert (caller.area, caller.carrier) == ("北京市", "中国移动")
    assert normalise("10086").area == ""


def test_raw_and_name_are_kept_printable_and_short() -> None:
    caller = normalise("1391234\r\n5678", name="张三\x00\r\nVia: evil" + "x" * 500)
    assert caller.raw == "13912345678"
    assert caller.name.startswith("张三Via: evil")
    assert len(caller.name) <= 64
    assert len(normalise("9" * 100_000).raw) <= MAX_RAW


@given(
    raw=st.text(max_size=200)
    | st.from_regex(r"\+?[0-9 ().-]{0,30}", fullmatch=True)
    | st.from_regex(r"(sip:|tel:|<)?\+?[0-9a-z]{0,16}[@;>]?.{0,8}", fullmatch=True),
    region=st.sampled_from(["CN", "US", "GB", "HK", "ZZ", ""]),
    area_code=st.none() | st.text(max_size=6),
    presentation=st.sampled_from(["allowed", "restricted", "prohib", "unavailable", "allowed_not_screened", "?"]),
)
@example(raw="\ud800", region="CN", area_code=None, presentation="allowed")
def test_anything_gives_a_caller_whose_number_is_e164_or_empty(
    raw: str, region: str, area_code: str | None, presentation: str
) -> None:
    caller = normalise(raw, region=region, area_code=area_code, presentation=presentation)
    assert re.fullmatch(r"(\+[1-9][0-9]{3,16})?", caller.number)
    assert caller.raw.isprintable()
    caller.raw.encode()
    if caller.presentation != "allowed":
        assert caller.number == caller.area == caller.carrier == ""


@given(digits=st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True), hidden=st.sampled_from(["restricted", "prohib"]))
def test_no_digits_of_a_hidden_caller_survive(digits: str, hidden: str) -> None:
    caller = normalise(digits, presentation=hidden)
    assert not re.search(r"[0-9]", caller.raw + caller.number + caller.name)


@given(
    raw=st.text(alphabet="+0123456789", max_size=20)
    | st.from_regex(r"(\+|00|17951|0)?(86|852|853|886|1|44)?(0?755|010)?[0-9]{7,11}", fullmatch=True),
    region=st.sampled_from(["CN", "US", "GB", "HK", "TW", "IT"]),
    area_code=st.none() | st.from_regex(r"0?[1-9][0-9]{0,3}", fullmatch=True),
    strip=st.lists(st.from_regex(r"[0-9*#]{1,4}", fullmatch=True), max_size=3),
)
@example(raw="+13912345678", region="CN", area_code=None, strip=[])
@example(raw="0555555", region="IT", area_code="06", strip=[])
def test_normalising_twice_changes_nothing(raw: str, region: str, area_code: str | None, strip: list[str]) -> None:
    once = normalise(raw, region=region, area_code=area_code, strip=strip)
    twice = normalise(once.number, region=region, area_code=area_code, strip=strip)
    assert (twice.number, twice.area, twice.carrier) == (once.number, once.area, once.carrier)
