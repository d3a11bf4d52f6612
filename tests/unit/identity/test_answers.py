from hypothesis import given
from hypothesis import strategies as st

from engine.identity.answers import Answers


def test_an_answer_is_given_again_until_it_is_stale() -> None:
    now = 100.0
    answers: Answers[str] = Answers(30, clock=lambda: now)
    answers.keep("who", "me")
    now = 129.9
    assert answers.get("who") == "me"
    now = 130.0
    assert answers.get("who") is None


def test_a_newer_answer_takes_the_place_of_the_old_one() -> None:
    now = 0.0
    answers: Answers[str] = Answers(30, clock=lambda: now)
    answers.keep("who", "me")
    now = 20.0
    answers.keep("who", "you")
    now = 40.0
    assert answers.get("who") == "you"


def test_stale_answers_do_not_stay_in_memory() -> None:
    now = 0.0
    answers: Answers[str] = Answers(30, clock=lambda: now)
    for number in range(100):
        answers.keep(str(number), "x")
    now = 31.0
    answers.keep("new", "x")
    assert len(answers) == 1


@given(kept=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 5)), max_size=60), most=st.integers(1, 5))
def test_never_more_than_there_may_be_and_only_the_last_said(kept: list[tuple[int, float]], most: int) -> None:
    now = 0.0
    answers: Answers[int] = Answers(10, most=most, clock=lambda: now)
    said: dict[str, tuple[float, int]] = {}
    for serial, (question, pause) in enumerate(kept):
        now += pause
        answers.keep(str(question), serial)
        said[str(question)] = (now, serial)
        assert len(answers) <= most
        for asked, (at, last) in said.items():
            assert answers.get(asked) in ((last, None) if now < at + 10 else (None,))
        assert answers.get(str(question)) == serial
