"""The seam between the engine and whoever interprets: `SessionApi` and `Connector`, and what a service declares.

A connection speaks the vocabulary of Pinch v1 (`pinch_tui.core.wire`). A service that speaks another language on its
wire translates here: it chunks sound as its provider wants, makes ids, joins what comes in pieces, drains to the
provider's own end, and raises its refusals as the errors below, in its own words. What stands between the texts of a
service and the transcript, such as a translator of our own, is another connector that wraps the service's: it adds
`TranslatedTranscript` messages and declares itself in the traits' label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import Allocation, Progress, WireEvent
from pinch_tui.errors import LinkError

__all__ = [
    "Allocation",
    "Connection",
    "Connector",
    "HandshakeRefused",
    "Opener",
    "Service",
    "ServiceTraits",
    "SessionApi",
    "Socket",
]


class SessionApi(Protocol):
    async def allocate(self, params: SessionParams) -> Allocation:
        """Ask for a session. Raises `CredentialError` (a refused key, no key) and `AllocationError` (all else)."""

    async def aclose(self) -> None: ...


class Connection(Protocol):
    """An open session. One task sends, one receives and one pings."""

    async def send(self, pcm: bytes) -> None:
        """Take 20 ms of sound (PCM16, 16 kHz, mono); returns when there is room for more. Raises `ConnectionLost`,
        or returns, when the connection is over: `receive` tells why."""

    def latch(self) -> None:
        """The utterance was latched: what follows is hands-free, where the provider hears that in another way."""

    async def finalize(self) -> None:
        """The utterance is over. As `send`."""

    async def ping(self) -> None:
        """Returns when the peer has answered. Raises `ConnectionLost`."""

    async def receive(self) -> WireEvent:
        """The next message. Raises `ConnectionLost` with the close code (1000 included), or the `PinchError` that
        says what was refused."""

    def progress(self) -> Progress | None:
        """How far what was sent has got; None where that is not known, as with one socket for each utterance."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting a short while for the peer; never raises."""

    def abort(self) -> None:
        """Drop everything at once."""


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
    """Its key: neither shown nor kept, even where the service repeats it."""


# ---- what services with a socket are made of ----


class HandshakeRefused(LinkError):
    """The opening was answered with an HTTP status, and with ``words``."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(f"The session's socket was refused ({status}).", retryable=True)
        self.status = status
        self.words = words


class Socket(Protocol):
    """What a service needs of a socket; a traced one is another."""

    async def send(self, data: bytes | str) -> None:
        """Returns when the socket has taken the data below its low-water mark. Raises `ConnectionLost`."""

    async def receive(self) -> bytes | str:
        """The next message. Raises `ConnectionLost` with the close code (1000 included)."""

    async def ping(self) -> None:
        """Returns when the peer has answered. Raises `ConnectionLost`."""

    def progress(self) -> Progress | None:
        """How far what was sent has got; None where the system does not tell."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting a short while for the peer; never raises."""

    def abort(self) -> None:
        """Drop the transport at once."""


class Opener(Protocol):
    async def open(self, url: str, headers: Mapping[str, str] = ...) -> Socket: ...
