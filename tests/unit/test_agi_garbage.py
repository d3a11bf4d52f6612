"""Whatever bytes a peer sends, and whatever an admin writes as arguments: understood, or refused in one sentence."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asterisk.agi_wire import AgiError, NotAgi, Wire, read_request
from engine.asterisk.dialplan import BadArguments, inert, results, step_from, variable
from engine.flow.leg import HungUp
from engine.flow.steps import KINDS, Next
from tests.unit.flow.scripted import default_site

LINES = st.sampled_from(
    b"agi_network: yes|agi_callerid: 1||HANGUP|200 result=0|200 result=49 endpos=1|200 result=-1|200 result=1 (x)|200"
    b"|510 no|511 dead|520-Usage|520 End".split(b"|")
).map(lambda line: line + b"\n")
NOISE = st.lists(LINES | st.binary(max_size=60), max_size=12).map(b"".join)


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=64)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@given(NOISE)
def test_a_block_of_facts_is_one_or_is_refused(sent: bytes) -> None:
    async def read() -> None:
        try:
            facts = await read_request(reader_of(sent))
        except NotAgi:
            return
        assert all("\n" not in fact + value for fact, value in facts.items())

    asyncio.run(asyncio.wait_for(read(), 5))


class Pen:
    """A StreamWriter whose peer does not read."""

    def write(self, _: bytes) -> None:
        pass


@given(NOISE)
def test_replies_that_are_none_end_the_session_and_every_command_in_it(sent: bytes) -> None:
    async def talk() -> None:
        wire = Wire(reader_of(sent), cast(asyncio.StreamWriter, Pen()))
        asked = [asyncio.ensure_future(wire.command("ANSWER")) for _ in range(3)]
        await asyncio.sleep(0)
        await wire.listen()
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert not isinstance(answer, BaseException) or isinstance(answer, HungUp | AgiError)
        with pytest.raises(HungUp):
            await wire.command("ANSWER")

    asyncio.run(asyncio.wait_for(talk(), 5))


SETTINGS = st.sampled_from(sorted({name for kind in KINDS.values() for name in kind.model_fields} | {"x", ""}))
VALUES = st.text(max_size=12) | st.sampled_from(["1", "5s", "main/menu", "a&b", "money:1", "{x", "{1/0}", "nothing/x"])
ARGUMENTS = st.lists(VALUES | st.tuples(SETTINGS, VALUES).map("=".join), max_size=4)


@given(st.sampled_from([*KINDS, "nonsense"]), ARGUMENTS)
def test_arguments_are_a_step_or_are_refused(kind: str, arguments: list[str]) -> None:
    try:
        step = step_from(kind, arguments, default_site())
    except BadArguments as error:
        assert str(error)
    else:
        assert step.kind == kind


@given(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8)), st.text())
def test_results_are_names_and_words_that_a_dialplan_can_hold(after: dict[str, str], outcome: str) -> None:
    for name, value in results(Next(None, outcome), {}, after).items():
        assert name.isascii()
        assert name.replace("_", "a").isalnum()
        assert not set(inert(value)) & set('${}[]"\\,|\n\r\0')
    assert variable("customer.tier") == "HOTLINE_CUSTOMER_TIER"
