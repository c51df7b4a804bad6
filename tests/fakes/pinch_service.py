"""Pinch's service as the tests' engines take it: the real adapters, at an address of the test's."""

from __future__ import annotations

from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.pinch.traits import PINCH
from pinch_tui.services.ports import Connector, Service
from pinch_tui.services.socket import open_socket


def pinch(base_url: str, key: str = "pk_test", *, connector: Connector | None = None) -> Service:
    """Sessions of the service at ``base_url``."""
    return Service(PINCH, HttpSessionApi(base_url, key, "the test"), connector or PinchConnector(open_socket))
