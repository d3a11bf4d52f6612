"""The legs of the phones that ring for a caller: whatever is cut short, each of them ends, and once."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import Any, cast

from engine.acd import Missed, Offer
from engine.asterisk.ari import AriError, AriRefused
from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import CALLER_HAS_LEFT
from engine.call.inbound import InboundCall
from engine.call.offer import Answer
from engine.call.outside_lines import OutsideLines
from engine.call.record import CallRecord
from engine.call.ringers import Ringers
from engine.config.agents import Agent
from engine.config.models import HotlineFile

NOW_MS = 1_763_761_507_000
HOTLINE = HotlineFile.model_validate(
    {
        "company": "x",
        "numbers": {"4008001234": {"flow": "main"}},
        "trunks": {"carrier": {"outbound": {"allow": ["+86139*"], "caller_id": "4008001234", "most_calls": 1}}},
    }
)
AGENTS = {
    "8001": Agent(name="a"),
    "8002": Agent(name="b"),
    "8003": Agent(name="c", number="13912345678"),
    "8004": Agent(name="d", number="13812345678"),
}


class Ari:
    """As much of Asterisk as a leg is told: what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def send(self, method: str, uri: str, query: Any = None, **_: Any) -> asyncio.Future[None]:
        self.asked.append((method, uri, query))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def request(self, method: str, uri: str, _: Any = None) -> None:
        """Of a caller who is not there."""
        raise AriRefused(404, f"{method} {uri}", "Channel not found")


class Office:
    """A caller and all that rings for them; nobody but the ACD and Asterisk is a stand-in."""

    def __init__(self) -> None:
        self.ari, self._tokens = Ari(), itertools.count(1)
        self.legs: dict[str, Channel] = {}
        self.dialled = asyncio.Event()
        self.missed: list[tuple[str, Missed]] = []
        self.accepted: list[str] = []
        self.asterisk_is_away = False
        self.refuses: int | None = None
        self.caller = Channel(cast(Any, self.ari), "c1")
        self.phones = SimpleNamespace(ours=lambda *_: None, is_idle=lambda _: True, unreachable=lambda _: None)
        site = SimpleNamespace(hotline=HOTLINE, agents=AGENTS)
        board = SimpleNamespace(acd=self, node=self, phones=self.phones, site=site, outside_lines=OutsideLines())
        self.record = CallRecord("1abc", "c1", "4008001234")
        call = SimpleNamespace(
            board=board,
            record=self.record,
            leg=self.caller,
            now_ms=lambda: NOW_MS,
            ringing=set(),
            originator="c1",
            save=lambda: None,
            shown_to_agent=lambda: "<13800138000>",
        )
        self.ringers = Ringers(cast(InboundCall, call), 20.0)

    # The node.

    def originate(self, channel_id: str, endpoint: str, **_: Any) -> tuple[Channel, asyncio.Future[None]]:
        leg = self.legs[endpoint] = Channel(cast(Any, self.ari), channel_id)
        self.dialled.set()
        return leg, self.ari.send("POST", "channels")

    async def refusal(self, _: Channel, dialled: asyncio.Future[None]) -> int | None:
        if self.asterisk_is_away:
            raise AriError("no answer in time")
        await dialled
        return self.refuses

    # The ACD.

    async def ringing(self, _: str) -> bool:
        return True

    async def accept(self, token: str) -> bool:
        self.accepted.append(token)
        return True

    async def miss(self, token: str, why: Missed, **_: Any) -> bool:
        self.missed.append((token, why))
        return True

    # What the tests do.

    def ring(self, agent: str, *, free_in_ms: int = 0) -> str:
        offer = Offer(f"{next(self._tokens)}-1abc", "1abc", agent, "sales", 1, free_in_ms)
        self.ringers.ring(offer)
        return offer.token

    async def until_one_is_done(self) -> None:
        done, _ = await asyncio.wait(self.ringers.tasks, timeout=2, return_when=asyncio.FIRST_COMPLETED)
        assert done

    async def until_all_are_done(self) -> None:
        _, left = await asyncio.wait(self.ringers.tasks, timeout=2)
        assert not left

    def ended(self) -> list[tuple[str, str]]:
        """Legs that were hung up, and the reason given."""
        return [
            (uri.removeprefix("channels/"), query["reason"])
            for method, uri, query in self.ari.asked
            if method == "DELETE"
        ]


async def test_an_offer_that_is_taken_back_before_its_task_has_begun_ends_its_leg() -> None:
    office = Office()
    token = office.ring("8001")
    await office.ringers.stop(token)
    assert office.ended() == [(f"agent-{token}", "normal")]
    assert not office.ringers


async def test_whoever_has_answered_in_the_moment_in_which_all_fall_silent_is_hung_up_on() -> None:
    office = Office()
    token = office.ring("8001")
    office.legs["PJSIP/8001"].note_state("Up")
    await office.until_all_are_done()
    assert office.accepted == [token]
    await office.ringers.silence()
    assert office.ended() == [(f"agent-{token}", "normal")]


async def test_the_first_to_answer_is_handed_over_and_the_others_are_told() -> None:
    office = Office()
    winner, loser = office.ring("8001"), office.ring("8002")
    office.legs["PJSIP/8002"].note_state("Ringing")
    office.legs["PJSIP/8001"].note_state("Up")
    await office.until_one_is_done()
    (answer,) = list(office.ringers.ended())
    assert isinstance(answer, Answer)
    assert (answer.token, answer.trunk) == (winner, "")
    await office.ringers.silence("answered_elsewhere")
    assert office.ended() == [(f"agent-{loser}", "answered_elsewhere")]
    assert office.missed == []


async def test_whoever_stops_at_an_answer_leaves_the_others_that_have_ended_where_they_are() -> None:
    office = Office()
    tokens = [office.ring("8001"), office.ring("8002")]
    for leg in office.legs.values():
        leg.note_state("Up")
    await office.until_all_are_done()
    assert isinstance(next(office.ringers.ended()), Answer)
    await office.ringers.silence()
    assert office.ended() == [(f"agent-{tokens[1]}", "normal")]


async def test_a_phone_that_is_busy_is_missed_and_its_leg_is_not_ended_again() -> None:
    office = Office()
    token = office.ring("8001")
    office.legs["PJSIP/8001"].note_gone({"cause": 17, "tech_cause": 486})
    await office.until_all_are_done()
    assert list(office.ringers.ended()) == [Missed.DND]
    assert office.missed == [(token, Missed.DND)]
    assert office.ended() == []


async def test_an_asterisk_that_does_not_answer_costs_the_offer_and_the_leg_that_may_yet_ring_ends() -> None:
    office = Office()
    office.asterisk_is_away = True
    token = office.ring("8001")
    await office.until_all_are_done()
    assert list(office.ringers.ended()) == [Missed.FAILED]
    assert office.missed == [(token, Missed.FAILED)]
    assert office.ended() == [(f"agent-{token}", "normal")]


async def test_a_dial_that_is_refused_for_a_caller_who_is_not_there_ends_their_call() -> None:
    office = Office()
    office.refuses = CALLER_HAS_LEFT
    token = office.ring("8001")
    await office.until_all_are_done()
    assert office.caller.gone.done()
    assert office.missed == [(token, Missed.FAILED)]


async def test_who_has_rejected_a_caller_is_not_rung_for_them_in_the_next_queue_either() -> None:
    office = Office()
    office.ring("8001")
    office.legs["PJSIP/8001"].note_gone({"cause": 21, "tech_cause": 603})
    await office.until_all_are_done()
    assert list(office.ringers.ended()) == [Missed.REJECTED]
    assert office.record.excluding(NOW_MS + 1000) == {"8001": 59_000}
    assert office.record.excluding(NOW_MS + 60_000) == {}


async def test_an_outside_phone_takes_a_line_of_its_trunk_and_a_second_has_none() -> None:
    office = Office()
    first = office.ring("8003")
    leg = office.legs["PJSIP/13912345678@carrier"]
    second = office.ring("8003")
    await office.until_one_is_done()
    assert office.missed == [(second, Missed.FAILED)], "the agent is not to blame for a trunk that is full"
    leg.gone.set_result(LegEnd(17, 486))
    leg.note_state("Down")
    await office.until_all_are_done()
    assert office.missed[-1] == (first, Missed.BUSY), "an outside phone that is busy is in use"
    office.ring("8003")
    assert office.legs["PJSIP/13912345678@carrier"] is not leg, "the line is free again"
    await office.ringers.silence()


async def test_an_agent_whose_number_no_trunk_may_dial_any_more_is_a_fault_of_the_configuration() -> None:
    office = Office()
    token = office.ring("8004")
    await office.until_all_are_done()
    assert office.missed == [(token, Missed.WRONG_NUMBER)]
    assert office.legs == {}


async def test_whoever_still_wraps_up_is_rung_when_that_is_over_and_not_before() -> None:
    office, loop = Office(), asyncio.get_running_loop()
    began = loop.time()
    office.ring("8001", free_in_ms=80)
    assert office.ringers
    await asyncio.wait_for(office.dialled.wait(), 2)
    assert loop.time() - began >= 0.08
    office.legs["PJSIP/8001"].note_state("Up")
    await office.until_all_are_done()
    assert [type(ended) for ended in office.ringers.ended()] == [Answer]


async def test_whoever_is_free_sooner_is_rung_at_once() -> None:
    office = Office()
    token = office.ring("8001", free_in_ms=60_000)
    await asyncio.sleep(0)
    office.ringers.free_in(token, 30_000)
    await asyncio.sleep(0)
    assert office.legs == {}
    office.ringers.free_in(token, 0)
    await asyncio.wait_for(office.dialled.wait(), 2)
    await office.ringers.silence()
    assert office.ended() == [(f"agent-{token}", "normal")]


async def test_an_offer_that_is_taken_back_during_the_wrap_up_rings_nowhere() -> None:
    office = Office()
    token = office.ring("8001", free_in_ms=1)
    await office.ringers.stop(token)
    assert not office.ringers
    await asyncio.sleep(0.01)
    assert (office.legs, office.ended(), office.missed) == ({}, [], [])
