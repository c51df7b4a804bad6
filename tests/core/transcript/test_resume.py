"""A conversation that goes on: its earlier lines are settled for good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from tests.fakes.conversation import segment, utterance

EARLIER = [
    utterance(number, segment(f"s{number}", f"One {number}.", f"Uno {number}."), state=UtteranceState.SETTLED)
    for number in (1, 2, 4)
]
_NUMBERS = st.integers(1, 6)
_MESSAGE = st.builds(
    TranscriptMessage,
    id=st.sampled_from(["s1", "s2", "new"]),
    kind=st.sampled_from(list(TranscriptKind)),
    text=st.sampled_from(["", "other", "One 1. and more"]),
    is_final=st.booleans(),
)
_STEP = st.one_of(
    st.tuples(st.just("apply"), _NUMBERS, st.integers(1, 3), _MESSAGE),
    st.tuples(st.just("move"), _NUMBERS, st.sampled_from(["s1", "new"]), _NUMBERS),
    st.tuples(st.sampled_from(["finish", "settle", "cancel"]), _NUMBERS),
)


@given(st.lists(_STEP, max_size=12))
def test_nothing_but_a_correction_changes_an_earlier_line(steps: list[tuple[object, ...]]) -> None:
    transcript = Transcript()
    transcript.resume(EARLIER)
    assert transcript.last_number == 4
    transcript.begin(Utterance(5, 1_790_000_100.0, 5_000, "en", "es"))
    for step in steps:
        match step:
            case ("apply", int(number), int(attempt), TranscriptMessage() as message):
                transcript.apply(number, attempt, message, 6_000)
            case ("move", int(number), str(id_), int(target)):
                transcript.move(number, id_, target, 1, 6_000)
            case (str(name), int(number)) if number in (1, 2, 4, 5):
                if name == "cancel":
                    transcript.cancel(number)
                else:
                    getattr(transcript, name)(number, 6_000)
            case _:
                pass
        assert list(transcript.utterances[:3]) == EARLIER
    assert transcript.correct(2, "Two.", None)
    assert transcript.utterance(2).original == "Two." and transcript.utterance(2).is_corrected


def test_the_sequence_that_views_hold_is_the_same() -> None:
    transcript = Transcript()
    transcript.begin(Utterance(1, 1_790_000_000.0, 0, "en", "es"))
    held = transcript.utterances
    transcript.resume(EARLIER)
    assert list(held) == EARLIER and transcript.earlier == {1, 2, 4}
