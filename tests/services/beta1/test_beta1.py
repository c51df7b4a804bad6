"""Pinch beta1 behind the seam: the whole engine, the real helper and connection, a double of LiveKit's room."""

from __future__ import annotations

import asyncio
import json
import random
from array import array
from collections.abc import Awaitable, Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.events import FRAME_BYTES, Quit, SessionParams, Voice
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.core.wire import Malformed, TranscriptMessage, UnknownMessage
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.errors import AllocationError, CredentialError, PinchError
from pinch_tui.services.beta1.api import Beta1Api
from pinch_tui.services.beta1.connection import Beta1Connector
from pinch_tui.services.beta1.pairing import Pairing
from pinch_tui.services.beta1.traits import BETA1
from pinch_tui.services.beta1.voice import CHUNK_SAMPLES, HANGOVER_FRAMES, VoiceRuns
from pinch_tui.services.ports import Service
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_rooms import FakeRooms, Room
from tests.fakes.fake_speaker import FakeSpeaker
from tests.faults.warp import run
from tests.services.recognition_rig import Scene, told, told_frames


def says(sound: bytes) -> list[tuple[str, str]]:
    text = told(sound)
    return [(text, text.replace("from", "de").replace("for", "por"))] if max(sound[8:], default=0) else []


def play(
    scene: Callable[[Scene], Awaitable[None]], *, params: SessionParams | None = None, seed: int = 1, **script: object
) -> Scene:
    """Run a scene against a running engine, then quit."""

    async def main() -> Scene:
        clock = SystemClock()
        async with asyncio.TaskGroup() as room_tasks:
            script.setdefault("says", says)
            rooms = FakeRooms(room_tasks, **script)  # type: ignore[arg-type]
            service = Service(BETA1, rooms, Beta1Connector(rooms.start, clock.monotonic))
            microphone, speaker = FakeMicrophone(clock), FakeSpeaker(clock, instant=True)
            config = EngineConfig(params or SessionParams(), talk=TalkConfig(0.3, 0.15, 120.0))
            engine = Engine(config, EnginePorts(microphone, speaker, service, clock), random.Random(seed).random)
            played = Scene(engine, microphone, rooms)  # type: ignore[arg-type]
            engine.subscribe(played.events.append)

            async def act() -> None:
                await asyncio.sleep(0.5031)
                try:
                    await scene(played)
                finally:
                    engine.post(Quit(drain=False))

            async with asyncio.TaskGroup() as tasks:
                ear = tasks.create_task(played.capture())
                tasks.create_task(act())
                await engine.run()
                ear.cancel()
            return played

    return run(main())


def rooms_of(played: Scene) -> FakeRooms:
    assert isinstance(played.service, FakeRooms)
    return played.service


async def two_holds(s: Scene) -> None:
    for seconds in (1.3, 0.7):
        await s.hold(seconds)
        await s.settled()


def test_held_utterances_arrive_whole_and_come_back_with_speech() -> None:
    played = play(two_holds)
    (room,) = rooms_of(played).rooms
    assert room.heard == [played.wanted(0), played.wanted(1)]
    assert [told_frames(text) for text in played.texts] == [len(sound) // FRAME_BYTES for sound in room.heard]
    assert [row.translation.replace("de", "from").replace("por", "for") for row in played.rows] == played.texts
    assert all(row.has_speech and row.state is UtteranceState.SETTLED for row in played.rows)


def test_nothing_is_sent_before_the_agent_hears_it() -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await s.settled()

    played = play(scene, agent_delay_s=6.0)
    (room,) = rooms_of(played).rooms
    assert room.heard == [played.wanted(0)]


def test_a_sentence_that_is_said_again_is_another_one() -> None:
    played = play(two_holds, says=lambda _sound: [("Good morning.", "Buenos días.")])
    assert played.texts == ["Good morning."] * 2
    assert [row.translation for row in played.rows] == ["Buenos días."] * 2
    twice = play(two_holds, says=lambda _sound: [("Yes.", "Sí.")] * 2)
    assert twice.texts == ["Yes. Yes."] * 2
    assert [len(row.segments) for row in twice.rows] == [2, 2]


HOWS = ("reconnecting", "gone", "dead")


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("seed", range(4))
def test_a_room_that_breaks_in_an_utterance_loses_nothing_and_doubles_nothing(how: str, seed: int) -> None:
    check_break(how, seed)  # a hundred and more: python -m tests.faults.services


def check_break(how: str, seed: int) -> None:
    """Two utterances with a room that breaks in one of them at a random place."""
    rng = random.Random(seed)
    at, is_broken = rng.randrange(640, 40_000), False

    def breaks(_room: Room, n: int) -> str:
        nonlocal is_broken
        if is_broken or n < at:
            return ""
        is_broken = True
        return how

    played = play(two_holds, breaks=breaks, seed=seed)
    for i, text in enumerate(played.texts):
        assert told_frames(text) == len(played.wanted(i)) // FRAME_BYTES
    heard = [sound for room in rooms_of(played).rooms for sound in room.heard]
    assert played.wanted(0) in heard
    assert played.wanted(1) in heard


def test_silence_is_nothing_heard() -> None:
    async def scene(s: Scene) -> None:
        s.source = "zeros"
        await asyncio.sleep(1.0)  # the pre-roll is silent, too
        await s.hold(1.0)
        await s.settled()

    played = play(scene)
    assert [row.state for row in played.rows] == [UtteranceState.EMPTY]
    assert [notice.title for notice in played.notices("heard")] == [
        "Nothing was heard: the microphone gave no sound at all."
    ]


def test_a_refused_key_is_asked_once() -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await asyncio.sleep(20.0)
        assert len(rooms_of(s).allocated) == 1

    played = play(scene, refusal=CredentialError("Pinch beta1 refused the API key (401).", status=401))
    assert played.logged("error")[0].fields["credential"] is True


def test_a_token_that_the_room_refuses_brings_a_fresh_session() -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await asyncio.sleep(3.0)
        assert len(rooms_of(s).allocated) >= 2
        rooms_of(s).refuses = ""
        await s.settled()

    played = play(scene, refuses="client error: 401 Unauthorized")
    assert told_frames(played.texts[0]) == len(played.wanted(0)) // FRAME_BYTES
    assert "token" in played.notices("link")[0].title


def test_the_voice_is_asked_for() -> None:
    played = play(two_holds, params=SessionParams("en-US", "es-ES", voice=Voice.CLONE))
    assert rooms_of(played).allocated[0].voice is Voice.CLONE


def test_with_text_only_it_is_silent() -> None:
    played = play(two_holds, params=SessionParams("en-US", "es-ES", text_only=True))
    assert all(row.translation and not row.has_speech for row in played.rows)
    assert all(row.state is UtteranceState.SETTLED for row in played.rows)


# ---- allocation ---------------------------------------------------------------------------------------------------


async def allocate(status: int, body: bytes = b"{}") -> tuple[object, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, content=body, headers={"Content-Type": "application/json"})

    api = Beta1Api("https://api.example", "pk_canary", "the test", transport=httpx.MockTransport(answer))
    try:
        return await api.allocate(SessionParams("en-US", "es-ES", voice=Voice.CLONE)), seen
    except PinchError as exc:
        return exc, seen
    finally:
        await api.aclose()


async def test_the_documented_body_is_sent_once() -> None:
    good = json.dumps({"url": "wss://lk.example", "token": "jwt", "room_name": "api-1"}).encode()
    got, (request,) = await allocate(200, good)
    assert (request.method, request.url.path) == ("POST", "/api/beta1/session")
    assert request.headers["Authorization"] == "Bearer pk_canary"
    assert json.loads(request.content) == {
        "source_language": "en-US",
        "target_language": "es-ES",
        "voice_type": "clone",
    }
    assert "jwt" not in repr(got)
    assert (got.session_id, got.ws_url, got.token) == ("api-1", "wss://lk.example", "jwt")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialError),
        (402, CredentialError),
        (403, CredentialError),
        (429, AllocationError),
        (500, AllocationError),
    ],
)
async def test_refusals_are_said_in_its_name(status: int, kind: type) -> None:
    error, _ = await allocate(status)
    assert isinstance(error, kind)
    assert str(error).startswith("Pinch beta1")
    assert "canary" not in str(error)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"url": "x"}', b'{"url": 1, "token": "t", "room_name": "r"}'])
async def test_an_answer_without_a_room_is_none(body: bytes) -> None:
    error, _ = await allocate(200, body)
    assert isinstance(error, AllocationError)


# ---- the parts ----------------------------------------------------------------------------------------------------


def take(pairing: Pairing, *messages: tuple[str, str, bool]) -> list[tuple[str, str]]:
    names = {"o": "original_transcript", "t": "translated_transcript"}
    out: list[tuple[str, str]] = []
    for kind, text, is_final in messages:
        event = pairing.take(json.dumps({"type": names[kind], "text": text, "is_final": is_final}).encode())
        assert isinstance(event, TranscriptMessage)
        out.append((event.id, event.text))
    return out


def test_texts_pair_by_order() -> None:
    got = take(Pairing(), ("o", "a", False), ("o", "a b", True), ("o", "c", True), ("t", "A B", True), ("t", "C", True))
    assert got == [("beta_1", "a"), ("beta_1", "a b"), ("beta_2", "c"), ("beta_1", "A B"), ("beta_2", "C")]


def test_a_translation_beyond_the_originals_is_another_sentence_of_the_last() -> None:
    got = take(
        Pairing(), ("o", "a. b.", True), ("t", "A.", True), ("t", "B.", True), ("o", "c", True), ("t", "C", True)
    )
    assert [id_ for id_, _ in got] == ["beta_1", "beta_1", "beta_1", "beta_2", "beta_2"]


def test_a_translation_may_come_before_its_original_is_final() -> None:
    got = take(Pairing(), ("o", "a", False), ("t", "A", True), ("o", "a.", True), ("o", "b", True), ("t", "B", True))
    assert [id_ for id_, _ in got] == ["beta_1", "beta_1", "beta_1", "beta_2", "beta_2"]


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_data_message_is_a_value(raw: bytes) -> None:
    assert isinstance(Pairing().take(raw), Malformed | UnknownMessage)


def frames(*levels: int) -> list[bytes]:
    return [array("h", [level] * 480).tobytes() for level in levels]


def test_the_agents_track_becomes_runs() -> None:
    runs = VoiceRuns()
    quiet, loud = frames(3)[0], frames(9000)[0]
    assert [chunk for _ in range(100) for chunk in runs.push(quiet)] == []
    out = [chunk for frame in [loud] * 10 + [quiet] * HANGOVER_FRAMES for chunk in runs.push(frame)]
    sizes = [len(chunk) // 4 for chunk in out]
    assert sum(sizes) == (2 + 10 + HANGOVER_FRAMES) * 480
    assert all(size == CHUNK_SAMPLES for size in sizes[:-1])
    assert sizes[-1] < CHUNK_SAMPLES
    assert [chunk for _ in range(100) for chunk in runs.push(quiet)] == []
    assert max(array("f", b"".join(out))) == pytest.approx(9000 / 32768)


def test_a_pause_within_a_run_is_kept() -> None:
    runs = VoiceRuns()
    quiet, loud = frames(0)[0], frames(9000)[0]
    given_ = [loud] * 4 + [quiet] * (HANGOVER_FRAMES - 1) + [loud] * 4 + [quiet] * HANGOVER_FRAMES
    out = b"".join(chunk for frame in given_ for chunk in runs.push(frame))
    assert len(out) // 4 == len(given_) * 480
