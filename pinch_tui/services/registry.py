"""How each service is made. Only the modules of the service in use are loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import WireEvent
from pinch_tui.services.pinch.traits import PINCH
from pinch_tui.services.ports import Service
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.settings.model import Settings

if TYPE_CHECKING:
    from pinch_tui.services.wirelog import WireLog


def make(name: str, setup: ServiceSetup, log: WireLog | None = None) -> Service:
    """The service of that name, traced to ``log``. Raises `ConfigError` if its settings cannot work."""
    if log is None:
        service = _maker(name)(setup)
    else:
        log.guard(setup.key)
        service = _maker(name)(replace(setup, open_socket=log.traced_sockets(setup.open_socket)))
        service = replace(service, api=log.traced_api(service.api))
    return replace(service, secrets=(setup.key,) if setup.key else ())


def _maker(name: str) -> Callable[[ServiceSetup], Service]:
    match name:
        case "pinch":
            from pinch_tui.services.pinch.service import make
        case "practice":
            from pinch_tui.services.pinch.service import make_practice as make
        case "pinch-beta1":
            from pinch_tui.services.beta1.service import make
        case "cartesia":
            from pinch_tui.services.cartesia.service import make
        case "smallest":
            from pinch_tui.services.smallest.service import make
        case _:
            raise KeyError(name)
    return make


def check(name: str, settings: Settings, params: SessionParams) -> None:
    """Raises `ConfigError` if the service cannot do what is asked for; nothing is sent."""
    match name:
        case "pinch-beta1":
            from pinch_tui.services.beta1.service import check
        case "cartesia":
            from pinch_tui.services.cartesia.service import check
        case "smallest":
            from pinch_tui.services.smallest.service import check
        case _:
            return
    check(settings, params)


def reader() -> tuple[ServiceTraits, Callable[[bytes | str], WireEvent]]:
    """The traits and the decoder for reading traces. Only Pinch's version 1 can be replayed."""
    from pinch_tui.services.pinch.protocol import decode

    return PINCH, decode
