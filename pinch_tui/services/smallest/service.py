"""smallest.ai behind the engine's ports: nothing is allocated, each utterance opens a socket of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import CredentialError
from pinch_tui.services.ports import HandshakeRefused, Opener, Socket
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.smallest.languages import host_for
from pinch_tui.services.smallest.protocol import SmallestDialect, Wanted, socket_url
from pinch_tui.services.utterances import UtteranceConnection

EXPIRES_S = 3_600.0
"""An address that nobody signed does not expire."""


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="smallest.ai",
        key_place=key_place,
        key_cure="console.smallest.ai gives keys; keep one with: pinch-tui key set --service smallest.",
        forbidden="The key is of another workspace or product, or its usage limit is reached; see console.smallest.ai.",
        unpaid="The credits are used up; see console.smallest.ai.",
        settings="Check the language and smallest.model; some languages are heard in one region only.",
    )


@dataclass(frozen=True, slots=True)
class SmallestConfig:
    """``base_url`` begins with https, or with http on this machine."""

    base_url: str
    key: str = field(repr=False)
    key_place: str
    model: str = "pulse"
    keywords: str = ""
    is_continuous: bool = False
    is_hands_free: bool = False


class SmallestApi:
    """Checks what is asked for; nothing goes over the network."""

    def __init__(self, config: SmallestConfig) -> None:
        self._config = config

    async def allocate(self, params: SessionParams) -> Allocation:
        """Raises `CredentialError` without a key, `ConfigError` for a language that is not heard."""
        config = self._config
        if not config.key:
            raise CredentialError(
                "There is no smallest.ai key.", "Set SMALLEST_API_KEY, or run: pinch-tui key set --service smallest."
            )
        host = host_for(params.source, config.base_url)
        wanted = Wanted(params.source, config.model, config.keywords, config.is_hands_free, config.is_continuous)
        return Allocation("", socket_url(host, wanted), EXPIRES_S)

    async def aclose(self) -> None:
        """Nothing is open."""


class SmallestConnector:
    """Connections that open a socket an utterance."""

    def __init__(self, config: SmallestConfig, opener: Opener, now: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._opener = opener
        self._now = now
        self._refusals = refusals(config.key_place)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> UtteranceConnection:
        url = allocation.ws_url

        async def open_socket() -> Socket:
            try:
                return await self._opener.open(url, {"Authorization": f"Bearer {self._config.key}"})
            except HandshakeRefused as exc:
                raise self._refusals.of(exc.status, exc.words) from None

        dialect = SmallestDialect(self._config.is_continuous, self._refusals.of)
        first = await open_socket() if has_sound else None
        return UtteranceConnection(open_socket, dialect, self._now, first, secrets=(self._config.key,))
