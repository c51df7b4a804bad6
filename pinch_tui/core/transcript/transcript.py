"""The conversation: utterances, their segments, interim and final texts. Pure.

An utterance (one hold of the talk key) is one row of the conversation. It has a segment per correlation id, in order of
appearance. The original and the translation of one id share a segment, whichever arrives first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.merge import Track, whole
from pinch_tui.core.transcript.rows import Row, marked, shown
from pinch_tui.core.transcript.unheard import cause_of
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

TEXT_ROOM, TEXT_A_SECOND = 200_000, 100
"""Most characters of one utterance: a base, and more per second since its start. Speech never needs as many."""


class Transcript:
    """All utterances in press order, with their texts.

    Texts on screen stay stable (`pinch_tui.core.transcript.merge`). A resend is a new attempt of the same row: its
    texts stay hidden until they are as long as those on screen, or until the row settles. Then they replace them.
    """

    def __init__(self) -> None:
        self._utterances: list[Utterance] = []
        self._rows: list[Row] = []
        self._position: dict[int, int] = {}
        self._earlier: frozenset[int] = frozenset()
        self.refused = 0
        """Number of messages refused because the utterance had too much text."""

    @property
    def utterances(self) -> Sequence[Utterance]:
        """All utterances in press order; the sequence is live, its items are frozen."""
        return self._utterances

    def utterance(self, number: int) -> Utterance:
        """Raises `KeyError` for a number that never began."""
        return self._utterances[self._position[number]]

    def resume(self, utterances: Iterable[Utterance]) -> None:
        """Replace this conversation by an earlier one. Only a person's corrections can change its lines."""
        self._utterances[:] = utterances
        self._rows = [Row.of(one.segments) for one in self._utterances]
        self._position = {one.number: at for at, one in enumerate(self._utterances)}
        self._earlier = frozenset(self._position)

    @property
    def earlier(self) -> frozenset[int]:
        """The numbers of the utterances from before `resume`."""
        return self._earlier

    @property
    def last_number(self) -> int:
        """The highest number in use, 0 if there is none."""
        return max(self._position, default=0)

    @property
    def end_ms(self) -> int:
        """When the last text came, in ms since the conversation began."""
        ends = ((one.end_ms or one.start_ms, *(s.end_ms for s in one.segments)) for one in self._utterances)
        return max(map(max, ends), default=0)

    def is_open(self, number: int) -> bool:
        """Whether the service's messages can change this row: it exists, and is not `earlier`."""
        return number in self._position and number not in self._earlier

    def segment_of(self, number: int, message_id: str) -> Segment | None:
        """The newest attempt's segment of a correlation id, on screen or still hidden."""
        row = self._rows[self._position[number]]
        at = row.index.get(message_id)
        return None if at is None else row.segments[at]

    def begin(self, utterance: Utterance) -> None:
        """Add a row. Raises `ValueError` if there is one of its number."""
        if utterance.number in self._position:
            raise ValueError(f"utterance {utterance.number} has begun already")
        self._position[utterance.number] = len(self._utterances)
        self._rows.append(Row())
        self._utterances.append(utterance)

    def add_sound(self, number: int, end_ms: int, peak: float, *, is_muted: bool = False) -> None:
        """Take a frame of the utterance's sound, as `Voicing.hear` does."""
        if number in self._position:
            self._rows[self._position[number]].voicing.hear(end_ms, peak, is_muted=is_muted)

    def apply(self, number: int, attempt: int, message: TranscriptMessage, now_ms: int) -> bool:
        """Take one message for an utterance; True if the row changed.

        Messages of an older attempt, or for a cancelled or unknown utterance, change nothing.
        """
        if not self.is_open(number):
            return False
        position = self._position[number]
        utterance = self._utterances[position]
        if utterance.state is UtteranceState.CANCELLED or attempt < utterance.attempt:
            return False
        if attempt > utterance.attempt:
            if utterance.is_corrected:
                return False
            self.restart(number, attempt, utterance.session_id)
            utterance = self._utterances[position]
        row = self._rows[position]
        row.detected = message.detected_language or row.detected
        if not self._merge(row, utterance, message, now_ms):
            return False
        return self._show(position, is_forced=utterance.state in _ENDED)

    def move(
        self, number: int, message_id: str, target: int, attempt: int, now_ms: int, before: str | None = None
    ) -> bool:
        """Move a segment to another utterance's attempt, before the segment of the id ``before`` or to the end; True if
        a row changed.

        The segment is dropped if the target row was cancelled or has a newer attempt.
        """
        if not (self.is_open(number) and self.is_open(target)):
            return False
        position, to = self._position[number], self._position[target]
        row = self._rows[position]
        at = row.index.get(message_id)
        if at is None:
            return False
        tracks, segment = row.tracks[at], row.segments[at]
        row.remove(at)
        self._show(position, is_forced=True)
        receiver = self._utterances[to]
        if receiver.state is UtteranceState.CANCELLED or attempt != receiver.attempt:
            return True
        taking = self._rows[to]
        start = max(segment.start_ms, min(receiver.start_ms, now_ms))
        taking.insert(message_id, replace(segment, start_ms=start, attempt=attempt), tracks, before)
        self._show(to, is_forced=receiver.state in _ENDED)
        return True

    def restart(self, number: int, attempt: int, session_id: str | None, kept: int = 0) -> None:
        """Begin a new attempt because the utterance is sent again; messages of older attempts no longer count.

        ``kept``: number of leading segments that are settled; they are not sent again and stay as they are.
        """
        position = self._position[number]
        utterance = self._utterances[position]
        if attempt <= utterance.attempt or utterance.state is UtteranceState.CANCELLED or utterance.is_corrected:
            return
        row = self._rows[position]
        row.reset(kept)
        row.held = utterance.has_text and utterance.segments != row.segments
        row.segments = tuple(replace(segment, attempt=attempt) for segment in row.segments)
        self._change(
            number,
            attempt=attempt,
            session_id=session_id,
            state=UtteranceState.WAITING if utterance.state in _ENDED else utterance.state,
            segments=utterance.segments if row.held else row.segments,
            unheard=None,
            heard_as=None,
            can_send_again=False,
        )

    def finish(self, number: int, now_ms: int) -> None:
        """Its sound has ended; the last words still come."""
        if self.utterance(number).state is UtteranceState.TALKING:
            self._change(number, state=UtteranceState.WAITING, end_ms=now_ms)

    def settle(self, number: int, now_ms: int) -> None:
        """Expect nothing more. A row without any text becomes EMPTY."""
        position = self._position[number]
        utterance = self._utterances[position]
        if not utterance.is_live:
            return
        row = self._rows[position]
        row.close()
        end_ms = now_ms if utterance.end_ms is None else utterance.end_ms
        self._show(position, is_forced=True)
        utterance = self._utterances[position]
        if row.held:  # no answer to the newest attempt: of older texts, only the finals are certain
            row.held = False
            finals = (final_part(segment) for segment in utterance.segments)
            utterance = replace(utterance, segments=tuple(final for final in finals if final is not None))
        self._utterances[position] = utterance
        if utterance.has_text:
            self._change(number, state=UtteranceState.SETTLED, end_ms=end_ms)
            return
        cause = None if utterance.has_note else cause_of(row.voicing)
        self._change(number, state=UtteranceState.EMPTY, end_ms=end_ms, unheard=cause, heard_as=row.detected)

    def cancel(self, number: int) -> None:
        """Cancel an unsettled utterance: remove its texts and drop later messages. The row stays."""
        if self.utterance(number).is_live:
            self._rows[self._position[number]] = Row()
            self._change(number, state=UtteranceState.CANCELLED, segments=())

    def correct(self, number: int, original: str | None, translation: str | None) -> bool:
        """Correct the texts of a settled row with `corrected`; True if it changed.

        From then on, a corrected segment takes no messages, and its row no new attempt.
        """
        position = self._position.get(number)
        if position is None or self._utterances[position].state is not UtteranceState.SETTLED:
            return False
        utterance, row = self._utterances[position], self._rows[position]
        segments = corrected(utterance.segments, original, translation)
        if segments == utterance.segments:
            return False
        if len(row.segments) == len(segments):
            for at, segment in enumerate(segments):
                row.put(at, segment)
        self._change(number, segments=segments)
        return True

    def mark_speech(self, number: int, *, has_speech: bool = True) -> None:
        """Whether translated speech has come for this utterance."""
        if self.utterance(number).has_speech != has_speech:
            self._change(number, has_speech=has_speech)

    def mark_kept(self, number: int, *, is_kept: bool) -> None:
        """Whether the sound of an empty row can be sent again."""
        self._change(number, can_send_again=is_kept)

    def retarget(self, number: int, source: str, target: str, session_id: str | None) -> None:
        """The utterance goes to another session. Once it has text, it keeps its languages."""
        if not self.utterance(number).has_text and not self._rows[self._position[number]].segments:
            self._change(number, source=source, target=target, session_id=session_id)

    def _change(self, number: int, **changes: Any) -> None:
        position = self._position[number]
        self._utterances[position] = replace(self._utterances[position], **changes)

    def _merge(self, row: Row, utterance: Utterance, message: TranscriptMessage, now_ms: int) -> bool:
        room = TEXT_ROOM + TEXT_A_SECOND * (now_ms - utterance.start_ms) // 1000
        if row.size + len(message.text) + len(message.original_text or "") > room:
            self.refused += 1
            return False
        at = row.index.get(message.id)
        if at is None:
            has_hint = message.original_text and message.kind is TranscriptKind.TRANSLATED
            if not message.text and not has_hint and not message.note:
                return False
            at = self._begin_segment(row, utterance, message.id, now_ms)
        is_original = message.kind is TranscriptKind.ORIGINAL
        if message.note:  # withdraw this text; without an original there is no translation either
            row.tracks[at] = (Track(), Track()) if is_original else (row.tracks[at][0], Track())
        original, translation = row.tracks[at]
        track = original if is_original else translation
        changed = track.apply(message.text, is_final=message.is_final, keeps_rest=utterance.state not in _ENDED)
        hint = message.original_text
        if not is_original and hint and not original.stable and hint.startswith(original.text):
            changed |= original.apply(hint, is_final=False)
        before = row.segments[at]
        segment = replace(
            before,
            source_language=message.source_language or before.source_language,
            target_language=message.target_language or before.target_language,
            detected_language=message.detected_language or before.detected_language,
            note=message.note or before.note,
        )
        if changed or message.note:
            end = min(now_ms, self._start_after(row, at, utterance.number, now_ms))
            segment = replace(shown(segment, original, translation), end_ms=max(end, before.start_ms))
            if is_original:
                segment = _timed(row, before, segment, message.word_times, utterance.is_live)
        elif segment == before:
            return False
        row.put(at, segment)
        return True

    def _begin_segment(self, row: Row, utterance: Utterance, message_id: str, now_ms: int) -> int:
        """Add a segment to a row, which ends the one before; returns its position."""
        at = row.index[message_id] = len(row.tracks)
        row.tracks.append((Track(), Track()))
        id_ = message_id
        while any(segment.id == id_ for segment in row.segments):
            id_ = f"{id_}/{utterance.attempt}"
        since = utterance.start_ms
        if at:
            before = row.segments[-1]
            since = row.voicing.pause_before(before.end_ms, before.start_ms)
            row.put(at - 1, replace(before, end_ms=since))
        latest = min(now_ms, self._start_after(row, at, utterance.number, now_ms))
        start = max(min(since, now_ms), min(row.voicing.onset(since, now_ms), latest))
        row.segments = (*row.segments, Segment(id_, start_ms=start, end_ms=now_ms, attempt=utterance.attempt))
        return at

    def _start_after(self, row: Row, at: int, number: int, now_ms: int) -> int:
        """When the segment after the ``at``-th of this row began; now if there is none."""
        if at + 1 < len(row.segments):
            return row.segments[at + 1].start_ms
        rows = (self._rows[position] for position in range(self._position[number] + 1, len(self._rows)))
        return next((one.segments[0].start_ms for one in rows if one.segments), now_ms)

    def _show(self, position: int, *, is_forced: bool) -> bool:
        """Bring the newest attempt's segments to the screen, unless an older attempt has longer texts there."""
        utterance, row = self._utterances[position], self._rows[position]
        if row.held:
            if not any(s.original or s.translation for s in row.segments[row.kept :]):
                return False
            if not is_forced and any(
                new < old for new, old in zip(_lengths(row.segments), _lengths(utterance.segments), strict=True)
            ):
                return False
            row.held = False
        if utterance.segments == row.segments:
            return False
        shown = replace(utterance, segments=row.segments)
        if utterance.state in _ENDED:
            shown = replace(shown, state=UtteranceState.SETTLED if shown.has_text else UtteranceState.EMPTY)
        if shown.has_text:
            shown = replace(shown, unheard=None, heard_as=None)
        self._utterances[position] = shown
        return True


def _timed(
    row: Row, before: Segment, segment: Segment, word_times: Sequence[tuple[int, float]], is_live: bool
) -> Segment:
    """A segment whose original grew, with marks from the times of its words, or else of its finals."""
    begin = row.voicing.begin_ms
    if word_times and begin is not None and not row.kept:  # kept segments shift the times of a new attempt
        marks = [(n, begin + round(seconds * 1000)) for n, seconds in word_times]
        at = row.segments.index(before)
        since = row.segments[at - 1].end_ms if at else begin
        return marked(replace(segment, start_ms=min(max(since, marks[0][1]), segment.end_ms)), marks)
    if not is_live or not 0 < before.original_stable < segment.original_stable:
        return segment  # a single final says nothing about the times of its words
    earlier = segment.marks or ((before.original_stable, before.end_ms),)
    return marked(segment, [*earlier, (segment.original_stable, segment.end_ms)])


_ENDED = frozenset((UtteranceState.SETTLED, UtteranceState.EMPTY))


def _lengths(segments: tuple[Segment, ...]) -> tuple[int, int]:
    return len(whole(s.original for s in segments)), len(whole(s.translation for s in segments))
