"""Rows that nobody translates: exported and printed as what they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pinch_tui.cli.translate.output import make_sink
from pinch_tui.core.transcript.documents import render
from pinch_tui.core.transcript.export import ExportFormat, ExportHead, ExportSide, file_name, lines_of, pair_of
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.settings.run import TextFormat
from pinch_tui.store.history.lines import final_part


def row(number: int, text: str, target: str = "", translation: str = "") -> Utterance:
    segment = Segment(
        f"u{number}.1",
        text,
        True,
        len(text),
        translation,
        bool(translation),
        len(translation),
        start_ms=1_000 * number,
        end_ms=1_000 * number + 900,
    )
    return Utterance(number, 0.0, 1_000 * number, "en", target, state=UtteranceState.SETTLED, segments=(segment,))


TRANSCRIPT = [row(1, "Good morning."), row(2, "How are you?")]
MIXED = [*TRANSCRIPT, row(3, "Thanks.", "es", "Gracias.")]


@pytest.mark.parametrize("side", list(ExportSide))
@pytest.mark.parametrize("format_", list(ExportFormat))
def test_every_format_and_side_gives_the_transcript(format_: ExportFormat, side: ExportSide) -> None:
    text = render(lines_of(TRANSCRIPT), format_, side)
    assert "Good morning." in text
    assert "How are you?" in text
    assert "no translation" not in text.lower()


def test_a_table_of_a_transcript_has_one_column_of_text() -> None:
    table = render(lines_of(TRANSCRIPT), ExportFormat.MD)
    assert "| Time | Original |" in table
    assert "Translation" not in table
    assert "Translation" in render(lines_of(MIXED), ExportFormat.MD)


def test_the_head_names_one_language() -> None:
    head = ExportHead(datetime(2026, 12, 1, 9, 0, tzinfo=UTC), "Cartesia", "")
    text = render(lines_of(TRANSCRIPT), ExportFormat.TXT, ExportSide.BOTH, head)
    assert "Languages:  English\n" in text
    assert "Cartesia" in text


def test_subtitles_of_the_translation_show_what_was_said_where_nobody_translated() -> None:
    text = render(lines_of(MIXED), ExportFormat.SRT, ExportSide.TRANSLATION)
    assert [line for line in text.splitlines() if line and not line[0].isdigit()] == [
        "Good morning.",
        "How are you?",
        "Gracias.",
    ]


def test_the_files_name_has_one_language() -> None:
    pair = pair_of(lines_of(TRANSCRIPT), ("en", "es"))
    assert file_name(datetime(2026, 12, 1, 9, 0), *pair, ExportFormat.TXT) == "pinch-2026-12-01-0900-en.txt"


def test_text_prints_what_was_said_and_json_leaves_the_translation_empty() -> None:
    for has_both in (False, True):
        out: list[str] = []
        sink = make_sink(TextFormat.TEXT, out.append, has_both=has_both)
        sink.begin_input("a")
        sink.show(TRANSCRIPT, 0.0)
        sink.finish()
        assert out == ["Good morning.\n", "How are you?\n"]
    out = []
    sink = make_sink(TextFormat.JSONL, out.append)
    sink.begin_input("a")
    sink.show(TRANSCRIPT, 0.0)
    sink.finish()
    objects = [json.loads(line) for line in out]
    assert [(o["original"], o["translation"], o["target_language"]) for o in objects] == [
        ("Good morning.", "", ""),
        ("How are you?", "", ""),
    ]
    assert all(o["is_last"] for o in objects)


def test_history_keeps_it() -> None:
    kept = final_part(TRANSCRIPT[0].segments[0])
    assert kept is not None
    assert (kept.original, kept.translation) == ("Good morning.", "")
