import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.id_card import is_id_card

GOOD = ["11010519491231002X", "440524188001010014", "360426199101010071"]


@pytest.mark.parametrize("number", GOOD)
def test_a_right_number_is_one(number: str) -> None:
    assert is_id_card(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "110105194912310021",  # wrong check character
        "11010519491231002x",
        "110105194913310021",  # a thirteenth month, with the check character that it would have
        "110105194902300020",  # the thirtieth of February
        "110105491231002",  # 15 digits, which nobody has any more
        "11010519491231002X ",
        "11010519491231002*",
        "X10105194912310020",
        "１１０１０５１９４９１２３１００２X",
        "0" * 18,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_id_card(text)


def test_a_county_founded_after_ones_birth_is_no_fault() -> None:
    assert is_id_card("440306194912310015") and not is_id_card("440306194912310016")


@given(number=st.sampled_from(GOOD), place=st.integers(0, 16), digit=st.sampled_from("0123456789"))
def test_one_mistyped_digit_is_always_noticed(number: str, place: int, digit: str) -> None:
    mistyped = number[:place] + digit + number[place + 1 :]
    assert is_id_card(mistyped) is (mistyped == number)


@given(number=st.sampled_from(GOOD), place=st.integers(0, 15))
def test_two_neighbours_typed_in_the_wrong_order_are_always_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert is_id_card(swapped) is (swapped == number)


@given(st.text(max_size=30))
def test_no_text_is_too_strange(text: str) -> None:
    assert is_id_card(text) in (True, False)
