"""How each service is made."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import WireEvent
from pinch_tui.services.embedded import PracticeApi
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.pinch.traits import PINCH, PRACTICE
from pinch_tui.services.ports import Service, SessionApi
from pinch_tui.services.socket import Opener, WebSocketOpener
from pinch_tui.services.traced import TracedOpener, TracedSessionApi
from pinch_tui.services.wirelog import WireLog
from pinch_tui.settings.model import Settings

PRACTICE_KEY = "practice"
"""Any key will do there."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a service is made of. ``start_practice`` starts the practice service and gives its base URL."""

    settings: Settings
    key: str = field(repr=False)
    key_place: str
    start_practice: Callable[[], Awaitable[str]]
    log: WireLog | None = None
    is_continuous: bool = False

    def opener(self) -> Opener:
        opener = WebSocketOpener()
        return opener if self.log is None else TracedOpener(opener, self.log, time.monotonic)

    def traced(self, api: SessionApi) -> SessionApi:
        return api if self.log is None else TracedSessionApi(api, self.log, time.monotonic)


def make(name: str, making: Making) -> Service:
    """The service of that name. Raises `ConfigError` where its settings cannot work, `KeyError` for no service."""
    if making.log is not None and making.key:
        making.log.guard_key(making.key)
    made = _MAKERS[name](making)
    return replace(made, secrets=tuple(secret for secret in (making.key, *made.secrets) if secret))


def reader() -> tuple[ServiceTraits, Callable[[bytes | str], WireEvent]]:
    """What a trace is read with: version 1 of Pinch's interface is the one that can be replayed."""
    from pinch_tui.services.pinch.protocol import decode

    return PINCH, decode


def _pinch(making: Making) -> Service:
    api = HttpSessionApi(making.settings.api.base_url, making.key, making.key_place)
    return Service(PINCH, making.traced(api), PinchConnector(making.opener()))


def _practice(making: Making) -> Service:
    def api(base_url: str) -> SessionApi:
        return making.traced(HttpSessionApi(base_url, PRACTICE_KEY, "practice"))

    return Service(PRACTICE, PracticeApi(making.start_practice, api), PinchConnector(making.opener()))


_MAKERS: dict[str, Callable[[Making], Service]] = {"pinch": _pinch, "practice": _practice}
