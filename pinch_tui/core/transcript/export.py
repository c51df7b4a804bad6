"""What an export contains: the lines of a conversation, a head, and a file name. Pure.

`pinch_tui.core.transcript.documents` writes it in every format.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from pinch_tui.core.languages import AUTO, label, normalize
from pinch_tui.core.transcript.sides import segment_side
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part

SAMPLE: Final = "sample"
"""The speaker of a sample."""
MANY: Final = "mul"
"""ISO 639 for "multiple languages"; a file's name has it once."""


class ExportFormat(StrEnum):
    TXT = "txt"
    MD = "md"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"
    CSV = "csv"


class ExportSide(StrEnum):
    BOTH = "both"
    ORIGINAL = "original"
    TRANSLATION = "translation"


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One segment. ``source_language`` is the original's, ``target_language`` the translation's; ``speaker`` names who
    spoke in a two-way conversation. Times are in ms since the conversation began, with the end not before the start."""

    start_ms: int
    end_ms: int
    original: str
    translation: str
    source_language: str
    target_language: str
    speaker: str | None = None
    number: int = 0
    segment_id: str = ""
    starred: bool = False
    at: float | None = None
    """Unix seconds when it was said."""
    marks: tuple[tuple[float, int], ...] = ()
    """(share of the text from 0 to 1, ms), rising: when that much had been said."""
    pair: tuple[str, str] | None = None
    """The languages of a two-way conversation, in the order of the screen; None if it is not two-way."""


@dataclass(frozen=True, slots=True)
class ExportHead:
    """The facts above the lines. All clock times are in the time zone of ``started``."""

    started: datetime
    service: str = ""
    context: str = ""
    part: str = ""
    """Which lines these are (`ExportPart`), "" for all lines."""
    inputs: tuple[str, ...] = ()
    """The translated sound files; their lines have times of the recording instead of clock times."""

    @property
    def has_clock(self) -> bool:
        return not self.inputs


@dataclass(frozen=True, slots=True)
class ExportPart:
    """A selection of lines: numbers ``first`` to ``last`` (None: the end), all or only the starred ones."""

    first: int = 1
    last: int | None = None
    is_starred_only: bool = False

    def of(self, utterances: Iterable[Utterance], starred: Collection[int]) -> list[Utterance]:
        """The utterances of this part."""
        last = float("inf") if self.last is None else self.last
        return [
            one
            for one in utterances
            if self.first <= one.number <= last and (one.number in starred or not self.is_starred_only)
        ]

    def __str__(self) -> str:
        """Such as ``starred lines from 3 to 17``; "" for all lines."""
        words = ["starred lines" if self.is_starred_only else "lines"]
        if self.first > 1:
            words.append(f"from {self.first}")
        if self.last is not None:
            words.append(f"to {self.last}")
        return "" if words == ["lines"] else " ".join(words)


def lines_of(utterances: Iterable[Utterance], starred: Collection[int] = ()) -> list[ExportLine]:
    """The final texts of a conversation in row order, without cancelled rows; ``starred`` are numbers of utterances.

    A line ends when the next one begins, even if its last text came later.
    """
    lines = []
    for utterance in utterances:
        if utterance.state is UtteranceState.CANCELLED:
            continue
        for segment in map(final_part, utterance.segments):
            if segment is not None:
                source, target, speaker = _direction(utterance, segment)
                if utterance.is_sample:
                    speaker = f"{speaker} ({SAMPLE})" if speaker else SAMPLE
                lines.append(
                    ExportLine(
                        segment.start_ms,
                        segment.end_ms,
                        segment.original,
                        segment.translation,
                        source,
                        target,
                        speaker,
                        utterance.number,
                        segment.id,
                        utterance.number in starred,
                        utterance.started + (segment.start_ms - utterance.start_ms) / 1000,
                        _shares(segment),
                        (utterance.source, utterance.target) if utterance.is_two_way else None,
                    )
                )
    following = [line.start_ms for line in lines[1:]] + [line.end_ms for line in lines[-1:]]
    return [
        replace(line, end_ms=max(line.start_ms, min(line.end_ms, latest)))
        for line, latest in zip(lines, following, strict=True)
    ]


def _shares(segment: Segment) -> tuple[tuple[float, int], ...]:
    """The segment's marks as shares of the service's wording of the original."""
    length = len(segment.wording[0])
    return tuple((min(1.0, n / length), ms) for n, ms in segment.marks) if length else ()


def _direction(utterance: Utterance, segment: Segment) -> tuple[str, str, str | None]:
    """The language of the original, that of the translation, and who spoke."""
    side = segment_side(utterance, segment)
    if side == "right":
        source, target = utterance.target, utterance.source
        return source, (segment.target_language or AUTO) if target == AUTO else target, label(source)
    source, detected = utterance.source, normalize(segment.detected_language)
    if detected and (source == AUTO or (side is None and utterance.is_two_way)):
        source = detected
    return source, utterance.target, label(source) if side else None


def pairs_of(lines: Iterable[ExportLine]) -> set[frozenset[str]]:
    """The language pairs that were spoken, regardless of direction."""
    return {frozenset((line.source_language, line.target_language)) for line in lines}


def pair_of(lines: Sequence[ExportLine], usual: tuple[str, str]) -> tuple[str, str]:
    """The pair for a file's name: the pair of all lines, in the order of ``usual`` if that is the same, or `MANY`."""
    pairs = pairs_of(lines)
    if len(pairs) > 1:
        return MANY, MANY
    if not lines or pairs == {frozenset(usual)}:
        return usual
    return lines[0].source_language, lines[0].target_language


def file_name(
    started: datetime,
    source: str,
    target: str,
    format_: ExportFormat,
    side: ExportSide = ExportSide.BOTH,
    *,
    copy: int = 1,
) -> str:
    """A name for every system, such as ``pinch-2026-11-20-1455-en-es.srt``; ``copy`` > 1 adds ``-2``, ``-3``..."""
    languages = [normalize(code) or "xx" for code in (source, target) if code or code == source]
    parts = [f"pinch-{started:%Y-%m-%d-%H%M}", *dict.fromkeys(languages)]
    if side is not ExportSide.BOTH:
        parts.append(side.value)
    if copy > 1:
        parts.append(str(copy))
    return f"{'-'.join(parts)}.{format_.value}"
