"""Which prompts a queue's announcements may play: those that must be recorded before a site is used."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config.agents import Agent
from engine.config.prompts import used
from engine.config.queues import Queue
from engine.sounds import Sounds

FIRST, PLACE, WAIT, KEYS = "all-agents-busy", "position-3", "wait-3-to-5", "press-one"


@pytest.mark.parametrize(
    ("announce", "played"),
    [
        ({"announce": {"position": True, "wait": True}}, {FIRST, PLACE, WAIT}),
        ({"announce": {"position": False, "wait": True}}, {FIRST, WAIT}),
        ({"announce": {"position": False, "wait": False}}, set()),
        ({"keys": {"1": "leave"}, "announce": {"position": False, "keys": KEYS}}, {FIRST, KEYS}),
        ({"announce_position": "30s"}, {FIRST, PLACE}),
        ({"announce_position": None}, set()),
    ],
)
def test_a_queue_plays_the_words_for_what_it_announces(announce: dict[str, Any], played: set[str]) -> None:
    queue = Queue.model_validate({"require": "any", **announce})
    uses = [use for use in used({}, {"sales": queue}, {}, Sounds()) if use.prompt in {FIRST, PLACE, WAIT, KEYS}]
    assert {use.prompt for use in uses} == played
    assert {use.language for use in uses} == ({"zh-CN", "en"} if played else set())
    assert {use.at for use in uses} <= {("queues", "sales", key) for key in announce}


def test_whoever_answers_an_outside_phone_is_asked_for_the_key() -> None:
    agents = {
        "8001": Agent(name="a"),
        "8002": Agent(name="b", confirm=True),
        "8003": Agent(name="c", number="+8613912345678"),
    }
    uses = list(used({}, {}, agents, Sounds()))
    assert {(use.prompt, use.language) for use in uses} == {("take-call", "zh-CN"), ("take-call", "en")}
    assert {use.at for use in uses} == {("agents", "8002", "confirm"), ("agents", "8003", "number")}
