"""What callers say when nobody answers: the recordings, their rows, and how long they are kept."""

from engine.voicemail.listening import listen
from engine.voicemail.mailboxes import Mailboxes

__all__ = ["Mailboxes", "listen"]
