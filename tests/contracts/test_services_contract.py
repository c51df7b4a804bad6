"""What every service that only hears promises to the engine, with its real adapters and a scripted provider."""

from __future__ import annotations

import asyncio
import random

import pytest

from pinch_tui.core.events import FRAME_BYTES, EdgeKind, SessionParams
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.transcript.utterance import UtteranceState
from tests.fakes.recognition_service import RecognitionService
from tests.services.recognition_rig import KEY, MAKERS, Make, Scene, check_drops, drop_at, play, told, told_frames

every_service = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


async def two_holds(s: Scene) -> None:
    for seconds in (1.3, 0.7):
        await s.hold(seconds)
        await s.settled()
        await asyncio.sleep(1.0)


@every_service
def test_held_utterances_arrive_sample_for_sample_each_on_its_own_socket(make: Make) -> None:
    played = play(make, two_holds)
    assert len(played.service.sockets) == 2
    for i, taken in enumerate(played.service.sockets):
        assert bytes(taken.sound) == played.wanted(i)
        assert taken.ended
    assert [row.state for row in played.rows] == [UtteranceState.SETTLED] * 2


@every_service
def test_its_text_is_joined_exactly(make: Make) -> None:
    played = play(make, two_holds)
    for text, taken in zip(played.texts, played.service.sockets, strict=True):
        assert told_frames(text) == len(taken.sound) // FRAME_BYTES
    assert all(len(row.segments) == 1 and row.translation == "" for row in played.rows)


@every_service
def test_nothing_is_open_between_presses(make: Make) -> None:
    async def scene(s: Scene) -> None:
        await asyncio.sleep(5.0)
        assert s.service.asked == 0
        await s.hold(1.0)
        await s.settled()
        await asyncio.sleep(60.0)
        assert s.service.asked == 1

    play(make, scene)


@every_service
def test_it_settles_with_the_end_mark_and_not_by_waiting(make: Make) -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await s.settled()

    played = play(make, scene, delay_s=0.2)
    finalize, settled = played.logged("finalize")[0].t, played.logged("settled")[0].t
    assert 0.2 <= settled - finalize < 0.6


@every_service
@pytest.mark.parametrize("first_wait_s", [0.0, 0.05, 0.3])
def test_a_press_right_after_a_release_is_an_utterance_of_its_own(make: Make, first_wait_s: float) -> None:
    async def scene(s: Scene) -> None:
        await s.hold(0.8)
        await asyncio.sleep(first_wait_s)
        await s.hold(0.8)
        await s.settled()

    played = play(make, scene, delay_s=1.0)
    assert len(played.service.sockets) == 2
    sizes = [len(taken.sound) // FRAME_BYTES for taken in played.service.sockets]
    assert [told_frames(text) for text in played.texts] == sizes
    second = played.service.sockets[1]
    assert second.opened_at < played.service.sockets[0].opened_at + 5.0


@every_service
def test_drops_at_random_moments_lose_nothing_and_double_nothing(make: Make) -> None:
    for seed in range(12):  # a hundred and more: python -m tests.faults.services
        check_drops(make, seed)


@every_service
def test_sound_is_never_sent_faster_than_the_service_takes_it(make: Make) -> None:
    async def scene(s: Scene) -> None:
        s.edge(EdgeKind.START)
        await asyncio.sleep(2.0)
        s.edge(EdgeKind.COMMIT)
        await s.settled()

    played = play(make, scene, drops=drop_at(random.Random(3), 2))
    pace = 1.05 if make is MAKERS["cartesia"] else 1.2
    for taken in played.service.sockets:
        start, first = taken.arrivals[0]
        for t, n_bytes in taken.arrivals:
            assert (n_bytes - first) / 32_000 <= (t - start) * pace + 0.021


@every_service
@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_is_asked_once_and_said_in_the_services_name(make: Make, status: int) -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await asyncio.sleep(30.0)
        assert s.service.asked == 1

    played = play(make, scene, status=status)
    (notice,) = played.notices("link")
    label = "Cartesia" if make is MAKERS["cartesia"] else "smallest.ai"
    assert notice.title.startswith(label)
    assert str(status) in notice.title
    assert notice.hint.count("Your words are safe.") == 1
    assert KEY not in notice.title + notice.hint
    error = played.logged("error")[0]
    assert error.fields["credential"] is True
    assert error.fields["needs_cure"] is True


@every_service
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again_and_gets_every_word(make: Make, status: int) -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await asyncio.sleep(2.5)
        assert 2 <= s.service.asked <= 4
        s.service.status = 101
        await s.settled()

    played = play(make, scene, status=status)
    assert told_frames(played.texts[0]) == len(played.wanted(0)) // FRAME_BYTES
    assert played.notices("link")


@every_service
def test_silence_is_nothing_heard(make: Make) -> None:
    async def scene(s: Scene) -> None:
        s.source = "zeros"
        await asyncio.sleep(1.0)  # the pre-roll is silent, too
        await s.hold(1.0)
        await s.settled()

    played = play(make, scene, hears=lambda _sound: [])
    assert [row.state for row in played.rows] == [UtteranceState.EMPTY]
    assert [notice.title for notice in played.notices("heard")] == [
        "Nothing was heard: the microphone gave no sound at all."
    ]
    assert played.notices("link") == []


@every_service
def test_an_error_after_the_release_without_a_text_is_nothing_heard(make: Make) -> None:
    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await s.settled()

    complaint = {"type": "error", "status": "error", "status_code": 500, "message": "no audio"}
    played = play(make, scene, complaint=complaint)
    assert [row.state for row in played.rows] == [UtteranceState.EMPTY]
    assert len(played.service.sockets) == 1


@every_service
def test_texts_come_while_it_is_said(make: Make) -> None:
    early = [(16_000, ("He", False)), (24_000, ("Hello ", True)), (32_000, ("wor", False))]

    async def scene(s: Scene) -> None:
        s.edge(EdgeKind.START)
        await asyncio.sleep(0.6)
        assert s.texts == ["He"]
        await asyncio.sleep(0.6)
        assert s.texts == ["Hello wor"]
        assert s.rows[0].segments[0].original_stable == len("Hello")
        s.edge(EdgeKind.COMMIT)
        await s.settled()

    played = play(make, scene, early=early, hears=lambda _sound: [("world, ", True), ("hello, hello.", True)])
    assert played.texts == ["Hello world, hello, hello."]


@every_service
def test_escape_closes_the_utterance_and_drops_its_text(make: Make) -> None:
    async def scene(s: Scene) -> None:
        s.edge(EdgeKind.START)
        await asyncio.sleep(1.0)
        s.edge(EdgeKind.CANCEL)
        await asyncio.sleep(1.0)
        await s.hold(1.0)
        await s.settled()

    played = play(make, scene)
    assert [row.state for row in played.rows] == [UtteranceState.CANCELLED, UtteranceState.SETTLED]
    assert all(taken.ended for taken in played.service.sockets)
    assert told_frames(played.texts[1]) == len(played.service.sockets[1].sound) // FRAME_BYTES


@every_service
def test_a_language_that_is_not_heard_is_refused_before_anything_is_sent(make: Make) -> None:
    async def scene(s: Scene) -> None:
        await asyncio.sleep(1.0)

    played = play(make, scene, params=SessionParams(source="tlh"))
    assert played.service.asked == 0
    assert played.engine._sessions.all()[0].session.state is SessionState.CLOSED
    (notice,) = played.notices("link")
    assert "does not recognise tlh" in notice.title


@every_service
def test_the_key_travels_in_a_header_alone(make: Make) -> None:
    played = play(make, two_holds)
    for taken in played.service.sockets:
        assert taken.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in taken.path + repr(taken.query)


def test_the_script_speaks_for_itself() -> None:
    assert RecognitionService().hears(b"") == [("Good ", True), ("morning.", True)]


def test_another_service_takes_the_next_words_and_the_conversation_stays() -> None:
    from pinch_tui.engine.alarm import SystemClock

    async def scene(s: Scene) -> None:
        await s.hold(1.0)
        await asyncio.sleep(0.3)
        s.engine.use_service(MAKERS["smallest"](s.service.base_url, SystemClock(), False))
        await s.hold(1.0)
        await s.settled()
        assert s.engine.status.service.name == "smallest"

    played = play(MAKERS["cartesia"], scene, delay_s=0.5, hears=lambda sound: [(told(sound), True)])
    assert [taken.path for taken in played.service.sockets] == ["/stt/websocket", "/waves/v1/stt/live"]
    sizes = [len(taken.sound) // FRAME_BYTES for taken in played.service.sockets]
    assert [told_frames(text) for text in played.texts] == sizes
    assert [row.is_translated for row in played.rows] == [False, False]


def test_what_one_service_refused_goes_to_the_one_that_is_chosen() -> None:
    from pinch_tui.engine.alarm import SystemClock

    async def scene(s: Scene) -> None:
        s.service.status = 401
        await s.hold(1.0)
        await asyncio.sleep(2.0)
        s.service.status = 101
        s.engine.use_service(MAKERS["smallest"](s.service.base_url, SystemClock(), False))
        await s.settled()
        await s.hold(1.0)
        await s.settled()

    played = play(MAKERS["cartesia"], scene, hears=lambda sound: [(told(sound), True)])
    assert [taken.path for taken in played.service.sockets] == ["/waves/v1/stt/live"] * 2
    sizes = [len(taken.sound) // FRAME_BYTES for taken in played.service.sockets]
    assert [told_frames(text) for text in played.texts] == sizes
