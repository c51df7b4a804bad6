"""The line mode's sentences about changes of the state and of the conversation. Pure.

Everything is announced once, in whole lines and in order. Of a final that has grown only the new text is announced; a
corrected one is announced again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pinch_tui.core.events import Levels, MicState, NoticePosted, SessionParams, Severity, StateWord, Status
from pinch_tui.core.options import pair_text
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.sides import segment_side, speaker_side
from pinch_tui.core.transcript.unheard import sentences
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.frontend.status_text import LATE_SPEECH_S, mic_line, state_sentence

_DONE = (UtteranceState.SETTLED, UtteranceState.EMPTY, UtteranceState.CANCELLED)
REPEAT_S = 60.0
"""A microphone problem is announced again after this time."""


def sentence(text: str) -> str:
    """A clean line with a full stop."""
    text = clean(text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


class Narrator:
    """Announces each change once."""

    def __init__(self, *, catch_up: str = "") -> None:
        """``catch_up``: the key of that action, "" for none."""
        self._catch_up = f" {catch_up} catches up." if catch_up else ""
        self._announced: dict[tuple[int, str, str], str] = {}
        self._ended: set[int] = set()
        self._resent: dict[int, int] = {}
        self._notices: dict[str, str] = {}
        self._word: StateWord | None = None
        self._is_latched = False
        self._is_late = False
        self._mic: MicState | None = None
        self._mic_problems: dict[str, float] = {}
        self._params: SessionParams | None = None
        self._retry_at: float | None = None

    # ---- the state ------------------------------------------------------------------------------------------------

    def status(self, status: Status, now: float) -> Iterator[str]:
        """Sentences about the differences from the last status."""
        if self._params is not None and status.params != self._params:
            voice = "" if status.params.audio_output else ", text only"
            yield f"Languages: {pair_text(status.service.meant(status.params))}{voice}."
        self._params = status.params
        if status.mic is not self._mic and (self._mic is not None or status.mic in (MicState.LOST, MicState.ABSENT)):
            yield from self._microphone(status)
        self._mic = status.mic
        is_new_try = status.word is StateWord.RECONNECTING and status.retry_at != self._retry_at
        if status.word is not self._word or (is_new_try and status.retry_at is not None):
            yield state_sentence(status, now)
        self._word = status.word
        self._retry_at = status.retry_at
        if status.is_latched and not self._is_latched:
            yield "Still recording. Press the key again to stop."
        self._is_latched = status.is_latched
        is_late = status.speech_late_s > LATE_SPEECH_S
        if is_late and not self._is_late:
            yield f"The voice is {status.speech_late_s:.0f} seconds behind.{self._catch_up}"
        self._is_late = is_late

    def _microphone(self, status: Status) -> Iterator[str]:
        if status.mic in (MicState.LOST, MicState.ABSENT):
            line = mic_line(status, Levels(), 0.0)
            yield sentence(f"Microphone: {line.problem or line.state}")
        elif status.mic is MicState.OPEN and self._mic in (MicState.LOST, MicState.ABSENT):
            yield sentence(f"Microphone: {status.mic_name or 'found again'}")

    def mark_announced(self, params: SessionParams) -> None:
        """These parameters have been announced already."""
        self._params = params

    def levels(self, status: Status, levels: Levels, now: float) -> Iterator[str]:
        """Problems with the microphone's sound, each at most once a minute."""
        is_there = status.mic not in (MicState.LOST, MicState.ABSENT)
        problem = mic_line(status, levels, now).problem if is_there else ""
        if problem and now - self._mic_problems.get(problem, float("-inf")) >= REPEAT_S:
            self._mic_problems[problem] = now
            yield sentence(f"Microphone: {problem}")

    def notice(self, notice: NoticePosted) -> Iterator[str]:
        """A notice, unless it repeats the last one of its topic."""
        words = {Severity.INFO: "Note", Severity.WARNING: "Warning"}.get(notice.severity, "Error")
        text = clean(f"{notice.title} {notice.hint}")
        if notice.title and self._notices.get(notice.topic) != text:
            yield f"{words}: {text}"
        self._notices[notice.topic] = text if notice.title else ""

    # ---- the conversation -----------------------------------------------------------------------------------------

    def utterances(self, changed: Iterable[Utterance]) -> Iterator[str]:
        """New finals, and utterances that have ended without text."""
        for utterance in changed:
            yield from self._utterance(utterance)

    def _utterance(self, utterance: Utterance) -> Iterator[str]:
        number = utterance.number
        if utterance.attempt > self._resent.get(number, 1) and utterance.state not in _DONE:
            self._resent[number] = utterance.attempt
            if number in self._ended:  # the user asked for it, after the line had ended without text
                self._ended.discard(number)
                yield "Your words are being sent again."
            else:
                yield "The connection was lost; your words are being sent again."
        if utterance.state is UtteranceState.CANCELLED:
            if number not in self._ended:
                self._ended.add(number)
                yield "Thrown away."
            return
        for segment in utterance.segments:
            is_over = utterance.state in _DONE or segment is not utterance.segments[-1]
            yield from self._segment(utterance, segment, is_over)
        if utterance.state is UtteranceState.EMPTY and number not in self._ended:
            self._ended.add(number)
            if not utterance.has_note and utterance.unheard is None:  # otherwise a notice names the cause
                yield sentences(None, "", "")[0]

    def _segment(self, utterance: Utterance, segment: Segment, is_over: bool) -> Iterator[str]:
        right = (segment_side(utterance, segment) or speaker_side(utterance)) == "right"
        spoken = segment.detected_language or (utterance.target if right else utterance.source)
        wanted = utterance.source if right else segment.target_language or utterance.target
        who = "Sample" if utterance.is_sample else "Said" if utterance.is_two_way else "You"
        sides = (
            ("o", who, spoken, segment.original, segment.original_is_final),
            ("t", "Translation", wanted, segment.translation, segment.translation_is_final),
        )
        if segment.note and is_over:
            yield from self._final((utterance.number, segment.id, "n"), "Practice", clean(segment.note))
        for side, name, code, text, is_final in sides:
            text = clean(text)
            if not text:
                continue
            key = (utterance.number, segment.id, side)
            head = f"{name} ({clean(code)})"
            if is_final and is_over:
                yield from self._final(key, head, text)
            elif utterance.state in _DONE and not is_final:
                yield from self._final(key, f"{head}, unfinished", text)

    def _final(self, key: tuple[int, str, str], head: str, text: str) -> Iterator[str]:
        before = self._announced.get(key)
        if text == before:
            return
        self._announced[key] = text
        if before is None:
            yield f"{head}: {text}"
        elif text.startswith(before):
            yield f"{head}, more: {text[len(before) :].strip()}"
        else:
            yield f"{head}, corrected: {text}"
