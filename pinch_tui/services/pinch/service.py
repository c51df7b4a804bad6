"""How Pinch and the practice service, which speaks the same interface on this machine, are made."""

from __future__ import annotations

import asyncio

from pinch_tui.network.way import check
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.pinch.traits import PINCH, PRACTICE
from pinch_tui.services.ports import Service, SessionApi
from pinch_tui.services.setup import LateSessionApi, ServiceSetup


def make(setup: ServiceSetup) -> Service:
    """Raises `ConfigError` if there is no usable way to the service."""
    base_url = setup.settings.api.base_url
    check(base_url)

    async def api() -> SessionApi:
        return await asyncio.to_thread(_api, base_url, setup.key, setup.key_place)

    return Service(PINCH, LateSessionApi(api), PinchConnector(setup.open_socket))


def make_practice(setup: ServiceSetup) -> Service:
    """The practice service starts with the first session, so that nothing on the screen waits for it."""

    async def api() -> SessionApi:
        return await asyncio.to_thread(_api, await setup.start_practice(), setup.practice_key, "practice")

    return Service(PRACTICE, LateSessionApi(api), PinchConnector(setup.open_socket))


def _api(base_url: str, key: str, key_place: str) -> SessionApi:
    from pinch_tui.services.pinch.api import HttpSessionApi

    return HttpSessionApi(base_url, key, key_place)
