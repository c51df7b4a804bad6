"""Exports: fuzzed, and read back by parsers that are not ours."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.core.transcript import export
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.documents import cues, render
from pinch_tui.core.transcript.export import (
    ExportFormat,
    ExportLine,
    ExportSide,
    file_name,
    lines_of,
)
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

NASTY = [
    "-->", "<i>", "</v>", "&amp;", "&", "<", ">", "|", "`", "*", "_", "[red]", "=1+1", "+1", "-5", "@SUM", "\t=x", '"',
    "'", ",", ";", "1", "00:00:01,000 --> 00:00:02,000", "WEBVTT", "NOTE x", "STYLE", "\n\n", "\r", "\\", "{\\an8}",
    "👨\u200d👩", "שלום", "مرحبا", "你好。", "สวัสดี", "\x1b[31m", "\u202e", "http://x.y", "# h", "---", "\ufeff", "＝1",
]  # fmt: skip
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=6), max_size=5).map(" ".join) | st.text(max_size=20)
times = st.integers(0, 100_000) | st.sampled_from([0, 999, 1_000, 59_999, 3_599_999, 400_000_000])
lines = st.lists(
    st.builds(
        ExportLine, times, times, texts, texts, st.sampled_from(["en", "zh-Hant", "=x"]), st.sampled_from(["es", "ar"]),
        st.none() | texts, st.integers(1, 99), texts, st.booleans(),
    ).map(lambda line: replace(line, end_ms=max(line.start_ms, line.end_ms))),
    max_size=8,
)  # fmt: skip
sides = st.sampled_from(list(ExportSide))


def shown(line: ExportLine, side: ExportSide) -> list[str]:
    both = {"both": [line.original, line.translation], "original": [line.original], "translation": [line.translation]}
    return [cleaned for text in both[side.value] if (cleaned := clean(text))]


def with_words(many: list[ExportLine], side: ExportSide) -> list[ExportLine]:
    return [line for line in many if shown(line, side)]


@given(lines, sides)
def test_cues_stand_in_order_and_never_overlap(many: list[ExportLine], side: ExportSide) -> None:
    before = 0
    for cue in cues(many, side):
        assert isinstance(cue.start_ms, int)
        assert before <= cue.start_ms < cue.end_ms
        before = cue.end_ms


@given(lines, sides)
@settings(max_examples=150)
def test_srt_is_read_by_an_independent_parser(many: list[ExportLine], side: ExportSide) -> None:
    parsed = list(srt.parse(render(many, ExportFormat.SRT, side)))
    expected = cues(many, side)
    assert [cue.index for cue in parsed] == list(range(1, len(expected) + 1))
    for cue, ours in zip(parsed, expected, strict=True):
        assert cue.start == timedelta(milliseconds=ours.start_ms)
        assert cue.end == timedelta(milliseconds=ours.end_ms)
        assert cue.content.split("\n") == [re.sub("--+>", "→", text) for text in ours.lines]
        assert not cue.proprietary


@given(lines, sides)
@settings(max_examples=150)
def test_vtt_is_read_by_an_independent_parser(many: list[ExportLine], side: ExportSide) -> None:
    parsed = list(webvtt.from_buffer(io.StringIO(render(many, ExportFormat.VTT, side))))
    expected = cues(many, side)
    assert len(parsed) == len(expected)
    for cue, ours in zip(parsed, expected, strict=True):
        assert cue.start_in_seconds * 1000 + int(cue.start.partition(".")[2]) == ours.start_ms
        assert cue.end_in_seconds * 1000 + int(cue.end.partition(".")[2]) == ours.end_ms
        assert [html.unescape(line) for line in cue.text.split("\n")] == list(ours.lines)
        assert "-->" not in cue.raw_text


@given(lines, sides)
def test_csv_is_read_back_and_runs_no_formula(many: list[ExportLine], side: ExportSide) -> None:
    rows = list(csv.DictReader(io.StringIO(render(many, ExportFormat.CSV, side).removeprefix("\ufeff"), newline="")))
    expected = with_words(many, side)
    assert len(rows) == len(expected)
    for row, line in zip(rows, expected, strict=True):
        assert None not in row
        for name, value in row.items():
            assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), name
        for name in {"both": ["original", "translation"]}.get(side.value, [side.value]):
            assert row[name].removeprefix("'") == clean(getattr(line, name)).removeprefix("'")
        assert row["starred"] == ("yes" if line.starred else "")


@given(lines, sides)
def test_json_is_read_back(many: list[ExportLine], side: ExportSide) -> None:
    whole = json.loads(render(many, ExportFormat.JSON, side))
    expected = with_words(many, side)
    assert (whole["version"], whole["side"], len(whole["lines"])) == (1, side.value, len(expected))
    for fields, line in zip(whole["lines"], expected, strict=True):
        assert isinstance(fields["start_ms"], int)
        assert 0 <= fields["start_ms"] <= fields["end_ms"]
        assert ("original" in fields) == (side is not ExportSide.TRANSLATION)
        if side is not ExportSide.ORIGINAL:
            assert fields["translation"] == clean(line.translation)


@given(lines, sides)
def test_markdown_rows_keep_their_columns_and_no_markup(many: list[ExportLine], side: ExportSide) -> None:
    rows = [row for row in render(many, ExportFormat.MD, side).split("\n") if row.startswith("|")]
    assert len(rows) == 2 + len(with_words(many, side))
    columns = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}
    assert len(columns) == 1
    for row in rows[2:]:
        assert re.search(r"(?<!\\)(?:\\\\)*[*_`<\[\]&]", row) is None


@given(lines, sides)
def test_text_is_plain_lines(many: list[ExportLine], side: ExportSide) -> None:
    text = render(many, ExportFormat.TXT, side)
    assert text.count("[0") + text.count("[1") >= len(with_words(many, side))
    assert all(char == "\n" or not (ord(char) < 32 or 127 <= ord(char) < 160) for char in text)
    for line in with_words(many, side):
        for words in shown(line, side):
            assert words in text


def line(
    start: int = 0, end: int = 1500, original: str = "Hello", translation: str = "Hola", **more: object
) -> ExportLine:
    return ExportLine(start, end, original, translation, "en", "es", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ms", "stamp"),
    [(999, "00:00:00,999"), (1_000, "00:00:01,000"), (59_999, "00:00:59,999"), (3_600_000, "01:00:00,000"),
     (360_000_000, "100:00:00,000")],
)  # fmt: skip
def test_times_carry(ms: int, stamp: str) -> None:
    assert render([line(ms, ms)], ExportFormat.SRT).split("\n")[1].startswith(f"{stamp} --> ")


def test_cue_lengths() -> None:
    many = [line(0, 100), line(400, 5_000), line(4_000, 4_100), line(4_000, 9_000), line(20_000, 20_000)]
    assert [(cue.start_ms, cue.end_ms) for cue in cues(many, ExportSide.BOTH)] == [
        (0, 1000), (1000, 4000), (4000, 5000), (5000, 9000), (20_000, 21_000),
    ]  # fmt: skip


def test_a_speaker_cannot_end_a_cue() -> None:
    for speaker in ("--", "a -->", "-", "<b>", "&"):
        parsed = list(webvtt.from_buffer(io.StringIO(render([line(speaker=speaker)], ExportFormat.VTT))))
        assert [cue.text for cue in parsed] == ["Hello\nHola"]


def test_the_formats_look_as_documented() -> None:
    many = [line(speaker="English", starred=True), line(61_000, 62_000, "a|b *c*", "1 < 2 --> &")]
    assert render(many, ExportFormat.TXT) == (
        "[00:00:00] * English: Hello\n           Hola\n\n[00:01:01] a|b *c*\n           1 < 2 --> &\n"
    )
    assert (
        render(many, ExportFormat.TXT, ExportSide.TRANSLATION) == "[00:00:00] * English: Hola\n[00:01:01] 1 < 2 --> &\n"
    )
    assert render(many, ExportFormat.MD) == (
        "# Conversation\n\n| Time | Speaker | Original | Translation |\n| --- | --- | --- | --- |\n"
        "| 00:00:00 ★ | English | Hello | Hola |\n| 00:01:01 |  | a\\|b \\*c\\* | 1 \\< 2 --\\> \\& |\n"
    )
    assert render(many, ExportFormat.SRT) == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello\nHola\n\n2\n00:01:01,000 --> 00:01:02,000\na|b *c*\n1 < 2 → &\n\n"
    )
    assert render(many, ExportFormat.VTT) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v English>Hello\n<v English>Hola\n\n"
        "00:01:01.000 --> 00:01:02.000\na|b *c*\n1 &lt; 2 --&gt; &amp;\n"
    )
    assert render(many[:1], ExportFormat.CSV, ExportSide.ORIGINAL) == (
        "\ufeffnumber,segment_id,start_ms,end_ms,speaker,source_language,original,starred\r\n0,,0,1500,English,en,Hello,yes\r\n"
    )
    assert render([line(original="=1+1")], ExportFormat.CSV).split("\r\n")[1] == "0,,0,1500,,en,es,'=1+1,Hola,"


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_an_empty_conversation_is_an_empty_file_of_its_format(format_: ExportFormat) -> None:
    text = render([], format_)
    if format_ is ExportFormat.JSON:
        assert json.loads(text)["lines"] == []
    else:
        assert "Hello" not in text
        assert text in ("", "WEBVTT\n") or text.count("\n") <= 4


def test_files_survive_being_written_and_read(tmp_path: Path) -> None:
    many = [line(original="שלום 👋 ⟨x⟩", translation="你好。\n再见")]
    for format_ in ExportFormat:
        path = tmp_path / f"x.{format_}"
        path.write_text(render(many, format_), encoding="utf-8", newline="")
        assert "שלום 👋" in path.read_text(encoding="utf-8")
    assert webvtt.read(str(tmp_path / "x.vtt"))[0].text == "שלום 👋 ⟨x⟩\n你好。 再见"


def test_file_names() -> None:
    started = datetime(2026, 11, 20, 14, 55)
    assert file_name(started, "en", "pt_br", ExportFormat.SRT) == "pinch-2026-11-20-1455-en-pt-BR.srt"
    assert file_name(started, "auto", "../../x", ExportFormat.MD, ExportSide.ORIGINAL, copy=3) == (
        "pinch-2026-11-20-1455-auto-xx-original-3.md"
    )


# ---- lines of a conversation --------------------------------------------------------------------------------------


def utterance(*segments: Segment, state: UtteranceState = UtteranceState.SETTLED, **fields: object) -> Utterance:
    return Utterance(7, 0.0, 0, "en", "es", state=state, segments=segments, **fields)  # type: ignore[arg-type]


def final(id_: str, original: str, translation: str = "", detected: str | None = None) -> Segment:
    lengths = len(original), len(translation)
    return Segment(id_, original, True, lengths[0], translation, True, lengths[1], detected_language=detected)


def test_lines_hold_what_is_final_and_no_interim() -> None:
    segment = Segment("a", "Hello there", False, 5, "Hola", True, 4, start_ms=10, end_ms=20)
    assert lines_of([utterance(segment)], starred={7}) == [
        ExportLine(10, 20, "Hello", "Hola", "en", "es", None, 7, "a", True, at=0.01)
    ]
    waiting = lines_of([utterance(segment, state=UtteranceState.WAITING)])
    assert [(one.original, one.translation, one.starred) for one in waiting] == [("Hello", "Hola", False)]
    assert lines_of([utterance(segment, state=UtteranceState.CANCELLED), utterance(), utterance(Segment("b"))]) == []
    assert lines_of([utterance(Segment("c", "stray", False, 0))]) == []


def test_lines_of_two_way_rows_name_the_speaker_and_turn_the_languages() -> None:
    spoken = [
        final("a", "Hola", "Hello", detected="es"),
        final("b", "Hi", detected="en"),
    ]
    both = lines_of([utterance(*spoken, is_two_way=True)])
    assert [(one.source_language, one.target_language, one.speaker) for one in both] == [
        ("es", "en", "Spanish"),
        ("en", "es", "English"),
    ]
    unknown = lines_of([utterance(final("c", "Oui", detected="fr"), is_two_way=True)])
    assert (unknown[0].source_language, unknown[0].speaker) == ("fr", None)


def test_lines_of_a_detected_source_name_it() -> None:
    row = Utterance(1, 0.0, 0, "auto", "es", state=UtteranceState.SETTLED, segments=(final("a", "Oui", detected="fr"),))
    assert lines_of([row])[0].source_language == "fr"
    assert lines_of([utterance(final("a", "Oui", detected="fr"))])[0].source_language == "en"


def test_a_conversation_goes_all_the_way_to_a_file() -> None:
    transcript = Transcript()
    for number, text in ((1, "Hello."), (2, "Bye.")):
        transcript.begin(Utterance(number, 0.0, number * 1000, "en", "es", session_id="ss_1"))
        for kind in TranscriptKind:
            transcript.apply(number, 1, TranscriptMessage(kind, f"s{number}", text, True), number * 1000 + 500)
        transcript.settle(number, number * 1000 + 900)
    parsed = list(srt.parse(render(lines_of(transcript.utterances), ExportFormat.SRT)))
    assert [cue.content for cue in parsed] == ["Hello.\nHello.", "Bye.\nBye."]


def test_each_line_says_its_languages_where_there_is_more_than_one_pair() -> None:
    mixed = [
        ExportLine(0, 900, "Hello", "Hola", "en", "es"),
        ExportLine(1000, 1900, "Adiós", "Goodbye", "es", "en", "Spanish"),
        ExportLine(2000, 2900, "Merci", "Danke", "fr", "de"),
    ]
    assert "[00:00:00] (en → es) Hello\n           Hola\n" in render(mixed, ExportFormat.TXT)
    assert "[00:00:01] (es → en) Spanish: Adiós\n" in render(mixed, ExportFormat.TXT)
    md = render(mixed, ExportFormat.MD).splitlines()
    assert md[2] == "| Time | Languages | Speaker | Original | Translation |"
    assert md[6].startswith("| 00:00:02 | fr → de |")


def test_one_pair_and_a_two_way_conversation_with_speakers_need_no_languages() -> None:
    one = [ExportLine(0, 900, "Hello", "Hola", "en", "es")]
    both = [
        ExportLine(0, 900, "Hello", "Hola", "en", "es", "English"),
        ExportLine(0, 900, "Adiós", "Goodbye", "es", "en", "Spanish"),
    ]
    for conversation in (one, both):
        for format_ in (ExportFormat.TXT, ExportFormat.MD):
            assert "→" not in render(conversation, format_)


def test_a_file_of_several_pairs_is_named_so() -> None:
    at = datetime(2026, 11, 20, 14, 55)
    assert file_name(at, export.MANY, export.MANY, ExportFormat.MD) == "pinch-2026-11-20-1455-mul.md"
