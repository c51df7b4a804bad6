"""Which terminals need ASCII, and what the shapes become there."""

from __future__ import annotations

import pytest

from pinch_tui.core.drawing import in_ascii, line_in_ascii, needs_ascii

UTF_8 = {"LANG": "de_DE.UTF-8"}


@pytest.mark.parametrize(
    ("env", "is_needed"),
    [
        ({}, False),
        (UTF_8, False),
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", **UTF_8}, True),
        ({"LC_CTYPE": "C", **UTF_8}, True),
        ({"LANG": "C", "LC_CTYPE": "en_US.utf8"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "de_DE"}, True),
        ({"LANG": "ja_JP.eucJP"}, True),
        ({"TERM": "linux", **UTF_8}, True),
        ({"TERM": "linux-16color", **UTF_8}, True),
        ({"TERM": "vt220", **UTF_8}, True),
        ({"TERM": "screen-256color", **UTF_8}, False),
        ({"TERM": "xterm-256color", **UTF_8}, False),
    ],
)
def test_terminals_and_locales(env: dict[str, str], is_needed: bool) -> None:
    assert needs_ascii(env, "utf-8", is_made_utf_8=False) is is_needed


@pytest.mark.parametrize(("lang", "is_needed"), [("C", True), ("", False), ("en_US.ISO-8859-1", True)])
def test_a_locale_that_python_made_says_nothing(lang: str, is_needed: bool) -> None:
    env = {"LANG": lang, "LC_CTYPE": "C.UTF-8"}
    assert needs_ascii(env, "utf-8", is_made_utf_8=True) is is_needed


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp437", ""])
def test_a_stream_of_another_encoding(encoding: str) -> None:
    assert needs_ascii(UTF_8, encoding, is_made_utf_8=False)


@pytest.mark.parametrize("text", ["", "plain", "Buenos días", "今日は", "l·l, ‹quoted›", "Čeština"])
def test_what_was_said_stays(text: str) -> None:
    assert in_ascii(text) == [(text, False)]
    assert line_in_ascii(text) == text


def test_shapes_keep_their_cells() -> None:
    text = "╭─ a ─╮│▁█▄ ▸…"
    runs = in_ascii(text)
    assert "".join(run for run, _ in runs) == "+- a -+|_   >."
    assert [run for run, is_solid in runs if is_solid] == ["  "]
    assert line_in_ascii(text) == "+- a -+|_## >."


def test_every_shape_that_textual_draws_with_has_a_place() -> None:
    """Of its borders and its scrollbars."""
    from textual._border import BORDER_CHARS
    from textual.scrollbar import ScrollBarRender

    shapes = {char for rows in BORDER_CHARS.values() for row in rows for part in row for char in part}
    shapes |= {*ScrollBarRender.VERTICAL_BARS, *ScrollBarRender.HORIZONTAL_BARS}
    assert {shape for shape in shapes if not "".join(run for run, _ in in_ascii(shape)).isascii()} == set()
