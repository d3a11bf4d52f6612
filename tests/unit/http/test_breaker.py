import pytest

from engine.http.breaker import TRANSITIONS, Breaker, Event, State

PAUSE_S = 10.0
AFTER_PAUSE = PAUSE_S * 1.2 + 0.1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, pause_s=PAUSE_S, clock=clock)


def ticket(breaker: Breaker) -> int:
    admitted = breaker.admit()
    assert admitted is not None
    return admitted


def trip(breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed(ticket(breaker))
    assert breaker.state is State.OPEN


def test_failures_in_a_row_open_it_and_nobody_is_admitted(breaker: Breaker) -> None:
    trip(breaker)
    assert breaker.admit() is None


def test_a_success_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.failed(ticket(breaker))
        breaker.failed(ticket(breaker))
        breaker.succeeded(ticket(breaker))
    assert breaker.state is State.CLOSED


def test_after_the_pause_exactly_one_probe_goes_through_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.now += PAUSE_S * 0.79
    assert breaker.admit() is None
    clock.now += AFTER_PAUSE
    probe = ticket(breaker)
    assert [breaker.admit() for _ in range(3)] == [None, None, None]
    breaker.succeeded(probe)
    assert breaker.state is State.CLOSED
    assert breaker.admit() is not None


def test_a_failed_probe_starts_another_pause(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.now += AFTER_PAUSE
    breaker.failed(ticket(breaker))
    assert breaker.state is State.OPEN
    assert breaker.admit() is None
    clock.now += AFTER_PAUSE
    assert breaker.admit() is not None


def test_a_probe_whose_caller_hung_up_lets_the_next_caller_probe(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.now += AFTER_PAUSE
    breaker.abandoned(ticket(breaker))
    breaker.succeeded(ticket(breaker))
    assert breaker.state is State.CLOSED


def test_late_results_of_requests_from_before_do_not_decide(breaker: Breaker, clock: Clock) -> None:
    early = ticket(breaker)
    trip(breaker)
    breaker.succeeded(early)
    assert breaker.admit() is None
    clock.now += AFTER_PAUSE
    probe = ticket(breaker)
    breaker.succeeded(early)
    breaker.failed(early)
    breaker.abandoned(early)
    assert breaker.state is State.HALF_OPEN
    breaker.succeeded(probe)
    assert breaker.admit() is not None


def test_every_event_and_state_is_in_the_table() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert {state for state, _ in TRANSITIONS} == set(State) == set(TRANSITIONS.values())
