"""The conversation and the big view as pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from pinch_tui.ui.text.cells import Widths
from tests.fakes.fake_renderer import FakeRenderer
from tests.ui.harness import until
from tests.ui.line_talk import corpus
from tests.ui.test_big_view import Shower, drawing, hints
from tests.ui.test_transcript_view import Shown

SIZES = [(60, 15), (80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def _dress(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, Shown)
    app.theme = "pinch-dark"
    app.view.set_stars([2, 9])
    app.view.set_speaking(10)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
def test_the_end_of_a_conversation(snap_compare: Any, size: tuple[int, int]) -> None:
    app = Shown(corpus(), widths=Widths.GRAPHEMES)
    assert snap_compare(app, terminal_size=size, run_before=_dress)


@pytest.mark.parametrize("size", SIZES[:2])
def test_reading_above_with_something_new_below(snap_compare: Any, size: tuple[int, int]) -> None:
    talk = corpus()
    app = Shown(talk, widths=Widths.GRAPHEMES)

    async def read(pilot: Pilot[None]) -> None:
        await _dress(pilot)
        app.view.search("manana")
        app.view.refresh_utterances([talk.add("New below", "Nuevo abajo")])
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=read)


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
def test_the_big_view(snap_compare: Any, size: tuple[int, int]) -> None:
    """The usual letter size, where nothing can draw."""
    assert snap_compare(Shower("¿Dónde está la estación?"), terminal_size=size)


def test_the_big_view_in_wide_letters(snap_compare: Any) -> None:
    assert snap_compare(Shower("今日はとても天気がいいですね。"), terminal_size=(60, 15))


@pytest.mark.parametrize("size", SIZES)
def test_the_big_view_draws(snap_compare: Any, size: tuple[int, int]) -> None:
    app = Shower("أين محطة القطار؟", drawing())

    async def wait(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "upside down" in hints(app)[-1])

    assert snap_compare(app, terminal_size=size, run_before=wait)


def test_the_big_view_says_which_font_is_missing(snap_compare: Any) -> None:
    app = Shower("أين محطة القطار؟", drawing(renderer=FakeRenderer(fonts={})))

    async def wait(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.big._remark.display)

    assert snap_compare(app, terminal_size=(60, 15), run_before=wait)
