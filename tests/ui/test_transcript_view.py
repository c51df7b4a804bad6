"""The conversation's view: following, staying put, selection, marks, and what its lines say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.message import Message

from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.ui.app.theme import ASCII, THEMES
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.transcript.row import RowStyle
from pinch_tui.ui.transcript.view import TranscriptView
from tests.ui.line_talk import Talk


class Shown(App[None]):
    """The view alone, and what it says."""

    def __init__(self, talk: Talk, **look: object) -> None:
        super().__init__()
        self.view = TranscriptView(talk, RowStyle(**look), clock=self.clock)  # type: ignore[arg-type]
        self.heard: list[Message] = []
        self.now = 0.0

    def clock(self) -> float:
        self.now += 1.0  # every change may be painted at once
        return self.now

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.view.focus()

    def on_transcript_view_selected(self, message: TranscriptView.Selected) -> None:
        self.heard.append(message)

    def on_transcript_view_activated(self, message: TranscriptView.Activated) -> None:
        self.heard.append(message)

    @property
    def lines(self) -> list[str]:
        height = self.view.size.height
        return [self.view.render_line(y).text.rstrip() for y in range(height)]

    @property
    def painted(self) -> list[str]:
        """What the terminal was given, which is stale where a repaint was forgotten."""
        strips = self.screen._compositor.render_strips()
        return [strip.text[: self.view.scrollable_content_region.width].rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def start_anew(talk: Talk, view: TranscriptView) -> None:
    """Another conversation takes the place of this one."""
    talk.utterances.clear()
    talk.add("another", "otra")
    view.reload()


def at(app: Shown, needle: str) -> int:
    """On which screen line a text stands, -1 when on none."""
    return next((y for y, line in enumerate(app.lines) if needle in line), -1)


async def test_original_left_and_translation_right_on_the_same_line() -> None:
    talk = Talk()
    talk.add("Good morning", "Buenos días")
    app = Shown(talk)
    async with app.run_test(size=(80, 24)):
        line = app.lines[0]
        assert line.index("en Good morning") < 40 < line.index("es Buenos días")
        assert line[1:6].count(":") == 1


async def test_narrow_views_stack_the_texts() -> None:
    talk = Talk()
    talk.add("Good morning", "Buenos días")
    app = Shown(talk)
    async with app.run_test(size=(60, 15)):
        assert "en Good morning" in app.lines[0]
        assert "es Buenos días" in app.lines[1]


async def test_two_way_texts_stand_in_their_language_s_column_with_a_mark_of_the_speaker() -> None:
    talk = Talk()
    talk.add("Hasta mañana", "See you tomorrow", two_way=True, detected="es")
    talk.add("Thank you", "Gracias", two_way=True, detected="en")
    app = Shown(talk)
    async with app.run_test(size=(100, 20)):
        first, second = app.lines[0], app.lines[2]
        assert first.index("en See you tomorrow") < first.index("› es Hasta mañana")
        assert second.index("› en Thank you") < second.index("es Gracias")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (UtteranceState.TALKING, "● en listening…"),
        (UtteranceState.WAITING, "◐ en waiting…"),
        (UtteranceState.EMPTY, "en nothing heard"),
        (UtteranceState.CANCELLED, "en cancelled"),
    ],
)
async def test_states_are_said_in_words(state: UtteranceState, words: str) -> None:
    talk = Talk()
    talk.add(state=state)
    app = Shown(talk)
    async with app.run_test(size=(80, 10)):
        assert words in app.text


async def test_a_resent_utterance_says_so_calmly() -> None:
    talk = Talk()
    talk.add(state=UtteranceState.WAITING, attempt=2)
    talk.add("kept text", state=UtteranceState.WAITING, attempt=2, stable=4)
    app = Shown(talk)
    async with app.run_test(size=(80, 10)):
        assert "↻ en kept, waiting…" in app.text
        assert "↻ en kept text…" in app.text


async def test_interim_text_differs_in_shape_and_style_and_its_stable_part_is_solid() -> None:
    talk = Talk()
    talk.add("solid loose", "sólido suelto", state=UtteranceState.TALKING, stable=6)
    app = Shown(talk)
    async with app.run_test(size=(80, 10)) as pilot:
        segments = [(s.text, bool(s.style and s.style.italic)) for s in app.view.render_line(0)]
        assert ("solid", False) in segments
        assert (" loose…", True) in segments
        talk.say(1, "solid loose", "sólido suelto", is_final=True)
        app.view.refresh_utterances([1])
        await pilot.pause()
        assert not any(s.style and s.style.italic for s in app.view.render_line(0))
        assert "solid loose" in app.text and "…" not in app.text


async def test_ascii_shapes_are_ascii() -> None:
    talk = Talk()
    talk.add("some", "algo", state=UtteranceState.TALKING, stable=0)
    talk.add(state=UtteranceState.WAITING)
    app = Shown(talk, shapes=ASCII)
    async with app.run_test(size=(80, 10)):
        app.view.set_stars([1])
        app.view.set_speaking(1)
        assert app.text.isascii()


async def test_hostile_text_never_reaches_the_terminal() -> None:
    talk = Talk()
    talk.add("a\x1b[2Jb \x9b31m [bold red]x[/] \u202eevil\u202c", "t\x07\r\nu")
    app = Shown(talk)
    async with app.run_test(size=(80, 10)):
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in app.text.replace("\n", ""))
        assert "[bold red]x[/]" in app.text


async def test_the_end_is_followed() -> None:
    talk = Talk(50)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        assert "word49" in app.text
        number = talk.add("the newest", "lo más nuevo")
        app.view.refresh_utterances([number])
        await pilot.pause()
        assert "the newest" in app.lines[11]
        assert app.view.is_following
        assert app.view.cursor == number


async def test_scrolled_up_nothing_moves_and_the_mark_tells() -> None:
    talk = Talk(60)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        app.view.select(20)
        await pilot.pause()
        before = app.lines
        assert not app.view.is_following
        number = talk.add("new words", "nuevas palabras", state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([number])
        await pilot.pause()
        talk.say(number, "new words that go on " * 8, "y más " * 30)
        app.view.refresh_utterances([number])
        await pilot.pause()
        talk.say(3, "a late final above that is so much longer than it was before it came " * 3, "x", is_final=True)
        app.view.refresh_utterances([3])
        await pilot.pause()
        assert app.lines[:-1] == before[:-1]
        assert "1 new ↓ jump to latest" in app.lines[-1]
        assert len(app.view.unseen) == 1
        assert app.view.cursor == 20
        app.view.select_last()
        await pilot.pause()
        assert "y más" in app.lines[-1]
        assert not app.view.unseen


async def test_a_click_on_the_mark_jumps() -> None:
    talk = Talk(60)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        app.view.select_first()
        app.view.refresh_utterances([talk.add("newest", "nuevo")])
        await pilot.pause()
        await pilot.click(app.view, offset=(30, 11))
        assert app.view.is_following
        assert "newest" in app.lines[-1]


async def test_the_wheel_stops_and_resumes_following() -> None:
    talk = Talk(60)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot._post_mouse_events([_wheel_up], app.view, offset=(5, 5))
        await pilot.pause()
        assert not app.view.is_following
        app.view.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        assert app.view.is_following


def _wheel_up(**fields: object) -> Message:
    from textual.events import MouseScrollUp

    return MouseScrollUp(**fields)  # type: ignore[arg-type]


async def test_a_live_row_never_shrinks() -> None:
    talk = Talk(3)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        number = talk.add("many words " * 12, state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([number])
        await pilot.pause()
        tall = app.view.virtual_size.height
        for text, state in (("few", UtteranceState.TALKING), ("few words", UtteranceState.WAITING)):
            talk.say(number, text, "pocas")
            talk.put(number, state)
            app.view.refresh_utterances([number])
            await pilot.pause()
            assert app.view.virtual_size.height == tall
            assert f"en {text}" in app.text


def _lines(app: Shown) -> list[str]:
    return [app.view.render_line(y).text.strip() for y in range(app.view.size.height)]


@pytest.mark.parametrize(("n", "is_released_at_once"), [(3, True), (40, False)], ids=["short", "scrolled"])
async def test_a_final_row_gives_its_empty_lines_back_without_a_jump(n: int, is_released_at_once: bool) -> None:
    talk = Talk(n)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        number = talk.add("many words " * 12, state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([number])
        await pilot.pause()
        tall, before = app.view.virtual_size.height, _lines(app)
        talk.say(number, "few", "pocas", is_final=True)
        talk.put(number, UtteranceState.SETTLED)
        app.view.refresh_utterances([number])
        await pilot.pause()
        assert (app.view.virtual_size.height < tall) is is_released_at_once
        at = next(y for y, text in enumerate(_lines(app)) if "en few" in text)
        assert _lines(app)[:at] == before[:at]  # nothing above it has moved
        after = talk.add("and on", state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([after])
        await pilot.pause()
        lines = _lines(app)
        at = next(y for y, text in enumerate(lines) if "en few" in text)
        assert lines[at + 1] == "" and "and on" in lines[at + 2]


async def test_nothing_is_given_back_above_a_row_that_is_being_read() -> None:
    talk = Talk(3)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        first = talk.add("many words " * 12, state=UtteranceState.WAITING, stable=0)
        second = talk.add("and on", state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([first, second])
        await pilot.pause()
        at = next(y for y, text in enumerate(_lines(app)) if "and on" in text)
        talk.say(first, "few", "pocas", is_final=True)
        talk.put(first, UtteranceState.SETTLED)
        app.view.refresh_utterances([first])
        await pilot.pause()
        assert "and on" in _lines(app)[at]


async def test_the_selection_passes_by_rows_without_a_text_until_it_is_moved() -> None:
    talk = Talk(3)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        number = talk.add(state=UtteranceState.TALKING)
        app.view.refresh_utterances([number])
        await pilot.pause()
        assert app.view.cursor == number
        talk.put(number, UtteranceState.EMPTY)
        app.view.refresh_utterances([number])
        await pilot.pause()
        assert app.view.cursor == number - 1
        app.view.select_next()
        assert app.view.cursor == number  # the user's own choice
        app.view.select_last()
        assert app.view.cursor == number - 1
        after = talk.add("and on", state=UtteranceState.TALKING, stable=0)
        app.view.refresh_utterances([after])
        await pilot.pause()
        assert app.view.cursor == after


async def test_only_changed_lines_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(30)
    number = talk.add("first line is long enough to be wrapped here " * 3, "x", state=UtteranceState.TALKING, stable=0)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        rendered: list[int] = []
        real: Callable[[int], object] = app.view.render_line
        monkeypatch.setattr(app.view, "render_line", lambda y: (rendered.append(y), real(y))[1])
        talk.say(number, "first line is long enough to be wrapped here " * 3 + "end", "x")
        app.view.refresh_utterances([number])
        await pilot.pause()
        assert len(set(rendered)) == 1


async def test_whatever_moves_the_view_paints_it_anew() -> None:
    talk = Talk(80, words=20)
    app = Shown(talk)
    async with app.run_test(size=(80, 14)) as pilot:
        view = app.view

        def talk_on() -> None:
            view.refresh_utterances([talk.add("more words " * 9, "más palabras " * 9)])

        def grow() -> None:
            talk.say(len(talk.utterances), "grown words " * 30, "x")
            view.refresh_utterances([len(talk.utterances)])

        moves: list[Callable[[], object]] = [
            view.select_first,
            lambda: view.select_page(1),
            talk_on,
            lambda: view.select(40),
            lambda: view.scroll_to(y=11, animate=False, immediate=True),
            grow,
            lambda: view.search("palabra7"),
            lambda: view.search_step(-1),
            view.select_last,
            talk_on,
            grow,
            lambda: view.select_page(-1),
            lambda: view.set_stars([79, 80]),
            lambda: view.set_look(has_times=False),
            lambda: start_anew(talk, view),
        ]
        for move in moves:
            move()
            await pilot.pause()
            assert app.painted == app.lines


async def test_the_selection_moves_by_line_page_and_end() -> None:
    talk = Talk(60)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)):
        view = app.view
        assert view.cursor == 60
        view.select_next(-1)
        assert view.cursor == 59
        view.select_next()
        view.select_next()
        assert view.cursor == 60
        view.select_page(-1)
        page = view.cursor
        assert page is not None and 50 < page < 59
        view.select_page(1)
        assert view.cursor is not None and view.cursor > page
        view.select_first()
        assert view.cursor == 1 and "word0" in app.lines[0]
        view.select_next(-1)
        assert view.cursor == 1
        assert app.lines[0].startswith("▌")


async def test_a_click_selects_and_a_double_click_opens() -> None:
    talk = Talk(4, words=2)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(app.view, offset=(20, 2))
        assert app.view.cursor == 2
        await pilot.double_click(app.view, offset=(20, 0))
        assert [m.number for m in app.heard if isinstance(m, TranscriptView.Activated)] == [1]
        await pilot.click(app.view, offset=(20, 20))
        assert app.view.cursor == 1


async def test_resizing_keeps_the_place_and_the_end() -> None:
    talk = Talk(200, words=30)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(60, 15)
        await pilot.pause()
        assert "palabra199" in app.text
        assert app.view.is_following
        app.view.select(90)
        await pilot.pause()
        for size in ((120, 40), (80, 24), (60, 15)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            app.view.select(90)
            assert at(app, "word89") >= 0


async def test_stars_and_the_spoken_line_are_shown() -> None:
    talk = Talk(3)
    app = Shown(talk)
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.set_stars([2])
        app.view.set_speaking(3)
        await pilot.pause()
        assert "★" in app.lines[at(app, "word1")]
        assert "▶ es palabra2" in app.text
        app.view.set_stars([])
        app.view.set_speaking(None)
        assert "★" not in app.text and "▶" not in app.text


async def test_searching_marks_and_walks() -> None:
    talk = Talk(60)
    talk.add("Straße und Café", "street and coffee")
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        found = app.view.search("CAFE")
        assert (found.number, found.place, found.total) == (61, 1, 1)
        (marked,) = [s.text for y in range(12) for s in app.view.render_line(y) if s.style and s.style.reverse]
        assert marked == "Café"
        found = app.view.search("word1")
        assert found.total == 11
        back = app.view.search_step(-1)
        await pilot.pause()
        assert back.place == found.place - 1
        assert at(app, f"word{(back.number or 0) - 1}") >= 0
        assert app.view.search("nowhere").number is None
        app.view.search("")
        assert app.view.search_step(1).number is None


async def test_the_first_line_of_an_empty_conversation_appears() -> None:
    talk = Talk()
    app = Shown(talk)
    async with app.run_test(size=(40, 10)) as pilot:
        assert not app.text.strip()
        app.view.refresh_utterances([talk.add("hi", "hola")])
        await pilot.pause()
        assert "hola" in app.text


async def test_another_conversation_replaces_this_one() -> None:
    talk = Talk(40)
    app = Shown(talk)
    async with app.run_test(size=(80, 12)) as pilot:
        app.view.select_first()
        start_anew(talk, app.view)
        await pilot.pause()
        assert "another" in app.text and "word0" not in app.text
        assert app.view.cursor == 1


async def test_themes_change_the_colours_of_kept_lines() -> None:
    app = Shown(Talk(5))
    async with app.run_test(size=(80, 12)) as pilot:
        app.theme = "pinch-dark"
        await pilot.pause()
        dark = list(app.view.render_line(0))
        app.theme = "pinch-light"
        await pilot.pause()
        assert list(app.view.render_line(0)) != dark


async def test_right_to_left_text_is_turned_here_or_left_to_the_terminal() -> None:
    talk = Talk()
    talk.add("hello", "שלום עולם", target="he")
    app = Shown(talk)
    async with app.run_test(size=(80, 10)) as pilot:
        assert app.lines[0].endswith("םלוע םולש")
        app.view.set_look(order=Order.TERMINAL)
        await pilot.pause()
        assert app.lines[0].endswith("\u200fשלום עולם\u200f\u200e")


def tall_talk() -> Talk:
    """A row that is taller than any view here, between short ones."""
    talk = Talk(4)
    talk.add(" ".join(f"w{i:03}" for i in range(400)), "corto")
    talk.add("after it", "después")
    return talk


def words_in(app: Shown) -> set[str]:
    return {word for line in app.lines for word in line.split() if word[0] == "w" and word[1:].isdigit()}


@pytest.mark.parametrize("size", [(60, 15), (80, 16)])
@pytest.mark.parametrize("direction", [1, -1])
async def test_pages_go_through_a_row_that_is_taller_than_the_view(size: tuple[int, int], direction: int) -> None:
    app = Shown(tall_talk())
    async with app.run_test(size=size) as pilot:
        view = app.view
        if direction > 0:
            view.select_first()
        seen: set[str] = set()
        for _ in range(12):
            await pilot.pause()
            seen |= words_in(app)
            view.select_page(direction)
        assert len(seen) == 400
        assert view.cursor == (6 if direction > 0 else 1)
        assert view.is_following is (direction > 0)


@pytest.mark.parametrize("direction", [1, -1])
async def test_steps_go_through_a_row_that_is_taller_than_the_view(direction: int) -> None:
    app = Shown(tall_talk())
    async with app.run_test(size=(60, 15)) as pilot:
        view = app.view
        if direction > 0:
            view.select_first()
        seen: set[str] = set()
        cursors: list[int] = []
        for _ in range(110):
            await pilot.pause()
            seen |= words_in(app)
            cursors.append(view.cursor or 0)
            view.select_next(direction)
        assert len(seen) == 400
        assert list(dict.fromkeys(cursors)) == list(range(1, 7))[::direction]
        assert view.is_following is (direction > 0)


async def test_a_tall_row_that_is_being_read_is_not_left_for_a_new_one() -> None:
    talk = Talk(2)
    talk.add(" ".join(f"w{i:03}" for i in range(400)), "corto")
    app = Shown(talk)
    async with app.run_test(size=(60, 15)) as pilot:
        app.view.select_next(-1)
        app.view.select_next(-1)
        await pilot.pause()
        before = app.lines
        app.view.refresh_utterances([talk.add("newest", "nuevo")])
        await pilot.pause()
        assert app.view.cursor == 3
        assert app.lines[:-1] == before[:-1]
        app.view.select(3)
        assert app.lines[:-1] == before[:-1]
        app.view.select_first()
        assert "word0" in app.lines[0]


@pytest.mark.parametrize("word", ["w000", "w200", "w399"])
async def test_a_match_within_a_tall_row_comes_into_view(word: str) -> None:
    talk = tall_talk()
    app = Shown(talk)
    async with app.run_test(size=(60, 15)) as pilot:
        app.view.select_first()
        app.view.refresh_utterances([talk.add("newest", "nuevo")])
        await pilot.pause()
        assert app.view.search(word).number == 5
        await pilot.pause()
        assert at(app, word) >= 0
        assert app.view.search_step(1).number == 5
        assert at(app, word) >= 0


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("selected", [1, 60])
async def test_a_step_from_a_row_out_of_view_takes_the_nearest_row_in_view(selected: int, step: int) -> None:
    app = Shown(Talk(60, words=1))
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.view
        view.select(selected)
        view.scroll_to(y=40, animate=False, immediate=True)
        await pilot.pause()
        before = [line.lstrip("▌ ") for line in app.lines]
        view.select_next(step)
        await pilot.pause()
        assert [line.lstrip("▌ ") for line in app.lines] == before
        texts = [line for line in app.lines if line]
        assert texts[0 if selected == 1 else -1].startswith("▌")
        chosen = view.cursor or 0
        view.select_next(step)
        assert view.cursor == chosen + step


@pytest.mark.parametrize("size", [(120, 40), (60, 40)])
async def test_a_resize_that_shows_everything_follows_again(size: tuple[int, int]) -> None:
    talk = Talk(12, words=4)
    app = Shown(talk)
    async with app.run_test(size=(60, 15)) as pilot:
        app.view.select_first()
        app.view.refresh_utterances([talk.add("newest", "nuevo")])
        await pilot.pause()
        assert len(app.view.unseen) == 1
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert app.view.is_following
        assert not app.view.unseen
        assert "jump to latest" not in app.text
        for i in range(30):
            app.view.refresh_utterances([talk.add(f"later{i}", "luego")])
        await pilot.pause()
        assert "later29" in app.text


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("sizes", [((120, 40), (60, 15)), ((60, 15), (100, 12)), ((80, 24), (80, 10))])
async def test_a_selected_row_in_view_is_in_view_after_a_resize(
    place: int, sizes: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    talk = Talk()
    for i in range(60):
        talk.add(f"word{i} " * (1 + (i * 7) % 30), "palabra " * (1 + (i * 5) % 30))
    app = Shown(talk)
    async with app.run_test(size=sizes[0]) as pilot:
        app.view.scroll_to(y=60, animate=False, immediate=True)
        await pilot.pause()
        seen = [n for n in range(1, 61) if at(app, f"word{n - 1} ") >= 0 or at(app, f" word{n - 1}") >= 0]
        y = next(y for y, line in list(enumerate(app.lines))[:: 1 if place == 0 else -1] if "word" in line)
        await pilot.click(app.view, offset=(20, y))
        assert app.view.cursor in seen
        for size in (sizes[1], sizes[0], sizes[1]):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert not app.view.is_following
            assert any(line.startswith("▌") for line in app.lines)
            assert app.painted == app.lines


async def test_a_resize_leaves_a_selected_row_out_of_view_where_it_is() -> None:
    app = Shown(Talk(60, words=30))
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.select(60)
        app.view.scroll_to(y=30, animate=False, immediate=True)
        await pilot.pause()
        first = next(line.split()[2] for line in app.lines if "22" in line[:6] or ":" in line[:6])
        await pilot.resize_terminal(100, 15)
        await pilot.pause()
        assert first in app.text
        assert app.view.cursor == 60
        assert not any(line.startswith("▌") for line in app.lines)
