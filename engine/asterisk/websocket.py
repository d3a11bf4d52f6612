"""A WebSocket to Asterisk: texts in and out.

Asterisk tells some two dozen things a call. A client with a queue and a task behind each spends more on that than on
what is told: picows hands a text over in the very read that brought it.
"""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import picows
import structlog
from picows import WSFrame, WSMsgType, WSTransport

if TYPE_CHECKING:
    from picows.picows import WSCloseHandshake

log = structlog.get_logger()


class NoWebSocket(Exception):  # noqa: N818 - said of the other side
    """Asterisk is not there, or does not want us."""


async def connect(
    url: str, headers: Mapping[str, str], on_text: Callable[[bytes], None], *, ping_s: float, deadline_s: float = 10.0
) -> WebSocket:
    """An open one. Raises NoWebSocket.

    `on_text` is called from the reader itself and may not wait; what it raises is logged. A line on which nothing comes
    for `ping_s` seconds is asked whether it is there, and given up when that is not answered for as long.
    """
    socket = WebSocket(on_text)
    try:
        async with asyncio.timeout(deadline_s):
            await picows.ws_connect(
                lambda: socket,
                url.replace("http", "ws", 1),
                extra_headers=headers,
                enable_auto_ping=True,
                auto_ping_idle_timeout=ping_s,
                auto_ping_reply_timeout=ping_s,
                max_frame_size=_LONGEST_TEXT,
            )
    except (OSError, TimeoutError, picows.WSError) as error:
        raise NoWebSocket(str(error) or f"no answer in {deadline_s:g} s") from error
    return socket


_LONGEST_TEXT = 64 * 1024 * 1024  # of all channels or endpoints at once


class WebSocket(picows.WSListener):
    """One connection; `lost` is done, with the reason, when it is gone."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._on_text = on_text
        self._transport: WSTransport | None = None
        self._message = b""  # of several frames, as far as it has come

    def send(self, texts: Sequence[bytes]) -> None:
        """Each as a message of its own, all of them in one piece: a segment that wakes Asterisk costs more than the
        messages in it."""
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        if len(texts) == 1:
            transport.send(WSMsgType.TEXT, texts[0])
            return
        tcp: sockets.socket = transport.underlying_transport.get_extra_info("socket")
        tcp.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_CORK, 1)
        for text in texts:
            transport.send(WSMsgType.TEXT, text)
        tcp.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_CORK, 0)

    def close(self) -> None:
        """Says good-bye, and hangs up when that is written."""
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()

    def abort(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # What picows tells.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self.close()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._message += frame.get_payload_as_bytes()
            if frame.fin:
                text, self._message = self._message, b""
                self._take(text)

    def _take(self, text: bytes) -> None:
        try:
            self._on_text(text)
        except Exception:  # the line must outlive a fault of whoever listens
            log.exception("websocket.listener_failed")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.lost.done():
            self.lost.set_result(_reason(transport) or "Asterisk has hung up")


def _reason(transport: WSTransport) -> str:
    """What we said on hanging up, if it was we who did."""
    goodbye = cast("WSCloseHandshake | None", transport.close_handshake)  # picows' stub knows of no line that broke
    return goodbye.sent.reason or "" if goodbye and goodbye.sent else ""
