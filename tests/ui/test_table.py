"""The big view of the running conversation, handed across the table: it follows, talks, and shows both languages."""

from __future__ import annotations

import threading
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from textual.events import AppBlur
from textual.pilot import Pilot

from pinch_tui.core.events import MicState, SessionParams, Severity, StateWord
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.settings.model import Settings, TalkSettings, UiSettings
from pinch_tui.ui.big.halves import halves
from pinch_tui.ui.big.lettering import LargeType, Picture, Refusal, Request
from pinch_tui.ui.big.table import TableView
from tests.fakes.fake_engine import line
from tests.fakes.fake_renderer import FakeFinder, FakeRenderer
from tests.ui.harness import Rig, rig, until
from tests.ui.test_big_view import drawing

SIZE = (80, 24)


def table(r: Rig) -> TableView:
    screen = r.app.screen
    assert isinstance(screen, TableView)
    return screen


def texts(r: Rig) -> tuple[str, str]:
    view = table(r)
    return view.far._text, view.near._text if view.near.display else ""


def hint(r: Rig) -> str:
    return table(r)._hints.text


async def opened(r: Rig, pilot: Pilot[Any]) -> None:
    r.engine.put(line(1, "Where is it?", "¿Dónde está?"))
    await pilot.pause()
    await pilot.press("v")
    await until(pilot, lambda: isinstance(r.app.screen, TableView) and bool(hint(r)))


async def test_one_key_hands_the_table_view_over_and_the_same_takes_it_back() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        assert texts(r) == ("¿Dónde está?", "Where is it?")
        await pilot.press("v")
        assert r.app.screen is r.app.main


async def test_it_goes_to_each_newer_line_as_soon_as_that_has_words() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        r.engine.put(line(2, "", "", state=UtteranceState.TALKING))
        await pilot.pause(0.1)
        assert texts(r) == ("¿Dónde está?", "Where is it?")
        r.engine.put(line(2, "Thank", "", state=UtteranceState.TALKING, is_final=False))
        await until(pilot, lambda: texts(r) == ("", "Thank"))
        r.engine.put(line(2, "Thank you.", "Gracias."))
        await until(pilot, lambda: texts(r) == ("Gracias.", "Thank you."))
        r.engine.put(line(1, "Where is that?", "¿Dónde está eso?"))
        await pilot.pause(0.1)
        assert texts(r) == ("Gracias.", "Thank you."), "a late word of an older line does not take it back"


async def test_an_older_line_stays_until_something_new_is_said() -> None:
    r = rig()
    r.engine.transcript.utterances += [line(1, "One.", "Uno."), line(2, "Two.", "Dos.")]
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("up", "v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView))
        assert texts(r) == ("Uno.", "One.")
        r.engine.put(line(2, "Two!", "¡Dos!"))
        await pilot.pause(0.1)
        assert texts(r) == ("Uno.", "One.")
        r.engine.put(line(3, "Three.", "Tres."))
        await until(pilot, lambda: texts(r) == ("Tres.", "Three."))


@pytest.mark.parametrize("key", ["space", "f6"])
async def test_the_talk_key_talks_and_escape_throws_away_before_it_closes(key: str) -> None:
    r = rig(settings=Settings(talk=TalkSettings(key=key), ui=UiSettings(motion=False)))
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        assert r.hold.armed
        await pilot.press(key)
        assert r.hold.calls[-1] == ("key",)
        r.engine.set_status(word=StateWord.TALKING, talking_since=monotonic())
        await until(pilot, lambda: "talking" in table(r).bar._drawn.plain)
        await pilot.press("escape")
        assert r.hold.calls[-1] == ("escape",)
        assert isinstance(r.app.screen, TableView)
        r.engine.set_status(word=StateWord.READY, talking_since=None)
        await pilot.press("escape")
        assert r.app.screen is r.app.main


@pytest.mark.parametrize("where", ["far", "near", "bar"])
async def test_a_mouse_button_held_anywhere_on_it_talks(where: str) -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        held = getattr(table(r), where)
        await pilot.mouse_down(held)
        assert r.hold.calls[-1] == ("mouse_down",)
        await pilot.mouse_up(held)
        assert r.hold.calls[-1] == ("mouse_up",)
        assert isinstance(r.app.screen, TableView), "a click talks, and does not close"


async def test_closing_it_lets_go_of_the_mouse() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.mouse_down(table(r).far)
        await pilot.press("v")
        await until(pilot, lambda: ("mouse_up",) in r.hold.calls)
        assert r.app.screen is r.app.main


async def test_losing_the_focus_lets_go_of_the_mouse() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.mouse_down(table(r).far)
        r.app.post_message(AppBlur())
        await until(pilot, lambda: ("mouse_up",) in r.hold.calls)


async def test_the_far_half_turns_on_request_and_stays_turned_for_new_lines_and_openings() -> None:
    r = rig(draw_large=drawing())
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await until(pilot, lambda: "U turn the far half upside down" in hint(r))
        await pilot.press("u")
        await until(pilot, lambda: "U turn back" in hint(r))
        assert table(r).far.is_turned and not table(r).near.is_turned
        r.engine.put(line(2, "Thank you.", "Gracias."))
        await until(pilot, lambda: texts(r)[0] == "Gracias." and table(r).far.is_turned)
        await pilot.press("v", "v")
        await until(pilot, lambda: table(r).far.is_turned and "U turn back" in hint(r))


async def test_turned_before_it_was_drawn_it_comes_upside_down() -> None:
    go = threading.Event()
    large = drawing()

    def draw(request: Request) -> Picture | Refusal:
        assert go.wait(20)
        return large(request)

    r = rig(draw_large=draw)
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.press("u")
        assert table(r).far.is_turned
        go.set()
        await until(pilot, lambda: table(r).far.can_turn and "U turn back" in hint(r))


async def test_a_long_text_is_turned_on_pages() -> None:
    r = rig(draw_large=drawing())
    long = "Die Bahn nach Graz fährt um zehn nach neun von Gleis vier. " * 6
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.put(line(1, "The train leaves at ten past nine.", long))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView) and "upside down" in hint(r))
        await pilot.press("u")
        await until(pilot, lambda: "page 1 of" in hint(r) and table(r).far.n_pages > 2)
        first = table(r).far.render_lines(table(r).far.region)
        await pilot.press("right")
        assert "page 2 of" in hint(r)
        assert table(r).far.render_lines(table(r).far.region) != first
        await pilot.press("left")
        assert "page 1 of" in hint(r)


async def test_one_language_on_request() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        rows = table(r).far.size.height
        await pilot.press("b")
        await until(pilot, lambda: table(r).far.size.height > rows)
        assert texts(r) == ("¿Dónde está?", "")
        await pilot.press("v", "v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView) and "B both" in hint(r))
        await pilot.press("b")
        await until(pilot, lambda: texts(r) == ("¿Dónde está?", "Where is it?"))


async def test_each_language_stays_in_its_half_whoever_speaks() -> None:
    said = line(1, "Sí.", "Yes.")
    theirs = replace(said, is_two_way=True, segments=(replace(said.segments[0], detected_language="es"),))
    assert (halves(theirs, "").far.text, halves(theirs, "").translation.text) == ("Sí.", "Yes.")
    swapped = line(2, "Sí.", "Yes.", source="es", target="en")
    assert halves(swapped, "en").far.text == "Sí."
    assert halves(swapped, "es").far.text == "Yes."
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        r.engine.put(swapped)
        await until(pilot, lambda: texts(r) == ("Sí.", "Yes."))


async def test_keys_of_the_conversation_work_at_the_table() -> None:
    r = rig(status={"params": SessionParams(source="en", target="es")})
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.press("s")
        assert (r.engine.params.source, r.engine.params.target) == ("es", "en")
        await until(pilot, lambda: "From now on" in table(r)._remark.text)
        r.engine.notice(Severity.INFO, "Nothing was heard.")
        await until(pilot, lambda: "Nothing was heard." in table(r)._remark.text)


async def test_words_that_are_read_as_they_come_go_on_to_the_next_page() -> None:
    r = rig()
    words = "Man muss in Bruck an der Mur umsteigen und dann noch zwei Stationen fahren. ".split()
    async with r.app.run_test(size=(40, 12)) as pilot:
        said = ""
        r.engine.put(line(1, "", "Man", state=UtteranceState.TALKING, is_final=False))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView))
        for word in words * 4:
            said += word + " "
            r.engine.put(line(1, "", said.strip(), state=UtteranceState.TALKING, is_final=False))
            table(r).lines_changed({1})
        far = table(r).far
        await until(pilot, lambda: far._text == said.strip())
        assert far.n_pages > 1 and far.page == far.n_pages - 1
        r.engine.put(line(2, "", said * 2))
        await until(pilot, lambda: far.page == 0 and far.n_pages > 2)


async def test_it_polls_the_microphone_as_the_conversation_does() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        assert r.app.main._poller.rate == 0
        assert table(r)._poller.rate > 0
        r.engine.set_status(mic=MicState.CLOSED)
        await until(pilot, lambda: table(r)._poller.rate == 0)


def test_a_text_upside_down_has_its_pages_in_reading_order() -> None:
    large = LargeType(FakeFinder(), FakeRenderer)
    text = "火车站在哪里" * 30
    answer = large(Request(text, 58, 12, is_turned=True))
    assert isinstance(answer, Picture) and answer.more
    assert all(len(page) <= 12 for page in (answer.rows, *answer.more))
    first = large(Request(text[:40], 58, 12, is_turned=True))
    assert isinstance(first, Picture) and first.rows == answer.rows
