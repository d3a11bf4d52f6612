"""`verify`: let callers prove by keys who they are.

check:
  verify: [member, pin]
  member: {min: 4, max: 8}
  tries: 3
  when: {ok: balance, locked: operator}
  then: operator
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from engine.config.models import AttemptLimits
from engine.config.units import Seconds
from engine.flow.entry import CORRECTIONS, Entry, EntryState, ask_for
from engine.flow.patience import with_music
from engine.flow.route import obey
from engine.flow.steps.base import Next, Outcome, Step
from engine.flow.steps.lookup import remember
from engine.flow.visit import Visit
from engine.identity.attempts import Attempt, Standing
from engine.identity.contract import Customer, Member
from engine.identity.contract import Outcome as Answered
from engine.identity.endpoint import Answer
from engine.identity.id_card import is_id_card
from engine.journal.events import CallIdentified, VerifyFinished

Proof = Literal["member", "id_card", "pin"]

_SILENT = frozenset({Answered.TIMEOUT, Answered.UNAVAILABLE, Answered.INVALID})


def _once_each(proofs: list[Proof]) -> list[Proof]:
    if len(set(proofs)) < len(proofs):
        raise ValueError("each of member, id_card and pin can be asked for once")
    return proofs


class Asked(Entry):
    """How one of them is asked for: the prompts, and what may be keyed in (engine/flow/entry.py)."""

    ask: list[str] = Field(min_length=1)


class AskedMember(Asked):
    """A member, customer or account number."""

    ask: list[str] = Field(default=["enter-member-number"], min_length=1)


class AskedIdCard(Asked):
    """A resident identity number. `*` is X, so that it can neither end the entry nor begin it anew."""

    ask: list[str] = Field(default=["enter-id-card"], min_length=1)
    min: Literal[18] = 18
    max: Literal[18] = 18
    end: Literal["#", ""] = "#"
    again: Literal["#", ""] = ""
    total: Seconds = 60.0


class AskedPin(Asked):
    """A PIN or password of digits."""

    ask: list[str] = Field(default=["enter-pin"], min_length=1)
    min: int = Field(default=4, ge=1, le=32)
    max: int = Field(default=12, ge=1, le=32)


class Verify(Step):
    """Asks for a member number, an ID card number, a PIN, in the order written, then the identity endpoint whether
    they are right (docs/identity.md).

    What is keyed in here goes to the endpoint and nowhere else: no event, no variable, no record, no log has it.
    An ID card number whose check character is wrong is asked for again without a request. Wrong tries are counted
    per call, number and account (`identity.attempts` in hotline.yaml); whoever has none left is `locked` without a
    request. After `ok` the customer is known as after a `lookup`, and `customer.verified` is true.
    """

    kind: ClassVar[str] = "verify"
    outcomes: ClassVar[tuple[str, ...]] = (*(outcome.value for outcome in Answered), "gave_up")
    verify: Annotated[list[Proof], AfterValidator(_once_each)] = Field(min_length=1)
    member: AskedMember = AskedMember()
    id_card: AskedIdCard = AskedIdCard()
    pin: AskedPin = AskedPin()
    wrong: list[str] = Field(default=["not-verified"])
    tries: int = Field(default=3, ge=1, le=10)
    obey: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Asks until the endpoint says yes, the tries are used up or the caller gives up. Raises HungUp."""
        way = self.go("gave_up")
        for _ in range(self.tries):
            member = await self._key_in(visit)
            if member is None:
                return self.go("gave_up")
            answer = await self._ask(visit, member)
            self._forget_too_many_keys(visit, member)
            if answer.outcome is Answered.OK:
                return await self._known(visit, answer)
            way = self.go(answer.outcome, answer.detail)
            if answer.outcome not in (Answered.REJECTED, Answered.NOT_FOUND):
                return way
            await visit.say(self.wrong)
        return Next(way.step, f"{way.outcome}, {self.tries} tries")

    async def _key_in(self, visit: Visit) -> Member | None:
        """All that is asked for; None when the caller gives up on one of them."""
        keyed: dict[Proof, str] = {}
        for proof in self.verify:
            entered = await self._one(visit, proof)
            if entered is None:
                visit.leg.digits.drop()
                return None
            keyed[proof] = entered
        return Member(id=keyed.get("member"), id_card=keyed.get("id_card"), pin=keyed.get("pin"))

    async def _one(self, visit: Visit, proof: Proof) -> str | None:
        asked: Asked = getattr(self, proof)
        for _ in range(self.tries):
            keying = await ask_for(visit, asked.ask, asked)
            if keying.state is not EntryState.COMPLETE:
                continue
            entered = keying.keys.replace("*", "X") if proof == "id_card" else keying.keys
            if proof != "id_card" or is_id_card(entered):
                return entered
            await visit.say(self.wrong)
        return None

    def _forget_too_many_keys(self, visit: Visit, member: Member) -> None:
        """An entry that was complete without its end key may have been meant to be longer: what came behind it until
        now must not answer the next menu, which would note it."""
        last = self.verify[-1]
        asked: Asked = getattr(self, last)
        if len({"member": member.id, "id_card": member.id_card, "pin": member.pin}[last] or "") == asked.max:
            visit.leg.digits.drop()

    async def _ask(self, visit: Visit, member: Member) -> Answer:
        """The endpoint's word, if there is a try left."""
        settings = visit.site.hotline.identity
        limits = settings.attempts if settings else AttemptLimits()
        attempt = Attempt(visit.call_id, visit.caller.number, _account(visit, member))
        attempts = visit.services.attempts
        standing = await attempts.take(attempt, limits)
        if standing is Standing.UNKNOWN:
            answer = Answer(Answered.UNAVAILABLE, detail="tries cannot be counted")
        elif standing is not Standing.FREE:
            answer = Answer(Answered.LOCKED, detail=f"too many wrong tries of this {standing}")
        else:
            answer = await with_music(
                visit.leg,
                visit.services.identity.look_up(
                    visit.caller,
                    dialled=visit.dialled,
                    call_id=visit.call_id,
                    variables=visit.own_values(),
                    member=member,
                ),
            )
            if answer.outcome is Answered.OK:
                attempts.proved(attempt)
            elif answer.outcome in _SILENT:
                attempts.give_back(attempt)
        visit.note(VerifyFinished, asked=tuple(self.verify), outcome=answer.outcome, ms=answer.ms, detail=answer.detail)
        return answer

    async def _known(self, visit: Visit, answer: Answer) -> Outcome:
        remember(visit, answer)
        visit.variables["customer.verified"] = True
        customer = answer.customer or Customer()
        # The id may be the very number that was keyed in: the company's to keep, not the journal's.
        said = {"name": customer.name, "tier": customer.tier}
        visit.note(CallIdentified, outcome=answer.outcome, customer=said, ms=answer.ms)
        elsewhere = await obey(answer.route, visit) if self.obey and answer.route else None
        return elsewhere or self.go("ok")

    def sets(self) -> Sequence[str]:
        """What an answer tells."""
        return ("customer.id", "customer.name", "customer.tier", "customer.verified")

    def prompts(self) -> Sequence[str]:
        """The questions, and what is said of mistakes."""
        asked: list[Asked] = [getattr(self, proof) for proof in self.verify]
        return [*(prompt for one in asked for prompt in one.ask), *CORRECTIONS.values(), *self.wrong]


def _account(visit: Visit, member: Member) -> str:
    """Whose tries they are: of the number keyed in, or of the customer whom a PIN alone is asked of."""
    if member.id or member.id_card:
        return f"member {member.id}" if member.id else f"card {member.id_card}"
    known = visit.variables.get("customer.id")
    return f"customer {known}" if known else ""
