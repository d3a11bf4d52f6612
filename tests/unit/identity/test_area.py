"""The table is right if it says what phonenumbers' own geocoder says."""

import random

import phonenumbers
import pytest

from engine.identity import area


@pytest.mark.parametrize(
    ("number", "place", "carrier"),
    [
        ("+8613912345678", "江苏省常州市", "中国移动"),
        ("+8675588881234", "广东省深圳市", ""),
        ("+861065551234", "北京市", ""),
        ("+8619912345678", "", "中国电信"),
        ("+864008001234", "", ""),
        ("+85223456789", "中国香港", ""),
        ("+33142345678", "法国", ""),
    ],
)
def test_known_numbers_have_their_place(number: str, place: str, carrier: str) -> None:
    assert area.find(number) == area.Area(place, carrier)


@pytest.mark.parametrize("number", ["", "+", "+86", "anonymous", "+86abc", "+86١٢٣", "+999", "x" * 1000])
def test_what_is_no_number_has_no_place(number: str) -> None:
    assert area.find(number) == area.Area()


def test_the_table_agrees_with_the_installed_phonenumbers() -> None:
    """Fails after an update of phonenumbers: run `python -m engine.identity.build_places`."""
    from phonenumbers import carrier, geocoder

    dice = random.Random(86)  # noqa: S311
    for _ in range(5000):
        digits = dice.choice(["1", "10", "2", "3", "5", "7", "9"]) + "".join(dice.choices("0123456789", k=12))
        number = phonenumbers.PhoneNumber(country_code=86, national_number=int(digits[:11]))
        place = geocoder.description_for_number(number, "zh")
        found = area.find(f"+86{number.national_number}")
        if place != "中国":  # the geocoder's "somewhere in China" is our ""
            assert found.place == place or not phonenumbers.is_valid_number(number), number
        if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE:
            assert found.carrier == carrier.name_for_number(number, "zh"), number
