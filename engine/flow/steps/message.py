"""`message`: send a short message, by the company's endpoint for messages.

tell_order:
  message: {to: "{caller.number}", text: "您的订单 {order} {order_status}。"}
  when: {not_possible: read_it_out}
"""

from __future__ import annotations

from typing import ClassVar

from engine.config.units import Written
from engine.flow.expression import ExpressionError, Template
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit


class Wording(Written):
    """To whom, and what: both may have holes. `to` is whatever the endpoint understands: a mobile, an address."""

    to: Template
    text: Template = Template("")


class Message(Step):
    """Hands a message over to be sent; the call does not wait until it is (docs/voicemail.md).

    `sent`: it is kept, and delivered as soon as the endpoint takes it. `not_possible`: there is nobody to send it to
    (an anonymous caller), no endpoint in dialplan/hotline.yaml, or too many wait already. The same message is sent
    once a call, however often the caller comes by.
    """

    kind: ClassVar[str] = "message"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = ("sent", "not_possible")
    message: Wording

    async def run(self, visit: Visit) -> Outcome:
        """Accepted, or not."""
        try:
            to, text = visit.text(self.message.to).strip(), visit.text(self.message.text)
        except ExpressionError as error:
            return self.go("not_possible", str(error))
        if not to:
            return self.go("not_possible", "nobody to send it to")
        accepted = await visit.services.messages.send(visit.call_id, to, text)
        return self.go("sent" if accepted else "not_possible")
