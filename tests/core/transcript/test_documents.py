"""Exports that can be handed in: the head, the languages' columns, parts of a conversation, read by other programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import srt
import webvtt
from markdown_it import MarkdownIt

from pinch_tui.core.transcript.documents import render
from pinch_tui.core.transcript.export import ExportFormat, ExportHead, ExportPart, ExportSide, lines_of
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState

BERLIN = timezone(timedelta(hours=1))
STARTED = datetime(2026, 12, 1, 23, 50, tzinfo=BERLIN)
HEAD = ExportHead(STARTED, "Pinch", "Visit of *Dr. Ruiz*, room 4")
ASKED, ANSWERED = "Do you have a room for tonight?", "Sí, una con vistas al mar."
ASKED_IN_SPANISH, ANSWERED_IN_ENGLISH = "¿Tiene una habitación para esta noche?", "Yes, one with a view of the sea."


def spoken(number: int, *, is_answer: bool, is_two_way: bool = True) -> Utterance:
    """One line a minute: a question in English, or its answer in Spanish."""
    texts = (ANSWERED, ANSWERED_IN_ENGLISH) if is_answer else (ASKED, ASKED_IN_SPANISH)
    at = (number - 1) * 60_000
    segment = Segment(
        f"s{number}",
        original=texts[0],
        original_is_final=True,
        original_stable=len(texts[0]),
        translation=texts[1],
        translation_is_final=True,
        translation_stable=len(texts[1]),
        detected_language="es" if is_answer else "en",
        start_ms=at + 400,
        end_ms=at + 3000,
    )
    return Utterance(
        number,
        STARTED.timestamp() + at / 1000,
        at,
        "en",
        "es",
        is_two_way=is_two_way,
        state=UtteranceState.SETTLED,
        segments=(segment,),
    )


TALK = [spoken(number, is_answer=number % 2 == 0) for number in range(1, 42)]
STARS = {4, 7}


def export(format_: ExportFormat, side: ExportSide = ExportSide.BOTH, part: ExportPart | None = None) -> str:
    lines = lines_of((part or ExportPart()).of(TALK, STARS), STARS)
    return render(lines, format_, side, HEAD if part is None else ExportHead(STARTED, part=str(part)))


def tables(markdown: str) -> list[list[str]]:
    """The cells of the tables in a Markdown text, row by row, as an independent parser reads them."""
    rows: list[list[str]] = []
    is_cell = False
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        is_cell = is_cell or token.type in ("td_open", "th_open")
        if is_cell and token.type == "inline":
            rows[-1].append("".join(child.content for child in token.children or ()))
            is_cell = False
    return rows


def test_a_two_way_talk_of_41_lines_as_markdown() -> None:
    text = export(ExportFormat.MD)
    header, *rows = tables(text)
    assert header == ["Time", "Speaker", "English", "Spanish"]
    assert len(rows) == 41
    assert rows[0] == ["23:50:00", "English", ASKED, ASKED_IN_SPANISH]
    assert rows[3] == ["23:53:00 ★", "Spanish", ANSWERED_IN_ENGLISH, ANSWERED]
    assert rows[10][0] == "2026-12-02 00:00:00"
    assert text.startswith(
        "# Conversation\n\n"
        "- Date: 2026-12-01, 23:50 to 2026-12-02 00:30 (UTC+0100)\n"
        "- Languages: English and Spanish, two-way\n"
        "- Service: Pinch\n"
        "- Context: Visit of \\*Dr. Ruiz\\*, room 4\n\n"
        "| Time |"
    )


def test_as_plain_text() -> None:
    text = export(ExportFormat.TXT)
    assert text.startswith(
        "Conversation\n\n"
        "Date:       2026-12-01, 23:50 to 2026-12-02 00:30 (UTC+0100)\n"
        "Languages:  English and Spanish, two-way\n"
        "Service:    Pinch\n"
        "Context:    Visit of *Dr. Ruiz*, room 4\n\n"
        f"[23:50:00] English: {ASKED}\n           Spanish: {ASKED_IN_SPANISH}\n\n"
    )
    assert f"[23:53:00] * Spanish: {ANSWERED}\n           English: {ANSWERED_IN_ENGLISH}\n" in text
    assert f"[2026-12-02 00:00:00] English: {ASKED}\n                      Spanish: " in text


def test_as_a_table_for_excel() -> None:
    data = export(ExportFormat.CSV).encode()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(rows) == 41
    assert (rows[1]["time"], rows[1]["speaker"]) == ("2026-12-01 23:51:00", "Spanish")
    assert (rows[1]["en"], rows[1]["es"], rows[1]["source_language"]) == (ANSWERED_IN_ENGLISH, ANSWERED, "es")
    assert (rows[0]["en"], rows[0]["es"], rows[0]["source_language"]) == (ASKED, ASKED_IN_SPANISH, "en")
    assert "original" not in rows[0]


def test_as_json() -> None:
    whole = json.loads(export(ExportFormat.JSON))
    assert whole["started"] == "2026-12-01T23:50:00+01:00"
    assert (whole["service"], whole["context"], whole["is_two_way"]) == ("Pinch", "Visit of *Dr. Ruiz*, room 4", True)
    assert whole["languages"] == [["en", "es"], ["es", "en"]]
    assert len(whole["lines"]) == 41
    second = whole["lines"][1]
    assert (second["time"], second["original"], second["translation"]) == (
        "2026-12-01T23:51:00+01:00",
        ANSWERED,
        ANSWERED_IN_ENGLISH,
    )
    assert second["texts"] == {"en": ANSWERED_IN_ENGLISH, "es": ANSWERED}


def test_as_subtitles() -> None:
    cues = list(srt.parse(export(ExportFormat.SRT, ExportSide.TRANSLATION)))
    assert len(cues) == 41
    assert cues[1].content == ANSWERED_IN_ENGLISH
    assert cues[1].start == timedelta(seconds=60.4)
    captions = list(webvtt.from_buffer(io.StringIO(export(ExportFormat.VTT, ExportSide.ORIGINAL))))
    assert [caption.voice for caption in captions[:2]] == ["English", "Spanish"]
    assert captions[40].text == ASKED


@pytest.mark.parametrize(
    ("part", "numbers", "words"),
    [
        (ExportPart(is_starred_only=True), [4, 7], "starred lines"),
        (ExportPart(first=3, last=5), [3, 4, 5], "lines from 3 to 5"),
        (ExportPart(first=40), [40, 41], "lines from 40"),
        (ExportPart(last=1), [1], "lines to 1"),
        (ExportPart(first=5, is_starred_only=True), [7], "starred lines from 5"),
    ],
)
def test_a_part_of_it_says_so(part: ExportPart, numbers: list[int], words: str) -> None:
    whole = json.loads(export(ExportFormat.JSON, part=part))
    assert [line["number"] for line in whole["lines"]] == numbers
    assert whole["part"] == words
    assert f"- Part: {words}\n" in export(ExportFormat.MD, part=part)


def test_one_side_of_a_two_way_talk_is_one_column_with_its_speaker() -> None:
    header, first, *_ = tables(export(ExportFormat.MD, ExportSide.ORIGINAL))
    assert (header, first) == (["Time", "Speaker", "Original"], ["23:50:00", "English", ASKED])


def test_a_talk_that_is_not_two_way_keeps_original_and_translation() -> None:
    lines = lines_of([spoken(1, is_answer=False, is_two_way=False)])
    header, first = tables(render(lines, ExportFormat.MD, head=HEAD))
    assert (header, first) == (["Time", "Original", "Translation"], ["23:50:00", ASKED, ASKED_IN_SPANISH])
    assert "- Languages: English to Spanish\n" in render(lines, ExportFormat.MD, head=HEAD)


def test_a_transcript_without_translation_has_one_column() -> None:
    row = spoken(1, is_answer=False, is_two_way=False)
    only = replace(row, target="", segments=tuple(replace(one, translation="") for one in row.segments))
    text = render(lines_of([only]), ExportFormat.MD, head=HEAD)
    assert tables(text) == [["Time", "Original"], ["23:50:00", ASKED]]
    assert "- Languages: English\n" in text
    assert render(lines_of([only]), ExportFormat.TXT, head=HEAD).endswith(f"\n[23:50:00] {ASKED}\n")


def test_recordings_have_times_of_the_recording() -> None:
    lines = lines_of([spoken(3, is_answer=False, is_two_way=False)])
    head = ExportHead(STARTED, "Pinch", inputs=("talk.wav", "more|.wav"))
    text = render(lines, ExportFormat.MD, head=head)
    assert tables(text)[1][0] == "00:02:00"
    assert "- Date: 2026-12-01, 23:50 (UTC+0100)\n- Recordings: talk.wav, more\\|.wav\n" in text
