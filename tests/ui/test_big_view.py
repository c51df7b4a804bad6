"""The big view: block letters, their fallback, and the screen that shows them."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App

from pinch_tui.ui.big.blocks import pages
from pinch_tui.ui.big.glyphs import glyph, has_all
from pinch_tui.ui.big.lettering import DrawLarge, LargeType, Picture, Refusal, Request, Why
from pinch_tui.ui.big.view import BigText, BigView
from tests.fakes.fake_press import FakeFinder, FakePress
from tests.ui.harness import until
from tests.ui.test_layout_text import CORPUS

PLACES = [(38, 10), (58, 13), (78, 22), (118, 38), (198, 58)]


def test_the_alphabets_of_the_common_languages_are_there() -> None:
    letters = (
        "abcdefghijklmnopqrstuvwxyz äöüß àâæçéèêëîïôœùûÿ áíñóú¿¡ ãõ åø ąćęłńóśźż čďěňřšťůýž ğışİ ăâîșț őű đ ơưạảấầẩẫậ"
        "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ ђјљњћџ αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊΐ 0123456789 .,:;!?'\"()-–…€%&@"
    )
    assert has_all(letters) and has_all(letters.translate({ord(c): None for c in "ßıΐ"}).upper())
    assert glyph("今") is None and glyph("ع") is None


def test_different_letters_look_different() -> None:
    seen: dict[tuple[int, ...], str] = {}
    for char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456789éèêëñãåçąбвгджзилпфцчшщыэюяΔΘΛΞΣΨΩ":
        dots = glyph(char)
        assert dots is not None
        assert dots not in seen, (char, seen[dots])
        seen[dots] = char


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(("columns", "rows"), PLACES)
@pytest.mark.parametrize("is_ascii", [False, True])
def test_every_script_fits_every_place(name: str, columns: int, rows: int, is_ascii: bool) -> None:
    made = pages(CORPUS[name], columns, rows, is_ascii=is_ascii)
    assert made
    for page in made:
        assert len(page.rows) <= rows
        assert all(cell_len(row) <= columns for row in page.rows)
        assert not (is_ascii and page.is_block) or all(row.isascii() for row in page.rows)


@given(st.text(max_size=200), st.integers(1, 90), st.integers(1, 30), st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_text_fits(text: str, columns: int, rows: int, is_turned: bool) -> None:
    for page in pages(text, columns, rows, is_turned=is_turned):
        assert len(page.rows) <= rows
        assert columns < 2 or all(cell_len(row) <= columns for row in page.rows)


def test_more_room_gives_larger_letters() -> None:
    inks = [
        sum(char != " " for row in pages("Hello there", columns, rows)[0].rows for char in row)
        for columns, rows in PLACES
    ]
    assert inks == sorted(inks) and inks[-1] > 8 * inks[0]


def test_turned_round_is_the_same_picture_upside_down() -> None:
    dots = {" ": 0, "▘": 1, "▝": 2, "▀": 3, "▖": 4, "▌": 5, "▞": 6, "▛": 7}
    dots |= {"▗": 8, "▚": 9, "▐": 10, "▜": 11, "▄": 12, "▙": 13, "▟": 14, "█": 15}

    def turned(bits: int) -> int:
        return sum(1 << (3 - i) for i in range(4) if bits >> i & 1)

    upright = pages("Où?", 60, 20)[0].rows
    flipped = pages("Où?", 60, 20, is_turned=True)[0].rows
    picture = [[turned(dots[char]) for char in reversed(row)] for row in reversed(upright)]
    assert [[dots[char] for char in row] for row in flipped] == picture
    assert not pages("どこ", 60, 20, is_turned=True)[0].is_block


def test_scripts_without_letters_are_set_apart_but_arabic_stays_joined() -> None:
    assert pages("駅はOK?", 40, 5)[0].rows == ("駅はＯＫ？",)
    assert pages("สวัสดี", 40, 5)[0].rows == ("ส วั ส ดี",)
    assert " " not in pages("مرحبا", 40, 5)[0].rows[0].strip()


def test_letters_set_apart_break_between_words() -> None:
    text = "The train to Graz leaves from platform four at ten past nine; you have to change in Bruck an der Mur."
    (page,) = pages(text, 58, 13)
    assert not page.is_block
    words = [word.replace(" ", "") for row in page.rows for word in row.split("   ") if row]
    assert words == text.split()


def test_a_long_text_takes_pages() -> None:
    text = " ".join(CORPUS.values()) * 4
    made = pages(text, 38, 10)
    assert len(made) > 1
    assert (
        "".join("".join(p.rows) for p in pages(text, 38, 10, reorders=False)).replace(" ", "")[:40]
        == (text.replace(" ", "")[:40])
    )


class Shower(App[None]):
    def __init__(self, text: str, draw: DrawLarge | None = None, *, is_ascii: bool = False) -> None:
        super().__init__()
        self.big = BigView(text, draw=draw, is_ascii=is_ascii)

    def on_mount(self) -> None:
        self.push_screen(self.big)

    @property
    def text(self) -> str:
        view = self.big.query_one(BigText)
        return "\n".join(view.render_line(y).text for y in range(view.size.height))


@pytest.mark.parametrize("size", [(40, 12), (60, 15), (80, 24), (200, 60)])
async def test_the_screen_shows_turns_and_closes(size: tuple[int, int]) -> None:
    app = Shower("¿Dónde está?")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        upright = app.text
        assert any(char in upright for char in "▀▄█")
        await pilot.press("u")
        assert app.text != upright
        await pilot.press("u")
        assert app.text == upright
        await pilot.press("escape")
        assert not isinstance(app.screen, BigView)


async def test_pages_are_turned_and_resizing_draws_anew() -> None:
    app = Shower("今日は天気がいい。" * 40)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        first = app.text
        await pilot.press("down")
        assert app.text != first
        app.big.show("今日は天気がいい。" * 41)
        await pilot.pause()
        assert app.big.query_one(BigText).page == 1, "more words do not turn the page back"
        await pilot.press("up")
        assert app.text == first
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert app.big.query_one(BigText).n_pages == 1
        app.big.show("short")
        await pilot.pause()
        assert "█" in app.text
        await pilot.click(app.big)
        assert not isinstance(app.screen, BigView)


def drawing(finder: FakeFinder | None = None, press: FakePress | None = None) -> LargeType:
    press = press or FakePress()
    return LargeType(finder or FakeFinder(), lambda: press)


def hints(app: Shower) -> list[str]:
    """The lines below the text that are on screen."""
    quiet = [app.big._remark, app.big._hints]
    return [widget.render_line(0).text.strip() for widget in quiet if widget.display]


async def test_other_scripts_are_drawn_off_the_loop_and_anew_at_another_size() -> None:
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
        app.big.show("train")
        await pilot.pause()
        assert app.big.query_one(BigText).refusal is None and len(hints(app)) == 1
        assert app.text.count("█") > 0
        assert threading.get_ident() not in threads


async def test_without_a_font_the_text_stays_and_one_line_says_why() -> None:
    app = Shower("مرحبا", drawing(press=FakePress(fonts={})))
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: len(hints(app)) == 2)
        assert hints(app) == ["No font here has Arabic letters; install one for large type", "Esc close"]
        assert pages("مرحبا", 58, 12)[0].rows[0] in app.text
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "such as Noto Sans Arabic" in hints(app)[0])
        app.big.show("hello")
        await until(pilot, lambda: hints(app)[0].startswith("Esc close"))
        assert "█" in app.text


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
            app.big.show(more)
        go.set()
        await until(pilot, lambda: "<火车站在哪里>" in app.text)
        assert asked == ["火车", "火车站在哪里"]


async def test_a_late_answer_does_not_cover_block_letters() -> None:
    go = threading.Event()

    def draw(request: Request) -> Picture | Refusal:
        assert go.wait(20)
        return Refusal(Why.NO_FONT, "Chinese characters")

    app = Shower("火车", draw)
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.pause()
        app.big.show("train")
        await until(pilot, lambda: "█" in app.text)
        shown = app.text
        go.set()
        await until(pilot, lambda: not app.big.query_one(BigText)._is_drawing)
        assert app.text == shown and hints(app)[0].startswith("Esc close")


async def test_plain_characters_draw_with_number_signs() -> None:
    app = Shower("火车", drawing(), is_ascii=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "#" in app.text)
        assert app.text.isascii()
        app.big.show("火车站在哪里？" * 3)
        await until(pilot, lambda: "哪" in app.text)
        assert "#" not in app.text and hints(app) == ["Esc close"]
