"""Nothing came back: the cause is named, a muted microphone before the press."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import Severity, StateWord
from pinch_tui.core.sound import MicMuted
from tests.engine.rig import Rig, play
from tests.faults.scripted import Plan

DEAF = Plan(hears=False)


@pytest.mark.parametrize(
    ("source", "why", "title"),
    [
        ("zeros", "zeros", "Nothing was heard: the microphone gave no sound at all."),
        ("whisper", "quiet", "Nothing was heard: it was too quiet to be speech."),
        ("voice", "no-text", "There was a voice, but no text came back."),
    ],
)
def test_the_cause_is_named_once(source: str, why: str, title: str) -> None:
    async def scene(rig: Rig) -> None:
        rig.source = source
        await rig.sleep(1.0)
        await rig.hold(1.0)
        await rig.settled()

    rig = play(scene, DEAF)
    (notice,) = [notice for notice in rig.notices("heard") if notice.title]
    assert notice.title == title
    assert ("languages" in notice.offers) is (why == "no-text")
    (settled,) = rig.logged("settled")
    assert (settled.fields["empty"], settled.fields["why"]) == (True, why)


def test_a_microphone_that_the_system_muted_is_known_before_the_press() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        rig.microphone.say(MicMuted(True, "Unmute it."))
        rig.source = "zeros"
        await rig.sleep(0.5)
        assert rig.engine.status.mic_is_muted
        assert rig.notices("muted") == []  # nobody talks yet
        pressed_at = rig.now
        await rig.press(0.01)
        (notice,) = rig.notices("muted")
        assert notice.severity is Severity.ERROR
        assert "muted by the system" in notice.title
        assert notice.hint.endswith("Unmute it.")
        assert rig.now - pressed_at < 0.02
        await rig.sleep(2.5)
        await rig.release()
        await rig.settled()
        assert rig.notices("silence") == []  # said already, and better
        assert rig.notices("heard")[-1].title == "Nothing was heard: the microphone is muted by the system."
        rig.microphone.say(MicMuted(False))
        await rig.sleep(0.01)
        assert rig.notices("muted")[-1].title == ""
        assert not rig.engine.status.mic_is_muted

    play(scene, DEAF)


def test_a_microphone_that_is_muted_while_somebody_talks_is_named_at_once() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.5)
        rig.microphone.say(MicMuted(True))
        rig.source = "zeros"
        await rig.sleep(0.01)
        assert len(rig.notices("muted")) == 1
        await rig.release()
        await rig.settled()

    play(scene)
