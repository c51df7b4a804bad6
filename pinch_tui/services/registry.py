"""How each service is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import WireEvent
from pinch_tui.errors import ConfigError
from pinch_tui.network.way import check as check_way
from pinch_tui.services.beta1.traits import BETA1
from pinch_tui.services.late import LateOpener, LateSessionApi
from pinch_tui.services.pinch.address import check_base_url
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.pinch.traits import PINCH, PRACTICE
from pinch_tui.services.ports import Opener, Service, SessionApi
from pinch_tui.settings.model import Settings

if TYPE_CHECKING:
    from pinch_tui.services.wirelog import WireLog


@dataclass(frozen=True, slots=True)
class Making:
    """What is needed to make a service. ``start_practice`` starts the practice service and returns its base URL;
    ``practice_key`` is the one key that it accepts. ``is_continuous``: utterances may be of any length;
    ``is_hands_free``: they come from a microphone."""

    settings: Settings
    key: str = field(repr=False)
    key_place: str
    start_practice: Callable[[], Awaitable[str]]
    practice_key: str = field(repr=False)
    log: WireLog | None = None
    is_continuous: bool = False
    is_hands_free: bool = False

    def opener(self) -> Opener:
        opener = LateOpener()
        if self.log is None:
            return opener
        from pinch_tui.services.traced import TracedOpener

        return TracedOpener(opener, self.log, time.monotonic)

    def traced(self, api: SessionApi) -> SessionApi:
        if self.log is None:
            return api
        from pinch_tui.services.traced import TracedSessionApi

        return TracedSessionApi(api, self.log, time.monotonic)


def make(name: str, making: Making) -> Service:
    """The service of that name. Raises `ConfigError` where its settings cannot work, `KeyError` for no service."""
    if making.log is not None and making.key:
        making.log.guard_key(making.key)
    made = _MAKERS[name](making)
    return replace(made, api=making.traced(made.api), secrets=(making.key,) if making.key else ())


def check(name: str, settings: Settings, params: SessionParams) -> None:
    """Raises `ConfigError` where the service cannot do what is asked for; nothing is sent."""
    match name:
        case "cartesia":
            from pinch_tui.services.cartesia.models import model_for

            model_for(params.source, settings.cartesia.model)
        case "smallest":
            from pinch_tui.services.smallest.languages import host_for

            host_for(params.source, settings.smallest.base_url)
        case "pinch-beta1" if find_spec("livekit") is None:
            raise ConfigError(
                "Pinch beta1 needs the livekit package, which is not installed.",
                "Run: python -m pip install 'pinch-tui[beta1]'.",
            )
        case _:
            pass


def reader() -> tuple[ServiceTraits, Callable[[bytes | str], WireEvent]]:
    """What a trace is read with: version 1 of Pinch's interface is the one that can be replayed."""
    from pinch_tui.services.pinch.protocol import decode

    return PINCH, decode


def _pinch(making: Making) -> Service:
    base_url = making.settings.api.base_url
    check_way(check_base_url(base_url))

    async def api() -> SessionApi:
        return await asyncio.to_thread(_v1_api, base_url, making.key, making.key_place)

    return Service(PINCH, LateSessionApi(api), PinchConnector(making.opener()))


def _practice(making: Making) -> Service:
    async def api() -> SessionApi:  # the service starts with the first session: nothing on the screen waits for it
        base_url = await making.start_practice()
        return await asyncio.to_thread(_v1_api, base_url, making.practice_key, "practice")

    return Service(PRACTICE, LateSessionApi(api), PinchConnector(making.opener()))


def _v1_api(base_url: str, key: str, key_place: str) -> SessionApi:
    from pinch_tui.services.pinch.api import HttpSessionApi

    return HttpSessionApi(base_url, key, key_place)


def _beta1(making: Making) -> Service:
    from pinch_tui.services.beta1.connection import Beta1Connector

    base_url = making.settings.beta1.base_url
    check_way(check_base_url(base_url))

    def made() -> SessionApi:
        from pinch_tui.services.beta1.api import Beta1Api

        return Beta1Api(base_url, making.key, making.key_place)

    return Service(BETA1, LateSessionApi(lambda: asyncio.to_thread(made)), Beta1Connector())


def _cartesia(making: Making) -> Service:
    from pinch_tui.services.cartesia.service import provider

    return provider(
        making.settings.cartesia,
        making.key,
        making.key_place,
        is_continuous=making.is_continuous,
        is_hands_free=making.is_hands_free,
    ).service(making.opener())


def _smallest(making: Making) -> Service:
    from pinch_tui.services.smallest.service import provider

    return provider(
        making.settings.smallest,
        making.key,
        making.key_place,
        is_continuous=making.is_continuous,
        is_hands_free=making.is_hands_free,
    ).service(making.opener())


_MAKERS: dict[str, Callable[[Making], Service]] = {
    "pinch": _pinch,
    "pinch-beta1": _beta1,
    "cartesia": _cartesia,
    "smallest": _smallest,
    "practice": _practice,
}
