"""The content of an export: which lines of a conversation, its head, and its file name. Pure.

Every format of `pinch_tui.core.transcript.documents` takes the same frozen `ExportLine` list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final, assert_never

from pinch_tui.core.languages import AUTO, label, normalize
from pinch_tui.core.transcript.sides import segment_side
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part

SAMPLE: Final = "sample"
"""The speaker of a sample."""


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
    spoke in a two-way conversation. Fractions of milliseconds are rounded, halves up."""

    start_ms: float
    end_ms: float
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
    marks: tuple[tuple[float, float], ...] = ()
    """(share of the text from 0 to 1, ms since the conversation began), rising: when that much had been said."""
    pair: tuple[str, str] | None = None
    """The two languages of a two-way conversation, in the order of the screen; None for one that is not two-way."""


@dataclass(frozen=True, slots=True)
class ExportHead:
    """What stands above the lines. ``started`` has a time zone, in which all clock times are given."""

    started: datetime
    service: str = ""
    context: str = ""
    part: str = ""
    """Which lines these are, "" for all of them."""
    inputs: tuple[str, ...] = ()
    """The sound files that were translated; their lines have times of the recording instead of clock times."""

    @property
    def has_clock(self) -> bool:
        return not self.inputs


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Which lines: those with numbers from ``first`` to ``last`` (None is the end), and of these the starred ones."""

    first: int = 1
    last: int | None = None
    is_starred_only: bool = False

    def of(self, utterances: Iterable[Utterance], starred: Collection[int]) -> list[Utterance]:
        """The utterances of this part."""
        last = self.last
        return [
            one
            for one in utterances
            if one.number >= self.first
            and (last is None or one.number <= last)
            and (one.number in starred or not self.is_starred_only)
        ]

    def __str__(self) -> str:
        """For the head: ``starred lines from 3 to 17``; "" for everything."""
        words = ["starred lines" if self.is_starred_only else "lines"]
        if self.first > 1:
            words.append(f"from {self.first}")
        if self.last is not None:
            words.append(f"to {self.last}")
        return "" if words == ["lines"] else " ".join(words)


def lines_of(utterances: Iterable[Utterance], starred: Collection[int] = ()) -> list[ExportLine]:
    """The lines of a conversation in row order; ``starred`` are numbers of utterances.

    Cancelled rows and rows without words are left out, and so is whatever is not final. A line ends where the next one
    begins, even if its last text came later.
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
    return [
        replace(line, end_ms=max(line.start_ms, min(line.end_ms, following.start_ms)))
        for line, following in pairwise(lines)
    ] + lines[-1:]


def _shares(segment: Segment) -> tuple[tuple[float, float], ...]:
    """The segment's marks as shares of its original as it was first worded."""
    length = len(segment.wording[0])
    return tuple((min(1.0, n / length), float(ms)) for n, ms in segment.marks) if length else ()


def _direction(utterance: Utterance, segment: Segment) -> tuple[str, str, str | None]:
    """The languages of the original and of the translation, and who spoke."""
    detected = normalize(segment.detected_language)
    match segment_side(utterance, segment):
        case "right":
            source, target = utterance.target, utterance.source
            if target == AUTO:
                target = segment.target_language or AUTO
            return source, target, label(source)
        case "left":
            source = detected if utterance.source == AUTO and detected else utterance.source
            return source, utterance.target, label(source)
        case None:
            source = detected if detected and (utterance.source == AUTO or utterance.is_two_way) else utterance.source
            return source, utterance.target, None
        case side:
            assert_never(side)


def pairs_of(lines: Iterable[ExportLine]) -> set[frozenset[str]]:
    """The language pairs that were spoken, regardless of direction."""
    return {frozenset((line.source_language, line.target_language)) for line in lines}


def pair_of(lines: Sequence[ExportLine], usual: tuple[str, str]) -> tuple[str, str]:
    """The pair for a file's name: ``usual`` where it is that of all lines, theirs, or `MANY` for several."""
    pairs = pairs_of(lines)
    if len(pairs) > 1:
        return MANY, MANY
    if not lines or pairs == {frozenset(usual)}:
        return usual
    return lines[0].source_language, lines[0].target_language


MANY: Final = "mul"
"""ISO 639 for "multiple languages"; as both languages of a file's name it stands there once."""


def file_name(
    started: datetime,
    source: str,
    target: str,
    format_: ExportFormat,
    side: ExportSide = ExportSide.BOTH,
    *,
    copy: int = 1,
) -> str:
    """A name safe on every system, such as ``pinch-2026-11-20-1455-en-es.srt``; ``copy`` > 1 adds ``-2``, ``-3``..."""
    languages = [normalize(code) or "xx" for code in (source, target) if code or code == source]
    parts = [f"pinch-{started:%Y-%m-%d-%H%M}", *dict.fromkeys(languages)]
    if side is not ExportSide.BOTH:
        parts.append(side.value)
    if copy > 1:
        parts.append(str(copy))
    return f"{'-'.join(parts)}.{format_.value}"
