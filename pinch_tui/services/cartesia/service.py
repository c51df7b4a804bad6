"""Cartesia behind the engine's ports: nothing is allocated, each utterance opens a socket of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import CredentialError
from pinch_tui.services.cartesia.protocol import VERSION, CartesiaDialect, Wanted, socket_url
from pinch_tui.services.ports import HandshakeRefused, Opener, Socket
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.utterances import UtteranceConnection, Way

EXPIRES_S = 3_600.0
"""An address that nobody signed does not expire."""


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="Cartesia",
        key_place=key_place,
        key_cure="play.cartesia.ai gives keys; keep one with: pinch-tui key set --service cartesia.",
        forbidden="Check the key's rights at play.cartesia.ai.",
        unpaid="The credits are used up, or the plan lacks this; see play.cartesia.ai.",
        settings="Check the language and cartesia.model.",
    )


@dataclass(frozen=True, slots=True)
class CartesiaConfig:
    """``base_url`` begins with https, or with http on this machine."""

    base_url: str
    key: str = field(repr=False)
    key_place: str
    model: str = ""
    keyterms: tuple[str, ...] = ()
    is_continuous: bool = False
    is_hands_free: bool = False
    has_turns_when_latched: bool = False

    def wanted(self, params: SessionParams) -> Wanted:
        return Wanted(params.source, self.model, self.keyterms, self.is_hands_free)


class CartesiaApi:
    """Checks what is asked for; nothing goes over the network."""

    def __init__(self, config: CartesiaConfig) -> None:
        self._config = config

    async def allocate(self, params: SessionParams) -> Allocation:
        """Raises `CredentialError` without a key, `ConfigError` where no model hears the language."""
        config = self._config
        if not config.key:
            raise CredentialError(
                "There is no Cartesia key.", "Set CARTESIA_API_KEY, or run: pinch-tui key set --service cartesia."
            )
        wanted = config.wanted(params)
        latched = replace(wanted, is_hands_free=True)
        has_other = config.has_turns_when_latched and not wanted.has_turns and latched.has_turns
        return Allocation(
            "",
            socket_url(config.base_url, wanted),
            EXPIRES_S,
            latched_url=socket_url(config.base_url, latched) if has_other else "",
        )

    async def aclose(self) -> None:
        """Nothing is open."""


class CartesiaConnector:
    """Connections that open a socket an utterance."""

    def __init__(self, config: CartesiaConfig, opener: Opener, now: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._opener = opener
        self._now = now
        self._refusals = refusals(config.key_place)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> UtteranceConnection:
        way = self._way(allocation.ws_url)
        hands_free = self._way(allocation.latched_url) if allocation.latched_url else None
        first = await way.open() if has_sound else None
        secrets = (self._config.key,)
        return UtteranceConnection(way.open, way.dialect, self._now, first, secrets=secrets, hands_free=hands_free)

    def _way(self, url: str) -> Way:
        async def open_socket() -> Socket:
            headers = {"Authorization": f"Bearer {self._config.key}", "Cartesia-Version": VERSION}
            try:
                return await self._opener.open(url, headers)
            except HandshakeRefused as exc:
                raise self._refusals.of(exc.status, exc.words) from None

        return Way(open_socket, CartesiaDialect("/stt/turns/" in url, self._config.is_continuous, self._refusals.of))
