"""Real SIP phones in Python, for the demo, the end-to-end tests and whoever has no desk phone at hand.

    async with Phones.start("127.0.0.1:5060") as phones:
        alice = await phones.phone("8001", password="...", bind="127.0.0.3")
        carrier = await phones.carrier(bind="127.0.0.2")
        call = await carrier.call("4008001234", caller="13800138000")
        await call.answered()
        await call.press("1")
        ring = await alice.ringing(timeout=10)
        print(ring.caller_name, ring.caller_number)
        await ring.answer()
        await ring.play_tone(880)
        assert await call.hears(880, within=3)
        await call.hang_up()
        print(await ring.ended())          # 200 Normal call clearing, by them

By hand: `python -m phones register 8001 --password ...`, `python -m phones call 4008001234 --keys 1`.

Each phone is a process of its own on pjsua2, the library of PJSIP: it is no friend of asyncio, its PyPI wheel
is built for four calls at once, and a phone that loses its power is then just a stopped process. All of them
end with the `async with` block.

Asterisk matches a PJSIP endpoint by IP address before user name: give the carrier, the phones and Asterisk
different loopback addresses, or the trunk swallows the phones' REGISTER (403). Audio is 8 kHz PCMA or PCMU;
tones best lie off the notes of hold music (440 and 880 Hz are both an A).
"""

from phones.call import Call, EndOfCall, State
from phones.errors import CallEnded, NotInTime, PhoneError, RegistrationFailed, WorkerDied
from phones.parties import Carrier, Phone, Phones

__all__ = [
    "Call",
    "CallEnded",
    "Carrier",
    "EndOfCall",
    "NotInTime",
    "Phone",
    "PhoneError",
    "Phones",
    "RegistrationFailed",
    "State",
    "WorkerDied",
]
