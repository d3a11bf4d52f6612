"""A WebSocket to Asterisk, on the socket itself (RFC 6455): texts in and out.

Asterisk tells some two dozen things a call. A general client has a queue and a task behind each, which cost more than
what is told; here a text is handed over in the very read that brought it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import cast
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger()

_CONTINUED, _TEXT, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_LAST = 0x80  # the frame ends its message
_MASKED = 0x80  # as every frame of a client's is
_ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_LONGEST_ANSWER = 65536


class NoWebSocket(Exception):  # noqa: N818 - said of the other side
    """Asterisk is not there, or does not want us."""


async def connect(
    url: str, headers: Mapping[str, str], on_text: Callable[[bytes], None], *, ping_s: float, deadline_s: float = 10.0
) -> WebSocket:
    """An open one. Raises NoWebSocket.

    `on_text` is called from the reader itself and may not wait; what it raises is logged. A line on which nothing has
    come for two pings, `ping_s` seconds apart, is given up.
    """
    where = urlsplit(url)
    tls = ssl.create_default_context() if where.scheme == "https" else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(deadline_s):
            _, socket = await loop.create_connection(
                lambda: WebSocket(on_text, ping_s), where.hostname or "", where.port or (443 if tls else 80), ssl=tls
            )
            try:
                await socket.shake_hands(where.netloc, f"{where.path}?{where.query}", headers)
            except BaseException:
                socket.abort()
                raise
    except (OSError, TimeoutError) as error:
        raise NoWebSocket(str(error) or f"no answer in {deadline_s:g} s") from error
    return socket


class WebSocket(asyncio.Protocol):
    """One connection; `lost` is done, with the reason, when it is gone."""

    def __init__(self, on_text: Callable[[bytes], None], ping_s: float) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = loop.create_future()
        self._on_text, self._ping_s = on_text, ping_s
        self._answer: asyncio.Future[bytes] = loop.create_future()
        self._open = False
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._message = b""  # of several frames, as far as it has come
        self._silent_pings = 0
        self._pinging: asyncio.TimerHandle | None = None

    async def shake_hands(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        """Becomes a WebSocket. Raises NoWebSocket."""
        key = base64.b64encode(secrets.token_bytes(16))
        asked = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items())]
        self._write("\r\n".join([*lines, "", ""]).encode())
        status, *answered = (await self._answer).split(b"\r\n")
        accepted = base64.b64encode(hashlib.sha1(key + _ACCEPTS, usedforsecurity=False).digest())
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in answered)}
        if b" 101 " not in status or fields.get(b"sec-websocket-accept") != accepted:
            raise NoWebSocket(status.decode(errors="replace"))
        self._pinging = asyncio.get_running_loop().call_later(self._ping_s, self._ping)

    def send(self, texts: Iterable[bytes]) -> None:
        """Each as a message of its own, all of them in one piece."""
        self._write(b"".join([_frame(_TEXT, text) for text in texts]))

    def close(self) -> None:
        """Says good-bye, and hangs up when that is written."""
        self._write(_frame(_CLOSE, b""))
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _ping(self) -> None:
        self._silent_pings += 1
        if self._silent_pings > 2:
            self._over(f"nothing heard for {2 * self._ping_s:g} s")
            self.abort()
            return
        self._write(_frame(_PING, b""))
        self._pinging = asyncio.get_running_loop().call_later(self._ping_s, self._ping)

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._silent_pings = 0
        if self._rest:
            data = self._rest + data
        if not self._open:
            head, ended, data = data.partition(b"\r\n\r\n")
            if not ended:
                self._rest = head
                if len(head) > _LONGEST_ANSWER:
                    self.abort()
                return
            self._open = True
            if not self._answer.done():
                self._answer.set_result(head)
        self._rest = self._take_frames(data)

    def _take_frames(self, data: bytes) -> bytes:
        """Hands over every whole frame; what is left is the beginning of the next."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, size, begins = data[at], data[at + 1], at + 2
            if size > 125:
                wide = 2 if size == 126 else 8
                size, begins = int.from_bytes(data[begins : begins + wide]), begins + wide
            if begins + size > end:
                break
            self._take(first, data[begins : begins + size])
            at = begins + size
        return data[at:]

    def _take(self, first: int, payload: bytes) -> None:
        kind = first & 0x0F
        if kind in (_TEXT, _CONTINUED):
            if self._message:
                payload = self._message + payload
            if not first & _LAST:
                self._message = payload
                return
            self._message = b""
            try:
                self._on_text(payload)
            except Exception:  # the line must outlive a fault of whoever listens
                log.exception("websocket.listener_failed")
        elif kind == _PING:
            self._write(_frame(_PONG, payload))
        elif kind == _CLOSE:
            self._over("Asterisk has closed it")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
        self._over(str(exc or "Asterisk has hung up"))

    def _over(self, why: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(NoWebSocket(why))
        if not self.lost.done():
            self.lost.set_result(why)


def _frame(kind: int, payload: bytes) -> bytes:
    """One masked frame that is a message by itself."""
    size = len(payload)
    if size < 126:
        head = bytes((_LAST | kind, _MASKED | size))
    elif size < 65536:
        head = bytes((_LAST | kind, _MASKED | 126)) + size.to_bytes(2)
    else:
        head = bytes((_LAST | kind, _MASKED | 127)) + size.to_bytes(8)
    key = random.randbytes(4)  # noqa: S311 - not a secret: it keeps proxies from taking a text for HTTP
    mask = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)
