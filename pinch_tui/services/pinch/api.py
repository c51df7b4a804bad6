"""Session allocation over httpx: ``GET /v1/session``.

The Bearer key goes into this one request and nowhere else. Redirects are not followed and cookies not kept. At most
64 KiB of an answer are read, uncompressed, so that no small answer can unpack to a huge one. Errors of httpx become
ours here, and repeat nothing from an answer but the service's cleaned words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

import httpx

from pinch_tui.core.events import SessionParams
from pinch_tui.core.service_words import of_body
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import AllocationError, CredentialError
from pinch_tui.network.transport import client, failure_of, first_bytes, scope_of_answer
from pinch_tui.network.way import find as find_way
from pinch_tui.network.way import wants_login
from pinch_tui.services.pinch.protocol import parse_allocation, query
from pinch_tui.services.pinch.traits import REFUSALS
from pinch_tui.services.refusals import Refusals

TIMEOUT_S: Final = 10.0
_MAX_BODY: Final = 65_536
_LOGIN_PAGE: Final = (
    "This network probably has a login page: open a browser and sign in. If not, check "
    "api.base_url. Your words are safe."
)


class _Redirect(Exception):
    """A redirect, caught before httpx parses its target, which can be anything."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _refuse_redirects(response: httpx.Response) -> None:
    if 300 <= response.status_code < 400:
        raise _Redirect(response.status_code)


class HttpSessionApi:
    """Allocates sessions at ``base_url`` with ``key``; ``key_place`` is named when the key is refused."""

    PATH: ClassVar = "/v1/session"
    REFUSALS: ClassVar[Refusals] = REFUSALS

    def __init__(
        self, base_url: str, key: str, key_place: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``transport`` is for tests. Raises `ConfigError` if there is no usable way to the service."""
        self._url = base_url + self.PATH
        self._key = key.strip()
        self._key_place = key_place
        if transport is None:
            find_way(self._url)
        self._client = client(transport, TIMEOUT_S, response=[_refuse_redirects])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def allocate(self, params: SessionParams) -> Allocation:
        if not self._key:
            raise CredentialError("There is no API key.", "Set one: pinch-tui key set, or use --practice.")
        try:
            request = self._request(params, {"Authorization": f"Bearer {self._key}"})
        except (ValueError, httpx.InvalidURL) as exc:
            raise CredentialError(
                "The API key contains characters that cannot be sent.", f"Check the key from {self._key_place}."
            ) from exc.with_traceback(None)
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await first_bytes(response, _MAX_BODY)
            finally:
                await response.aclose()
        except _Redirect as exc:
            raise _foreign("The network answered with a redirect ({}) instead of the service.", exc.status) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, OverflowError) as exc:
            raise _unreachable(exc) from None
        status = response.status_code
        is_html = response.headers.get("Content-Type", "").strip().lower().startswith("text/html")
        is_success = 200 <= status < 300
        if not is_success and not (is_html and 400 <= status < 429):
            raise self.REFUSALS.error(self._key_place, status, of_body(body, (self._key,))[1])
        parsed = self._parse(body, params) if status == 200 else None
        if parsed is None and (is_html or body.lstrip()[:1] == b"<"):
            raise _foreign("A web page answered instead of the service ({}).", status)
        if parsed is None:
            raise AllocationError(
                "The service's answer could not be read.",
                "Check that the base URL is the service's. Your words are safe.",
                status=status,
                retryable=True,
                is_foreign=True,
            )
        return replace(parsed, nearest=scope_of_answer(response))

    def _request(self, params: SessionParams, headers: dict[str, str]) -> httpx.Request:
        return self._client.build_request("GET", self._url, params=dict(query(params)), headers=headers)

    def _parse(self, body: bytes, params: SessionParams) -> Allocation | None:
        """The session in the answer; None if it cannot be read."""
        return parse_allocation(body)

    async def aclose(self) -> None:
        await self._client.aclose()


def _foreign(title: str, status: int) -> AllocationError:
    """Something else answered in the service's place."""
    return AllocationError(title.format(status), _LOGIN_PAGE, status=status, retryable=True, is_foreign=True)


def _unreachable(exc: Exception) -> AllocationError:
    if not isinstance(exc, httpx.HTTPError):
        hint = "Check HTTPS_PROXY and api.base_url; your words are safe."
        return AllocationError("The service cannot be reached.", hint, status=None, retryable=True)
    title, cure = failure_of(exc)
    needs_login = isinstance(exc, httpx.ProxyError) and wants_login(exc)
    hint = f"{cure or 'Check your network.'} Your words are safe."
    return AllocationError(title, hint, status=407 if needs_login else None, retryable=not needs_login)
