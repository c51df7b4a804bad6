"""httpx over the way that is chosen for each URL."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any, Final

import httpx

from pinch_tui import __version__
from pinch_tui.network.proxy import Proxy
from pinch_tui.network.way import find

_DEFAULT: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class NoCookies(CookieJar):
    """Keeps none, and reads none, since some cannot be read or sent back."""

    def extract_cookies(self, response: Any, request: Any) -> None: ...


def client(
    transport: httpx.AsyncBaseTransport | None, timeout: httpx.Timeout | float, **hooks: list[Callable[..., Any]]
) -> httpx.AsyncClient:
    """A client that follows no redirects, keeps no cookies, reads no environment, and takes no compressed answers.

    ``transport`` None: over the way that is chosen for each URL. ``hooks`` are httpx's event hooks.
    """
    return httpx.AsyncClient(
        transport=transport or RoutedTransport(),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        cookies=NoCookies(),
        event_hooks=hooks,
        headers={
            "User-Agent": f"pinch-tui/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
    )


def as_httpx(proxy: Proxy, context: ssl.SSLContext) -> httpx.Proxy:
    """The proxy as httpx takes it; ``context`` is for one that is spoken to in TLS."""
    return httpx.Proxy(proxy.url, ssl_context=context if proxy.kind == "https" else None)


class RoutedTransport(httpx.AsyncBaseTransport):
    """One connection pool a proxy, and one without.

    Raises `ConfigError` where the way to a URL cannot be used.
    """

    def __init__(self, *, limits: httpx.Limits = _DEFAULT, env: Mapping[str, str] = os.environ) -> None:
        self._limits = limits
        self._env = env
        self._pools: dict[tuple[Proxy | None, bool], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pool(str(request.url)).handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    def _pool(self, url: str) -> httpx.AsyncHTTPTransport:
        way = find(url, self._env)
        key = way.proxy, url.startswith("https:")
        if key not in self._pools:
            proxy = None if way.proxy is None else as_httpx(way.proxy, way.context)
            self._pools[key] = httpx.AsyncHTTPTransport(
                verify=way.context, proxy=proxy, limits=self._limits, trust_env=False
            )
        return self._pools[key]
