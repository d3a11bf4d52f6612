"""Who sits at which loopback address during a benchmark run."""

from __future__ import annotations

from dataclasses import dataclass

AGENTS = tuple(str(number) for number in range(1001, 1101))
"""The agents of every benchmarked system; each is dialled as sip:NUMBER@agent address."""

HOTLINE_NUMBER = "4008001234"


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Network:
    """Every port of one run, counted from `base`, so that two runs fit on one machine.

    The three parties have addresses of their own: PJSIP recognises the carrier by its IP address, and an
    agent there would be taken for it.
    """

    base: int

    @property
    def system(self) -> Address:
        return Address("127.0.0.1", self.base)

    @property
    def caller(self) -> Address:
        return Address("127.0.0.2", self.base + 10)

    @property
    def caller_media_port(self) -> int:
        return self.base + 20

    @property
    def agents(self) -> Address:
        return Address("127.0.0.4", self.base + 30)

    @property
    def agents_media_port(self) -> int:
        return self.base + 40

    @property
    def identity(self) -> Address:
        return Address("127.0.0.1", self.base + 50)

    @property
    def rtp_range(self) -> tuple[int, int]:
        return self.base + 1000, self.base + 2999
