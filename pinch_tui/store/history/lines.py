"""The lines of a history file: encoding finals, and reading a conversation back. No I/O.

A file is JSON lines. The first line is the header. The others follow in order of arrival:

- ``final``: utterance, attempt, segment and revision, both texts, both languages, start and end in ms, session id, and
  ``row``, the ids of all segments of the utterance at that time;
- ``cancelled``, ``star`` and ``corrected``: the user's actions; a correction leaves the finals above it unchanged;
- ``about``: the service's name, the context and the model version of the finals below.

A reader takes the last row of each utterance and the newest revision of each of its segments, so a resend replaces
exactly what it replaced on the screen. Torn or foreign lines, and those with impossible times, are skipped and counted.
Texts are cleaned again when read, since another program may have written the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pinch_tui.core.transcript.clean import TEXT_LIMIT, clean
from pinch_tui.core.transcript.correct import with_wording
from pinch_tui.core.transcript.rows import MAX_MARKS
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, all_final, final_part

SCHEMA = 1
_ID_LIMIT = 300
_CODE_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Header:
    """A conversation's first line. ``started``: Unix seconds."""

    id: str
    started: float
    is_practice: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """The service's display name, the context and the model version of the following lines."""

    service: str = ""
    context: str = ""
    model: str = ""


@dataclass(slots=True)
class Reading:
    """The contents of a file."""

    header: Header | None = None
    utterances: dict[int, Utterance] = field(default_factory=dict)
    stars: set[int] = field(default_factory=set)
    about: list[About] = field(default_factory=list)
    unreadable: int = 0


def encode_header(header: Header) -> str:
    return _line("conversation", id=header.id, started=header.started, practice=header.is_practice)


def encode_final(utterance: Utterance, segment: Segment) -> str:
    """One final as a line. ``segment`` holds only final text (`final_part`)."""
    optional: dict[str, object] = {"sample": True} if utterance.is_sample else {}
    if segment.marks:
        optional["marks"] = [list(mark) for mark in segment.marks]
    return _line(
        "final",
        utterance=utterance.number,
        attempt=segment.attempt,
        segment=segment.id,
        revision=segment.revision,
        row=[item.id for item in utterance.segments if final_part(item) is not None],
        original=segment.original,
        translation=segment.translation,
        source_language=segment.source_language or utterance.source,
        target_language=segment.target_language or utterance.target,
        detected_language=segment.detected_language,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        session_id=utterance.session_id,
        started=utterance.started,
        utterance_start_ms=utterance.start_ms,
        pair=[utterance.source, utterance.target],
        two_way=utterance.is_two_way,
        **optional,
    )


def encode_about(about: About) -> str:
    return _line("about", service=about.service, context=about.context, model=about.model)


def encode_cancelled(number: int) -> str:
    return _line("cancelled", utterance=number)


def encode_correction(number: int, segment: Segment) -> str:
    """A segment's texts as corrected by the user; its finals stay in the file unchanged."""
    texts = {"original": segment.original, "translation": segment.translation}
    return _line("corrected", utterance=number, segment=segment.id, **texts)


def encode_star(number: int, *, is_on: bool) -> str:
    return _line("star", utterance=number, on=is_on)


def _line(kind: str, **fields: object) -> str:
    return json.dumps({"schema": SCHEMA, "kind": kind, **fields}, ensure_ascii=False, separators=(",", ":")) + "\n"


# ---- reading ------------------------------------------------------------------------------------------------------


def read(lines: Iterable[bytes]) -> Reading:
    """Read a conversation from its lines. Never raises; unreadable lines are counted."""
    reading = Reading()
    rows: dict[int, tuple[Utterance, list[str]]] = {}  # the newest state without segments, and the segments' ids
    segments: dict[tuple[int, str], Segment] = {}
    cancelled: set[int] = set()
    corrections: dict[tuple[int, str], tuple[str, str]] = {}
    for raw in lines:
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw.decode("utf-8"))
            match fields:
                case {"kind": "conversation", "id": str() as name, "started": int() | float() as started}:
                    reading.header = Header(clean(name, _ID_LIMIT), _time(started), fields.get("practice") is True)
                case {"kind": "final", "utterance": int() as number}:
                    utterance, ids, segment = _final(fields)
                    before = segments.setdefault((number, segment.id), segment)
                    if (segment.attempt, segment.revision) >= (before.attempt, before.revision):
                        segments[number, segment.id] = segment
                    if number in rows and rows[number][0].attempt > utterance.attempt:
                        utterance = replace(utterance, attempt=rows[number][0].attempt)
                    rows[number] = utterance, ids
                case {"kind": "cancelled", "utterance": int() as number}:
                    cancelled.add(number)
                case {"kind": "corrected", "utterance": int() as number, "segment": str() as name}:
                    texts = _text(fields["original"]), _text(fields["translation"])
                    corrections[number, clean(name, _ID_LIMIT)] = texts
                case {"kind": "star", "utterance": int() as number, "on": bool() as is_on}:
                    (reading.stars.add if is_on else reading.stars.discard)(number)
                case {"kind": "about", "service": str() as service, "context": str() as context}:
                    model = _maybe(fields.get("model"), _ID_LIMIT) or ""
                    reading.about.append(About(clean(service, _ID_LIMIT), clean(context), model))
                case {"kind": str()}:
                    pass  # a later version's line
                case _:
                    reading.unreadable += 1
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            reading.unreadable += 1
    for number, (utterance, ids) in rows.items():
        found = tuple(
            with_wording(segments[number, id_], *corrections.get((number, id_), (None, None)))
            for id_ in ids
            if (number, id_) in segments
        )
        if found and number not in cancelled:
            end_ms = max(segment.end_ms for segment in found)
            reading.utterances[number] = replace(utterance, segments=found, end_ms=end_ms)
    return reading


def _final(fields: dict[str, Any]) -> tuple[Utterance, list[str], Segment]:
    """The utterance without its segments, their ids, and the new segment.

    Raises ValueError, KeyError, TypeError or OverflowError for an invalid line.
    """
    source, target = fields["pair"]
    attempt = int(fields["attempt"])
    segment = Segment(
        id=_text(fields["segment"], _ID_LIMIT),
        source_language=_text(fields["source_language"], _CODE_LIMIT),
        target_language=_text(fields["target_language"], _CODE_LIMIT),
        detected_language=_maybe(fields.get("detected_language"), _CODE_LIMIT),
        start_ms=_ms(fields["start_ms"]),
        end_ms=_ms(fields["end_ms"]),
        revision=int(fields["revision"]),
        attempt=attempt,
        marks=tuple((int(n), _ms(at)) for n, at in fields.get("marks", ())[:MAX_MARKS]),
    )
    utterance = Utterance(
        number=fields["utterance"],
        started=_time(fields["started"]),
        start_ms=_ms(fields["utterance_start_ms"]),
        source=_text(source, _CODE_LIMIT),
        target=_text(target, _CODE_LIMIT),
        is_two_way=fields.get("two_way") is True,
        state=UtteranceState.SETTLED,
        attempt=attempt,
        session_id=_maybe(fields.get("session_id"), _ID_LIMIT),
        is_sample=fields.get("sample") is True,
    )
    ids = [_text(name, _ID_LIMIT) for name in fields["row"]]
    return utterance, ids, all_final(segment, _text(fields["original"]), _text(fields["translation"]))


def _text(value: object, limit: int = TEXT_LIMIT) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return clean(value, limit)


def _maybe(value: object, limit: int) -> str | None:
    return clean(value, limit) if isinstance(value, str) else None


def _time(value: float) -> float:
    """Unix seconds within the range of all calendars."""
    seconds = float(value)
    if not 0.0 <= seconds < 32_503_680_000.0:  # the year 3000
        raise ValueError("not a time of a conversation")
    return seconds


def _ms(value: Any) -> int:
    """Milliseconds since a conversation began."""
    ms = int(value)
    if not 0 <= ms < 3_155_760_000_000:  # a century
        raise ValueError("not a time within a conversation")
    return ms
