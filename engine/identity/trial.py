"""One look-up with everything that went over the wire, for a person who wants to see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from engine.http.line import Heard, HttpLine
from engine.identity.contract import Member, Value
from engine.identity.endpoint import Answer, Identity
from engine.identity.numbers import Caller


@dataclass(frozen=True, slots=True)
class Trial:
    """`sent` and `heard` are None if it came to neither. Nothing that was keyed in is in any of them."""

    answer: Answer
    headers: Mapping[str, str]
    sent: str | None
    heard: Heard | None


class _Overheard(HttpLine):
    """A line that remembers what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: Mapping[str, str] = {}
        self.sent: bytes | None = None
        self.heard: Heard | None = None

    async def ask(
        self, method: str, url: URL, *, headers: Mapping[str, str], body: bytes | None = None, deadline_s: float
    ) -> Heard:
        self.headers, self.sent = headers, body
        self.heard = await super().ask(method, url, headers=headers, body=body, deadline_s=deadline_s)
        return self.heard


async def try_out(
    url: str,
    secret: str,
    caller: Caller,
    *,
    dialled: str,
    deadline_s: float,
    call_id: str,
    member: Member | None = None,
    variables: Mapping[str, Value] | None = None,
) -> Trial:
    """Asks as a call would. Raises ValueError for an unusable URL or an empty secret."""
    line = _Overheard()
    identity = Identity(url, secret, deadline_s=deadline_s, line=line)
    await identity.open()
    try:
        answer = await identity.look_up(
            caller, dialled=dialled, call_id=call_id, variables=variables or {}, member=member
        )
    finally:
        await identity.close()
    heard = line.heard and Heard(line.heard.status, masked(line.heard.text, member).encode())
    sent = None if line.sent is None else masked(line.sent.decode(), member)
    return Trial(answer, line.headers, sent, heard)


def masked(text: str, member: Member | None) -> str:
    """`text` without what a caller keyed in, also where the endpoint says it back."""
    keyed = [keyed for keyed in (member.id, member.id_card, member.pin) if keyed] if member else []
    for one in sorted(keyed, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", "*" * len(one), text)
    return text
