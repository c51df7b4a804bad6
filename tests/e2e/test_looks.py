"""What really reaches the terminal: light or dark, no colour, ASCII alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.live import CTRL_Q, PROGRAM, LiveApp

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not PROGRAM.exists(), reason="pinch-tui is not installed here"),
]
SILENT = {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent", "COLORTERM": "truecolor"}
DARK, LIGHT = b"48;2;22;22;29", b"48;2;250;249;245"
_RENDITION = re.compile(rb"\x1b\[([0-9;:]*)m")
_COLOURS = {str(n) for n in (*range(30, 50), *range(90, 108))}
_LETTER = re.compile(r"[\w¿¡]")


def tour(app: LiveApp) -> None:
    """The first screen, a sample, and panels over it."""
    app.wait_text("PRACTICE", 5)
    for key in (b"?", b"l", b",", b"e", b"d", b"/tra"):
        app.type(key, 0.4)
        app.type(b"\x1b[27u", 0.2)
    app.type(CTRL_Q)
    assert app.leave() == 0


@pytest.mark.parametrize(
    ("background", "painted", "never"), [("rgb:ffff/ffff/ffff", LIGHT, DARK), ("rgb:1e1e/1e1e/1e1e", DARK, LIGHT)]
)
def test_the_first_paint_is_light_or_dark_as_the_terminal(
    tmp_path: Path, background: str, painted: bytes, never: bytes
) -> None:
    with LiveApp(tmp_path, "--practice", env=SILENT, background=background) as app:
        app.wait_text("PRACTICE", 5)
        assert painted in app.output
        assert never not in app.output
        app.type(b"l", 0.3)
        app.type(b"portuguese", 0.3)
        app.wait_text("Portuguese (Brazil)", 3)  # no part of the answer was typed
        app.type(CTRL_Q)
        assert app.leave() == 0


def test_no_colour_reaches_the_terminal(tmp_path: Path) -> None:
    with LiveApp(tmp_path, "--practice", env={**SILENT, "NO_COLOR": "1"}) as app:
        tour(app)
    codes = {code for found in _RENDITION.findall(app.output) for code in re.split("[;:]", found.decode())}
    assert codes & _COLOURS == set()
    assert "7" in codes, "cursors are in reverse video"


@pytest.mark.parametrize("env", [{"TERM": "linux", "LANG": "C.UTF-8"}, {"LC_ALL": "C"}], ids=["linux", "C"])
def test_ascii_alone_reaches_terminals_and_locales_that_have_no_more(tmp_path: Path, env: dict[str, str]) -> None:
    with LiveApp(tmp_path, "--practice", env={**SILENT, **env}) as app:
        tour(app)
    drawn = app.output.decode("utf-8")
    others = {char for char in drawn if not char.isascii() and not _LETTER.fullmatch(char)}
    assert (
        others - {"\N{DEVANAGARI VOWEL SIGN I}", "\N{DEVANAGARI SIGN VIRAMA}", "\N{DEVANAGARI VOWEL SIGN II}"} == set()
    )
