"""The output of ``translate``: sinks that follow the conversation and write text, JSON lines or a document.

A sink receives the utterances after every change, and regular ticks. A printed line cannot be changed, so a segment is
printed when it is settled: when its utterance is, when a later segment has a final translation, or when both its texts
are final and have not changed for `QUIET_S`. If the service does not translate, only the original counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.documents import render
from pinch_tui.core.transcript.export import ExportFormat, ExportHead, ExportSide, lines_of
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
from pinch_tui.settings.run import TextFormat

QUIET_S = 1.5
Write = Callable[[str], None]

_ENDED = frozenset((UtteranceState.SETTLED, UtteranceState.EMPTY))


class Sink:
    """Prints the conversation of one input after another. Every method that writes can raise OSError."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._shown: Sequence[Utterance] = ()

    def begin_input(self, name: str) -> None:
        """The following utterances belong to this input; their numbers and times start again."""
        self._shown = ()

    def show(self, utterances: Sequence[Utterance], now: float) -> None:
        """The conversation changed. ``now``: monotonic seconds."""
        self._shown = utterances
        self.tick(now)

    def tick(self, now: float) -> None:
        """Time has passed."""

    def end_input(self, length_ms: int | None) -> None:
        """The input has ended: write the rest. ``length_ms``: its true length; None for the microphone."""

    def finish(self) -> None:
        """All inputs have ended."""


class SegmentSink(Sink):
    """Tracks which segments are settled, and how much of each has been printed."""

    def __init__(self, write: Write) -> None:
        super().__init__(write)
        self._changed: dict[tuple[int, str], tuple[str, str, float]] = {}  # both texts, and the time of their change
        self._printed: dict[tuple[int, str], tuple[str, str, bool]] = {}  # both texts, and whether it was settled

    def begin_input(self, name: str) -> None:
        super().begin_input(name)
        self._changed.clear()
        self._printed.clear()

    def _segments(self, now: float) -> Iterator[tuple[Utterance, Segment, bool]]:
        """Each segment with final text, cut to that text, and whether it is settled."""
        for utterance in self._shown:
            if utterance.state is UtteranceState.CANCELLED:
                continue
            finals = [final_part(segment) for segment in utterance.segments]
            needs = "translation" if utterance.is_translated else "original"
            last_whole = max((i for i, final in enumerate(finals) if final and getattr(final, needs)), default=-1)
            for index, (whole, final) in enumerate(zip(utterance.segments, finals, strict=True)):
                if final is None:
                    continue
                key = (utterance.number, whole.id)
                known = self._changed.get(key)
                if known is None or known[:2] != (whole.original, whole.translation):
                    known = self._changed[key] = (whole.original, whole.translation, now)
                is_whole = whole.original_is_final and (whole.translation_is_final or not utterance.is_translated)
                is_quiet = is_whole and now - known[2] >= QUIET_S
                is_settled = utterance.state in _ENDED or is_quiet or (is_whole and index < last_whole)
                yield utterance, final, is_settled


class TextSink(SegmentSink):
    """One line per settled segment: the translation, with ``has_both`` preceded by the original and a tab."""

    def __init__(self, write: Write, *, has_both: bool) -> None:
        super().__init__(write)
        self._has_both = has_both

    def tick(self, now: float) -> None:
        for utterance, segment, is_settled in self._segments(now):
            if is_settled:
                self._print(utterance, segment)

    def end_input(self, length_ms: int | None) -> None:
        for utterance, segment, is_settled in self._segments(0.0):
            if not is_settled:  # the run was interrupted
                self._print(utterance, segment)

    def _print(self, utterance: Utterance, segment: Segment) -> None:
        key = (utterance.number, segment.id)
        texts = (segment.original, segment.translation, True)
        before = self._printed.get(key)
        if before == texts:
            return
        if before is None and self._was_said_before(utterance, texts):
            self._printed[key] = texts
            return
        original, translation, _ = texts
        if before is not None:  # finals are only extended, so print the rest
            original, translation = _rest(before[0], original), _rest(before[1], translation)
        self._printed[key] = texts
        if not utterance.is_translated:
            if original:
                self._write(f"{clean(original)}\n")
        elif translation or (original and self._has_both):
            self._write(f"{clean(original)}\t{clean(translation)}\n" if self._has_both else f"{clean(translation)}\n")

    def _was_said_before(self, utterance: Utterance, texts: tuple[str, str, bool]) -> bool:
        """True if these texts were already printed for an earlier attempt, under another id."""
        if utterance.attempt == 1:
            return False
        current = {segment.id for segment in utterance.segments}
        for (number, name), said in self._printed.items():
            if number == utterance.number and name not in current and said == texts:
                del self._printed[number, name]
                return True
        return False


def _rest(before: str, text: str) -> str:
    return text[len(before) :].strip() if text.startswith(before) else text


class JsonLinesSink(SegmentSink):
    """One object per settled segment (``is_last``).

    ``has_all_finals`` adds one per final, and ``has_interim`` one per change of a text that is not final.
    ``names_inputs``: every object names its ``input``.
    """

    def __init__(self, write: Write, *, has_interim: bool, has_all_finals: bool, names_inputs: bool) -> None:
        super().__init__(write)
        self._has_interim = has_interim
        self._has_all_finals = has_all_finals
        self._names_inputs = names_inputs
        self._interims: dict[tuple[int, str], tuple[str, str]] = {}
        self._input = ""

    def begin_input(self, name: str) -> None:
        super().begin_input(name)
        self._interims.clear()
        self._input = name

    def show(self, utterances: Sequence[Utterance], now: float) -> None:
        if self._has_interim:
            for utterance in utterances:
                for segment in utterance.segments:
                    self._interim(utterance, segment)
        super().show(utterances, now)

    def tick(self, now: float) -> None:
        for utterance, segment, is_settled in self._segments(now):
            key = (utterance.number, segment.id)
            state = (segment.original, segment.translation, is_settled)
            before = self._printed.get(key)
            is_known = before is not None and before[:2] == state[:2]
            if before == state or (not is_settled and (is_known or not self._has_all_finals)):
                continue
            self._printed[key] = state
            self._object("final", utterance, segment, is_last=is_settled)

    def end_input(self, length_ms: int | None) -> None:
        for utterance, segment, is_settled in self._segments(0.0):
            known = self._printed.get((utterance.number, segment.id), ())
            if not is_settled and known[:2] != (segment.original, segment.translation):  # the run was interrupted
                self._object("final", utterance, segment, is_last=False)

    def _interim(self, utterance: Utterance, segment: Segment) -> None:
        final = final_part(segment)
        texts = (segment.original, segment.translation)
        if final is not None and (final.original, final.translation) == texts:
            return
        key = (utterance.number, segment.id)
        if self._interims.get(key) != texts:
            self._interims[key] = texts
            self._object("interim", utterance, segment, is_last=False)

    def _object(self, kind: str, utterance: Utterance, segment: Segment, *, is_last: bool) -> None:
        whole = replace(segment, original_stable=len(segment.original), translation_stable=len(segment.translation))
        line = lines_of([replace(utterance, segments=(whole,))])[0]  # decides the direction
        fields: dict[str, object] = {
            "kind": kind,
            "id": segment.id,
            "attempt": utterance.attempt,
            "original": clean(segment.original),
            "translation": clean(segment.translation),
            "source_language": line.source_language,
            "target_language": line.target_language,
            "detected_language": segment.detected_language,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
            "is_last": is_last,
            "utterance": utterance.number,
        }
        if self._names_inputs:
            fields["input"] = self._input
        self._write(json.dumps(fields, ensure_ascii=False) + "\n")


class DocumentSink(Sink):
    """A document, written at the end. Several inputs follow one another, offset by their true lengths."""

    def __init__(self, write: Write, format_: ExportFormat, side: ExportSide, head: ExportHead | None) -> None:
        super().__init__(write)
        self._format, self._side, self._head = format_, side, head
        self._past: list[Utterance] = []
        self._past_ms = 0

    def end_input(self, length_ms: int | None) -> None:
        last = max((utterance.number for utterance in self._past), default=0)
        self._past += [shifted(utterance, last, self._past_ms, length_ms) for utterance in self._shown]
        self._past_ms += length_ms or 0
        self._shown = ()

    def finish(self) -> None:
        self.end_input(None)
        self._write(render(lines_of(self._past), self._format, self._side, self._head))


def shifted(utterance: Utterance, numbers: int, ms: int, length_ms: int | None = None) -> Utterance:
    """The utterance with its number and times shifted; times are limited to the end of its input."""

    def moved(at: int) -> int:
        return ms + (at if length_ms is None else min(at, length_ms))

    return replace(
        utterance,
        number=utterance.number + numbers,
        start_ms=moved(utterance.start_ms),
        end_ms=None if utterance.end_ms is None else moved(utterance.end_ms),
        segments=tuple(
            replace(
                segment,
                start_ms=moved(segment.start_ms),
                end_ms=moved(segment.end_ms),
                marks=tuple((n, moved(at)) for n, at in segment.marks),
            )
            for segment in utterance.segments
        ),
    )


def make_sink(
    kind: TextFormat,
    write: Write,
    *,
    has_both: bool = False,
    has_interim: bool = False,
    has_all_finals: bool = False,
    n_inputs: int = 1,
    head: ExportHead | None = None,
) -> Sink:
    """The sink of a format. ``head``: the title of a document."""
    match kind:
        case TextFormat.TEXT:
            return TextSink(write, has_both=has_both)
        case TextFormat.JSONL:
            return JsonLinesSink(
                write, has_interim=has_interim, has_all_finals=has_all_finals, names_inputs=n_inputs > 1
            )
        case TextFormat.SRT | TextFormat.VTT | TextFormat.MD:
            side = ExportSide.BOTH if has_both else ExportSide.TRANSLATION
            return DocumentSink(write, ExportFormat(kind), side, head)
