"""Who may ask the practice service, and for how much. Pure: the clock is an argument.

A local service is asked by every program and, through a browser, by every web page of this machine. A page gives itself
away by its ``Origin``, a name that was made to lead here by its ``Host``. What may be asked for is bounded for each
client, so that no other one is kept waiting.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from urllib.parse import urlsplit

MAX_SESSIONS = 8
"""Open at the same time, of all clients. The ear of one takes up to 20 MB of the helper."""
MAX_CLIENT_SESSIONS = 4
"""Open at the same time, of one client: the app drains one or two while the next is open."""
MAX_CONNECTIONS = 64
"""Sockets of any kind, before anybody has said who they are."""
ALLOCATE_BURST, ALLOCATE_RATE = 40.0, 4.0
"""Limits of one client's allocations: the burst, and the rate per second."""
AUDIO_BURST_S, AUDIO_RATE = 6.0, 2.2
"""Sound of one session: seconds at once, and seconds a second; what comes faster is read later."""
MIN_COST = 64
"""Bytes that a message counts for at least."""
MAX_CLIENTS = 1_000
_BYTES_S = 32_000


class Bucket:
    """Tokens that come back at a rate, up to a bound."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._tokens, self._at = burst, float("-inf")

    def take(self, cost: float, now: float) -> float:
        """Take ``cost``; the seconds until that much is there."""
        if now > self._at:
            gone = now - self._at
            self._tokens = min(self._burst, self._tokens + gone * self._rate) if gone < float("inf") else self._burst
            self._at = now
        self._tokens -= cost
        return max(0.0, -self._tokens / self._rate)

    def may(self, now: float) -> bool:
        """Take one if there is one."""
        if self.take(0.0, now) > 0.0 or self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def audio_bucket() -> Bucket:
    """For the bytes of one session."""
    return Bucket(AUDIO_BURST_S * _BYTES_S, AUDIO_RATE * _BYTES_S)


def client_of(key: str) -> str:
    """What a client is known by: its key, which itself is not kept."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_right_key(key: str, secret: str) -> bool:
    """Whether a Bearer is accepted: the secret of the run, or anything where there is none."""
    if not secret:
        return bool(key)
    return hmac.compare_digest(key.encode("utf-8", "surrogatepass"), secret.encode())


def is_our_host(host: str, port: int) -> bool:
    """Whether a ``Host`` header names this very server, and no name that was made to lead here."""
    return host.lower() in {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}


def is_our_origin(origin: str | None, port: int, *, is_private: bool) -> bool:
    """Whether a request may come from there. Programs have no origin; of web pages those on this machine may, unless
    the service is somebody's own."""
    if origin is None:
        return True
    if is_private:
        return False
    try:
        return urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False


class Clients:
    """The sessions and allocations of each client."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._buckets: dict[str, Bucket] = {}

    def refusal(self, client: str, now: float) -> int | None:
        """The HTTP status that an allocation is refused with, None for none."""
        if client not in self._buckets and len(self._buckets) >= MAX_CLIENTS:
            self._buckets.pop(next(iter(self._buckets)))
        bucket = self._buckets.setdefault(client, Bucket(ALLOCATE_BURST, ALLOCATE_RATE))
        if not bucket.may(now) or self._open[client] >= MAX_CLIENT_SESSIONS:
            return 429
        return 503 if self._open.total() >= MAX_SESSIONS else None

    def enter(self, client: str) -> bool:
        """A session opens; False when there is no room for it."""
        if self._open[client] >= MAX_CLIENT_SESSIONS or self._open.total() >= MAX_SESSIONS:
            return False
        self._open[client] += 1
        return True

    def leave(self, client: str) -> None:
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]
