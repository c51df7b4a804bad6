"""The plainest possible client of the service: stdlib and websockets, nothing of the package but the server."""

from __future__ import annotations

import array
import asyncio
import itertools
import json
import math
import struct
import urllib.error
import urllib.request
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from pinch_tui.services.practice.service import PracticeOptions, PracticeService


def allocate(base: str, query: str = "", key: str = "pk_any") -> dict[str, Any]:
    request = urllib.request.Request(f"{base}/v1/session?{query}", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def voiced(seconds: float) -> bytes:
    """Something that an energy gate takes for speech: a hum with syllables."""
    samples = (
        int(8000 * max(0.0, math.sin(2 * math.pi * 3 * n / 16000)) * math.sin(2 * math.pi * 180 * n / 16000))
        for n in range(int(seconds * 16000))
    )
    return array.array("h", samples).tobytes()


def frames(pcm: bytes) -> list[bytes]:
    return [pcm[at : at + 640] for at in range(0, len(pcm), 640)]


async def talk(base: str, query: str, pcm: bytes) -> tuple[list[dict[str, Any]], list[bytes]]:
    """GET, connect, wait for ready, send 20 ms frames, finalize, read what comes until it is quiet."""
    body = await asyncio.to_thread(allocate, base, query)
    assert body["expires_in"] == 60
    texts: list[dict[str, Any]] = []
    chunks: list[bytes] = []
    async with connect(body["ws_url"], compression=None) as socket:
        ready = json.loads(await socket.recv())
        assert ready == {"type": "ready", "session_id": body["session_id"]}
        for frame in frames(bytes(6400) + pcm):
            await socket.send(frame)
        await socket.send(json.dumps({"type": "finalize"}))
        try:
            while True:
                async with asyncio.timeout(1.5):
                    message = await socket.recv()
                if isinstance(message, bytes):
                    chunks.append(message)
                else:
                    texts.append(json.loads(message))
        except TimeoutError:
            pass
    return texts, chunks


async def test_plainest_client_is_heard_and_answered():
    async with PracticeService(PracticeOptions(ear="plain", voice="tones")) as service:
        texts, chunks = await talk(service.base_url, "sourceLanguage=en&targetLanguage=es", voiced(1.8))
    originals = [text for text in texts if text["type"] == "original_transcript"]
    finals = [text for text in originals if text["is_final"]]
    assert any(not text["is_final"] for text in originals)
    assert finals[-1]["text"].startswith("[practice]")
    assert finals[-1]["text"].endswith("s of speech")
    for earlier, later in itertools.pairwise(finals):
        assert later["text"].startswith(earlier["text"])
    translated = [text for text in texts if text["type"] == "translated_transcript" and text["is_final"]]
    assert len(translated) == 1
    assert translated[0]["correlation_id"] == finals[-1]["correlation_id"]
    assert translated[0]["text"] == translated[0]["translated_text"]
    assert translated[0]["original_text"] == finals[-1]["text"]
    assert [len(chunk) for chunk in chunks[:-1]] == [7680] * (len(chunks) - 1)
    values = struct.unpack(f"<{sum(map(len, chunks)) // 4}f", b"".join(chunks))
    assert 0.05 < max(values) <= 1.0


async def test_silence_gives_nothing():
    async with PracticeService(PracticeOptions(ear="plain", voice="tones")) as service:
        assert await talk(service.base_url, "", bytes(32000)) == ([], [])


async def test_text_only_sends_no_binary_at_all():
    async with PracticeService(PracticeOptions(ear="plain", voice="tones")) as service:
        texts, chunks = await talk(service.base_url, "audioOutputEnabled=false", voiced(0.8))
    assert chunks == []
    assert texts


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic abc"}])
async def test_no_key_is_401(header: dict[str, str]):
    async with PracticeService() as service:
        request = urllib.request.Request(f"{service.base_url}/v1/session", headers=header)
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(urllib.request.urlopen, request, None, 5)
        refused.value.close()
        assert refused.value.code == 401


async def test_a_token_works_once():
    async with PracticeService() as service:
        body = await asyncio.to_thread(allocate, service.base_url)
        async with connect(body["ws_url"]) as socket:
            await socket.recv()
        async with connect(body["ws_url"]) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
