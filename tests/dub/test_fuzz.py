"""Anything that a network can answer to a dubbing client: a value or a `Failure`, and nothing else."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinch_tui.dub.client import DubClient
from pinch_tui.dub.events import Uploaded
from pinch_tui.dub.model import Address, Failure, Job, Result

pytestmark = pytest.mark.slow

KEY = "pk_canary_31415926535"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(KEY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
URLS = st.sampled_from(
    ["https://s.example/f?sig=0123456789abcdef", "http://127.0.0.1/f", "https://[", "//x", "https://a:99999/", "x:y"]
)
NAMES = """
    job_id id status progress stage error upload_url source_url url download_url result_url subtitles code message
    retry_after
""".split()
BODIES = (
    st.binary(max_size=80)
    | st.just(b"<html>sign in</html>")
    | st.just(b"[" * 50_000)
    | st.dictionaries(st.sampled_from(NAMES), URLS | JSON | st.sampled_from(["job_1", "completed", "failed"])).map(
        lambda fields: json.dumps(fields, allow_nan=True).encode("utf-8", "surrogatepass")
    )
)
FIELDS = b"Location Content-Type Content-Encoding Content-Length Retry-After Content-Range".split()
ODD = b"javascript:x //[ https://a.example/ gzip text/html -1 nan inf".split()
HEADERS = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.binary(max_size=30) | st.sampled_from([*ODD, b"9" * 400])), max_size=3
)
RAISED = [
    httpx.ConnectError("no"),
    httpx.ReadTimeout("no"),
    httpx.RemoteProtocolError("no"),
    httpx.DecodingError("no"),
    httpx.ProxyError("407"),
    httpx.InvalidURL("no"),
    ValueError("no"),
    UnicodeError("no"),
]
ANSWERS = st.lists(st.tuples(st.integers(100, 999), HEADERS, BODIES) | st.sampled_from(RAISED), min_size=1, max_size=4)


async def asked(client: DubClient, question: str) -> object:
    match question:
        case "address":
            return await client.address("a.mp4", "video/mp4")
        case "create":
            return await client.create("https://s.example/f", "es", "auto")
        case "job":
            return await client.job("job_1")
        case "result":
            return await client.result("job_1")
        case "upload":
            to = Address("https://s.example/up", "https://s.example/f")
            return await client.upload(to, io.BytesIO(b"abc"), 3, "video/mp4", lambda *_: None)
        case "download":
            return await client.download("https://s.example/r", lambda _kind: io.BytesIO(), lambda *_: None)
        case _:
            return await client.glance("https://mine.example/f")


@settings(max_examples=150)
@given(st.sampled_from(["address", "create", "job", "result", "upload", "download", "glance"]), ANSWERS)
@example("download", [(302, [(b"Location", b"//[")], b"")])
@example("glance", [(302, [(b"Location", b"javascript:x")], b"")])
@example("job", [(429, [(b"Retry-After", b"9" * 400)], b"{}")])
def test_any_answer(question: str, answers: list[Any]) -> None:
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        given_ = left.pop(0) if left else (503, [], b"")
        if isinstance(given_, Exception):
            raise given_
        status, fields, body = given_
        return httpx.Response(status, headers=fields, stream=httpx.ByteStream(body))

    async def ask() -> object:
        client = DubClient("https://api.example", KEY, transport=httpx.MockTransport(answer))
        try:
            return await asked(client, question)
        finally:
            await client.aclose()

    found = asyncio.run(ask())
    assert found is None or isinstance(found, Failure | Address | Job | Result | Uploaded | tuple)
    if isinstance(found, Failure):
        assert KEY not in f"{found.words}{found.cause}"
