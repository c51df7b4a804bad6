"""The dubbing service over httpx: five questions, one upload, one download.

The Bearer key goes to the base URL only, not to the storage that takes the upload or serves the result. Redirects of
the service are not followed. Answers are values: a failed request is a `Failure`, never an exception of httpx, and of
an answer only the service's cleaned words are repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import BinaryIO, Final
from urllib.parse import quote, urljoin, urlsplit

import httpx

from pinch_tui.core.hosts import Scope, is_loopback, scope_of
from pinch_tui.core.secrecy import secrets_of
from pinch_tui.dub.events import Uploaded
from pinch_tui.dub.model import Address, Failure, Job, Result, Trouble
from pinch_tui.dub.wire import (
    BODY_LIMIT,
    address_body,
    create_body,
    is_page,
    parse_address,
    parse_error,
    parse_job,
    parse_result,
)
from pinch_tui.errors import CredentialError, UsageError, why
from pinch_tui.network.targets import TargetRefused
from pinch_tui.network.transport import RoutedTransport, client, failure_of, limited, scope_of_answer
from pinch_tui.network.way import find as find_way

TIMEOUT: Final = httpx.Timeout(30.0, connect=15.0)
TRANSFER_TIMEOUT: Final = httpx.Timeout(60.0, connect=15.0)
"""For each piece of an upload or a download, not for the whole."""
CHUNK: Final = 262_144
"""Bytes of a recording in memory at a time."""
_REDIRECTS: Final = 5
_SHORTEST_SECRET: Final = 12
"""Shorter values of a signed URL, such as ``host`` and ``3600``, occur in any text."""
_OFFLINE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""No connection was made, so nothing of the request was sent."""

OnProgress = Callable[[int, int | None], None]
"""Takes the bytes so far and the total, None if it is unknown."""


class DubClient:
    """Speaks to the service at ``base_url`` with ``key``. ``transport`` is for tests."""

    def __init__(self, base_url: str, key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._jobs = f"{base_url}/api/dubbing/jobs"
        self._upload_url = f"{base_url}/api/dubbing/upload-url"
        self._key = key.strip()
        self._is_local = is_loopback(urlsplit(base_url).hostname)
        self._nearest = scope_of(urlsplit(base_url).hostname or "")
        """How near to us the hosts may be that the service names: no nearer than where its last answer came from."""
        self._secrets: list[str] = [self._key]
        if not self._key.isascii() or not self._key.isprintable():
            raise CredentialError("The API key holds characters that cannot be sent.", "Copy it again.")
        if transport is None:
            find_way(self._jobs)  # raises what cannot work at once
            # On a reused connection that has died, a request looks as if it may have arrived.
            transport = RoutedTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._client = client(transport, TIMEOUT)

    def __repr__(self) -> str:
        return f"DubClient({self._jobs!r})"

    async def aclose(self) -> None:
        await self._client.aclose()

    # -- questions

    async def address(self, filename: str, content_type: str) -> Address | Failure:
        """An address to upload a file to."""
        answer = await self._ask("POST", self._upload_url, address_body(filename, content_type))
        if isinstance(answer, Failure):
            return answer
        address = parse_address(answer)
        if address is not None:
            self._keep_secret(address.upload_url, address.source_url)
        if address is None or not self._is_allowed(address.upload_url):
            return Failure(Trouble.UNREADABLE)
        return address

    async def create(self, source_url: str, target: str, source: str) -> Job | Failure:
        """Ask for a job. Sent once."""
        self._keep_secret(source_url)
        answer = await self._ask("POST", self._jobs, create_body(source_url, target, source))
        return answer if isinstance(answer, Failure) else parse_job(answer) or Failure(Trouble.UNREADABLE)

    async def job(self, job_id: str) -> Job | Failure:
        """How a job stands."""
        answer = await self._ask("GET", f"{self._jobs}/{quote(job_id, safe='')}")
        if isinstance(answer, Failure):
            return answer
        job = parse_job(answer, self._secrets)
        if job is not None:
            self._keep_secret(job.subtitles_original, job.subtitles_translated)
        return job if job is not None and job.id == job_id else Failure(Trouble.UNREADABLE)

    async def result(self, job_id: str) -> Result | Failure:
        """A fresh link to a job's result."""
        answer = await self._ask("GET", f"{self._jobs}/{quote(job_id, safe='')}/result")
        if isinstance(answer, Failure):
            return answer
        result = parse_result(answer)
        if result is not None:
            self._keep_secret(result.link)
        return Failure(Trouble.UNREADABLE) if result is None else result

    async def _ask(self, method: str, url: str, body: Mapping[str, object] | None = None) -> bytes | Failure:
        """The body of a 2xx answer."""
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            async with self._client.stream(method, url, json=body, headers=headers) as response:
                content = await _read(response, BODY_LIMIT)
                self._nearest = scope_of_answer(response)
        except httpx.HTTPError as exc:
            return _broken(exc)
        except (httpx.InvalidURL, ValueError):
            return Failure(Trouble.UNREADABLE)
        if response.is_success:
            return content
        retry_after = response.headers.get("Retry-After", "")
        return parse_error(response.status_code, content, retry_after, self._secrets)

    # -- files

    async def upload(
        self, address: Address, file: BinaryIO, size: int, content_type: str, on_progress: OnProgress
    ) -> Uploaded | Failure:
        """Put ``size`` bytes of an open file there, from its beginning, a piece at a time.

        Raises `UsageError` when the file has become shorter or cannot be read.
        """
        headers = {"Content-Type": content_type, "Content-Length": str(size), "Accept": "*/*"}
        try:
            async with self._client.stream(
                "PUT",
                address.upload_url,
                content=_pieces(file, size, on_progress),
                headers=headers,
                timeout=TRANSFER_TIMEOUT,
                extensions=limited(self._nearest),
            ) as response:
                content = await _read(response, BODY_LIMIT)
        except httpx.HTTPError as exc:
            return _broken(exc)
        except (httpx.InvalidURL, ValueError):
            return Failure(Trouble.UNREADABLE)
        except TargetRefused as exc:
            return Failure(Trouble.UNREADABLE, cause=exc.title)
        if response.is_success:
            return Uploaded()
        return parse_error(response.status_code, content, secrets=self._secrets)

    async def download(
        self, link: str, begin: Callable[[str], BinaryIO], on_progress: OnProgress, *, limit: int | None = None
    ) -> Failure | None:
        """Fetch what a link gives, without the key. ``begin`` takes the content type and opens the file.

        A web page counts as no result. Raises OSError when the file cannot be written.
        """
        for _ in range(_REDIRECTS):
            if not self._is_allowed(link):
                return Failure(Trouble.UNREADABLE)
            try:
                async with self._client.stream(
                    "GET",
                    link,
                    headers={"Accept": "*/*"},
                    timeout=TRANSFER_TIMEOUT,
                    extensions=limited(self._nearest),
                ) as response:
                    if response.is_redirect:
                        link = urljoin(link, response.headers.get("Location", ""))
                        continue
                    return await _save(response, begin, on_progress, limit, self._secrets)
            except httpx.HTTPError as exc:
                return _broken(exc)
            except (httpx.InvalidURL, ValueError):
                return Failure(Trouble.UNREADABLE)
            except TargetRefused as exc:
                return Failure(Trouble.UNREADABLE, cause=exc.title)
        return Failure(Trouble.UNREADABLE)

    async def glance(self, url: str) -> tuple[int, bool]:
        """What stands at a public URL: its size (0: not told) and whether it is a web page.

        Asks for the first bytes, without the key. A URL that cannot be reached from here may be reachable for the
        service, so this is no failure.
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
                    beginning = await _read(response, 1_024)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, TargetRefused):
                return 0, False
            whole = response.headers.get("Content-Range", "").rpartition("/")[2]
            length = whole if response.status_code == 206 else response.headers.get("Content-Length", "")
            size = int(length) if length.isdigit() and len(length) < 16 else 0
            return size, is_page(response.headers.get("Content-Type", ""), beginning)
        return 0, False

    def _keep_secret(self, *urls: str) -> None:
        """Remember signed URLs and their signatures, since the service may repeat them in its words."""
        for url in urls:
            fresh = [secret for secret in secrets_of(url) if secret not in self._secrets]
            self._secrets += [secret for secret in fresh if len(secret) >= _SHORTEST_SECRET]
        del self._secrets[1:-200]

    def _is_allowed(self, url: str) -> bool:
        """Recordings travel over https, or between programs of this machine."""
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
            raise UsageError(f"The recording cannot be read any more: {why(exc)}.") from exc
        if not piece:
            raise UsageError(
                "The recording became shorter while it was being uploaded.", "Try again when it is complete."
            )
        yield piece
        sent += len(piece)
        on_progress(sent, size)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The first bytes of an answer; none of one that is compressed against our wish."""
    if _is_packed(response):
        return b""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) >= limit:
            break
    return bytes(body[:limit])


async def _save(
    response: httpx.Response,
    begin: Callable[[str], BinaryIO],
    on_progress: OnProgress,
    limit: int | None,
    secrets: Iterable[str],
) -> Failure | None:
    if not response.is_success:
        content = await _read(response, BODY_LIMIT)
        return parse_error(response.status_code, content, secrets=secrets)
    kind = response.headers.get("Content-Type", "")
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() and len(length) < 16 else None
    if _is_packed(response) or (limit is not None and (total or 0) > limit):
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
        if file is None:  # an empty file is no result
            return Failure(Trouble.UNREADABLE)
    return None


def _is_packed(response: httpx.Response) -> bool:
    return str(response.headers.get("Content-Encoding", "identity")).strip().lower() not in ("identity", "")


def _broken(exc: httpx.HTTPError) -> Failure:
    cause = " ".join(failure_of(exc)).strip()
    return Failure(Trouble.UNSENT if isinstance(exc, _OFFLINE) else Trouble.LOST, cause=cause)
