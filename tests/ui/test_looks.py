"""Light or dark, without colour, in ASCII: what is painted where."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from pinch_tui.settings.model import Settings, Switch, UiSettings
from pinch_tui.ui.app.looks import (
    ANSWERS_WITHIN_S,
    BACKGROUND_QUERY,
    AsciiShapes,
    Colourless,
    Looks,
    is_light_by_environment,
)
from tests.ui.harness import Rig, rig, until
from tests.ui.test_screens import shown
from tests.ui.test_snapshots import talked

SIZE = (80, 24)
BLACK = Color.parse("#000000")


@dataclass
class Ground:
    red: float
    green: float
    blue: float


WHITE, NIGHT = Ground(1.0, 1.0, 1.0), Ground(0.1, 0.1, 0.2)


class Now:
    t = 0.0

    def __call__(self) -> float:
        return self.t


def looks(wish: str = "auto", *, colours: str = "truecolor", **env: str) -> tuple[Looks, Now]:
    now = Now()
    made = Looks(wish, env, now)
    made.set_colour_system(colours)
    return made, now


@pytest.mark.parametrize(
    ("value", "is_light"),
    [("15;0", False), ("0;15", True), ("0;default;15", True), ("7;8", False), ("0;7", True), ("12;9", True)],
)
def test_colorfgbg(value: str, is_light: bool) -> None:
    assert is_light_by_environment({"COLORFGBG": value}) is is_light


@pytest.mark.parametrize("value", ["", "default;default", "0;", "0;99", "x", "0;²"])
def test_colorfgbg_that_says_nothing(value: str) -> None:
    assert is_light_by_environment({"COLORFGBG": value}) is None


def test_dark_until_the_terminal_tells() -> None:
    made, _ = looks()
    assert made.theme == "pinch-dark"
    assert made.query() == BACKGROUND_QUERY
    made.take_background(WHITE)
    assert made.theme == "pinch-light"


def test_the_terminals_answer_stands_above_its_environment() -> None:
    made, _ = looks(COLORFGBG="0;15")
    assert made.theme == "pinch-light"
    made.query()
    made.take_background(NIGHT)
    assert made.theme == "pinch-dark"


def test_a_late_answer_changes_nothing() -> None:
    made, now = looks()
    made.query()
    now.t = ANSWERS_WITHIN_S + 0.1
    made.take_background(WHITE)
    assert made.theme == "pinch-dark"


def test_an_answer_to_no_question_changes_nothing() -> None:
    made, _ = looks()
    made.take_background(WHITE)
    assert made.theme == "pinch-dark"


@pytest.mark.parametrize("wish", ["pinch-dark", "pinch-light", "pinch-contrast", "nord"])
def test_a_theme_that_was_chosen_stays_and_nothing_is_asked(wish: str) -> None:
    made, _ = looks(wish, COLORFGBG="0;15")
    assert (made.theme, made.query()) == (wish, "")


def test_few_colours_or_none_take_the_one_of_high_contrast() -> None:
    few, _ = looks(colours="standard")
    none, _ = looks(NO_COLOR="1")
    assert (few.theme, few.query()) == ("pinch-contrast", "")
    assert (none.theme, none.query()) == ("pinch-contrast", "")
    assert looks("nord", colours="standard")[0].theme == "nord"
    assert looks(NO_COLOR="")[0].theme == "pinch-dark", "an empty NO_COLOR is none (no-color.org)"


async def test_the_app_follows_and_a_choice_ends_it() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.app.looks.query()
        r.app.on_terminal_background(WHITE)
        await pilot.pause()
        assert r.app.theme == "pinch-light"
        await pilot.press("f2")
        assert r.app.theme == "pinch-contrast" == r.asked.kept["theme"]
        r.app.set_theme("auto")
        assert r.app.theme == "pinch-light"


# ---- without colour ------------------------------------------------------------------------------------------------


def test_a_cursor_is_reversed_and_a_plain_ground_is_gone() -> None:
    style = Style(color="#ff0000", bgcolor="#262626", bold=True, meta={"@click": "x"})
    (text,) = Colourless().apply([Segment("a", style)], BLACK)
    assert text.style is not None
    assert (text.style.color, text.style.bgcolor, text.style.reverse) == (None, None, None)
    assert text.style.bold and text.style.meta == {"@click": "x"}
    (cursor,) = Colourless().apply([Segment("a", Style(color="black", bgcolor="#ffff00"))], BLACK)
    assert cursor.style == Style(reverse=True)
    (match,) = Colourless().apply([Segment("a", Style(color="black", bgcolor="#ffff00", reverse=True))], BLACK)
    assert match.style is not None and not match.style.reverse, "a match in the cursor's row is still seen"


def drawn(r: Rig) -> list[Segment]:
    """What the compositor hands to the driver."""
    return [segment for strip in r.app.screen._compositor.render_strips() for segment in strip]


OPENED = {
    "help": "question_mark",
    "menu": "l",
    "settings": "comma",
    "export": "e",
    "details": "d",
    "big": "v",
    "palette": "ctrl+p",
}


@pytest.mark.parametrize("key", OPENED.values(), ids=OPENED)
async def test_no_colour_is_painted_and_the_focus_is_seen(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    r = talked()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("up", key)
        await pilot.pause()
        styles = [segment.style for segment in drawn(r) if segment.style is not None]
        assert [style for style in styles if style.color is not None or style.bgcolor is not None] == []
        assert key in ("d", "v") or any(style.reverse for style in styles)


@pytest.mark.parametrize(("key", "row"), [("l", "Español"), ("comma", "Voice"), ("ctrl+p", "Program: Help")])
async def test_the_row_that_a_key_would_take_is_reversed(monkeypatch: pytest.MonkeyPatch, key: str, row: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    r = talked()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press(key)

        def reversed_text() -> str:
            return "".join(segment.text for segment in drawn(r) if segment.style and segment.style.reverse)

        await until(pilot, lambda: row in reversed_text())


# ---- in ASCII ------------------------------------------------------------------------------------------------------


def test_shapes_become_ascii_and_solid_ones_reversed_blanks() -> None:
    style = Style(color="red")
    pieces = AsciiShapes().apply([Segment("│é▆", style), Segment("plain", style)], BLACK)
    assert [(segment.text, segment.style) for segment in pieces] == [
        ("|é", style),
        (" ", style + Style(reverse=True)),
        ("plain", style),
    ]


@pytest.mark.parametrize("key", ["question_mark", "l", "comma", "e", "d", "h", "ctrl+p", "f3", "slash", "ctrl+e"])
@pytest.mark.parametrize("size", [(60, 15), SIZE], ids=["60x15", "80x24"])
async def test_panels_are_drawn_in_ascii(key: str, size: tuple[int, int]) -> None:
    r = talked(settings=Settings(ui=UiSettings(ascii=Switch.ON, motion=False)))
    async with r.app.run_test(size=size) as pilot:
        await pilot.press("up", key)
        await pilot.pause()
        letters = re.compile(r"[\w\s¿¡]", re.UNICODE)
        text = "".join(segment.text for segment in drawn(r))
        assert {char for char in text if not char.isascii() and not letters.fullmatch(char)} == set(), shown(r.app)
