"""A service that only transcribes, behind the engine's ports. Nothing is allocated; each utterance opens a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import CredentialError
from pinch_tui.services.ports import HandshakeRefused, Service, Socket
from pinch_tui.services.recognition import Dialect
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.services.utterances import UtteranceConnection, Way


@dataclass(frozen=True, slots=True)
class Transcriber:
    """`SessionApi`, which checks the request without using the network, and `Connector`.

    ``addresses`` returns the socket's URL, and that of another for latched utterances or ""; it raises `ConfigError`
    for a language that is not recognised. ``dialect`` says how to use the socket at a URL.
    """

    traits: ServiceTraits
    setup: ServiceSetup
    refusals: Refusals
    addresses: Callable[[SessionParams], tuple[str, str]]
    dialect: Callable[[str], Dialect]
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def service(self) -> Service:
        return Service(self.traits, self, self)

    async def allocate(self, params: SessionParams) -> Allocation:
        if not self.setup.key:
            name, label = self.traits.name, self.traits.label
            cure = f"Set {name.upper()}_API_KEY, or run: pinch-tui key set --service {name}."
            raise CredentialError(f"There is no {label} key.", cure)
        url, latched_url = self.addresses(params)
        return Allocation("", url, 3_600.0, latched_url=latched_url)  # the URL is not signed, so it does not expire

    async def aclose(self) -> None:
        """Nothing is open here."""

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> UtteranceConnection:
        way = self._way(allocation.ws_url)
        hands_free = self._way(allocation.latched_url) if allocation.latched_url else None
        first = await way.open() if has_sound else None
        return UtteranceConnection(way, self.setup.now, first, key=self.setup.key, hands_free=hands_free)

    def _way(self, url: str) -> Way:
        async def open_socket() -> Socket:
            setup = self.setup
            try:
                return await setup.open_socket(url, {"Authorization": f"Bearer {setup.key}", **self.headers})
            except HandshakeRefused as exc:
                raise self.refusals.error(setup.key_place, exc.status or 0, exc.words) from None

        return Way(open_socket, self.dialect(url))
