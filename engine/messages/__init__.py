"""Messages that calls send: short texts, and word of what callers leave behind. Kept until an endpoint has them."""

from engine.messages.courier import Courier, Endpoint
from engine.messages.outbox import Message, Outbox

__all__ = ["Courier", "Endpoint", "Message", "Outbox"]
