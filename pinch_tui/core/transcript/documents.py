"""Writes a conversation as txt, md, srt, vtt, json or csv, bilingual or one side. Pure: lines in, one text out.

txt, md and json begin with a head. If the head has clock times, txt, md and csv give the clock time of each line; all
other times are milliseconds since the conversation began. `pinch_tui.core.transcript.subtitles` has the rules of
subtitles. A conversation that is two-way in one pair of languages has a column per language and names the speakers.
No text can break out of its format: texts are one clean line, and each format escapes its special characters.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pinch_tui.core.languages import AUTO, label, same_language
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.export import ExportFormat, ExportHead, ExportLine, ExportSide, pairs_of
from pinch_tui.core.transcript.subtitles import Cue, Spoken, cues_of

_DATE: Final = "Date"


def render(
    lines: Sequence[ExportLine],
    format_: ExportFormat,
    side: ExportSide = ExportSide.BOTH,
    head: ExportHead | None = None,
) -> str:
    """The whole file's text, to be written as UTF-8 without newline translation."""
    if side is ExportSide.TRANSLATION and lines and not any(line.target_language for line in lines):
        side = ExportSide.ORIGINAL  # nothing was translated: write the transcript
    return _WRITERS[format_](_Document(lines, side, head))


class _Document:
    """The content of a file: its lines with words, and what the formats have in common."""

    def __init__(self, lines: Sequence[ExportLine], side: ExportSide, head: ExportHead | None) -> None:
        self.lines, self.side, self.head = lines, side, head
        ways = dict.fromkeys((line.source_language, line.target_language) for line in lines)
        self.ways = list(ways)
        """Source and target of every direction of translation, in order of appearance."""
        self.pair = _two_way_pair(lines)
        self.columns = self.pair if side is ExportSide.BOTH else None
        """The two languages that have a column each."""
        is_clear = self.pair or (len(pairs_of(lines)) == 1 and all(line.speaker for line in lines))
        self.has_directions = len(ways) > 1 and not is_clear
        """Whether txt and md name the languages of each line."""
        self.entries = [(line, texts) for line in lines if (texts := _texts(line, side))]
        """The lines that have words, and their clean texts."""

    def direction(self, line: ExportLine) -> str:
        """``en → es`` if the file names the languages of each line, else ""."""
        codes = (line.source_language, line.target_language) if self.has_directions else ()
        return " → ".join(filter(None, map(clean, codes)))

    def in_columns(self, line: ExportLine) -> tuple[str, str]:
        """A line's texts in the order of the columns, whoever spoke."""
        is_turned = self.columns is not None and same_language(line.source_language, self.columns[1])
        return (line.translation, line.original) if is_turned else (line.original, line.translation)

    def moment(self, line: ExportLine) -> datetime | None:
        """When the line was said, in the head's time zone; None if only the time since the beginning is known."""
        if self.head is None or not self.head.has_clock or line.at is None:
            return None
        try:
            return datetime.fromtimestamp(line.at, self.head.started.tzinfo)
        except (ValueError, OverflowError, OSError):
            return None

    def time(self, line: ExportLine) -> str:
        """The clock time (with the date from the second day on), or the time since the beginning."""
        moment = self.moment(line)
        if self.head is None or moment is None:
            return _clock(line.start_ms).partition(".")[0]
        is_first_day = moment.date() == self.head.started.date()
        return f"{moment:%H:%M:%S}" if is_first_day else f"{moment:%Y-%m-%d %H:%M:%S}"

    def facts(self, head: ExportHead) -> list[tuple[str, str]]:
        """The head's lines: name and text."""
        started = head.started
        when = f"{started:%Y-%m-%d}, {started:%H:%M}"
        if head.has_clock:
            last = next((moment for line in reversed(self.lines) if (moment := self.moment(line))), started)
            when += f" to {last:%H:%M}" if last.date() == started.date() else f" to {last:%Y-%m-%d %H:%M}"
        if started.tzinfo is not None:
            when += f" (UTC{started:%z})"
        if self.pair:
            languages = f"{label(self.pair[0])} and {label(self.pair[1])}, two-way"
        else:
            named = (f"{label(source)} to {label(target)}" if target else label(source) for source, target in self.ways)
            languages = ", ".join(named)
        facts = [
            (_DATE, when),
            ("Recordings" if len(head.inputs) > 1 else "Recording", ", ".join(head.inputs)),
            ("Languages", languages),
            ("Service", head.service),
            ("Context", head.context),
            ("Part", head.part),
        ]
        return [(name, text) for name, raw in facts if (text := clean(raw))]


def _two_way_pair(lines: Sequence[ExportLine]) -> tuple[str, str] | None:
    """The two languages of a conversation that is two-way from beginning to end, else None."""
    pairs = {line.pair for line in lines}
    if len(pairs) != 1 or (pair := pairs.pop()) is None or AUTO in pair or same_language(*pair):
        return None
    spoken = {code for line in lines for code in (line.source_language, line.target_language)}
    return pair if all(any(same_language(code, column) for column in pair) for code in spoken) else None


def _texts(line: ExportLine, side: ExportSide) -> list[str]:
    """The clean texts of a line, without empty ones; if it is not translated, its original whatever the side."""
    texts = []
    if side is not ExportSide.TRANSLATION or not line.target_language:
        texts.append(clean(line.original))
    if side is not ExportSide.ORIGINAL and line.target_language:
        texts.append(clean(line.translation))
    return [text for text in texts if text]


def _clock(ms: int, separator: str = ".") -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}"


# ---- for reading --------------------------------------------------------------------------------------------------


def _txt(document: _Document) -> str:
    """A head, then each line: time, languages if they change, speaker, and the texts below each other."""
    blocks = []
    for line, texts in document.entries:
        first, *rest = texts
        if rest and document.columns and line.speaker:
            rest = [f"{label(line.target_language)}: {rest[0]}"]
        mark = "* " if line.starred else ""
        speaker = f"{clean(line.speaker)}: " if line.speaker else ""
        direction = document.direction(line)
        languages = f"({direction}) " if direction else ""
        stamp = f"[{document.time(line)}] "
        below = "".join(f"{' ' * len(stamp)}{text}\n" for text in rest)
        blocks.append(f"{stamp}{mark}{languages}{speaker}{first}\n{below}")
    body = ("\n" if document.side is ExportSide.BOTH else "").join(blocks)
    if document.head is None:
        return body
    above = "".join(f"{name + ':':<11} {text}\n" for name, text in document.facts(document.head))
    return f"Conversation\n\n{above}\n{body}"


# Inside a table cell, where no text begins a line. Colons and dots are special only in links and short names of emoji.
_MD_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>&|~$^@]|:(?=\S)|(?<=[wW]{3})\.)")


def _md_cell(text: str) -> str:
    return _MD_SPECIAL.sub(r"\\\1", clean(text))


def _md(document: _Document) -> str:
    """A head and a table with a row per line. A star marks starred lines."""
    lines, side = document.lines, document.side
    has_speaker = any(line.speaker for line in lines)
    if lines and not any(line.target_language for line in lines):
        side = ExportSide.ORIGINAL
    sides = [ExportSide.ORIGINAL, ExportSide.TRANSLATION] if side is ExportSide.BOTH else [side]
    named = [_md_cell(label(code)) for code in document.columns or ()] or [one.value.capitalize() for one in sides]
    header = [
        "Time",
        *(["Languages"] if document.has_directions else []),
        *(["Speaker"] if has_speaker else []),
        *named,
    ]
    rows = [header, ["---"] * len(header)]
    for line, _ in document.entries:
        by_side = [line.original if one is ExportSide.ORIGINAL else line.translation for one in sides]
        texts = document.in_columns(line) if document.columns else by_side
        languages = [_md_cell(document.direction(line))] if document.has_directions else []
        speaker = [_md_cell(line.speaker or "")] if has_speaker else []
        rows.append([document.time(line) + (" ★" if line.starred else ""), *languages, *speaker, *map(_md_cell, texts)])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if document.head is None:
        return f"# Conversation\n\n{table}"
    facts = [(name, text if name == _DATE else _md_cell(text)) for name, text in document.facts(document.head)]
    return "# Conversation\n\n" + "".join(f"- {name}: {text}\n" for name, text in facts) + f"\n{table}"


# ---- subtitles ----------------------------------------------------------------------------------------------------


def cues(lines: Sequence[ExportLine], side: ExportSide) -> list[Cue]:
    """The lines as cues in order of time, without overlaps."""
    return cues_of(
        [
            Spoken(line.start_ms, line.end_ms, tuple(texts), line.speaker, line.marks)
            for line in lines
            if (texts := _texts(line, side))
        ]
    )


def _srt(document: _Document) -> str:
    """SubRip. It has no escapes, so the one sequence that would end a cue, ``-->``, becomes an arrow."""
    return "".join(
        f"{index}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        + "".join(f"{re.sub('--+>', '→', text)}\n" for text in cue.lines)
        + "\n"
        for index, cue in enumerate(cues(document.lines, document.side), start=1)
    )


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _vtt(document: _Document) -> str:
    """WebVTT, with a voice span if the speaker is known."""
    blocks = ["WEBVTT\n"]
    for cue in cues(document.lines, document.side):
        speaker = _vtt_text(clean(cue.speaker or "")).rstrip("-")  # "--" and the tag's own ">" would end the cue
        voice = f"<v {speaker}>" if speaker else ""
        texts = "".join(f"{voice}{_vtt_text(text)}\n" for text in cue.lines)
        blocks.append(f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{texts}")
    return "\n".join(blocks)


# ---- for programs -------------------------------------------------------------------------------------------------


def _fields(document: _Document, line: ExportLine) -> dict[str, object]:
    fields: dict[str, object] = {"number": line.number, "segment_id": clean(line.segment_id)}
    if document.head is not None and document.head.has_clock:
        moment = document.moment(line)
        fields["time"] = moment.isoformat(timespec="seconds") if moment else None
    fields |= {
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "speaker": clean(line.speaker) if line.speaker else None,
        "source_language": clean(line.source_language),
        "target_language": clean(line.target_language),
        "original": clean(line.original),
        "translation": clean(line.translation),
        "starred": line.starred,
    }
    if document.side is ExportSide.ORIGINAL:
        del fields["translation"], fields["target_language"]
    elif document.side is ExportSide.TRANSLATION:
        del fields["original"], fields["source_language"]
    return fields


def _json(document: _Document) -> str:
    """``{"format": "pinch-tui conversation", "version": 1, ..., "lines": [...]}``. The lines of a two-way conversation
    also have ``texts`` by language."""
    head, rows = document.head, []
    for line, _ in document.entries:
        row = _fields(document, line)
        if document.columns:
            row["texts"] = dict(zip(document.columns, map(clean, document.in_columns(line)), strict=True))
        rows.append(row)
    whole: dict[str, object] = {"format": "pinch-tui conversation", "version": 1, "side": document.side.value}
    if head is not None:
        whole |= {
            "started": head.started.isoformat(timespec="seconds"),
            "languages": [[clean(source), clean(target)] for source, target in document.ways],
            "is_two_way": document.columns is not None,
            "service": clean(head.service),
            "context": clean(head.context),
            "part": head.part,
            **({"inputs": [clean(name) for name in head.inputs]} if head.inputs else {}),
        }
    return json.dumps(whole | {"lines": rows}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _csv_cell(value: object) -> object:
    """Spreadsheets execute text that begins like a formula; an apostrophe in front prevents that."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _csv(document: _Document) -> str:
    """Comma-separated, with a header and CRLF, quoted where needed. The texts of a two-way conversation stand in a
    column per language, named by its code."""
    rows = []
    for line, _ in document.entries:
        fields = _fields(document, line)
        if (moment := document.moment(line)) is not None:
            fields["time"] = f"{moment:%Y-%m-%d %H:%M:%S}"  # without the zone, which spreadsheets do not understand
        if document.columns:
            first, second = map(clean, document.in_columns(line))
            renamed = {"original": (document.columns[0], first), "translation": (document.columns[1], second)}
            fields = dict(renamed.get(name, (name, value)) for name, value in fields.items())
        rows.append(fields)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(rows[0] if rows else _fields(document, ExportLine(0, 0, "", "", "", "")))
    writer.writerows([_csv_cell(value) for value in row.values()] for row in rows)
    return "\ufeff" + out.getvalue()  # without a byte-order mark, Excel assumes the system's code page


_WRITERS: Final = {
    ExportFormat.TXT: _txt,
    ExportFormat.MD: _md,
    ExportFormat.SRT: _srt,
    ExportFormat.VTT: _vtt,
    ExportFormat.JSON: _json,
    ExportFormat.CSV: _csv,
}
