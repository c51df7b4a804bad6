"""A service's own words: found in every known shape, cleaned, bounded, without secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.service_words import WORDS_LIMIT, of_body, quoted, words
from pinch_tui.core.transcript.clean import clean


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "no_slot", "message": "no slot"}}, ("no_slot", "no slot")),
        ({"error": {"code": "bad", "message": "wrong", "field": "target_lang"}}, ("bad", "target_lang: wrong")),
        ({"error": {"field": "target_lang"}}, ("", "target_lang")),
        ({"error": "no slot"}, ("", "no slot")),
        ({"message": "no slot", "code": "no_slot"}, ("no_slot", "no slot")),
        ({"detail": "no slot"}, ("", "no slot")),
        ({"error": {"code": 7, "message": None}}, ("", "")),
        ([], ("", "")),
        ({}, ("", "")),
        ({"trace": "abc"}, ("", "")),
        ("no slot", ("", "no slot")),
    ],
)
def test_shapes(body: object, expected: tuple[str, str]) -> None:
    assert of_body(json.dumps(body).encode()) == expected


def test_plain_words_are_words_and_pages_are_not() -> None:
    assert of_body(b"no slot\n") == ("", "no slot")
    assert of_body(b"<!DOCTYPE html><html>no slot</html>") == ("", "")
    assert of_body(b"<?xml version='1.0'?><Error/>") == ("", "")


def test_secrets_and_controls_go() -> None:
    assert words("\x1b[2Jkey pk_abcdefgh and s3cret at https://a.example/x?sig=1", ("s3cret",)) == (
        "key <hidden> and <hidden> at https://a.example/x?<hidden>"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>no</b> slot<br/>today", "no slot today"),
        ('see <a href="https://x.example">here</a>', "see here"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("<i>pk_abcdefgh</i> and [red]brackets[/red]", "<hidden> and [red]brackets[/red]"),
        ("<script>" * 50, ""),
    ],
)
def test_tags_go_and_what_only_looks_like_them_stays(text: str, shown: str) -> None:
    assert words(text) == shown


def test_a_quotation_is_a_sentence_or_nothing() -> None:
    assert quoted("no slot") == 'The service says: "no slot"'
    assert quoted("") == ""


@given(st.binary(max_size=2_000) | st.text(max_size=2_000).map(lambda text: json.dumps({"error": text}).encode()))
def test_any_body_gives_clean_words(body: bytes) -> None:
    code, said = of_body(body)
    assert len(said) <= WORDS_LIMIT and said == clean(said) and code.isascii()
