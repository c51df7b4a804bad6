"""How Pinch beta1 is made."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from pinch_tui.core.events import SessionParams
from pinch_tui.errors import ConfigError
from pinch_tui.network.way import check as check_way
from pinch_tui.services.beta1.connection import Beta1Connector
from pinch_tui.services.beta1.traits import BETA1, MISSING_WHEEL
from pinch_tui.services.ports import Service, SessionApi
from pinch_tui.services.setup import LateSessionApi, ServiceSetup
from pinch_tui.settings.model import Settings


def make(setup: ServiceSetup) -> Service:
    """Raises `ConfigError` if there is no usable way to the service."""
    base_url = setup.settings.beta1.base_url
    check_way(base_url)

    def api() -> SessionApi:
        from pinch_tui.services.beta1.api import Beta1Api

        return Beta1Api(base_url, setup.key, setup.key_place)

    return Service(BETA1, LateSessionApi(lambda: asyncio.to_thread(api)), Beta1Connector())


def check(settings: Settings, params: SessionParams) -> None:
    if find_spec("livekit") is None:
        raise ConfigError(*MISSING_WHEEL)
