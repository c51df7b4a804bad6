"""A conversation as a file: txt, md, srt, vtt, json and csv, bilingual or one side. Pure: texts in, one text out.

Every format takes the same frozen `ExportLine` list. Times are whole milliseconds since the conversation began; cues of
the subtitle formats stand in order, never overlap, and each lasts at least a millisecond (usually a readable second).
Nothing in a text can break out of its format: texts are one clean line, and each format escapes what it must.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final, assert_never

from pinch_tui.core.languages import AUTO, label, normalize
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.transcript import Segment, Utterance, UtteranceState, segment_side

SCHEMA_VERSION: Final = 1
MIN_CUE_MS: Final = 1_000
"""A shorter cue is lengthened to this where the next one leaves room."""


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


def lines_of(utterances: Iterable[Utterance], starred: Collection[int] = ()) -> list[ExportLine]:
    """The lines of a conversation in row order; ``starred`` are numbers of utterances.

    Cancelled rows and rows without words are left out, and so is what may still be rewritten in a row that has not
    settled yet. A line ends where the next one begins, even if its last text came later.
    """
    lines = []
    for utterance in utterances:
        if utterance.state is UtteranceState.CANCELLED:
            continue
        is_settled = utterance.state is UtteranceState.SETTLED
        for segment in utterance.segments:
            original = segment.original if is_settled else segment.original[: segment.original_stable]
            translation = segment.translation if is_settled else segment.translation[: segment.translation_stable]
            if original or translation:
                source, target, speaker = _direction(utterance, segment)
                lines.append(
                    ExportLine(
                        segment.start_ms,
                        segment.end_ms,
                        original,
                        translation,
                        source,
                        target,
                        speaker,
                        utterance.number,
                        segment.id,
                        utterance.number in starred,
                    )
                )
    return [
        replace(line, end_ms=max(line.start_ms, min(line.end_ms, following.start_ms)))
        for line, following in pairwise(lines)
    ] + lines[-1:]


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
    """The pairs of languages that were spoken, whichever way round."""
    return {frozenset((line.source_language, line.target_language)) for line in lines}


def pair_of(lines: Sequence[ExportLine], usual: tuple[str, str]) -> tuple[str, str]:
    """The pair for a file's name: ``usual`` where it is that of all lines, theirs, or `MANY` for several."""
    pairs = pairs_of(lines)
    if len(pairs) > 1:
        return MANY, MANY
    if not lines or pairs == {frozenset(usual)}:
        return usual
    return lines[0].source_language, lines[0].target_language


def _directions(lines: Sequence[ExportLine]) -> list[str]:
    """``en → es`` for each line where more than one pair was spoken, or not every line names its speaker; else ""."""
    ways = {(line.source_language, line.target_language) for line in lines}
    if len(ways) < 2 or (len(pairs_of(lines)) == 1 and all(line.speaker for line in lines)):
        return [""] * len(lines)
    return [f"{clean(line.source_language)} → {clean(line.target_language)}" for line in lines]


def render(lines: Sequence[ExportLine], format_: ExportFormat, side: ExportSide = ExportSide.BOTH) -> str:
    """The whole file's text, to be written as UTF-8 without newline translation."""
    match format_:
        case ExportFormat.TXT:
            return to_txt(lines, side)
        case ExportFormat.MD:
            return to_md(lines, side)
        case ExportFormat.SRT:
            return to_srt(lines, side)
        case ExportFormat.VTT:
            return to_vtt(lines, side)
        case ExportFormat.JSON:
            return to_json(lines, side)
        case ExportFormat.CSV:
            return to_csv(lines, side)
        case _:
            assert_never(format_)


MANY: Final = "mul"
"""ISO 639 for "multiple languages"; as both languages of a file's name it stands there once."""
_SIDE_NAMES: Final = {ExportSide.ORIGINAL: "original", ExportSide.TRANSLATION: "translation"}


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
    languages = [normalize(source) or "xx", normalize(target) or "xx"]
    parts = [f"pinch-{started:%Y-%m-%d-%H%M}", *dict.fromkeys(languages)]
    if side is not ExportSide.BOTH:
        parts.append(_SIDE_NAMES[side])
    if copy > 1:
        parts.append(str(copy))
    return f"{'-'.join(parts)}.{format_.value}"


# ---- what all formats share ---------------------------------------------------------------------------------------


def _ms(value: float) -> int:
    return max(0, math.floor(value + 0.5)) if math.isfinite(value) else 0


def _texts(line: ExportLine, side: ExportSide) -> list[str]:
    """The clean texts to show, those without words left out."""
    texts: tuple[str, ...]
    match side:
        case ExportSide.BOTH:
            texts = (line.original, line.translation)
        case ExportSide.ORIGINAL:
            texts = (line.original,)
        case ExportSide.TRANSLATION:
            texts = (line.translation,)
        case _:
            assert_never(side)
    return [cleaned for text in texts if (cleaned := clean(text))]


def _clock(ms: int, separator: str = ".") -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}"


def _seconds(ms: int) -> str:
    return _clock(ms).partition(".")[0]


@dataclass(frozen=True, slots=True)
class Cue:
    """A line of subtitles with its final times."""

    start_ms: int
    end_ms: int
    texts: tuple[str, ...]
    speaker: str | None


def cues_of(lines: Sequence[ExportLine], side: ExportSide) -> list[Cue]:
    """Cues in order of time, none overlapping the next.

    A cue ends where the next begins; one that would be left with less than the shorter of its own length and
    `MIN_CUE_MS` keeps that and moves the next.
    """
    wanted = [(_ms(line.start_ms), _ms(line.end_ms), texts, line) for line in lines if (texts := _texts(line, side))]
    wanted.sort(key=lambda item: item[0])
    cues: list[Cue] = []
    free_from = 0
    for index, (start, end, texts, line) in enumerate(wanted):
        start = max(start, free_from)
        own = max(1, min(end - start, MIN_CUE_MS))
        end = max(end, start + MIN_CUE_MS)
        if index + 1 < len(wanted):
            end = min(end, max(wanted[index + 1][0], start + own))
        cues.append(Cue(start, end, tuple(texts), line.speaker))
        free_from = end
    return cues


# ---- formats ------------------------------------------------------------------------------------------------------


def to_txt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """For reading: a time, the languages where they change, who spoke, the original, and the translation below it."""
    blocks = []
    for line, direction in zip(lines, _directions(lines), strict=True):
        texts = _texts(line, side)
        if not texts:
            continue
        mark = "* " if line.starred else ""
        speaker = f"{clean(line.speaker)}: " if line.speaker else ""
        languages = f"({direction}) " if direction else ""
        first, *rest = texts
        block = [
            f"[{_seconds(_ms(line.start_ms))}] {mark}{languages}{speaker}{first}",
            *(f"           {text}" for text in rest),
        ]
        blocks.append("\n".join(block) + "\n")
    return ("\n" if side is ExportSide.BOTH else "").join(blocks)


# Inside a table cell; a line's beginning is never the text's. Colons and dots only where they would make a link or an
# emoji's short name.
_MD_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>&|~$^@]|:(?=\S)|(?<=[wW]{3})\.)")


def _md(text: str) -> str:
    """A table cell: every character that could be markup, or make a link by itself, is escaped."""
    return _MD_SPECIAL.sub(r"\\\1", clean(text))


def to_md(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """A Markdown table, one row a line; a star marks starred lines; languages where they change."""
    has_speaker = any(line.speaker for line in lines)
    directions = _directions(lines)
    has_directions = any(directions)
    sides = [ExportSide.ORIGINAL, ExportSide.TRANSLATION] if side is ExportSide.BOTH else [side]
    header = [
        "Time",
        *(["Languages"] if has_directions else []),
        *(["Speaker"] if has_speaker else []),
        *(_SIDE_NAMES[one].capitalize() for one in sides),
    ]
    rows = [header, ["---"] * len(header)]
    for line, direction in zip(lines, directions, strict=True):
        if not _texts(line, side):
            continue
        time_ = _seconds(_ms(line.start_ms)) + (" ★" if line.starred else "")
        texts = [_md(line.original if one is ExportSide.ORIGINAL else line.translation) for one in sides]
        languages = [_md(direction)] if has_directions else []
        rows.append([time_, *languages, *([_md(line.speaker or "")] if has_speaker else []), *texts])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"# Conversation\n\n{table}"


def to_srt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """SubRip. It knows no escapes, so the one sequence that ends a cue, ``-->``, becomes an arrow."""
    return "".join(
        f"{index}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        + "".join(f"{re.sub('--+>', '→', text)}\n" for text in cue.texts)
        + "\n"
        for index, cue in enumerate(cues_of(lines, side), start=1)
    )


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_vtt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """WebVTT, with a voice span where it is known who spoke."""
    blocks = ["WEBVTT\n"]
    for cue in cues_of(lines, side):
        speaker = _vtt(clean(cue.speaker or "")).rstrip("-")  # "--" and the tag's own ">" would end the cue
        voice = f"<v {speaker}>" if speaker else ""
        texts = "".join(f"{voice}{_vtt(text)}\n" for text in cue.texts)
        blocks.append(f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{texts}")
    return "\n".join(blocks)


def _fields(line: ExportLine, side: ExportSide) -> dict[str, object]:
    fields: dict[str, object] = {
        "number": line.number,
        "segment_id": clean(line.segment_id),
        "start_ms": _ms(line.start_ms),
        "end_ms": max(_ms(line.start_ms), _ms(line.end_ms)),
        "speaker": clean(line.speaker) if line.speaker else None,
        "source_language": clean(line.source_language),
        "target_language": clean(line.target_language),
        "original": clean(line.original),
        "translation": clean(line.translation),
        "starred": line.starred,
    }
    match side:
        case ExportSide.ORIGINAL:
            del fields["translation"], fields["target_language"]
        case ExportSide.TRANSLATION:
            del fields["original"], fields["source_language"]
        case ExportSide.BOTH:
            pass
        case _:
            assert_never(side)
    return fields


def to_json(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """``{"format": "pinch-tui conversation", "version": 1, "lines": [...]}``."""
    rows = [_fields(line, side) for line in lines if _texts(line, side)]
    whole = {"format": "pinch-tui conversation", "version": SCHEMA_VERSION, "side": side.value, "lines": rows}
    return json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _cell(value: object) -> object:
    """A spreadsheet runs what begins like a formula; an apostrophe in front makes it text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_csv(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """Comma-separated with a header, CRLF, quoted where needed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_fields(ExportLine(0, 0, "", "", "", ""), side))
    for line in lines:
        if _texts(line, side):
            writer.writerow(_cell(value) for value in _fields(line, side).values())
    return out.getvalue()
