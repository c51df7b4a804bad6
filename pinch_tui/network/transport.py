"""httpx over the way chosen for each URL.

A request to a URL that a service named limits how near its host may be: ``extensions=limited(scope)``.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http.cookiejar import CookieJar
from typing import Any, Final

import httpcore
import httpx

from pinch_tui import __version__
from pinch_tui.core.hosts import Scope, scope_of
from pinch_tui.network.proxy import Proxy, choose
from pinch_tui.network.targets import Resolve, addresses_of, check_host, checked_addresses, first_of, scope_reached
from pinch_tui.network.way import PROXY_LOGIN, UNTRUSTED, find, wants_login

_NEAREST: Final = "pinch_nearest"
_REACHED: Final = "pinch_reached"
_DEFAULT: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class NoCookies(CookieJar):
    """Keeps none and parses none, since some cannot be parsed or sent back."""

    def extract_cookies(self, response: Any, request: Any) -> None: ...


def client(
    transport: httpx.AsyncBaseTransport | None, timeout: httpx.Timeout | float, **hooks: list[Callable[..., Any]]
) -> httpx.AsyncClient:
    """A client that follows no redirects, keeps no cookies, reads no environment and accepts no compressed answers.

    ``transport`` defaults to `RoutedTransport`; ``hooks`` are httpx's event hooks.
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
    """The proxy for httpx; ``context`` is for connections to it over TLS."""
    return httpx.Proxy(proxy.url, ssl_context=context if proxy.kind == "https" else None)


def failure_of(exc: httpx.HTTPError) -> tuple[str, str]:
    """Why a request got no answer, and the cure; "" if there is nothing to do but check the network."""
    text = str(exc).lower()
    match exc:
        case httpx.TimeoutException():
            return "The service does not answer (time-out).", ""
        case httpx.ProxyError() if wants_login(exc):
            return "The proxy wants a user name and a password.", PROXY_LOGIN
        case httpx.ProxyError():
            return "The proxy refused the connection.", "Check HTTPS_PROXY."
        case httpx.ConnectError() if "certificate" in text or "ssl" in text:
            return "The service's certificate cannot be trusted.", UNTRUSTED
        case httpx.ConnectError() if (proxy := choose(str(exc.request.url), os.environ)) is not None:
            return f"Can't reach the proxy {proxy.address} ({proxy.source}).", f"Correct {proxy.source}."
        case httpx.ConnectError() if "name" in text or "getaddrinfo" in text or "nodename" in text:
            return "Can't reach the service (its name was not found).", ""
        case httpx.ConnectError():
            return "Can't reach the service (connection refused or no route).", ""
        case _:
            return "The connection to the service broke.", ""


def limited(nearest: Scope) -> dict[str, Any]:
    """The extensions of a request whose host must not be nearer than ``nearest``."""
    return {_NEAREST: nearest}


def scope_of_answer(response: httpx.Response) -> Scope:
    """How near the answering host is: judged by its address, or by its name behind a proxy or in tests."""
    reached = response.extensions.get(_REACHED)
    return reached if isinstance(reached, Scope) else scope_of(response.request.url.host)


async def first_bytes(response: httpx.Response, limit: int) -> bytes:
    """At most ``limit`` bytes of an answer; none if it is compressed, which was not requested."""
    body = bytearray()
    if not is_compressed(response):
        async for part in response.aiter_bytes():
            body += part
            if len(body) >= limit:
                break
    return bytes(body[:limit])


def is_compressed(response: httpx.Response) -> bool:
    return str(response.headers.get("Content-Encoding", "identity")).strip().lower() not in ("identity", "")


class RoutedTransport(httpx.AsyncBaseTransport):
    """Connection pools: one for each proxy, and for each scope to which direct connections are limited.

    Raises `TargetRefused`, and `ConfigError` if there is no usable way to a URL.
    """

    def __init__(
        self,
        *,
        limits: httpx.Limits = _DEFAULT,
        env: Mapping[str, str] = os.environ,
        resolve: Resolve = addresses_of,
    ) -> None:
        self._limits = limits
        self._env = env
        self._resolve = resolve
        self._pools: dict[tuple[Proxy | None, bool, Scope], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, nearest = str(request.url), request.extensions.get(_NEAREST, Scope.MACHINE)
        check_host(url, nearest)
        way = find(url, self._env)
        key = way.proxy, url.startswith("https:"), nearest
        if key not in self._pools:
            self._pools[key] = self._pool(way.proxy, way.context, nearest)
        response = await self._pools[key].handle_async_request(request)
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None and way.proxy is None else None
        if peer:
            response.extensions[_REACHED] = scope_reached(peer[0])
        return response

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    def _pool(self, proxy: Proxy | None, context: ssl.SSLContext, nearest: Scope) -> httpx.AsyncHTTPTransport:
        over = None if proxy is None else as_httpx(proxy, context)
        transport = httpx.AsyncHTTPTransport(verify=context, proxy=over, limits=self._limits, trust_env=False)
        if proxy is None:  # httpx has no argument for the backend
            transport._pool._network_backend = _Backend(nearest, self._resolve)
        return transport


class _Backend(httpcore.AnyIOBackend):
    """Looks a name up once and connects to the checked addresses."""

    def __init__(self, nearest: Scope, resolve: Resolve) -> None:
        self._nearest = nearest
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        connect = super().connect_tcp

        async def attempt(address: str) -> httpcore.AsyncNetworkStream:
            try:
                return await connect(address, port, None, local_address, socket_options)
            except httpcore.ConnectError as exc:
                raise OSError(str(exc)) from exc

        try:
            async with asyncio.timeout(timeout):
                addresses = await checked_addresses(host, port, self._nearest, self._resolve)
                return await first_of([partial(attempt, address) for address in addresses], _close)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc


async def _close(stream: httpcore.AsyncNetworkStream) -> None:
    await stream.aclose()
