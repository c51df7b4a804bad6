"""The engine goes on with an earlier conversation, before it runs and while it rests."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import Correct, EdgeKind, ReplaySpeech
from pinch_tui.core.session import events as ev
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from tests.engine.rig import Rig, play
from tests.fakes.conversation import segment, utterance

EARLIER = [
    utterance(
        number, segment(f"s{number}", f"One {number}.", f"Uno {number}.", end_ms=50_000), state=UtteranceState.SETTLED
    )
    for number in (1, 2, 7)
]


def test_lines_and_times_go_on_and_older_lines_stay() -> None:
    async def scene(rig: Rig) -> None:
        await rig.hold(0.6, 0.0)
        assert not rig.engine.is_resting
        with pytest.raises(AssertionError):
            rig.engine.resume(EARLIER)
        await rig.settled()
        assert rig.engine.speech_of(1)
        rig.engine.resume(EARLIER)
        assert list(rig.engine.transcript.utterances) == EARLIER
        assert rig.engine.speech_of(1) == b"", "the speech of another line of that number is not this one's"
        rig.engine.post(ReplaySpeech(1, 1.0))
        await rig.hold(0.6, 0.1)
        await rig.settled()
        *earlier, new = rig.engine.transcript.utterances
        assert earlier == EARLIER
        assert new.number == 8 and new.has_text and new.start_ms > 50_000
        await rig.press(0.4)
        rig.edge(EdgeKind.CANCEL)
        await rig.sleep(0.5)
        assert list(rig.engine.transcript.utterances[:3]) == EARLIER
        assert rig.engine.transcript.utterances[-1].state is UtteranceState.CANCELLED
        rig.engine.post(Correct(2, "Two.", None))
        assert rig.engine.transcript.utterance(2).original == "Two."

    play(scene)


def test_a_late_answer_for_a_line_that_was_left_changes_nothing() -> None:
    async def scene(rig: Rig) -> None:
        await rig.hold(0.6, 0.0)
        await rig.settled()
        runner = rig.engine._sessions.current()
        rig.engine.resume(EARLIER)
        late = TranscriptMessage(TranscriptKind.TRANSLATED, "x", "Too late.", is_final=True)
        for number in (1, 3):  # a number of the conversation that goes on, and one that it does not have
            rig.engine._answers.take(runner, ev.TextReceived(number, 1, late))
            rig.engine._answers.take(runner, ev.Settled(number))
        assert list(rig.engine.transcript.utterances) == EARLIER

    play(scene)
