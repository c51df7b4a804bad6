"""A conversation as a file: txt, md, srt, vtt, json and csv, bilingual or one side. Pure: lines in, one text out.

txt, md and json begin with a head and give clock times where the head has them, csv gives the clock time of each line;
else times are whole milliseconds since the conversation began. Subtitles follow `pinch_tui.core.transcript.subtitles`.
A two-way conversation of one pair has a column for each language and names the speaker. Nothing in a text can break out
of its format: texts are one clean line, and each format escapes what it must.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from pinch_tui.core.languages import AUTO, label, same_language
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.export import ExportFormat, ExportHead, ExportLine, ExportSide, pairs_of
from pinch_tui.core.transcript.subtitles import Cue, Spoken, cues_of

SCHEMA_VERSION: Final = 1
DATE: Final = "Date"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Begins a csv file: without it Excel takes UTF-8 for the code page of the machine."""


def render(
    lines: Sequence[ExportLine],
    format_: ExportFormat,
    side: ExportSide = ExportSide.BOTH,
    head: ExportHead | None = None,
) -> str:
    """The whole file's text, to be written as UTF-8 without newline translation."""
    if side is ExportSide.TRANSLATION and lines and not any(line.target_language for line in lines):
        side = ExportSide.ORIGINAL  # without a translation, the transcript is all there is
    match format_:
        case ExportFormat.TXT:
            return to_txt(lines, side, head)
        case ExportFormat.MD:
            return to_md(lines, side, head)
        case ExportFormat.SRT:
            return to_srt(lines, side)
        case ExportFormat.VTT:
            return to_vtt(lines, side)
        case ExportFormat.JSON:
            return to_json(lines, side, head)
        case ExportFormat.CSV:
            return to_csv(lines, side, head)
        case _:
            assert_never(format_)


# ---- what the formats share ---------------------------------------------------------------------------------------


def _ms(value: float) -> int:
    return max(0, math.floor(value + 0.5)) if math.isfinite(value) else 0


def _texts(line: ExportLine, side: ExportSide) -> list[str]:
    """The clean texts to show, those without words left out; of a transcript the original, whatever the side."""
    texts: tuple[str, ...]
    match side if line.target_language else ExportSide.ORIGINAL:
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


def _moment(line: ExportLine, head: ExportHead | None) -> datetime | None:
    """When the line was said, in the head's time zone; None where only the time since the beginning is known."""
    if head is None or not head.has_clock or line.at is None:
        return None
    try:
        return datetime.fromtimestamp(line.at, head.started.tzinfo)
    except (ValueError, OverflowError, OSError):
        return None


def _time(line: ExportLine, head: ExportHead | None) -> str:
    """The clock time (with the date from the second day on), or the time since the beginning."""
    moment = _moment(line, head)
    if head is None or moment is None:
        return _clock(_ms(line.start_ms)).partition(".")[0]
    return f"{moment:%H:%M:%S}" if moment.date() == head.started.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def _directions(lines: Sequence[ExportLine]) -> list[str]:
    """``en → es`` for each line where more than one pair was spoken, or not every line names its speaker; else ""."""
    ways = {(line.source_language, line.target_language) for line in lines}
    if len(ways) < 2 or _columns(lines) or (len(pairs_of(lines)) == 1 and all(line.speaker for line in lines)):
        return [""] * len(lines)
    return [" → ".join(filter(None, map(clean, (line.source_language, line.target_language)))) for line in lines]


def _columns(lines: Sequence[ExportLine]) -> tuple[str, str] | None:
    """The two languages that have a column each: those of a conversation that is two-way from beginning to end."""
    pairs = {line.pair for line in lines}
    if len(pairs) != 1 or (pair := pairs.pop()) is None or AUTO in pair or same_language(*pair):
        return None
    spoken = {code for line in lines for code in (line.source_language, line.target_language)}
    return pair if all(any(same_language(code, column) for column in pair) for code in spoken) else None


def _in_columns(line: ExportLine, columns: tuple[str, str]) -> tuple[str, str]:
    """A line's texts in the order of the columns, whoever spoke."""
    is_turned = same_language(line.source_language, columns[1])
    return (line.translation, line.original) if is_turned else (line.original, line.translation)


def _facts(lines: Sequence[ExportLine], head: ExportHead) -> list[tuple[str, str]]:
    """The head's lines: name and text."""
    started = head.started
    day, zone = f"{started:%Y-%m-%d}", f"UTC{started:%z}" if started.tzinfo is not None else ""
    if head.has_clock:
        last = next((moment for line in reversed(lines) if (moment := _moment(line, head))), started)
        to = f"{last:%H:%M}" if last.date() == started.date() else f"{last:%Y-%m-%d %H:%M}"
        when = f"{day}, {started:%H:%M} to {to}{f' ({zone})' if zone else ''}"
    else:
        when = f"{day}, {started:%H:%M}{f' ({zone})' if zone else ''}"
    columns = _columns(lines)
    if columns:
        languages = f"{label(columns[0])} and {label(columns[1])}, two-way"
    else:
        ways = dict.fromkeys((line.source_language, line.target_language) for line in lines)
        languages = ", ".join(
            f"{label(source)} to {label(target)}" if target else label(source) for source, target in ways
        )
    facts = [
        (DATE, when),
        ("Recordings" if len(head.inputs) > 1 else "Recording", ", ".join(head.inputs)),
        ("Languages", languages),
        ("Service", head.service),
        ("Context", head.context),
        ("Part", head.part),
    ]
    return [(name, text) for name, raw in facts if (text := clean(raw))]


# ---- for reading --------------------------------------------------------------------------------------------------


def to_txt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH, head: ExportHead | None = None) -> str:
    """A head, then for each line a time, the languages where they change, who spoke, and the texts below each other."""
    blocks = []
    columns = _columns(lines) if side is ExportSide.BOTH else None
    for line, direction in zip(lines, _directions(lines), strict=True):
        texts = _texts(line, side)
        if not texts:
            continue
        if columns and len(texts) == 2 and line.speaker:
            texts[1] = f"{label(line.target_language)}: {texts[1]}"
        mark = "* " if line.starred else ""
        speaker = f"{clean(line.speaker)}: " if line.speaker else ""
        languages = f"({direction}) " if direction else ""
        stamp = f"[{_time(line, head)}] "
        first, *rest = texts
        block = [f"{stamp}{mark}{languages}{speaker}{first}", *(f"{' ' * len(stamp)}{text}" for text in rest)]
        blocks.append("\n".join(block) + "\n")
    body = ("\n" if side is ExportSide.BOTH else "").join(blocks)
    if head is None:
        return body
    above = "".join(f"{name + ':':<11} {text}\n" for name, text in _facts(lines, head))
    return f"Conversation\n\n{above}\n{body}"


# Inside a table cell; a line's beginning is never the text's. Colons and dots only where they would make a link or an
# emoji's short name.
_MD_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>&|~$^@]|:(?=\S)|(?<=[wW]{3})\.)")


def _md(text: str) -> str:
    """A table cell: every character that could be markup, or make a link by itself, is escaped."""
    return _MD_SPECIAL.sub(r"\\\1", clean(text))


def to_md(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH, head: ExportHead | None = None) -> str:
    """A head and a table, one row a line; a star marks starred lines; languages where they change."""
    has_speaker = any(line.speaker for line in lines)
    directions = _directions(lines)
    has_directions = any(directions)
    columns = _columns(lines) if side is ExportSide.BOTH else None
    if lines and not any(line.target_language for line in lines):
        side = ExportSide.ORIGINAL
    sides = [ExportSide.ORIGINAL, ExportSide.TRANSLATION] if side is ExportSide.BOTH else [side]
    named = [_md(label(code)) for code in columns] if columns else [one.value.capitalize() for one in sides]
    header = ["Time", *(["Languages"] if has_directions else []), *(["Speaker"] if has_speaker else []), *named]
    rows = [header, ["---"] * len(header)]
    for line, direction in zip(lines, directions, strict=True):
        if not _texts(line, side):
            continue
        time_ = _time(line, head) + (" ★" if line.starred else "")
        by_side = [line.original if one is ExportSide.ORIGINAL else line.translation for one in sides]
        texts = _in_columns(line, columns) if columns else by_side
        languages = [_md(direction)] if has_directions else []
        speaker = [_md(line.speaker or "")] if has_speaker else []
        rows.append([time_, *languages, *speaker, *map(_md, texts)])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if head is None:
        return f"# Conversation\n\n{table}"
    facts = [(name, text if name == DATE else _md(text)) for name, text in _facts(lines, head)]
    return "# Conversation\n\n" + "".join(f"- {name}: {text}\n" for name, text in facts) + f"\n{table}"


# ---- subtitles ----------------------------------------------------------------------------------------------------


def cues(lines: Sequence[ExportLine], side: ExportSide) -> list[Cue]:
    """The lines as cues, in order of time, none overlapping the next."""
    spoken = []
    for line in lines:
        if texts := _texts(line, side):
            start = _ms(line.start_ms)
            marks = tuple((share, _ms(ms)) for share, ms in line.marks)
            spoken.append(Spoken(start, max(start, _ms(line.end_ms)), tuple(texts), line.speaker, marks))
    return cues_of(spoken)


def to_srt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """SubRip. It knows no escapes, so the one sequence that ends a cue, ``-->``, is an arrow."""
    return "".join(
        f"{index}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        + "".join(f"{re.sub('--+>', '→', text)}\n" for text in cue.lines)
        + "\n"
        for index, cue in enumerate(cues(lines, side), start=1)
    )


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_vtt(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH) -> str:
    """WebVTT, with a voice span where it is known who spoke."""
    blocks = ["WEBVTT\n"]
    for cue in cues(lines, side):
        speaker = _vtt(clean(cue.speaker or "")).rstrip("-")  # "--" and the tag's own ">" would end the cue
        voice = f"<v {speaker}>" if speaker else ""
        texts = "".join(f"{voice}{_vtt(text)}\n" for text in cue.lines)
        blocks.append(f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{texts}")
    return "\n".join(blocks)


# ---- for programs -------------------------------------------------------------------------------------------------


def _fields(line: ExportLine, side: ExportSide, head: ExportHead | None) -> dict[str, object]:
    fields: dict[str, object] = {"number": line.number, "segment_id": clean(line.segment_id)}
    if head is not None and head.has_clock:
        moment = _moment(line, head)
        fields["time"] = moment.isoformat(timespec="seconds") if moment else None
    fields |= {
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


def to_json(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH, head: ExportHead | None = None) -> str:
    """``{"format": "pinch-tui conversation", "version": 1, ..., "lines": [...]}``; lines of a two-way conversation have
    ``texts`` by language, too."""
    columns = _columns(lines) if side is ExportSide.BOTH else None
    rows = []
    for line in lines:
        if _texts(line, side):
            row = _fields(line, side, head)
            if columns:
                row["texts"] = dict(zip(columns, map(clean, _in_columns(line, columns)), strict=True))
            rows.append(row)
    whole: dict[str, object] = {"format": "pinch-tui conversation", "version": SCHEMA_VERSION, "side": side.value}
    if head is not None:
        ways = dict.fromkeys((line.source_language, line.target_language) for line in lines)
        whole |= {
            "started": head.started.isoformat(timespec="seconds"),
            "languages": [[clean(source), clean(target)] for source, target in ways],
            "is_two_way": columns is not None,
            "service": clean(head.service),
            "context": clean(head.context),
            "part": head.part,
            **({"inputs": [clean(name) for name in head.inputs]} if head.inputs else {}),
        }
    return json.dumps(whole | {"lines": rows}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _cell(value: object) -> object:
    """A spreadsheet runs what begins like a formula; an apostrophe in front makes it text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_csv(lines: Sequence[ExportLine], side: ExportSide = ExportSide.BOTH, head: ExportHead | None = None) -> str:
    """Comma-separated with a byte-order mark and a header, CRLF, quoted where needed. The texts of a two-way
    conversation stand in a column for each language, named by its code."""
    columns = _columns(lines) if side is ExportSide.BOTH else None
    rows = []
    for line in lines:
        if _texts(line, side):
            fields = _fields(line, side, head)
            if (moment := _moment(line, head)) is not None:
                fields["time"] = (
                    f"{moment:%Y-%m-%d %H:%M:%S}"  # which spreadsheets take for a time; the zone they do not
                )
            if columns:
                first, second = map(clean, _in_columns(line, columns))
                renamed = {"original": (columns[0], first), "translation": (columns[1], second)}
                fields = dict(renamed.get(name, (name, value)) for name, value in fields.items())
            rows.append(fields)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    blank = ExportLine(0, 0, "", "", "", "")
    writer.writerow(rows[0] if rows else _fields(blank, side, head))
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return BYTE_ORDER_MARK + out.getvalue()
