from engine.host.backoff import PAUSES_S, STEADY_S, Backoff

QUICK, LONG = STEADY_S / 10, STEADY_S


def test_a_child_that_died_once_is_back_at_once_however_short_it_lived() -> None:
    assert Backoff().pause_s(QUICK) == PAUSES_S[0] <= 0.1


def test_a_child_that_keeps_dying_is_started_ever_more_slowly_up_to_a_limit() -> None:
    backoff = Backoff()
    pauses = [backoff.pause_s(QUICK) for _ in range(len(PAUSES_S) + 2)]
    assert pauses == [*PAUSES_S, PAUSES_S[-1], PAUSES_S[-1]]
    assert sorted(set(pauses)) == list(PAUSES_S)


def test_deaths_that_lie_far_apart_are_each_the_first() -> None:
    backoff = Backoff()
    assert [backoff.pause_s(LONG) for _ in range(4)] == [PAUSES_S[0]] * 4


def test_a_long_life_makes_up_for_quick_deaths_before_it() -> None:
    backoff = Backoff()
    lives = [QUICK, QUICK, QUICK, LONG, QUICK]
    assert [backoff.pause_s(life) for life in lives] == [*PAUSES_S[:3], PAUSES_S[0], PAUSES_S[1]]
