"""The client against a mock transport: what is asked, of whom, and what a broken network comes to."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from pinch_tui.dub.client import CHUNK, DubClient
from pinch_tui.dub.events import Uploaded
from pinch_tui.dub.model import Address, Failure, Job, Result, Trouble
from pinch_tui.errors import CredentialError, UsageError

KEY = "pk_canary_31415926"
SIGNED = "https://store.example/up?X-Amz-Signature=signature_canary_27182"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Service:
    """Answers in order and remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    @property
    def client(self) -> DubClient:
        return DubClient("https://api.example", KEY, transport=httpx.MockTransport(self))


def unheard(_done: int, _total: int | None) -> None:
    """Progress of no interest."""


async def asked(answer: Answer) -> Job | Failure:
    service = Service(answer)
    client = service.client
    try:
        return await client.job("job_1")
    finally:
        await client.aclose()


# ---- questions ----------------------------------------------------------------------------------------------------


async def test_each_question_is_the_references() -> None:
    job = {"job_id": "job/1 ä", "status": "pending"}
    service = Service(
        httpx.Response(200, json={"upload_url": SIGNED, "source_url": "https://store.example/s"}),
        httpx.Response(201, json={"job_id": "job_1", "status": "pending"}),
        httpx.Response(200, json={**job, "job_id": "job_1"}),
        httpx.Response(200, json={"download_url": "https://store.example/m"}),
    )
    client = service.client
    assert await client.address("talk.mp4", "video/mp4") == Address(SIGNED, "https://store.example/s")
    assert isinstance(await client.create("https://store.example/s", "es", "auto"), Job)
    assert isinstance(await client.job("job_1"), Job)
    assert await client.result("job_1") == Result("https://store.example/m")
    await client.aclose()
    assert [(request.method, request.url.path) for request in service.requests] == [
        ("POST", "/api/dubbing/upload-url"),
        ("POST", "/api/dubbing/jobs"),
        ("GET", "/api/dubbing/jobs/job_1"),
        ("GET", "/api/dubbing/jobs/job_1/result"),
    ]
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in service.requests)
    assert json.loads(service.bodies[0]) == {"filename": "talk.mp4", "content_type": "video/mp4"}
    assert json.loads(service.bodies[1]) == {
        "source_url": "https://store.example/s",
        "target_lang": "es",
        "source_lang": "auto",
    }


async def test_a_jobs_name_is_one_part_of_the_path() -> None:
    service = Service(httpx.Response(404))
    client = service.client
    await client.job("../keys?x=1#y")
    await client.aclose()
    assert service.requests[0].url.raw_path == b"/api/dubbing/jobs/..%2Fkeys%3Fx%3D1%23y"


@pytest.mark.parametrize(
    ("cause", "trouble", "word"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), Trouble.UNSENT, "name"),
        (httpx.ConnectError("[Errno 111] Connection refused"), Trouble.UNSENT, "refused"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), Trouble.UNSENT, "certificate"),
        (httpx.ConnectTimeout("x"), Trouble.UNSENT, "time-out"),
        (httpx.PoolTimeout("x"), Trouble.UNSENT, "time-out"),
        (httpx.ProxyError("403 Forbidden"), Trouble.UNSENT, "proxy"),
        (httpx.ReadTimeout("x"), Trouble.LOST, "time-out"),
        (httpx.WriteTimeout("x"), Trouble.LOST, "time-out"),
        (httpx.WriteError("x"), Trouble.LOST, "broke"),
        (httpx.ReadError("x"), Trouble.LOST, "broke"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), Trouble.LOST, "broke"),
    ],
)
async def test_what_may_have_arrived_is_told_from_what_never_left(
    cause: Exception, trouble: Trouble, word: str
) -> None:
    failure = await asked(cause)
    assert isinstance(failure, Failure)
    assert failure.trouble is trouble and word in failure.cause and failure.is_passing


async def test_answers_that_are_none_of_the_services() -> None:
    for answer in (
        httpx.Response(200, html="<html>Log in</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, json={"job_id": "another_job", "status": "completed"}),
        httpx.Response(200, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
    ):
        failure = await asked(answer)
        assert isinstance(failure, Failure) and failure.trouble is Trouble.UNREADABLE


async def test_redirects_are_not_followed() -> None:
    service = Service(httpx.Response(302, headers={"Location": "https://evil.example/"}))
    client = service.client
    failure = await client.create("https://store.example/s", "es", "auto")
    await client.aclose()
    assert isinstance(failure, Failure) and failure.status == 302
    assert len(service.requests) == 1


async def test_an_upload_address_that_is_not_https_is_refused() -> None:
    for url in ("http://store.example/up", "http://127.0.0.1/up"):
        service = Service(httpx.Response(200, json={"upload_url": url, "source_url": "https://store.example/s"}))
        client = service.client
        assert await client.address("a", "b") == Failure(Trouble.UNREADABLE)
        await client.aclose()


async def test_nothing_secret_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    words = f"no {KEY} and signature_canary_27182"
    service = Service(
        httpx.Response(200, json={"upload_url": SIGNED, "source_url": "https://store.example/s"}),
        httpx.Response(403, text=f"<Error>{words}</Error>"),
        httpx.Response(400, json={"error": words}),
    )
    with caplog.at_level(logging.INFO, logger="pinch_tui"):
        client = service.client
        address = await client.address("talk.mp4", "video/mp4")
        assert isinstance(address, Address)
        answers = [
            await client.upload(address, io.BytesIO(b"x"), 1, "video/mp4", unheard),
            await client.create("https://store.example/s", "es", "auto"),
        ]
        await client.aclose()
    for text in (caplog.text, repr(answers), repr(client)):
        assert KEY not in text and "signature_canary" not in text


def test_a_key_that_cannot_be_sent() -> None:
    with pytest.raises(CredentialError) as caught:
        DubClient("https://api.example", "pk_canary\nX-Evil: 1")
    assert "canary" not in str(caught.value)


# ---- files --------------------------------------------------------------------------------------------------------


async def test_an_upload_is_streamed_with_the_very_content_type_and_without_the_key() -> None:
    data = bytes(range(256)) * (3 * CHUNK // 256) + b"end"
    heard: list[int] = []
    service = Service(httpx.Response(200))
    client = service.client
    done = await client.upload(
        Address(SIGNED, ""), io.BytesIO(data), len(data), "video/x-matroska", lambda n, _: heard.append(n)
    )
    await client.aclose()
    assert done == Uploaded()
    (request,) = service.requests
    assert request.method == "PUT" and str(request.url) == SIGNED
    assert service.bodies == [data]
    assert request.headers["Content-Type"] == "video/x-matroska"
    assert request.headers["Content-Length"] == str(len(data))
    assert "Transfer-Encoding" not in request.headers and "Authorization" not in request.headers
    assert heard == [CHUNK, 2 * CHUNK, 3 * CHUNK, len(data)]


async def test_a_file_that_shrinks_is_said() -> None:
    client = Service(httpx.Response(200)).client
    with pytest.raises(UsageError, match="became shorter"):
        await client.upload(Address(SIGNED, ""), io.BytesIO(b"x"), 2, "video/mp4", unheard)
    await client.aclose()


async def fetched(tmp_path: Path, *answers: Answer, limit: int | None = None) -> tuple[Failure | None, bytes, Service]:
    service = Service(*answers)
    client = service.client
    path = tmp_path / "fetched"
    path.write_bytes(b"")

    def begin(_kind: str) -> BinaryIO:
        return path.open("wb")

    failure = await client.download("https://store.example/m?s=1", begin, unheard, limit=limit)
    await client.aclose()
    return failure, path.read_bytes(), service


async def test_a_download_carries_no_key_and_follows_redirects(tmp_path: Path) -> None:
    failure, data, service = await fetched(
        tmp_path,
        httpx.Response(307, headers={"Location": "/elsewhere"}),
        httpx.Response(302, headers={"Location": "https://cdn.example/m"}),
        httpx.Response(200, content=b"media"),
    )
    assert (failure, data) == (None, b"media")
    assert [str(request.url) for request in service.requests] == [
        "https://store.example/m?s=1",
        "https://store.example/elsewhere",
        "https://cdn.example/m",
    ]
    assert not any("Authorization" in request.headers for request in service.requests)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"Location": "http://store.example/plain"}),
        httpx.Response(302, headers={"Location": "file:///etc/passwd"}),
        httpx.Response(302),
        httpx.Response(200, html="<!DOCTYPE html><html>Log in</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=gzip.compress(b"x"), headers={"Content-Encoding": "gzip"}),
        httpx.Response(200, content=b"far too much"),
        httpx.Response(403, text="expired"),
        httpx.ReadError("x"),
    ],
)
async def test_downloads_that_fail(tmp_path: Path, answer: Answer) -> None:
    failure, data, _ = await fetched(tmp_path, *([answer] * 5), limit=10)
    assert isinstance(failure, Failure) and data == b""


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [httpx.Response(206, content=b"ID3", headers={"Content-Range": "bytes 0-1023/14000000"})],
            (14_000_000, False),
        ),
        ([httpx.Response(200, content=b"ID3", headers={"Content-Type": "audio/mpeg"})], (3, False)),
        ([httpx.Response(200, html="<html>A player</html>")], (21, True)),
        ([httpx.Response(200, content=b"<!doctype html>")], (15, True)),
        ([httpx.Response(302, headers={"Location": "/watch"}), httpx.Response(200, html="<html></html>")], (13, True)),
        ([httpx.Response(403)], (0, False)),
        ([httpx.ConnectError("x")], (0, False)),
    ],
)
async def test_a_glance_at_a_url(answers: list[Answer], expected: tuple[int, bool]) -> None:
    service = Service(*answers)
    client = service.client
    assert await client.glance("https://example.org/talk.mp4") == expected
    await client.aclose()
    assert not any("Authorization" in request.headers for request in service.requests)


@pytest.mark.parametrize("location", [b"javascript:x", b"//[", b"http://a:99999/", b"\xff\xfe", b"x" * 70_000])
@pytest.mark.parametrize("cookie", [b"a=\xff; path=/", b"a=b; expires=\xff"])
async def test_odd_redirects_and_cookies_are_failures_and_spoil_nothing(location: bytes, cookie: bytes) -> None:
    odd = httpx.Response(302, headers=[(b"Location", location), (b"Set-Cookie", cookie)])
    assert isinstance(await asked(odd), Failure)
    service = Service(odd, httpx.Response(503, headers=[(b"Set-Cookie", cookie)]), httpx.Response(503))
    client = service.client
    for _ in range(3):
        assert isinstance(await client.job("job_1"), Failure)
    await client.aclose()
    assert all("Cookie" not in request.headers for request in service.requests)
