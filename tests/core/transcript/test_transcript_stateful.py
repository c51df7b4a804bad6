"""The transcript's invariants under any order of presses, messages, resends and endings."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState, final_part
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

WORDS = ["I", "want", "tea", "No.", "no", "go.", "Ja", "茶", "好。"]
ENDED = (UtteranceState.SETTLED, UtteranceState.EMPTY)
texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
messages = st.builds(
    TranscriptMessage,
    st.sampled_from(list(TranscriptKind)),
    st.sampled_from(["a", "b", "c"]),
    texts,
    st.booleans(),
    detected_language=st.sampled_from([None, "en", "es"]),
    original_text=st.none() | texts,
)


class Conversation(RuleBasedStateMachine):
    """Rows are compared with how they looked one step before."""

    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.now = 0
        self.numbers: list[int] = []
        self.before: list[Utterance] = []
        self.attempts: dict[int, int] = {}
        self.last: tuple[int, int, TranscriptMessage] | None = None

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(self.numbers[-3:]))

    @rule(two_way=st.booleans())
    def press(self, two_way: bool) -> None:
        number = len(self.numbers) * 2 + 1
        self.transcript.begin(Utterance(number, 0.0, self.now, "en", "es", is_two_way=two_way))
        self.numbers.append(number)
        self.attempts[number] = 1

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), message=messages, older=st.integers(0, 1))
    def receive(self, data: st.DataObject, message: TranscriptMessage, older: int) -> None:
        number = self.pick(data)
        attempt = self.attempts[number] - older
        before = self.transcript.utterance(number)
        changed = self.transcript.apply(number, attempt, message, self.now)
        assert changed == (self.transcript.utterance(number) != before)
        if older:
            assert not changed
        self.last = (number, attempt, message)

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), n_frames=st.integers(1, 5), peak=st.sampled_from([0.0, 0.3]))
    def hear(self, data: st.DataObject, n_frames: int, peak: float) -> None:
        number = self.pick(data)
        for n in range(n_frames):
            self.transcript.add_sound(number, self.now - 20 * (n_frames - 1 - n), peak)

    @precondition(lambda self: self.last)
    @rule()
    def receive_again(self) -> None:
        assert self.last is not None
        assert not self.transcript.apply(*self.last, self.now)

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), kept=st.sampled_from([0, 0, 1, 2]))
    def resend(self, data: st.DataObject, kept: int) -> None:
        number = self.pick(data)
        self.attempts[number] += 1
        shown = texts_of(self.transcript.utterance(number))
        self.transcript.restart(number, self.attempts[number], f"ss_{self.now}", kept)
        assert texts_of(self.transcript.utterance(number)) == shown
        self.last = None

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), how=st.sampled_from(["finish", "settle", "speech", "retarget", "cancel"]))
    def end(self, data: st.DataObject, how: str) -> None:
        number = self.pick(data)
        match how:
            case "finish":
                self.transcript.finish(number, self.now)
                assert self.transcript.utterance(number).state is not UtteranceState.TALKING
            case "settle":
                self.transcript.settle(number, self.now)
                row = self.transcript.utterance(number)
                assert row.state in (*ENDED, UtteranceState.CANCELLED)
                assert (row.state is UtteranceState.SETTLED) == row.has_text
                assert row.end_ms is not None or row.state is UtteranceState.CANCELLED
            case "speech":
                self.transcript.mark_speech(number)
            case "retarget":
                self.transcript.retarget(number, "en", "fr", "ss_x")
            case "cancel":
                was = self.transcript.utterance(number).state
                self.transcript.cancel(number)
                assert self.transcript.utterance(number).state is (was if was in ENDED else UtteranceState.CANCELLED)

    @invariant()
    def rows_stand_in_press_order(self) -> None:
        self.now += 100
        assert [row.number for row in self.transcript.utterances] == self.numbers

    @invariant()
    def rows_are_sound(self) -> None:
        for row in self.transcript.utterances[-3:]:
            assert len({s.id for s in row.segments}) == len(row.segments)
            assert len({s.attempt for s in row.segments}) <= 1
            if row.state is UtteranceState.CANCELLED:
                assert not row.segments
            if row.state in ENDED:
                assert (row.state is UtteranceState.SETTLED) == row.has_text
            for segment in row.segments:
                assert 0 <= segment.original_stable <= len(segment.original)
                assert 0 <= segment.translation_stable <= len(segment.translation)
                assert not segment.original_is_final or segment.original_stable == len(segment.original)
                assert not segment.translation_is_final or segment.translation_stable == len(segment.translation)
                assert row.start_ms <= segment.start_ms <= segment.end_ms <= self.now

    @invariant()
    def segments_of_a_row_never_overlap(self) -> None:
        for row in self.transcript.utterances[-3:]:
            for one, following in pairwise(row.segments):
                assert one.end_ms <= following.start_ms

    @invariant()
    def kept_finals_are_only_extended_or_followed(self) -> None:
        rows = list(self.transcript.utterances)
        for old, new in zip(self.before, rows, strict=False):
            if old is new or new.state is UtteranceState.CANCELLED:
                continue
            self.compare(old, new)
        self.before = rows

    def compare(self, old: Utterance, new: Utterance) -> None:
        has_just_ended = new.state in ENDED and (old.state not in ENDED or new.attempt > 1)
        if has_just_ended:  # what was never final goes, beside finals or when a resend was not answered
            finals = tuple(segment for segment in old.segments if final_part(segment))
            old = replace(old, segments=finals) if finals or new.attempt > 1 else old
        old_ids, new_ids = [s.id for s in old.segments], [s.id for s in new.segments]
        is_replaced = new.attempt > 1 and (
            new_ids[: len(old_ids)] != old_ids
            or any(b.revision < a.revision for a, b in zip(old.segments, new.segments, strict=False))
        )
        if is_replaced or (new.attempt > 1 and not self.extends(old, new)):
            # Only a resend may do this, once it reaches as far as what was shown, or when the row has settled.
            reached = all(length(new, kind) >= length(old, kind) for kind in ("original", "translation"))
            assert new.has_text or not old.has_text
            assert reached or new.state in ENDED
            return
        assert new_ids[: len(old_ids)] == old_ids
        assert self.extends(old, new)

    @staticmethod
    def extends(old: Utterance, new: Utterance) -> bool:
        return all(
            b.original[: b.original_stable].startswith(a.original[: a.original_stable])
            and b.translation[: b.translation_stable].startswith(a.translation[: a.translation_stable])
            for a, b in zip(old.segments, new.segments, strict=False)
        )

    def teardown(self) -> None:
        for number in self.numbers:
            self.transcript.settle(number, self.now)
            assert self.transcript.utterance(number).state in (*ENDED, UtteranceState.CANCELLED)


def texts_of(row: Utterance) -> list[tuple[str, str]]:
    return [(s.original, s.translation) for s in row.segments if s.original or s.translation]


def length(row: Utterance, kind: str) -> int:
    return sum(len(getattr(s, kind)) for s in row.segments)


Conversation.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase
