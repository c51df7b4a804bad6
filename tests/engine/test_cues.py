"""Short sounds for a person who does not look: when each is played, and over which device."""

from __future__ import annotations

import pytest

from tests.engine.rig import Rig, play
from tests.faults.scripted import Plan


@pytest.mark.parametrize(
    ("has_cues", "is_headphones", "are_played"),
    [(True, None, True), (False, True, False), (None, True, True), (None, False, False), (None, None, False)],
)
def test_where_cues_are_played(has_cues: bool | None, is_headphones: bool | None, are_played: bool) -> None:
    async def scene(rig: Rig) -> None:
        rig.speaker.opened(is_headphones=is_headphones)
        await rig.sleep(0.5)
        await rig.hold(0.5)
        await rig.settled()

    assert play(scene, has_cues=has_cues).speaker.cues == (["go", "stop"] if are_played else [])


def test_go_is_said_when_the_microphone_hears_not_when_the_key_is_pressed() -> None:
    async def scene(rig: Rig) -> None:
        rig.source = "nothing"
        await rig.sleep(3.0)
        await rig.press(0.5)
        assert rig.speaker.cues == []
        rig.source = "voice"
        await rig.sleep(0.1)
        assert rig.speaker.cues == ["go"]
        await rig.release()
        await rig.settled()

    play(scene, has_cues=True)


def test_an_error_is_heard_by_somebody_who_is_talking() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        rig.microphone.fail()
        rig.microphone.request_open()
        await rig.sleep(0.3)
        assert rig.speaker.cues == []  # nobody talks
        await rig.press(0.5)
        rig.microphone.fail()
        await rig.sleep(0.1)
        assert rig.speaker.cues[-1] == "error"
        await rig.release()
        await rig.settled()

    play(scene, has_cues=True)


def test_silence_and_words_that_cannot_be_sent_are_errors() -> None:
    async def silent(rig: Rig) -> None:
        rig.source = "zeros"
        await rig.sleep(0.3)
        await rig.press(2.5)
        assert rig.speaker.cues == ["go", "error"]

    play(silent, has_cues=True)

    async def refused(rig: Rig) -> None:
        await rig.press(0.5)
        await rig.release(0.5)
        assert "error" in rig.speaker.cues

    play(refused, Plan(status=401), Plan(status=401), Plan(status=401), has_cues=True)
