"""What the service enforces on the socket, and the faults that it plays, seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import urllib.error
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from pinch_tui.errors import LinkError
from pinch_tui.services.practice import recording
from pinch_tui.services.practice.faults import FaultPlan
from pinch_tui.services.practice.service import PracticeOptions, PracticeService
from tests.services.practice.test_plain_client import allocate, frames, voiced

PLAIN = {"ear": "plain", "voice": "tones"}


@contextlib.asynccontextmanager
async def opened(service: PracticeService, query: str = "") -> AsyncIterator[ClientConnection]:
    body = await asyncio.to_thread(allocate, service.base_url, query)
    async with connect(body["ws_url"], compression=None) as socket:
        yield socket


async def text_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a type."""
    async with asyncio.timeout(8):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and f'"type":"{kind}"' in message:
                return json.loads(message)


async def close_code(socket: ClientConnection) -> int:
    async with asyncio.timeout(8):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


async def say(socket: ClientConnection, pcm: bytes) -> None:
    for frame in frames(pcm):
        await socket.send(frame)


@pytest.mark.parametrize(
    "bad",
    [b"\0\0\0", "not json", "[]", '"finalize"', '{"type":"start"}', "{}", '{"type":5}', b"\0" * 70_000, "[" * 5_000],
    ids=["odd", "text", "list", "string", "unknown", "untyped", "number", "long", "deep"],
)
async def test_malformed_frames_close_with_4400(bad: bytes | str):
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await socket.send(bad)
        assert await close_code(socket) == 4400


async def test_starting_twice_is_starting_once():
    async with PracticeService(PracticeOptions(**PLAIN)) as service:
        assert await service.start() == service.base_url
        assert [task.get_name() for task in asyncio.all_tasks()].count("practice-service") == 1


async def test_a_start_that_nobody_waits_for_any_more_is_stopped_quietly():
    service = PracticeService(PracticeOptions(**PLAIN))
    async with asyncio.TaskGroup() as group:
        start = group.create_task(service.start())
        await asyncio.sleep(0)
        start.cancel()
    await service.stop()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.mark.parametrize("early", [bytes(640), '{"type":"finalize"}'], ids=["audio", "text"])
async def test_nothing_may_come_before_ready(early: bytes | str):
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await socket.send(early)
        assert await close_code(socket) == 4400


async def test_metadata_is_acknowledged_without_effect():
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await socket.send(json.dumps({"type": "update_metadata", "targetLanguage": "de"}))
        assert (await text_of(socket, "metadata_ack"))["applied"] == {"targetLanguage": "de"}
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        assert (await text_of(socket, "translated_transcript"))["target_language"] == "es"


@pytest.mark.parametrize("number", ["NaN", "1e999"])
async def test_numbers_that_json_cannot_say_close_with_4400(number: str):
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await socket.send(f'{{"type":"update_metadata","pitch":{number}}}')
        assert await close_code(socket) == 4400


async def test_half_a_surrogate_pair_is_echoed():
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await socket.send('{"type":"update_metadata","label":"\\ud83d"}')
        assert (await text_of(socket, "metadata_ack"))["applied"] == {"label": "\ud83d"}


async def test_unsupported_target_and_clone_are_told_in_error_frames():
    async with PracticeService(PracticeOptions(**PLAIN)) as service:
        async with opened(service, "targetLanguage=sv") as socket:
            text = (await text_of(socket, "error"))["error"]
            assert text.startswith("targetLanguage='sv' is not supported.")
            assert "es" in text
        async with opened(service, "targetLanguage=sv&audioOutputEnabled=false") as socket:
            await text_of(socket, "ready")
            await socket.send('{"type":"update_metadata"}')
            assert json.loads(await socket.recv())["type"] == "metadata_ack"
        async with opened(service, "voiceType=clone") as socket:
            assert (await text_of(socket, "error"))["error"] == "voiceType='clone' is not supported yet"


async def test_frames_in_flight_after_finalize_belong_to_the_segment():
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        sound = bytes(6_400) + voiced(1.2)
        await say(socket, sound[:22_400])
        await socket.send('{"type":"finalize"}')
        released = time.monotonic()
        await say(socket, sound[22_400:])
        while (
            not (message := await text_of(socket, "original_transcript"))["is_final"]
            or "[practice] 1 s," not in (message["text"])
        ):
            continue
        assert time.monotonic() - released < 2.0
        first = message["correlation_id"]
        await text_of(socket, "translated_transcript")
        await say(socket, sound)
        await socket.send('{"type":"finalize"}')
        assert (await text_of(socket, "original_transcript"))["correlation_id"] != first


async def test_speech_comes_at_the_pace_of_real_time_two_chunks_ahead():
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        arrivals: list[tuple[float, int]] = []
        async with asyncio.timeout(8):
            while sum(size for _, size in arrivals) < 24_000 * 0.36 * 4 - 8:
                message = await socket.recv()
                if isinstance(message, bytes):
                    arrivals.append((time.monotonic(), len(message)))
        sent = 0.0
        for at, size in arrivals:
            sent += size / 96_000
            assert sent - (at - arrivals[0][0]) < 0.35
        assert arrivals[-1][0] - arrivals[0][0] > 0.1


async def test_recording_holds_exactly_the_samples(tmp_path: Path):
    sound = bytes(6_400) + voiced(0.7) + b"\1\0"
    async with PracticeService(PracticeOptions(record=tmp_path, **PLAIN)) as service, opened(service) as socket:
        ready = await text_of(socket, "ready")
        await say(socket, sound)
        await socket.send('{"type":"finalize"}')
        await text_of(socket, "translated_transcript")
        # The session is still open: what was received can be read already.
        with wave.open(str(tmp_path / f"{ready['session_id']}.wav")) as recorded:
            assert (recorded.getframerate(), recorded.getnchannels(), recorded.getsampwidth()) == (16_000, 1, 2)
            assert recorded.readframes(10**7) == sound
        lines = (tmp_path / f"{ready['session_id']}.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds.count("audio") == len(frames(sound))
    assert "finalize" in kinds


async def test_a_session_to_which_nothing_was_said_leaves_no_recording(tmp_path: Path):
    async with PracticeService(PracticeOptions(record=tmp_path, **PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
async def test_a_full_disk_ends_a_recorded_session_with_4500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    create = recording._create
    full = ".wav"

    def on_a_full_disk(path: Path) -> int:
        return os.open("/dev/full", os.O_WRONLY) if path.suffix == full else create(path)

    monkeypatch.setattr(recording, "_create", on_a_full_disk)
    async with PracticeService(PracticeOptions(record=tmp_path, **PLAIN)) as service:
        body = await asyncio.to_thread(allocate, service.base_url)
        async with connect(body["ws_url"], compression=None) as socket:
            assert await close_code(socket) == 4500
        full = ".jsonl"
        body = await asyncio.to_thread(allocate, service.base_url)
        async with connect(body["ws_url"], compression=None) as socket:
            await text_of(socket, "ready")
            await socket.send(bytes(640))
            assert await close_code(socket) == 4500


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_status_faults(status: int):
    plan = FaultPlan.parse([f"{status}:1"])
    async with PracticeService(PracticeOptions(fault=plan, **PLAIN)) as service:
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(allocate, service.base_url)
        refused.value.close()
        assert refused.value.code == status
        assert (await asyncio.to_thread(allocate, service.base_url))["session_id"].startswith("ss_")


@pytest.mark.parametrize(("word", "code"), [("close:4503:0.1:1", 4503), ("close:4401:0", 4401), ("lose:0.1", 1006)])
async def test_close_faults(word: str, code: int):
    plan = FaultPlan.parse([word])
    async with PracticeService(PracticeOptions(fault=plan, **PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        assert await close_code(socket) == code


async def test_never_ready_and_the_next_session_is():
    plan = FaultPlan.parse(["never-ready:1"])
    async with PracticeService(PracticeOptions(fault=plan, **PLAIN)) as service:
        async with opened(service) as socket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await socket.recv()
        async with opened(service) as socket:
            await text_of(socket, "ready")


async def test_stall_jitter_and_garbage_lose_nothing():
    plan = FaultPlan.parse(["stall:0.5", "jitter:30", "garbage", "slow-read:1", "unsupported-language"])
    async with PracticeService(PracticeOptions(fault=plan, **PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "error")
        await say(socket, bytes(6_400) + voiced(0.4))
        await socket.send('{"type":"finalize"}')
        assert (await text_of(socket, "translated_transcript"))["is_final"]


async def dies(service: PracticeService) -> None:
    """Kill the helper and wait until the server knows."""
    before = service.helper.pid
    service.helper.kill()
    async with asyncio.timeout(5):
        while service.helper.pid == before:
            await asyncio.sleep(0.01)


async def final_pair(socket: ClientConnection) -> tuple[dict[str, Any], dict[str, Any]]:
    while not (original := await text_of(socket, "original_transcript"))["is_final"]:
        continue
    return original, await text_of(socket, "translated_transcript")


@pytest.mark.parametrize("moment", ["idle", "talking", "grace"])
async def test_a_killed_helper_takes_nothing_along(moment: str):
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await service.helper.hello(5)
        sound = bytes(6_400) + voiced(1.2)
        if moment == "idle":
            await dies(service)
        await say(socket, sound[:25_600])
        if moment == "talking":
            assert not (await text_of(socket, "original_transcript"))["is_final"]
            await dies(service)
        await say(socket, sound[25_600:])
        await socket.send('{"type":"finalize"}')
        released = time.monotonic()
        if moment == "grace":
            await dies(service)
        original, translated = await final_pair(socket)
        assert time.monotonic() - released < 1.5
        assert original["text"].startswith("[practice] 1 s,")
        assert original["correlation_id"] == translated["correlation_id"]
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        second, _ = await final_pair(socket)
        assert second["correlation_id"] != original["correlation_id"]
        assert " 1 s," not in second["text"]


async def test_an_utterance_that_kills_every_helper_ends_honestly():
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await say(socket, bytes(6_400) + voiced(0.5))
        for _ in range(3):
            await service.helper.hello(5)
            await dies(service)
        await socket.send('{"type":"finalize"}')
        assert "Please repeat" in (await text_of(socket, "error"))["error"]
        original, translated = await final_pair(socket)
        assert (original["text"], translated["text"]) == ("", "") and "could not be heard" in original["note"]
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        second, _ = await final_pair(socket)
        assert second["correlation_id"] != original["correlation_id"]


async def test_a_helper_that_dies_now_and_then_is_always_replaced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pinch_tui.services.practice.helper.helper._MAX_RESTARTS", 1)
    monkeypatch.setattr("pinch_tui.services.practice.helper.helper._STABLE_SECONDS", 0.0)
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        for _ in range(4):
            await dies(service)
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        assert (await final_pair(socket))[0]["text"].startswith("[practice]")


async def test_a_helper_that_never_lives_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pinch_tui.services.practice.helper.helper._MAX_RESTARTS", 1)
    monkeypatch.setattr("pinch_tui.services.practice.helper.helper._STABLE_SECONDS", 60.0)
    async with PracticeService(PracticeOptions(**PLAIN)) as service, opened(service) as socket:
        await text_of(socket, "ready")
        await dies(service)
        service.helper.kill()
        async with asyncio.timeout(5):
            while "stay alive" not in (await service.helper.hello(5)).problem:
                await asyncio.sleep(0.01)
        await say(socket, bytes(6_400) + voiced(0.5))
        await socket.send('{"type":"finalize"}')
        assert "could not be heard" in (await final_pair(socket))[0]["note"]


async def test_stop_ends_the_helper_and_the_sessions():
    service = PracticeService(PracticeOptions(**PLAIN))
    await service.start()
    await service.helper.hello(5)
    pid = service.helper.pid
    assert pid is not None
    async with opened(service) as socket:
        await text_of(socket, "ready")
        await service.stop()
        assert await close_code(socket) == 1001
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_taken_port_says_so():
    async with PracticeService(PracticeOptions(**PLAIN)) as service:
        port = int(service.base_url.rpartition(":")[2])
        with pytest.raises(LinkError, match=f"port {port}"):
            await PracticeService(PracticeOptions(port=port, **PLAIN)).start()
