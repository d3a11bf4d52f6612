"""What can go wrong with a phone, each naming the phone, the call and the last state seen."""


class PhoneError(Exception):
    """The phone could not do what it was told, in the library's words."""


class WorkerDied(PhoneError):  # noqa: N818 - the state of the worker
    """The phone's process is gone: killed, crashed, or made to vanish."""


class RegistrationFailed(PhoneError):  # noqa: N818 - what happened, as SIP says it
    """The registrar refused, or nobody answered within the deadline (`code` 408)."""

    def __init__(self, phone: str, code: int, reason: str) -> None:
        super().__init__(f"{phone} could not register: {code} {reason}")
        self.code = code
        self.reason = reason


class CallEnded(PhoneError):  # noqa: N818 - an event of the call
    """The call ended while something else was waited for; `end` says how."""

    def __init__(self, call: str, waited_for: str, end: object) -> None:
        super().__init__(f"{call} ended ({end}) while waiting until it {waited_for}")
        self.end = end


class NotInTime(PhoneError, TimeoutError):  # noqa: N818 - what happened
    """What was waited for did not happen within its deadline."""
