"""A service that only transcribes, behind the engine's ports: nothing is allocated, each utterance opens its own
socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import CredentialError
from pinch_tui.services.hearing import Dialect
from pinch_tui.services.ports import HandshakeRefused, Opener, Service, Socket
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.utterances import UtteranceConnection, Way

EXPIRES_S = 3_600.0
"""Nothing expires, because the address is not signed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where providers differ. ``key_variable``: the environment variable of the key. ``addresses``: of the socket, and
    of another one for latched utterances or ""; raises `ConfigError` for a language that is not recognised.
    ``dialect``: how to use the socket at an address.
    """

    traits: ServiceTraits
    key: str = field(repr=False)
    key_variable: str
    refusals: Refusals
    addresses: Callable[[SessionParams], tuple[str, str]]
    dialect: Callable[[str], Dialect]
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def service(self, opener: Opener, now: Callable[[], float] = time.monotonic) -> Service:
        """The service as the engine takes it."""
        made = _HearingOnly(self, opener, now)
        return Service(self.traits, made, made)


class _HearingOnly:
    """`SessionApi`, which checks the request without any network, and `Connector`."""

    def __init__(self, provider: Provider, opener: Opener, now: Callable[[], float]) -> None:
        self._provider = provider
        self._opener = opener
        self._now = now

    async def allocate(self, params: SessionParams) -> Allocation:
        provider = self._provider
        if not provider.key:
            traits = provider.traits
            cure = f"Set {provider.key_variable}, or run: pinch-tui key set --service {traits.name}."
            raise CredentialError(f"There is no {traits.label} key.", cure)
        url, latched_url = provider.addresses(params)
        return Allocation("", url, EXPIRES_S, latched_url=latched_url)

    async def aclose(self) -> None:
        """Nothing is open here."""

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> UtteranceConnection:
        way = self._way(allocation.ws_url)
        hands_free = self._way(allocation.latched_url) if allocation.latched_url else None
        first = await way.open() if has_sound else None
        return UtteranceConnection(way, self._now, first, secrets=(self._provider.key,), hands_free=hands_free)

    def _way(self, url: str) -> Way:
        provider = self._provider

        async def open_socket() -> Socket:
            try:
                return await self._opener.open(url, {"Authorization": f"Bearer {provider.key}", **provider.headers})
            except HandshakeRefused as exc:
                raise provider.refusals.of(exc.status, exc.words) from None

        return Way(open_socket, provider.dialect(url))
