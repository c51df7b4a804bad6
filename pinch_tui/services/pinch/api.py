"""Session allocation: ``GET /v1/session`` over httpx.

The Bearer key goes into this one request and nowhere else: over https, or to loopback. Redirects are not followed,
cookies are not kept. Answers are asked for uncompressed and read up to 64 KiB, so that no small answer can unpack to a
huge one. Errors of httpx become ours here, and repeat nothing from an answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

import httpx

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.said import of_body
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import AllocationError, CredentialError, LinkError, PinchError
from pinch_tui.network.targets import REPORT, check_host
from pinch_tui.network.transport import client, failure_of, scope_of_answer
from pinch_tui.network.way import find as find_way
from pinch_tui.network.way import wants_login
from pinch_tui.services.pinch.address import check_base_url
from pinch_tui.services.pinch.protocol import parse_allocation, query

TIMEOUT_S = 10.0
_MAX_BODY = 65_536
_LOGIN_PAGE = (
    "This network probably has a login page: open a browser and sign in. If not, check "
    "api.base_url. Your words are safe."
)


class _ForeignRedirect(Exception):
    """A redirect, caught before its target is parsed, which may be anything."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _refuse_redirects(response: httpx.Response) -> None:
    if 300 <= response.status_code < 400:
        raise _ForeignRedirect(response.status_code)


def check_target(ws_url: str, nearest: Scope) -> None:
    """Raises `LinkError` for a socket that a service may not send us to, as its URL is written.

    Only a service on this machine may name a socket without TLS.
    """
    try:
        parts = urlsplit(ws_url)
        is_safe = bool(parts.hostname) and (parts.scheme == "wss" or nearest is Scope.MACHINE)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise LinkError("The service gave a socket address that is not safe to use.", REPORT)
    check_host(ws_url, nearest)


class HttpSessionApi:
    """Allocates sessions at ``base_url`` with ``key``; ``key_source`` is named when the key is refused."""

    PATH: ClassVar = "/v1/session"

    def __init__(
        self,
        base_url: str,
        key: str,
        key_source: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``transport`` is for tests."""
        self._url = check_base_url(base_url) + self.PATH
        self._key = key.strip()
        self._key_source = key_source
        if transport is None:
            find_way(self._url)  # so that what cannot work is raised at once
        self._client = client(transport, TIMEOUT_S, response=[_refuse_redirects])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def allocate(self, params: SessionParams) -> Allocation:
        """One session for these parameters. Raises `CredentialError` and `AllocationError`."""
        if not self._key:
            raise CredentialError("There is no API key.", "Set one: pinch-tui key set, or use --practice.")
        try:
            headers = {"Authorization": f"Bearer {self._key}"}
            request = self._request(params, headers)
        except (ValueError, httpx.InvalidURL) as exc:
            raise CredentialError(
                "The API key holds characters that cannot be sent.", f"Check the key from {self._key_source}."
            ) from exc.with_traceback(None)
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await _read(response)
            finally:
                await response.aclose()
        except _ForeignRedirect as exc:
            title = f"The network answered with a redirect ({exc.status}) instead of the service."
            raise _foreign(title, exc.status) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, OverflowError) as exc:
            raise _unreachable(exc) from None
        status = response.status_code
        is_html = response.headers.get("Content-Type", "").strip().lower().startswith("text/html")
        if not 200 <= status < 300:
            if is_html and 400 <= status < 429:
                raise _foreign(f"A web page answered instead of the service ({status}).", status)
            error = self._refused(status)
            error.words = of_body(body, (self._key,))[1]
            raise error
        parsed = self._parse(body) if status == 200 else None
        if parsed is None and (is_html or body.lstrip()[:1] == b"<"):
            raise _foreign(f"A web page answered instead of the service ({status}).", status)
        if parsed is None:
            raise AllocationError(
                "The service's answer could not be read.",
                "Is the base URL that of the service? Your words are safe.",
                status=status,
                retryable=True,
                is_foreign=True,
            )
        nearest = scope_of_answer(response)
        try:
            check_target(parsed.ws_url, nearest)
        except LinkError as exc:
            raise AllocationError(exc.title, exc.hint, status=None, retryable=False) from None
        return replace(parsed, nearest=nearest)

    def _request(self, params: SessionParams, headers: dict[str, str]) -> httpx.Request:
        return self._client.build_request("GET", self._url, params=dict(query(params)), headers=headers)

    def _parse(self, body: bytes) -> Allocation | None:
        """The session in the answer; None when it cannot be read."""
        return parse_allocation(body)

    async def aclose(self) -> None:
        await self._client.aclose()

    @property
    def _cure(self) -> str:
        # The next start would find the same key first.
        return "change that variable" if "environment" in self._key_source else "run pinch-tui key set"

    def _refused(self, status: int) -> PinchError:
        if status == 401:
            return CredentialError(
                f"The service refused the API key from {self._key_source} (401).",
                f"The developer portal gives keys; {self._cure} for another one. Your words are safe.",
                status=status,
            )
        if status == 403:
            return CredentialError(
                f"The API key from {self._key_source} may not use real-time translation (403).",
                "The key is valid but not entitled; ask support@startpinch.com. Your words are safe.",
                status=status,
            )
        is_passing = status == 429 or status >= 500
        return AllocationError("", status=status, retryable=is_passing)


async def _read(response: httpx.Response) -> bytes:
    """The first bytes of the answer; none of one that is compressed against our wish, which is not unpacked."""
    body = bytearray()
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _MAX_BODY:
            break
    return bytes(body[:_MAX_BODY])


def _foreign(title: str, status: int) -> AllocationError:
    return AllocationError(title, _LOGIN_PAGE, status=status, retryable=True, is_foreign=True)


def _unreachable(exc: Exception) -> AllocationError:
    if not isinstance(exc, httpx.HTTPError):
        hint = "Check HTTPS_PROXY and api.base_url; your words are safe."
        return AllocationError("The service cannot be asked.", hint, status=None, retryable=True)
    title, cure = failure_of(exc)
    needs_login = isinstance(exc, httpx.ProxyError) and wants_login(exc)
    hint = f"{cure or 'Check your network.'} Your words are safe."
    return AllocationError(title, hint, status=407 if needs_login else None, retryable=not needs_login)
