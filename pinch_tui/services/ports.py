"""The seam between the engine and the services: `SessionApi` and `Connector`, and what a service declares.

A connection speaks the vocabulary of Pinch v1 (`pinch_tui.core.wire`). For a service with another protocol it
translates: it sends sound in the chunks that the provider wants, makes ids, joins partial texts, drains to the
provider's own end mark, and raises refusals as the errors below, in its own words. A translator of our own, between a
service's texts and the transcript, would be a connector that wraps the service's: it would add translations and name
itself in the traits' label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import Allocation, Progress, WireEvent
from pinch_tui.errors import LinkError


class SessionApi(Protocol):
    async def allocate(self, params: SessionParams) -> Allocation:
        """Request a session. Raises `CredentialError` (no key, or a refused one) and `AllocationError` (all else)."""

    async def aclose(self) -> None: ...


class Link(Protocol):
    """What connections and sockets have in common."""

    async def ping(self) -> None:
        """Returns when the peer has answered. Raises `ConnectionLost`."""

    def progress(self) -> Progress | None:
        """How much of the sent data has arrived; None if unknown."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting a short while for the peer; never raises."""

    def abort(self) -> None:
        """Drop everything at once."""


class Connection(Link, Protocol):
    """An open session. One task sends, one receives and one pings."""

    async def send(self, pcm: bytes) -> None:
        """Take 20 ms of sound (PCM16, 16 kHz, mono); returns when there is room for more. If the connection is over,
        raises `ConnectionLost` or just returns: `receive` tells why."""

    def latch(self) -> None:
        """The utterance was latched and is hands-free from here on; some providers recognise that in another way."""

    async def finalize(self) -> None:
        """End the utterance. Returns and raises as `send` does."""

    async def receive(self) -> WireEvent:
        """The next message. Raises `ConnectionLost` with the close code (1000 included), or the `PinchError` of a
        refusal."""


class Connector(Protocol):
    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Connection:
        """Open an allocated session. ``has_sound``: sound is waiting, so a socket is needed at once.

        Raises `LinkError` (refused, no route, TLS, HTTP status, a forbidden address) and `CredentialError`.
        """


@dataclass(frozen=True, slots=True)
class Service:
    """One service as the engine uses it."""

    traits: ServiceTraits
    api: SessionApi
    connector: Connector
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Its key, which is never shown or stored, not even if the service repeats it."""


# ---- sockets, of which connections are made -----------------------------------------------------------------------


class HandshakeRefused(LinkError):
    """The server answered the handshake with an HTTP status; ``words`` is its own explanation."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"The session's socket was refused ({status}).", retryable=True, status=status)
        self.words = words


class Socket(Link, Protocol):
    async def send(self, data: bytes | str) -> None:
        """Returns when less than the low-water mark is left to send. Raises `ConnectionLost`."""

    async def receive(self) -> bytes | str:
        """The next message. Raises `ConnectionLost` with the close code (1000 included)."""


class OpenSocket(Protocol):
    async def __call__(self, url: str, headers: Mapping[str, str] = ..., *, nearest: Scope = ...) -> Socket:
        """``nearest``: how near to us the host may be. Raises `LinkError`."""
