"""A link that drops every three seconds: what was answered reaches the history as it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinch_tui.core.events import EngineEvent, TranscriptChanged
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.engine import Engine
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.writer import HistoryWriter
from tests.faults.conversation import Hold, check, converse
from tests.faults.scripted import Plan
from tests.faults.warp import run

pytestmark = pytest.mark.slow


def test_every_answered_line_is_kept_and_none_is_sent_again(tmp_path: Path) -> None:
    """Each utterance is short enough to be answered between two drops."""
    writer = HistoryWriter(tmp_path, 1_790_000_000.0)
    saved_at: dict[int, int] = {}

    def keep(engine: Engine) -> None:
        def hear(event: EngineEvent) -> None:
            if isinstance(event, TranscriptChanged):
                for number in writer.record(engine.transcript.utterance(n) for n in event.utterances):
                    saved_at.setdefault(number, engine.transcript.utterance(number).attempt)

        engine.subscribe(hear)

    plans = [Plan(after=3.0, end="close", code=1006)] * 40
    outcome = run(converse(plans, [Hold(1.0, 0.9)] * 12, before=keep))
    check(outcome)
    assert [state for state, *_ in outcome.utterances] == [UtteranceState.SETTLED] * 12
    assert writer.close() == 0
    [conversation] = History(tmp_path).conversations()
    assert len(conversation.utterances) == 12
    answered = {int(str(e.fields["utterance"])) for e in outcome.logged("final") if e.fields["side"] == "translated"}
    resent = [e.fields["utterance"] for e in outcome.logged("resend")]
    finals = {
        (e.fields["utterance"], e.fields["attempt"])
        for e in outcome.logged("final")
        if e.fields["side"] == "translated"
    }
    again = [number for number in resent if (number, 1) in finals]
    assert answered == set(range(1, 13))
    assert again == [], "an answered attempt is done for the service"
