"""How an endpoint knows that it is the hotline that asks: described in docs/identity.md."""

from __future__ import annotations

import hmac
import time

TIMESTAMP_HEADER = "X-Hotline-Timestamp"
SIGNATURE_HEADER = "X-Hotline-Signature"
REQUEST_HEADER = "Idempotency-Key"


def now_ms() -> int:
    """Milliseconds since the epoch: what is signed with a request, so that it cannot be played back later."""
    return time.time_ns() // 1_000_000


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) in hex over the timestamp's digits, ".", and the body as sent."""
    return hmac.digest(secret, b"%d." % timestamp + body, "sha256").hex()


def signed(secret: bytes, timestamp: int, body: bytes) -> dict[str, str]:
    """The two headers that prove who asks, and when."""
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: f"sha256={sign(secret, timestamp, body)}"}
