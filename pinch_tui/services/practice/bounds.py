"""Who may use the practice service, and how much. Pure: the clock is an argument. A local service can be reached by
every program on this machine and, through a browser, by every web page. A page is recognised by its ``Origin``, a
foreign name that was made to resolve to this machine by its ``Host``. Each client is limited, so that none keeps the
others waiting.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from urllib.parse import urlsplit

MAX_SESSIONS = 8
"""Sessions open at the same time, of all clients. The ear of one takes up to 20 MB in the helper."""
MAX_CLIENT_SESSIONS = 4
"""Sessions of one client open at the same time: the app drains one or two while the next is open."""
MAX_CONNECTIONS = 64
"""Sockets of any kind, before the client is known."""
ALLOCATE_BURST, ALLOCATE_RATE = 40.0, 4.0
"""Limits of one client's allocations: the burst, and the rate per second."""
AUDIO_BURST_S, AUDIO_RATE = 6.0, 2.2
"""Sound of one session: seconds at once, and seconds per second; faster senders are read later."""
MIN_COST = 64
"""Every message counts for at least this many bytes."""
MAX_CLIENTS = 1_000
_BYTES_S = 32_000


class Bucket:
    """A token bucket: refilled at a rate, up to a bound."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._tokens, self._at = burst, float("-inf")

    def take(self, cost: float, now: float) -> float:
        """Take ``cost`` tokens; returns the seconds until there are that many."""
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
    """Identifies a client by its key, without keeping the key itself."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_right_key(key: str, secret: str) -> bool:
    """Whether a Bearer is accepted: the secret of the run, or anything where there is none."""
    if not secret:
        return bool(key)
    return hmac.compare_digest(key.encode("utf-8", "surrogatepass"), secret.encode())


def is_our_host(host: str, port: int) -> bool:
    """Whether a ``Host`` header names this server itself, rather than a foreign name that resolves to it."""
    return host.lower() in {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}


def is_our_origin(origin: str | None, port: int, *, is_private: bool) -> bool:
    """Whether a request from this origin is allowed. Programs have none; of web pages only those on this machine are,
    and none where the service has a secret."""
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
        """The HTTP status with which an allocation is refused; None when it is allowed."""
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
