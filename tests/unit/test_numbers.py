"""The golden table of what trunks deliver, and what must hold for anything that they might."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.identity.numbers import MAX_RAW, Caller, normalise

MOBILE = "+8613912345678"
SHENZHEN = "+8675588881234"
BEIJING = "+861065551234"

GOLDEN = [
    # mobiles
    ("13912345678", MOBILE),
    ("013912345678", MOBILE),
    ("8613912345678", MOBILE),
    ("86013912345678", MOBILE),
    ("+8613912345678", MOBILE),
    ("+86013912345678", MOBILE),
    ("008613912345678", MOBILE),
    ("+13912345678", MOBILE),
    ("+013912345678", MOBILE),
    ("+008613912345678", MOBILE),
    ("1795113912345678", MOBILE),
    ("17951013912345678", MOBILE),
    ("1259313912345678", MOBILE),
    ("139 1234 5678", MOBILE),
    ("+86-139-1234-5678", MOBILE),
    ("１３９１２３４５６７８", MOBILE),
    ("sip:13912345678@10.0.0.1", MOBILE),
    ("sip:+8613912345678@ims.mnc000.mcc460.3gppnetwork.org;user=phone", MOBILE),
    ("tel:13912345678;phone-context=+86", MOBILE),
    ('"139" <sip:013912345678@10.0.0.1;transport=udp>', MOBILE),
    ("<13912345678>", MOBILE),
    ("19512345678", "+8619512345678"),
    ("16512345678", "+8616512345678"),
    # landlines
    ("075588881234", SHENZHEN),
    ("75588881234", SHENZHEN),
    ("8675588881234", SHENZHEN),
    ("86075588881234", SHENZHEN),
    ("+8675588881234", SHENZHEN),
    ("+86075588881234", SHENZHEN),
    ("008675588881234", SHENZHEN),
    ("0755-88881234", SHENZHEN),
    ("(0755) 8888 1234", SHENZHEN),
    ("01065551234", BEIJING),
    ("+86 10 6555 1234", BEIJING),
    ("861065551234", BEIJING),
    ("02165551234", "+862165551234"),
    ("09176555123", "+869176555123"),
    ("4008001234", "+864008001234"),
    ("04008001234", "+864008001234"),
    # abroad
    ("+85223456789", "+85223456789"),
    ("0085223456789", "+85223456789"),
    ("+13105551234", "+13105551234"),
    ("+442083612345", "+442083612345"),
    # nobody that a number could tell apart
    ("95588", ""),
    ("10086", ""),
    ("12345", ""),
    ("110", ""),
    ("8001", ""),
    ("88881234", ""),
    ("1391234567", ""),
    ("139123456789", ""),
    ("alice", ""),
    ("sip:alice@example.com", ""),
    ("1800FLOWERS", ""),
    ("13912345678x5", ""),
    ("13912345678&PJSIP/9", ""),
    ("*6713912345678", ""),
    ("#31#13912345678", ""),
    ("+", ""),
    ("+999123456789", ""),
    ("0", ""),
    ("000000000000", ""),
    ("-1", ""),
    ("١٣٩١٢٣٤٥٦٧٨", ""),
    ("1391234\r\n5678", MOBILE),
    ("13912345678" + "0" * 60, ""),
    ("9" * 100_000, ""),
]


@pytest.mark.parametrize(("raw", "number"), GOLDEN, ids=[repr(raw[:40]) for raw, _ in GOLDEN])
def test_what_a_trunk_delivers_becomes_e164(raw: str, number: str) -> None:
    caller = normalise(raw)
    assert caller.number == number
    assert caller.presentation == "allowed"


@pytest.mark.parametrize(
    ("raw", "presentation"),
    [
        ("anonymous", "restricted"),
        ("Anonymous", "restricted"),
        ("sip:anonymous@anonymous.invalid", "restricted"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', "restricted"),
        ("restricted", "restricted"),
        ("Private", "restricted"),
        ("withheld", "restricted"),
        ("", "unavailable"),
        ("   ", "unavailable"),
        ("unavailable", "unavailable"),
        ("<unknown>", "unavailable"),
        ("unknown", "unavailable"),
        ("null", "unavailable"),
        ("asterisk", "unavailable"),
    ],
)
def test_words_in_the_place_of_a_number_are_no_number(raw: str, presentation: str) -> None:
    caller = normalise(raw)
    assert (caller.number, caller.presentation) == ("", presentation)


@pytest.mark.parametrize("given_by_asterisk", ["restricted", "prohib", "prohib_passed_screen", "prohib_not_screened"])
def test_a_restricted_callers_digits_are_dropped_everywhere(given_by_asterisk: str) -> None:
    caller = normalise("13912345678", presentation=given_by_asterisk, name="13912345678")
    assert caller == Caller("", "", "restricted", "", "", "")


def test_an_unavailable_presentation_gives_no_number() -> None:
    assert normalise("13912345678", presentation="unavailable").number == ""


@pytest.mark.parametrize("area_code", ["0755", "755"])
def test_a_local_number_is_completed_with_the_trunks_area_code(area_code: str) -> None:
    assert normalise("88881234", area_code=area_code).number == SHENZHEN


def test_the_area_code_touches_neither_short_codes_nor_whole_numbers() -> None:
    assert normalise("95588", area_code="0755").number == ""
    assert normalise("10086", area_code="0755").number == ""
    assert normalise("13912345678", area_code="0755").number == MOBILE
    assert normalise("01065551234", area_code="0755").number == BEIJING


def test_another_region_reads_its_own_national_form() -> None:
    assert normalise("020 8361 2345", region="GB").number == "+442083612345"


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


@given(number=st.from_regex(r"1[3-9][0-9]{9}|0(10|2[1-9])[2-8][0-9]{7}", fullmatch=True))
def test_normalising_twice_changes_nothing(number: str) -> None:
    once = normalise(number).number
    if once:
        assert normalise(once).number == once
