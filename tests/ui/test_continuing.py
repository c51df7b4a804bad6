"""A past conversation goes on: on the screen, and from the command line to the leave line."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from pinch_tui.core.events import Correct, SessionParams
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.errors import PinchError
from pinch_tui.frontend.leaving import farewell
from pinch_tui.settings.model import Settings, UiSettings
from pinch_tui.ui.screens.conversations import ConversationsScreen
from tests.fakes.fake_engine import line
from tests.fakes.fake_past import FakePast
from tests.ui.harness import Rig, rig, until
from tests.ui.test_conversations import OLDER, SIZE, YESTERDAY, opened, shown


def going_on(*kept: PastConversation, **more: Any) -> tuple[Rig, FakePast]:
    """The app whose engine takes up what is continued, as the real one does."""
    store = FakePast(list(kept) or [YESTERDAY, OLDER])

    async def go_on(id_: str) -> PastConversation:
        one = await store.go_on(id_)
        r.engine.transcript.utterances[:] = one.utterances
        return one

    r = rig(past=store, continue_past=go_on, **more)
    return r, store


async def continued(r: Rig, pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press("h")
    await until(pilot, lambda: "Enter opens" in shown(r.app))
    await until(pilot, lambda: "Good morning." in shown(r.app))
    await pilot.press(*keys, "ctrl+o")
    await until(pilot, lambda: r.app.screen is r.app.main)
    await pilot.pause()


async def test_two_keys_go_on_with_the_newest_and_its_lines_are_there_to_work_on() -> None:
    r, store = going_on()
    r.engine.transcript.utterances.append(line(1, "Of today.", "De hoy."))
    async with r.app.run_test(size=SIZE) as pilot:
        await continued(r, pilot)
        text = shown(r.app)
        assert store.continued == [YESTERDAY.id]
        assert "Of today." not in text and "Thank you, Mr Miller." in text
        assert "Continuing 2026-09-21" in text and "3 lines" in text
        assert r.hold.armed
        r.engine.put(line(5, "Until tomorrow.", "Hasta mañana."))
        await until(pilot, lambda: "Until tomorrow." in shown(r.app))
        await pilot.press("slash", *"station")
        await until(pilot, lambda: r.app.main.lines.cursor == 2)
        await pilot.press("escape", "ctrl+n")
        assert r.app.main.lines.cursor == 2, "the star of yesterday"
        await pilot.press("up", "f")
        assert r.asked.stars == [(1, True)]
        await pilot.press("ctrl+e")
        await until(pilot, lambda: r.app.screen is not r.app.main)
        await pilot.press(*["backspace"] * 8, *"day.", "enter")
        await until(pilot, lambda: Correct(1, "Good day.", "Buenos días.") in r.engine.intents)
        await pilot.press("e", "enter")
        await until(pilot, lambda: bool(r.asked.exported))


async def test_an_opened_one_goes_on_too() -> None:
    r, store = going_on()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        assert "Ctrl+O continue" in shown(r.app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: r.app.screen is r.app.main)
        assert store.continued == [YESTERDAY.id]


@pytest.mark.parametrize("is_open", [False, True])
async def test_what_cannot_go_on_says_why_and_changes_nothing(is_open: bool) -> None:
    r, store = going_on()
    r.engine.transcript.utterances.append(line(1, "Of today.", "De hoy."))
    async with r.app.run_test(size=(120, 30)) as pilot:
        if is_open:
            await opened(r, pilot)
        else:
            await pilot.press("h")
            await until(pilot, lambda: "Good morning." in shown(r.app))
        store.refuses = PinchError("This conversation is open in another copy of pinch-tui.", "Quit that one first.")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "is open in another copy" in " ".join(shown(r.app).split()))
        assert r.app.screen is not r.app.main
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "Of today." in shown(r.app))


async def test_other_languages_are_told_with_the_key_that_goes_back() -> None:
    r, _ = going_on(status={"params": SessionParams(source="en", target="ja")})
    async with r.app.run_test(size=(120, 30)) as pilot:
        await continued(r, pilot)
        assert "New lines are English to Japanese; p goes back to English to Spanish." in shown(r.app)
        assert r.asked.pairs == [("en", "es"), ("en", "ja")]
        assert r.engine.params.target == "ja"


async def test_the_same_languages_need_no_word() -> None:
    r, _ = going_on(YESTERDAY)
    async with r.app.run_test(size=(120, 30)) as pilot:
        await continued(r, pilot)
        assert "New lines are" not in shown(r.app) and not r.asked.pairs


async def test_a_run_that_continues_shows_the_lines_from_the_start() -> None:
    r = rig(continued=YESTERDAY)
    r.engine.transcript.utterances[:] = YESTERDAY.utterances
    async with r.app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "Continuing 2026-09-21" in shown(r.app))
        assert "Thank you, Mr Miller." in shown(r.app)
        await pilot.press("ctrl+n")
        assert r.app.main.lines.cursor == 2


async def test_a_key_of_the_users_own_goes_on() -> None:
    r, store = going_on(settings=Settings(ui=UiSettings(motion=False, keys={"continue": "f9"})))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "Good morning." in shown(r.app))
        assert "F9 continues" in shown(r.app) or "f9 continues" in shown(r.app)
        await pilot.press("f9")
        await until(pilot, lambda: r.app.screen is r.app.main)
        assert store.continued == [YESTERDAY.id]


async def test_the_key_opens_the_list_from_the_conversation() -> None:
    r, _ = going_on()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(r.app.screen, ConversationsScreen))


def test_the_farewell_names_what_was_continued() -> None:
    assert farewell(2, 2, "20260921-140000-a") == "2 lines were kept. To show: pinch-tui history show 20260921-140000-a"
    assert farewell(0, 0, "20260921-140000-a") == "Nothing was said."
