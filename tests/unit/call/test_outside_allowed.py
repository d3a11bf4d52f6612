"""Who may be dialled through a trunk: the hotline's guard against toll fraud."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.config.dialling import NotAllowed, Way, ways_out
from engine.config.models import HotlineFile
from engine.config.trunks import Outbound, dialable

OWN = "4008001234"


def hotline(*trunks: list[str], **more: Any) -> HotlineFile:
    """A hotline with a trunk for each list of what may be dialled, named `t1`, `t2` …"""
    outbounds = [{"outbound": {"allow": allow, "caller_id": OWN, **more}} for allow in trunks]
    return HotlineFile.model_validate(
        {
            "company": "晨星",
            "numbers": {OWN: {"flow": "main"}},
            "area_code": "0755",
            "trunks": {f"t{n}": trunk for n, trunk in enumerate(outbounds, 1)},
        }
    )


def why_not(number: str, *allow: str) -> str:
    with pytest.raises(NotAllowed) as refusal:
        ways_out(hotline(list(allow)), number)
    return refusal.value.why


@pytest.mark.parametrize("written", ["13912345678", "013912345678", "+86 139-1234-5678", "0086 13912345678"])
def test_a_number_is_compared_after_normalisation_however_it_was_written(written: str) -> None:
    (way,) = ways_out(hotline(["+86*"]), written)
    assert way == Way("+8613912345678", "t1", "13912345678", OWN, 10)
    assert way.endpoint == "PJSIP/13912345678@t1"


def test_a_local_number_gets_the_sites_area_code() -> None:
    assert ways_out(hotline(["+86755*"]), "88881234")[0].dialled == "075588881234"


def test_nothing_is_allowed_that_is_not_listed() -> None:
    assert why_not("13912345678", "+852*") == "not_listed"
    assert why_not("0044 20 7946 0000", "+86*") == "not_listed"
    assert why_not("+1 876 555 1234", "+1202*") == "not_listed"


def test_a_trunk_without_outbound_and_a_hotline_without_trunks_dial_nobody() -> None:
    site = HotlineFile.model_validate(
        {"company": "晨星", "numbers": {OWN: {"flow": "main"}}, "trunks": {"inbound-only": {}}}
    )
    for trunk in (None, "inbound-only", "no-such"):
        with pytest.raises(NotAllowed) as refusal:
            ways_out(site, "13912345678", trunk)
        assert refusal.value.why == "no_trunk"


def test_a_denial_wins_wherever_it_stands() -> None:
    assert why_not("13900139000", "!+86139*", "+86*", "+8613900139000") == "denied"
    assert ways_out(hotline(["!+86139*", "+86*"]), "13800138000")


@pytest.mark.parametrize("number", ["110", "119", "120", "112", "10086", "95588"])
def test_short_numbers_emergencies_among_them_must_be_listed_one_by_one(number: str) -> None:
    assert why_not(number, "+86*", "+8610*") == "not_listed"
    assert ways_out(hotline([number]), number)[0].dialled == number


def test_a_premium_rate_number_must_be_listed_in_full() -> None:
    premium = "+8616899999"
    assert why_not(premium, "+86*", "+86168*") == "premium_rate"
    assert ways_out(hotline([premium]), premium)


def test_our_own_numbers_would_come_back_to_us() -> None:
    assert why_not(OWN, "+86*") == "own_number"
    assert why_not("+86 400 800 1234", "+86*", "+864008001234") == "own_number"


@pytest.mark.parametrize("nonsense", ["", "*43", "8001", "13912345678@evil.example", "${EXTEN}", "139123456７x"])
def test_what_is_no_number_is_not_dialled(nonsense: str) -> None:
    with pytest.raises(NotAllowed):
        ways_out(hotline(["+8610*", "+852*", "12345"]), nonsense)


@given(st.text(st.sampled_from(string.digits + "+*#-() &|/@$${},;\r\n" + "０１²①x"), max_size=40))
def test_nothing_but_digits_behind_a_plus_ever_reaches_a_dial_string(text: str) -> None:
    number = dialable(text, area_code="0755")
    assert not number.removeprefix("+").strip("0123456789")
    try:
        ways = ways_out(hotline(["+86*", "+1*", "+852*"], ["10086"]), text)
    except NotAllowed:
        return
    for way in ways:
        assert way.dialled.isascii()
        assert way.dialled.isdigit()
        assert way.number == "10086" or way.number.startswith(("+86", "+1", "+852"))


def test_the_first_trunk_that_allows_it_comes_first_and_a_named_one_is_the_only_one() -> None:
    site = hotline(["+852*"], ["+86*"], ["+86139*"])
    assert [way.trunk for way in ways_out(site, "13912345678")] == ["t2", "t3"]
    assert [way.trunk for way in ways_out(site, "13912345678", "t3")] == ["t3"]
    with pytest.raises(NotAllowed):
        ways_out(site, "13912345678", "t1")


def test_a_carrier_is_sent_what_one_dials_in_its_country_or_e164() -> None:
    def sent(number: str, how: str) -> str:
        return ways_out(hotline(["+86*", "+44*"], dial=how), number)[0].dialled

    assert sent("+8613912345678", "national") == "13912345678"
    assert sent("+8675588881234", "national") == "075588881234"
    assert sent("+442079460000", "national") == "00442079460000"
    assert sent("+8675588881234", "e164") == "+8675588881234"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("*", "with their country"),
        ("+*", "with their country"),
        ("+8*", "no country's code"),
        ("86*", "with their country"),
        ("10*", "with their country"),
        ("13912345678", "write \\+8613800138000"),
        ("+86139x", "with their country"),
        ("", "with their country"),
    ],
)
def test_an_entry_that_would_allow_too_much_or_nothing_is_a_fault(entry: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Outbound(allow=[entry], caller_id=OWN)


def test_an_empty_list_is_a_fault_and_so_is_a_trunk_without_a_number_to_show() -> None:
    with pytest.raises(ValidationError):
        Outbound(allow=[], caller_id=OWN)
    with pytest.raises(ValidationError):
        Outbound.model_validate({"allow": ["+86*"]})
