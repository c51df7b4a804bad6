"""Whole files: what is sent, what an answer comes to, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.errors import AllocationError, ConfigError, CredentialError, InputFileError, LinkError, PinchError
from pinch_tui.services import batch
from pinch_tui.settings.model import CartesiaSettings, SessionSettings, Settings

WORDS = [
    {"word": "Good", "start": 0.0, "end": 0.3},
    {"word": "morning.", "start": 0.3, "end": 0.8},
    {"word": "How", "start": 1.0, "end": 1.1},
    {"word": "are", "start": 1.1, "end": 1.2},
    {"word": "you", "start": 2.5, "end": 2.9},
]


async def transcribe(path: Path, name: str, source: str, transport: httpx.AsyncBaseTransport) -> batch.FileText:
    settings = Settings(session=SessionSettings(source=source))
    return await batch.transcribe(path, name, settings, "sk_canary", "the test", transport=transport)


async def hear(
    tmp_path: Path, name: str, answer: httpx.Response | Exception, source: str = "en"
) -> tuple[object, list[httpx.Request]]:
    seen: list[httpx.Request] = []
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"ID3 sound")

    async def serve(request: httpx.Request) -> httpx.Response:
        await request.aread()
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    try:
        return await transcribe(path, name, source, httpx.MockTransport(serve)), seen
    except PinchError as exc:
        return exc, seen


async def test_cartesia_takes_a_form(tmp_path: Path) -> None:
    body = {
        "type": "transcript",
        "text": "Good morning. How are you",
        "language": "en",
        "duration": 3.0,
        "words": WORDS,
    }
    heard, (request,) = await hear(tmp_path, "cartesia", httpx.Response(200, json=body), "pt-BR")
    assert request.url == "https://api.cartesia.ai/stt"
    assert request.headers["Authorization"] == "Bearer sk_canary"
    assert request.headers["Cartesia-Version"] == "2026-03-01"
    sent = request.content
    assert b'name="file"; filename="talk.mp3"' in sent
    assert b"ID3 sound" in sent
    assert b"ink-whisper" in sent
    assert b"\r\n\r\npt\r\n" in sent
    assert isinstance(heard, batch.FileText)
    assert [(s.original, s.start_ms, s.end_ms) for s in heard.segments()] == [
        ("Good morning.", 0, 800),
        ("How are", 1000, 1200),
        ("you", 2500, 2900),
    ]


async def test_smallest_takes_the_bytes(tmp_path: Path) -> None:
    body = {"status": "success", "transcription": "Guten Morgen.", "metadata": {"duration": 2.0}}
    heard, (request,) = await hear(tmp_path, "smallest", httpx.Response(200, json=body), "ja")
    assert str(request.url).startswith("https://api.us.smallest.ai/waves/v1/stt/?model=pulse&language=ja")
    assert request.content == b"ID3 sound"
    assert isinstance(heard, batch.FileText)
    assert [(s.original, s.end_ms) for s in heard.segments()] == [("Guten Morgen.", 2000)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), CredentialError),
        (httpx.Response(402), CredentialError),
        (httpx.Response(400), AllocationError),
        (httpx.Response(500), AllocationError),
        (httpx.Response(302), AllocationError),
        (httpx.Response(200, text="<html>"), AllocationError),
        (httpx.ReadTimeout("slow"), LinkError),
        (httpx.ConnectError("no"), LinkError),
    ],
)
async def test_refusals(tmp_path: Path, answer: httpx.Response | Exception, kind: type) -> None:
    error, seen = await hear(tmp_path, "cartesia", answer)
    assert isinstance(error, kind)
    assert len(seen) == 1, "it costs"
    assert "canary" not in str(error)
    assert "are safe" not in str(error)


async def test_a_file_that_is_too_large_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(batch.LIMITS, "cartesia", 4)
    error, seen = await hear(tmp_path, "cartesia", httpx.Response(200))
    assert isinstance(error, InputFileError)
    assert seen == []


def test_what_no_model_hears_is_refused() -> None:
    with pytest.raises(ConfigError):
        batch.check("cartesia", Settings(session=SessionSettings(source="auto")))
    with pytest.raises(ConfigError):
        batch.check("smallest", Settings(session=SessionSettings(source="ta")))
    german = SessionSettings(source="de")
    batch.check("cartesia", Settings(session=german, cartesia=CartesiaSettings(model="ink-2")))


FIELDS = st.dictionaries(st.text(max_size=9), st.none() | st.text() | st.lists(st.integers()))


@given(st.binary(max_size=60) | FIELDS.map(lambda fields: json.dumps(fields).encode()))
def test_any_answer_is_read_or_none(body: bytes) -> None:
    heard = batch.parse(body)
    assert heard is None or isinstance(heard.segments(), tuple)


class Taking(httpx.AsyncBaseTransport):
    """Takes the body piece by piece, as a connection does."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.before, self.pieces, self.request = before, list[int](), httpx.Request("GET", "http://nowhere")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.before()
        self.request = request
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.pieces = [len(data) async for data in request.stream]
        return httpx.Response(200, json={"transcription": "Good morning."})


async def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    """Its length is announced: some servers take no body without."""
    path = tmp_path / "long.wav"
    path.write_bytes(bytes(1_000_000))
    taking = Taking()
    heard = await transcribe(path, "smallest", "en", taking)
    assert heard.text == "Good morning."
    assert sum(taking.pieces) == 1_000_000 and max(taking.pieces) <= 65_536
    assert taking.request.headers["Content-Length"] == "1000000"
    assert "Transfer-Encoding" not in taking.request.headers


async def test_a_file_that_gets_shorter_while_it_is_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(bytes(200_000))
    taking = Taking(before=lambda: path.write_bytes(b""))
    with pytest.raises(InputFileError, match=r"long\.wav cannot be read: it became shorter"):
        await transcribe(path, "smallest", "en", taking)
