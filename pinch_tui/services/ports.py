"""The seam between the engine and the services: `SessionApi` and `Connector`, and what a service declares.

A connection speaks the vocabulary of Pinch v1 (`pinch_tui.core.wire`). The connection of a service with another
protocol converts: it sends sound in the pieces that its provider wants, makes ids, joins partial texts, drains to the
provider's own end mark, and raises refusals as the errors below, in its own words. Something between a service's texts
and the transcript, such as a translator of our own, is a connector that wraps the service's: it adds
`TranslatedTranscript` messages and names itself in the traits' label.
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
        """Ask for a session. Raises `CredentialError` (a refused key, no key) and `AllocationError` (all else)."""

    async def aclose(self) -> None: ...


class Link(Protocol):
    """What an open session and its socket have in common."""

    async def ping(self) -> None:
        """Returns when the peer has answered. Raises `ConnectionLost`."""

    def progress(self) -> Progress | None:
        """How much of what was sent has arrived; None where that is not known."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting a short while for the peer; never raises."""

    def abort(self) -> None:
        """Drop everything at once."""


class Connection(Link, Protocol):
    """An open session. One task sends, one receives and one pings."""

    async def send(self, pcm: bytes) -> None:
        """Take 20 ms of sound (PCM16, 16 kHz, mono); returns when there is room for more. Raises `ConnectionLost`,
        or returns, when the connection is over: `receive` tells why."""

    def latch(self) -> None:
        """The utterance was latched: from here on it is hands-free, which some providers recognise in another way."""

    async def finalize(self) -> None:
        """The utterance is over. Returns and raises as `send` does."""

    async def receive(self) -> WireEvent:
        """The next message. Raises `ConnectionLost` with the close code (1000 included), or the `PinchError` that
        says what was refused."""


class Connector(Protocol):
    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Connection:
        """Open what was allocated. ``has_sound``: sound is waiting, so that a socket is needed at once.

        Raises `LinkError` (refused, no route, TLS, HTTP status, an address that is not allowed) and `CredentialError`.
        """


@dataclass(frozen=True, slots=True)
class Service:
    """One service as the engine takes it."""

    traits: ServiceTraits
    api: SessionApi
    connector: Connector
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Its key, which is neither shown nor kept, even where the service repeats it."""


# ---- what services with a socket are made of ----


class HandshakeRefused(LinkError):
    """The opening was answered with an HTTP status, and with ``words``."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(f"The session's socket was refused ({status}).", retryable=True)
        self.status = status
        self.words = words


class Socket(Link, Protocol):
    """What a service needs of a socket; `traced` has one that writes a trace."""

    async def send(self, data: bytes | str) -> None:
        """Returns when the socket has taken the data below its low-water mark. Raises `ConnectionLost`."""

    async def receive(self) -> bytes | str:
        """The next message. Raises `ConnectionLost` with the close code (1000 included)."""


class Opener(Protocol):
    async def open(self, url: str, headers: Mapping[str, str] = ..., *, nearest: Scope = ...) -> Socket:
        """``nearest``: how near to us the host may be. Raises `LinkError`."""
