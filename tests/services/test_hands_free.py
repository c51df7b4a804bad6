"""Utterances without an end (`translate`): segments by pauses or turns, checkpoints, and drops between them."""

from __future__ import annotations

import asyncio
import random

import pytest

from pinch_tui.core.events import FRAME_BYTES, EdgeKind
from pinch_tui.core.transcript.utterance import UtteranceState
from tests.fakes.recognition_service import Piece, Taken
from tests.services.recognition_rig import (
    MAKERS,
    Make,
    Scene,
    cartesia_latched,
    cartesia_turns,
    drop_at,
    play,
    told,
    told_frames,
)

every_service = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


async def two_sentences(s: Scene) -> None:
    s.edge(EdgeKind.START)
    await asyncio.sleep(2.0)
    s.source = "zeros"
    await asyncio.sleep(2.0)
    s.source = "voice"
    await asyncio.sleep(1.0)
    s.edge(EdgeKind.COMMIT)
    await s.settled()


@every_service
def test_a_pause_begins_a_segment(make: Make) -> None:
    early = [(76_000, ("One.", True))]
    played = play(make, two_sentences, is_continuous=True, early=early, hears=lambda _sound: [("Two.", True)])
    assert [segment.original for segment in played.rows[0].segments] == ["One.", "Two."]
    assert len(played.service.sockets) == 1


@every_service
def test_what_is_settled_before_a_drop_is_neither_sent_nor_said_again(make: Make) -> None:
    early = [(76_000, ("One.", True))]
    is_dropped = False

    def drops(taken: Taken, n: int) -> bool:
        nonlocal is_dropped
        is_now = not is_dropped and n > 140_000
        is_dropped |= is_now
        return is_now

    played = play(
        make, two_sentences, is_continuous=True, early=early, drops=drops, hears=lambda _sound: [("Two.", True)]
    )
    first, second = played.service.sockets
    assert len(first.sound) > 140_000
    assert len(second.sound) < 70_000
    assert bytes(second.sound[-FRAME_BYTES:]) == played.frames[-1].pcm or second.ended
    assert [segment.original for segment in played.rows[0].segments] == ["One.", "Two."]
    assert played.rows[0].state is UtteranceState.SETTLED


def test_turns_are_segments_and_the_closed_socket_is_the_end() -> None:
    early = [(32_000, ("Good", False)), (76_000, ("Good morning.", True)), (150_000, ("How are", False))]
    played = play(
        cartesia_turns, two_sentences, is_continuous=True, early=early, hears=lambda _sound: [("How are you?", True)]
    )
    (taken,) = played.service.sockets
    assert taken.path == "/stt/turns/websocket"
    assert taken.texts == ['{"type":"close"}']
    assert [segment.original for segment in played.rows[0].segments] == ["Good morning.", "How are you?"]
    assert {segment.detected_language for segment in played.rows[0].segments} == {"en"}


def test_zeros_are_sent_where_the_sound_pauses() -> None:
    async def scene(s: Scene) -> None:
        s.edge(EdgeKind.START)
        await asyncio.sleep(1.0)
        s.source = "nothing"
        await asyncio.sleep(4.0)
        s.source = "voice"
        await asyncio.sleep(1.0)
        s.edge(EdgeKind.COMMIT)
        await s.settled()

    played = play(cartesia_turns, scene, is_continuous=True, hears=lambda _sound: [("Hello.", True)])
    (taken,) = played.service.sockets
    assert len(taken.sound) / 32_000 > 5.0
    assert bytes(taken.sound).count(bytes(FRAME_BYTES)) >= 100


def whole(sound: bytes) -> list[Piece]:
    return [(told(sound), True)]


async def latched(s: Scene) -> None:
    s.edge(EdgeKind.START)
    await asyncio.sleep(0.25)
    s.edge(EdgeKind.LATCH)
    await asyncio.sleep(2.0)
    s.edge(EdgeKind.COMMIT)
    await s.settled()
    await s.hold(1.0)
    await s.settled()


def test_a_latched_talk_goes_on_with_turns_and_the_next_hold_without() -> None:
    played = play(cartesia_latched, latched, hears=whole)
    held, turns, following = played.service.sockets
    assert [taken.path for taken in (held, turns, following)] == [
        "/stt/websocket",
        "/stt/turns/websocket",
        "/stt/websocket",
    ]
    assert bytes(turns.sound) == played.wanted(0)
    assert bytes(following.sound) == played.wanted(1)
    assert [told_frames(text) for text in played.texts] == [len(t.sound) // FRAME_BYTES for t in (turns, following)]


@pytest.mark.parametrize("seed", range(6))
def test_a_latched_talk_that_drops_is_sent_again_whole(seed: int) -> None:
    played = play(cartesia_latched, latched, seed=seed, hears=whole, drops=drop_at(random.Random(seed), 2))
    for i, text in enumerate(played.texts):
        assert told_frames(text) == len(played.wanted(i)) // FRAME_BYTES
