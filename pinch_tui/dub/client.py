"""The dubbing service's HTTP interface.

The Bearer key is sent to the base URL only, never to the storage that takes the upload or serves the result. Redirects
of the service are not followed. A failed request is returned as a `Failure` instead of raising httpx's exceptions, and
error messages repeat nothing but the service's cleaned words.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import BinaryIO, Final, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx

from pinch_tui.core.hosts import Scope, is_loopback, scope_of
from pinch_tui.core.secrecy import secrets_of
from pinch_tui.dub.events import Uploaded
from pinch_tui.dub.model import Address, Failure, Job, Result, Trouble
from pinch_tui.dub.wire import BODY_LIMIT, address_body, is_page, parse_address, parse_error, parse_job, parse_result
from pinch_tui.errors import CredentialError, UsageError, why
from pinch_tui.network.targets import TargetRefused
from pinch_tui.network.transport import (
    RoutedTransport,
    client,
    failure_of,
    first_bytes,
    is_compressed,
    limited,
    scope_of_answer,
)
from pinch_tui.network.way import find as find_way

TIMEOUT: Final = httpx.Timeout(30.0, connect=15.0)
TRANSFER_TIMEOUT: Final = httpx.Timeout(60.0, connect=15.0)
"""For each piece of an upload or a download, not for all of it."""
CHUNK: Final = 262_144
"""Bytes of a recording in memory at a time."""
_REDIRECTS: Final = 5
_SHORTEST_SECRET: Final = 12
"""Shorter values in a signed URL, such as ``host`` and ``3600``, occur in any text."""
_OFFLINE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Errors without a connection: no part of the request was sent."""

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total, which is None if unknown."""
T = TypeVar("T")


class DubClient:
    """A client of the service at ``base_url``. ``transport`` replaces the network, in a rehearsal and in tests."""

    def __init__(self, base_url: str, key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._jobs = f"{base_url}/api/dubbing/jobs"
        self._upload_url = f"{base_url}/api/dubbing/upload-url"
        self._key = key.strip()
        self._is_local = is_loopback(urlsplit(base_url).hostname)
        self._nearest = scope_of(urlsplit(base_url).hostname or "")
        """Hosts named by the service must not be nearer to this machine than the source of its last answer."""
        self._secrets: list[str] = [self._key]
        if not self._key.isascii() or not self._key.isprintable():
            raise CredentialError("The API key contains characters that cannot be sent.", "Copy it again.")
        if transport is None:
            find_way(self._jobs)  # raises at once for a proxy or certificates that cannot work
            # A request on a reused connection that has died looks as if it might have arrived.
            transport = RoutedTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._client = client(transport, TIMEOUT)

    def __repr__(self) -> str:
        return f"DubClient({self._jobs!r})"

    async def aclose(self) -> None:
        await self._client.aclose()

    # -- requests

    async def address(self, filename: str, content_type: str) -> Address | Failure:
        """An address to upload a file to."""
        answer = await self._ask("POST", self._upload_url, parse_address, address_body(filename, content_type))
        if isinstance(answer, Failure):
            return answer
        self._keep_secret(answer.upload_url, answer.source_url)
        return answer if self._is_allowed(answer.upload_url) else Failure(Trouble.UNREADABLE)

    async def create(self, source_url: str, target: str, source: str) -> Job | Failure:
        """Request a job. Never repeated by itself."""
        self._keep_secret(source_url)
        body = {"source_url": source_url, "target_lang": target, "source_lang": source}
        return await self._ask("POST", self._jobs, parse_job, body)

    async def job(self, job_id: str) -> Job | Failure:
        """The state of a job."""
        url = f"{self._jobs}/{quote(job_id, safe='')}"
        answer = await self._ask("GET", url, lambda body: parse_job(body, self._secrets))
        if isinstance(answer, Failure):
            return answer
        self._keep_secret(answer.subtitles_original, answer.subtitles_translated)
        return answer if answer.id == job_id else Failure(Trouble.UNREADABLE)

    async def result(self, job_id: str) -> Result | Failure:
        """A fresh link to a job's result."""
        answer = await self._ask("GET", f"{self._jobs}/{quote(job_id, safe='')}/result", parse_result)
        if isinstance(answer, Result):
            self._keep_secret(answer.link)
        return answer

    async def _ask(
        self, method: str, url: str, parse: Callable[[bytes], T | None], body: Mapping[str, object] | None = None
    ) -> T | Failure:
        """The parsed body of a 2xx answer."""

        async def ask() -> T | Failure:
            headers = {"Authorization": f"Bearer {self._key}"}
            async with self._client.stream(method, url, json=body, headers=headers) as response:
                content = await first_bytes(response, BODY_LIMIT)
                self._nearest = scope_of_answer(response)
            if response.is_success:
                parsed = parse(content)
                return Failure(Trouble.UNREADABLE) if parsed is None else parsed
            retry_after = response.headers.get("Retry-After", "")
            return parse_error(response.status_code, content, retry_after, self._secrets)

        return await _caught(ask())

    # -- files

    async def upload(
        self, address: Address, file: BinaryIO, size: int, content_type: str, on_progress: OnProgress
    ) -> Uploaded | Failure:
        """Upload the first ``size`` bytes of an open file, piece by piece.

        Raises `UsageError` if the file has become shorter or cannot be read.
        """

        async def upload() -> Uploaded | Failure:
            async with self._client.stream(
                "PUT",
                address.upload_url,
                content=_pieces(file, size, on_progress),
                headers={"Content-Type": content_type, "Content-Length": str(size), "Accept": "*/*"},
                timeout=TRANSFER_TIMEOUT,
                extensions=limited(self._nearest),
            ) as response:
                content = await first_bytes(response, BODY_LIMIT)
            if response.is_success:
                return Uploaded()
            return parse_error(response.status_code, content, secrets=self._secrets)

        return await _caught(upload())

    async def download(
        self, link: str, begin: Callable[[str], BinaryIO], on_progress: OnProgress, *, limit: int | None = None
    ) -> Failure | None:
        """Download a link without the key. ``begin`` takes the content type and opens the file.

        A web page is a failure. Raises OSError if the file cannot be written.
        """

        async def download() -> Failure | None:
            url = link
            for _ in range(_REDIRECTS):
                if not self._is_allowed(url):
                    break
                async with self._client.stream(
                    "GET",
                    url,
                    headers={"Accept": "*/*"},
                    timeout=TRANSFER_TIMEOUT,
                    extensions=limited(self._nearest),
                ) as response:
                    if not response.is_redirect:
                        return await _save(response, begin, on_progress, limit, self._secrets)
                    url = urljoin(url, response.headers.get("Location", ""))
            return Failure(Trouble.UNREADABLE)

        return await _caught(download())

    async def glance(self, url: str) -> tuple[int, bool]:
        """The size of the media at a public URL (0 if unknown), and whether it is a web page instead.

        Requests the first bytes without the key. An error is not a failure: the service may be able to reach a URL
        that cannot be reached from here.
        """
        nearest = Scope.MACHINE
        for _ in range(_REDIRECTS):
            try:
                headers = {"Range": "bytes=0-1023", "Accept": "*/*"}
                async with self._client.stream("GET", url, headers=headers, extensions=limited(nearest)) as response:
                    if response.is_redirect:
                        nearest = min(nearest, scope_of_answer(response))
                        url = urljoin(url, response.headers.get("Location", ""))
                        continue
                    if not response.is_success:
                        return 0, False
                    beginning = await first_bytes(response, 1_024)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, TargetRefused):
                return 0, False
            whole = response.headers.get("Content-Range", "").rpartition("/")[2]
            size = _number(whole) if response.status_code == 206 else _length(response)
            return size or 0, is_page(response.headers.get("Content-Type", ""), beginning)
        return 0, False

    def _keep_secret(self, *urls: str) -> None:
        """Remember signed URLs and their signatures, since the service might repeat them in its words."""
        for url in urls:
            fresh = [secret for secret in secrets_of(url) if secret not in self._secrets]
            self._secrets += [secret for secret in fresh if len(secret) >= _SHORTEST_SECRET]
        del self._secrets[1:-200]

    def _is_allowed(self, url: str) -> bool:
        """Recordings are sent over https only, or between programs on this machine."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and self._is_local and is_loopback(host))


# ---- bodies -------------------------------------------------------------------------------------------------------


async def _pieces(file: BinaryIO, size: int, on_progress: OnProgress) -> AsyncIterator[bytes]:
    file.seek(0)
    sent = 0
    while sent < size:
        try:
            piece = await asyncio.to_thread(file.read, min(CHUNK, size - sent))
        except OSError as exc:
            raise UsageError(f"The recording can no longer be read: {why(exc)}.") from exc
        if not piece:
            raise UsageError("The recording became shorter during the upload.", "Try again when it is complete.")
        yield piece
        sent += len(piece)
        on_progress(sent, size)


async def _save(
    response: httpx.Response,
    begin: Callable[[str], BinaryIO],
    on_progress: OnProgress,
    limit: int | None,
    secrets: Iterable[str],
) -> Failure | None:
    if not response.is_success:
        content = await first_bytes(response, BODY_LIMIT)
        return parse_error(response.status_code, content, secrets=secrets)
    kind = response.headers.get("Content-Type", "")
    total = _length(response)
    if is_compressed(response) or (limit is not None and (total or 0) > limit):
        return Failure(Trouble.UNREADABLE)
    file: BinaryIO | None = None
    received = 0
    with contextlib.ExitStack() as stack:
        async for part in response.aiter_bytes(CHUNK):
            if file is None:
                if is_page(kind, part):
                    return Failure(Trouble.UNREADABLE)
                file = stack.enter_context(begin(kind))
            received += len(part)
            if limit is not None and received > limit:
                return Failure(Trouble.UNREADABLE)
            await asyncio.to_thread(file.write, part)
            on_progress(received, total)
    return None if file is not None else Failure(Trouble.UNREADABLE)  # an empty file is not a result


def _length(response: httpx.Response) -> int | None:
    return _number(response.headers.get("Content-Length", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 16 else None


async def _caught(request: Awaitable[T | Failure]) -> T | Failure:
    """The request's outcome, with exceptions turned into a `Failure`."""
    try:
        return await request
    except httpx.HTTPError as exc:
        trouble = Trouble.UNSENT if isinstance(exc, _OFFLINE) else Trouble.LOST
        return Failure(trouble, cause=" ".join(failure_of(exc)).strip())
    except (httpx.InvalidURL, ValueError):
        return Failure(Trouble.UNREADABLE)
    except TargetRefused as exc:
        return Failure(Trouble.UNREADABLE, cause=exc.title)
