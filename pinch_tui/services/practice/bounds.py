"""Access control and limits of the practice service. Pure: the clock is an argument.

Every program on this machine, and every web page in a browser, can reach a local service. A web page is recognised by
its ``Origin``, and a foreign name that resolves to this machine (DNS rebinding) by its ``Host``. Each client has
limits, so that none can block the others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from urllib.parse import urlsplit

MAX_SESSIONS = 8
"""Open sessions of all clients. The ear of one takes up to 20 MB in the helper."""
MAX_CLIENT_SESSIONS = 4
"""Open sessions of one client: the app drains one or two while the next is open."""
MAX_CONNECTIONS = 64
"""Open sockets, before the client is known."""
ALLOCATE_BURST, ALLOCATE_RATE = 40.0, 4.0
"""Allocations of one client: burst, and rate per second."""
AUDIO_BURST_S, AUDIO_RATE = 6.0, 2.2
"""Audio of one session: burst in seconds, and rate in seconds per second; faster senders are read more slowly."""
MIN_COST = 64
"""Every message counts as at least this many bytes."""
MAX_CLIENTS = 1_000
"""Clients whose allocation rates are remembered."""


class Bucket:
    """A token bucket with ``burst`` tokens, refilled with ``rate`` tokens per second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._tokens, self._at = burst, float("-inf")

    def take(self, cost: float, now: float) -> float:
        """Take ``cost`` tokens; returns the seconds until there were enough."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
        self._tokens -= cost
        return max(0.0, -self._tokens / self._rate)

    def may(self, now: float) -> bool:
        """Take one token if there is one; returns whether there was."""
        if self.take(0.0, now) > 0.0 or self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def client_of(key: str) -> str:
    """An identifier of a client that does not reveal its key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_right_key(key: str, secret: str) -> bool:
    """Whether a Bearer is accepted: only ``secret``, or any key if that is empty."""
    if not secret:
        return bool(key)
    return hmac.compare_digest(key.encode("utf-8", "surrogatepass"), secret.encode())


def is_our_host(host: str, port: int) -> bool:
    """Whether a ``Host`` header names this server by its own address."""
    return host.lower() in {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}


def is_our_origin(origin: str | None, port: int, *, is_private: bool) -> bool:
    """Whether requests from this origin are allowed. Programs send none; web pages must be from this machine, and are
    refused if the service has a secret (``is_private``)."""
    if origin is None or is_private:
        return origin is None
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
        """The HTTP status of a refused allocation; None if it is allowed."""
        if client not in self._buckets and len(self._buckets) >= MAX_CLIENTS:
            self._buckets.pop(next(iter(self._buckets)))
        bucket = self._buckets.setdefault(client, Bucket(ALLOCATE_BURST, ALLOCATE_RATE))
        if not bucket.may(now) or self._open[client] >= MAX_CLIENT_SESSIONS:
            return 429
        return 503 if self._open.total() >= MAX_SESSIONS else None

    def enter(self, client: str) -> bool:
        """Count a new session; False if there are too many."""
        is_allowed = self._open[client] < MAX_CLIENT_SESSIONS and self._open.total() < MAX_SESSIONS
        self._open[client] += is_allowed
        return is_allowed

    def leave(self, client: str) -> None:
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]
