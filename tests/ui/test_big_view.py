"""The big view: pages of text at the usual size, and the screen that shows them or large type."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App

from pinch_tui.ui.big.halves import HalfText, Halves
from pinch_tui.ui.big.lettering import DrawLarge, LargeType, Picture, Refusal, Request, no_font
from pinch_tui.ui.big.pages import pages
from pinch_tui.ui.big.text import BigText
from pinch_tui.ui.big.view import Arrangement, BigView
from pinch_tui.ui.ports import Host
from pinch_tui.ui.text.layout import Order
from tests.fakes.fake_renderer import FakeFinder, FakeRenderer
from tests.ui.harness import until
from tests.ui.test_layout_text import CORPUS

PLACES = [(38, 10), (58, 13), (78, 22), (118, 38), (198, 58)]


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(("columns", "rows"), PLACES)
def test_every_script_fits_every_place(name: str, columns: int, rows: int) -> None:
    made = pages(CORPUS[name], columns, rows)
    assert made
    for page in made:
        assert len(page) <= rows
        assert all(cell_len(row) <= columns for row in page)


@given(st.text(max_size=200), st.integers(1, 90), st.integers(1, 30))
@settings(max_examples=80, deadline=None)
def test_any_text_fits(text: str, columns: int, rows: int) -> None:
    for page in pages(text, columns, rows):
        assert len(page) <= rows
        assert columns < 2 or all(cell_len(row) <= columns for row in page)


def test_letters_are_set_apart_but_arabic_stays_joined() -> None:
    assert pages("駅はOK?", 40, 5)[0] == ("駅はＯＫ？",)
    assert pages("สวัสดี", 40, 5)[0] == ("ส วั ส ดี",)
    assert " " not in pages("مرحبا", 40, 5)[0][0].strip()


def test_letters_set_apart_break_between_words() -> None:
    text = "The train to Graz leaves from platform four at ten past nine; you have to change in Bruck an der Mur."
    (page,) = pages(text, 58, 13)
    words = [word.replace(" ", "") for row in page for word in row.split("   ") if row]
    assert words == text.split()


def test_a_long_text_takes_pages() -> None:
    text = " ".join(CORPUS.values()) * 4
    made = pages(text, 38, 10)
    assert len(made) > 1
    assert (
        "".join("".join(p) for p in pages(text, 38, 10, Order.TERMINAL)).replace(" ", "")[:40]
        == (text.replace(" ", "")[:40])
    )


def alone(text: str) -> Halves:
    """A line that nobody translates."""
    return Halves(HalfText(text, ""), None, HalfText(text, ""))


class Shower(App[None]):
    def __init__(self, text: str, draw: DrawLarge | None = None, *, is_ascii: bool = False) -> None:
        super().__init__()
        ui = SimpleNamespace(is_ascii=is_ascii)
        front = SimpleNamespace(settings=SimpleNamespace(ui=ui), keys={"big": ("B",)})
        host = SimpleNamespace(front=front, order=Order.LETTERS)
        self.big = BigView(cast("Host", host), alone(text), Arrangement(), draw)

    def on_mount(self) -> None:
        self.push_screen(self.big)

    def say(self, text: str) -> None:
        self.big.show(alone(text))

    @property
    def text(self) -> str:
        view = self.big.query_one(BigText)
        return "\n".join(view.render_line(y).text for y in range(view.size.height))


def drawing(finder: FakeFinder | None = None, renderer: FakeRenderer | None = None) -> LargeType:
    renderer = renderer or FakeRenderer()
    return LargeType(finder or FakeFinder(), lambda: renderer)


@pytest.mark.parametrize("size", [(40, 12), (60, 15), (80, 24), (200, 60)])
async def test_the_screen_shows_turns_and_closes(size: tuple[int, int]) -> None:
    app = Shower("¿Dónde está?", drawing())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.big.query_one(BigText).can_turn)
        upright = app.text
        await pilot.press("u")
        await until(pilot, lambda: app.text != upright)
        await pilot.press("u")
        await until(pilot, lambda: app.text == upright)
        await pilot.press("escape")
        assert not isinstance(app.screen, BigView)


async def test_pages_are_turned_and_resizing_draws_anew() -> None:
    app = Shower("今日は天気がいい。" * 60)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        first = app.text
        await pilot.press("down")
        assert app.text != first
        app.say("今日は天気がいい。" * 61)
        await pilot.pause()
        assert app.big.query_one(BigText).page == 1, "more words do not turn the page back"
        await pilot.press("up")
        assert app.text == first
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert app.big.query_one(BigText).n_pages == 1
        app.say("short")
        await until(pilot, lambda: "s h o r t" in app.text)
        await pilot.click(app.big)
        assert not isinstance(app.screen, BigView)


def hints(app: Shower) -> list[str]:
    """The lines below the text that are on screen."""
    quiet = [app.big._remark, app.big._hints]
    return [widget.render_line(0).text.strip() for widget in quiet if widget.display]


async def test_text_is_drawn_off_the_loop_and_anew_at_another_size() -> None:
    threads: list[int] = []
    large = drawing()

    def draw(request: Request) -> Picture | Refusal:
        threads.append(threading.get_ident())
        return large(request)

    app = Shower("أين محطة القطار؟", draw)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: "upside down" in hints(app)[-1])
        small = app.text
        assert len(small.split()) > 5
        await pilot.press("u")
        await until(pilot, lambda: app.text != small and "turn back" in hints(app)[-1])
        await pilot.press("u")
        await until(pilot, lambda: app.text == small)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: len(app.text.replace(" ", "")) > 3 * len(small.replace(" ", "")))
        before = app.text
        app.say("train")
        await until(pilot, lambda: app.text != before)
        assert app.big.query_one(BigText).refusal is None and len(hints(app)) == 1
        assert threading.get_ident() not in threads


async def test_without_a_font_the_text_stays_and_one_line_says_why() -> None:
    app = Shower("مرحبا", drawing(renderer=FakeRenderer(fonts={})))
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: len(hints(app)) == 2)
        assert hints(app) == ["No font here has Arabic letters; install one for large type", "Esc close"]
        assert pages("مرحبا", 58, 12)[0][0] in app.text
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "such as Noto Sans Arabic" in hints(app)[0])
        app.say("")
        await until(pilot, lambda: hints(app)[0].startswith("Esc close"))


async def test_slow_fonts_do_not_keep_the_text_back_and_the_newest_words_win() -> None:
    go = threading.Event()
    asked: list[str] = []

    def draw(request: Request) -> Picture | Refusal:
        asked.append(request.text)
        assert go.wait(20)
        return Picture((f"<{request.text}>",))

    app = Shower("火车", draw)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: asked == ["火车"] and "火" in app.text)
        assert "<" not in app.text and not app.big.query_one(BigText).can_turn
        for more in ("火车站", "火车站在", "火车站在哪里"):
            app.say(more)
        go.set()
        await until(pilot, lambda: "<火车站在哪里>" in app.text)
        assert asked == ["火车", "火车站在哪里"]


async def test_a_late_answer_does_not_cover_a_text_that_was_taken_away() -> None:
    go = threading.Event()

    def draw(request: Request) -> Picture | Refusal:
        assert go.wait(20)
        return no_font("Chinese characters", "", "")

    app = Shower("火车", draw)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: "火" in app.text)
        app.say("")
        await until(pilot, lambda: not app.text.strip())
        go.set()
        await until(pilot, lambda: not app.big.query_one(BigText).is_drawing)
        assert not app.text.strip() and hints(app)[0].startswith("Esc close")


async def test_plain_characters_draw_with_number_signs() -> None:
    app = Shower("火车", drawing(), is_ascii=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "#" in app.text)
        assert app.text.isascii()
        app.say("火车站在哪里？" * 3)
        await until(pilot, lambda: "哪" in app.text)
        assert "#" not in app.text and hints(app) == ["Esc close"]
