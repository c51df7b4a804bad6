"""Cleaning: what goes, what stays, idempotence, bounds, and linear time on hostile input."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.core.transcript.clean import MAX_MARKS, TEXT_LIMIT, clean

HOSTILE = (
    "\x1b[]()PX^_\\m;0123\x07\x9b\x9c\x9d\x90\x98 \t\n\r\u2028\u00a0\u3000\u200b\u200c\u200d\u200e\u202e\u2066\u2069"
    "\ufeff\ufe0f\ufe0e\U0001f3f4\U000e0067\U000e007f\u0301\u0300\ud800\udfff\uffff\ufffd\U0001fffeabא한語"
)
hostile = st.text(alphabet=st.sampled_from(HOSTILE) | st.characters(), max_size=60)


@given(hostile)
@settings(max_examples=400)
def test_cleaning_is_idempotent_and_leaves_nothing_that_steers(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= len(text)
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    for char in cleaned:
        assert unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff"
        assert ord(char) & 0xFFFE != 0xFFFE
    cleaned.encode("utf-8")


@given(hostile, st.integers(0, 20))
def test_the_limit_holds_and_the_cut_text_is_clean(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain text", "plain text"),
        ("[red]literal[/red] [link=x]", "[red]literal[/red] [link=x]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"),
        ("a\x1b]52;c;cGF5bG9hZA==\x07b", "ab"),
        ("a\x1bPq#payload\x1b\\b\x90x\x9cc", "abc"),
        ("open \x1b]0;title without an end", "open ]0;title without an end"),
        ("a\x1b(Bb\x1bcc", "abc"),
        ("one\ntwo\r\nthree\tfour\u2028five\x85six", "one two three four five six"),
        ("  spaces   everywhere  ", "spaces everywhere"),
        ("bell\x07 back\x08 del\x7f nul\x00", "bell back del nul"),
        ("evil\u202egnp.exe\u202c \u2066x\u2069", "evilgnp.exe x"),
        ("zero\u200bwidth\ufeff \u2060x", "zerowidth x"),
        ("sur\ud83drogate \ufdd0\uffff\U0010ffff", "surrogate"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("\u200dalone \u200d x\u200c", "alone x"),
        ("אבג \u200fdef\u200e", "אבג \u200fdef\u200e"),
        ("日本語\u3000テスト", "日本語\u3000テスト"),
        ("quoi\u202f?", "quoi\u202f?"),
        ("a\ufffdb", "a\ufffdb"),
        ("e" + "\u0301" * 500, "e" + "\u0301" * MAX_MARKS),
        ("", ""),
        ("\x1b", ""),
    ],
)
def test_what_goes_and_what_stays(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit",
    [
        "\x1b]",
        "\x9d",
        "\x1b[0",
        "\x1bP",
        "\x1b",
        " ",
        "\u200d",
        "\u0301",
        "\U0001f3f4\U000e0067",
        "\ufe0f",
        "\u200d ",
        "語",
    ],
)
def test_hostile_repetition_is_read_in_linear_time(unit: str) -> None:
    assert len(clean(unit * 1_000_000)) <= TEXT_LIMIT
