"""A widget that keeps its finished lines draws what it would draw anew."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widgets import Static

from pinch_tui.core.events import Levels, NoticePosted, Severity, StateWord
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.ui.app.app import PinchApp
from pinch_tui.ui.widgets.kept_lines import KeptLines, keep_lines
from tests.fakes.fake_engine import line
from tests.ui.harness import Rig, rig

WORDS = "the train leaves at noon — from “platform nine”, we think… 駅はどこですか مرحبا".split()


def drawn_anew(widget: Any) -> list[Any]:
    crop = Region(0, 0, *widget.outer_size)
    return StylesCache().render_widget(widget, crop)


def check(app: PinchApp) -> int:
    """Every visible widget of the main screen that keeps lines; how many there were."""
    n = 0
    for widget in app.screen._compositor.visible_widgets:
        if isinstance(widget._styles_cache, KeptLines):
            kept = widget.render_lines(Region(0, 0, *widget.outer_size))
            assert [list(strip) for strip in kept] == [list(strip) for strip in drawn_anew(widget)], widget
            n += 1
    return n


async def disturb(r: Rig, pilot: Any, rng: random.Random) -> None:
    """One thing that changes something on the screen."""
    number = len(r.engine.transcript.utterances) + 1
    match rng.randrange(9):
        case 0 | 1:
            text = " ".join(rng.choices(WORDS, k=rng.randint(1, 40)))
            r.engine.put(line(number, text, text[::-1], state=UtteranceState.TALKING, is_final=False))
        case 2:
            text = " ".join(rng.choices(WORDS, k=rng.randint(1, 60)))
            r.engine.put(line(max(1, number - 1), text, text, state=UtteranceState.SETTLED))
        case 3:
            word = rng.choice([StateWord.TALKING, StateWord.READY, StateWord.RECONNECTING])
            r.engine.set_status(word=word, talking_since=monotonic() if word is StateWord.TALKING else None)
        case 4:
            r.engine.now_levels = Levels(peak_dbfs=rng.uniform(-60, 0), hold_dbfs=-3.0)
            r.app.main.redraw()
        case 5:
            r.app.theme = rng.choice(["pinch-light", "pinch-contrast", "pinch-dark"])
        case 6:
            await pilot.resize_terminal(rng.choice([60, 80, 120]), rng.choice([15, 24, 40]))
        case 7:
            await pilot.press(rng.choice(["up", "down", "pageup", "end", "home"]))
        case _:
            r.engine.say(NoticePosted("t", Severity.WARNING, rng.choice(WORDS), "Try it again."))


async def test_kept_lines_are_what_would_be_drawn_anew() -> None:
    rng = random.Random(5)
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        for _ in range(80):
            await disturb(r, pilot, rng)
            await pilot.pause(rng.choice([0, 0, 0.06]))
            assert check(r.app) >= 4


class Boxed(App[None]):
    CSS = "#plain { height: 3; } #box { border: round red; padding: 1; height: 7; } #tint { tint: red 30%; }"

    def compose(self) -> ComposeResult:
        for name in ("plain", "box", "tint"):
            yield Static(f"{name} text\nof two lines", id=name)

    def on_mount(self) -> None:
        keep_lines(*self.query(Static))


async def test_boxes_and_tints_are_drawn_too() -> None:
    app = Boxed()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        for widget in app.query(Static):
            assert widget.render_lines(Region(0, 0, *widget.outer_size)) == drawn_anew(widget)
        plain = app.query_one("#plain", Static)
        plain.styles.border = ("heavy", "blue")
        await pilot.pause()
        assert plain.render_lines(Region(0, 0, *plain.outer_size)) == drawn_anew(plain)


async def test_what_did_not_change_is_not_rendered_again() -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        header = r.app.main.header
        whole = Region(0, 0, *header.outer_size)
        before = header.render_lines(whole)
        assert header.render_lines(whole) is before
        header.refresh()
        assert header.render_lines(whole) is not before
