"""Phrases spoken by a voice in place of a person, through an engine with a scripted service."""

from __future__ import annotations

import asyncio

import pytest

from pinch_tui.core.events import FRAME_BYTES, EdgeKind, StateWord, TalkEdge, TalkSource
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.errors import EXIT_LINK, EXIT_OK, UsageError
from pinch_tui.wiring.demo import LINES, Demo
from pinch_tui.wiring.samples import SampleSpeaker
from tests.engine.rig import Rig, play
from tests.faults.scripted import Plan

SOUND = b"\x10\x20" * (FRAME_BYTES // 2 * 30 + 7)
"""0.6 s and a part of a frame."""


class Voice:
    def __init__(self, sound: bytes = SOUND) -> None:
        self.sound = sound
        self.asked: list[tuple[str, str]] = []

    async def say(self, text: str, language: str) -> bytes:
        self.asked.append((text, language))
        return self.sound


def speaker(rig: Rig, voice: Voice) -> SampleSpeaker:
    return SampleSpeaker(rig.engine, voice.say, SystemClock())


def test_a_phrase_is_spoken_whole_and_marked() -> None:
    voice = Voice()

    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        assert await speaker(rig, voice).speak("Good morning.", "en")
        await rig.settled()

    rig = play(scene)
    assert voice.asked == [("Good morning.", "en")]
    (row,) = rig.engine.transcript.utterances
    assert row.is_sample
    sent = b"".join(frame for session in rig.service.sessions for part in session.utterances() for frame in part)
    assert sent.strip(b"\0") == SOUND
    (stop,) = rig.logged("talk-stop")
    assert stop.fields["source"] == "sample"
    assert stop.fields["held_ms"] == pytest.approx(700, abs=41)


def test_one_at_a_time_and_never_while_somebody_talks() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        samples = speaker(rig, Voice())
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(samples.speak("One.", "en"))
            await rig.sleep(0.1)
            assert not await samples.speak("Two.", "en")
        assert first.result()
        await rig.press(0.3)
        assert not await samples.speak("Three.", "en")
        await rig.release(0.3)
        await rig.settled()

    rig = play(scene)
    assert [row.is_sample for row in rig.engine.transcript.utterances] == [True, False]


@pytest.mark.parametrize("by_key", [True, False], ids=["a press", "Escape"])
def test_it_ends_when_somebody_talks_or_throws_it_away(by_key: bool) -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        async with asyncio.TaskGroup() as tasks:
            sample = tasks.create_task(speaker(rig, Voice()).speak("One.", "en"))
            await rig.sleep(0.3)
            if by_key:
                await rig.hold(0.5)
            else:
                rig.engine.talk(TalkEdge(EdgeKind.CANCEL, rig.now, TalkSource.SAMPLE))
        assert not sample.result()
        await rig.settled()

    rig = play(scene)
    states = [row.state for row in rig.engine.transcript.utterances]
    assert states == [UtteranceState.CANCELLED, *([UtteranceState.SETTLED] if by_key else [])]


def test_a_language_without_a_voice_is_said() -> None:
    async def scene(rig: Rig) -> None:
        with pytest.raises(UsageError, match="does not speak Swedish"):
            await speaker(rig, Voice(b"")).speak("Hej.", "sv")

    assert not play(scene).engine.transcript.utterances


def test_the_demo_says_its_lines_and_leaves() -> None:
    voice, codes = Voice(), []

    async def scene(rig: Rig) -> None:
        demo = Demo(rig.engine, speaker(rig, voice))
        await demo.play()
        codes.append(demo.exit_code)

    rig = play(scene)
    assert voice.asked == [(text, language) for language, text in LINES]
    assert len(rig.engine.transcript.utterances) == len(LINES)
    assert codes == [EXIT_OK]
    assert rig.logged("quit", drain=True)


def test_a_demo_without_an_answer_says_so_and_leaves_with_5() -> None:
    codes = []

    async def scene(rig: Rig) -> None:
        demo = Demo(rig.engine, speaker(rig, Voice()))
        await demo.play()
        codes.append(demo.exit_code)

    rig = play(scene, *[Plan(status=503)] * 40)
    assert codes == [EXIT_LINK]
    assert rig.notices("demo")[-1].title == "The practice service did not answer."


def test_a_press_ends_the_demo() -> None:
    async def scene(rig: Rig) -> None:
        demo = Demo(rig.engine, speaker(rig, Voice()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(demo.play())
            await rig.until(lambda: rig.engine.status.talk_source == TalkSource.SAMPLE)
            await rig.hold(0.5)
        assert demo.exit_code == EXIT_OK

    assert len(play(scene).engine.transcript.utterances) == 2
