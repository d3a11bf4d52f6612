import socket

import pytest
from yarl import URL

from engine.http.addresses import PrivateAddress, PublicOnly
from engine.http.line import HttpLine, NoAnswer, Silence


def answering(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """What the name server says of every name."""

    async def getaddrinfo(*_: object, **__: object) -> list[object]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        where = (address, 80, 0, 0) if ":" in address else (address, 80)
        return [(family, socket.SOCK_STREAM, 6, "", where)]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1"]
)
async def test_a_name_that_leads_into_the_companys_own_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    answering(monkeypatch, address)
    with pytest.raises(PrivateAddress, match=r"crm\.example\.com leads to the private address"):
        await PublicOnly().resolve("crm.example.com", 443)


async def test_an_address_of_the_old_world_in_the_clothes_of_the_new_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, "::ffff:10.0.0.5")
    with pytest.raises(PrivateAddress):
        await PublicOnly().resolve("crm.example.com", 443)


async def test_localhost_is_meant() -> None:
    assert {found["host"] for found in await PublicOnly().resolve("localhost", 80)} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1"])
async def test_a_name_on_the_internet_is_found(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    answering(monkeypatch, address)
    (found,) = await PublicOnly().resolve("crm.example.com", 443)
    assert found["host"] == address


async def test_whoever_asks_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "10.0.0.5")
    line = HttpLine(public_only=True)
    await line.open()
    try:
        with pytest.raises(NoAnswer) as caught:
            await line.ask("GET", URL("http://crm.example.com/"), headers={}, deadline_s=5)
    finally:
        await line.close()
    assert (caught.value.silence, caught.value.detail) == (
        Silence.INVALID,
        "crm.example.com leads to the private address 10.0.0.5",
    )
