"""How many keys the commonest ways take. Typing of words is not counted."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from pinch_tui.core.events import ChangeSession, StateWord
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.ui.big.table import TableView
from pinch_tui.ui.screens.correct import CorrectScreen
from pinch_tui.ui.screens.past import PastScreen
from tests.fakes.fake_engine import line
from tests.ui.harness import NOW, Rig, rig, until
from tests.ui.test_app import text_of
from tests.ui.test_continuing import going_on
from tests.ui.test_conversations import OLDER, SIZE, YESTERDAY, past, shown


class Keys:
    """Presses keys and counts them."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self._pilot = pilot
        self.count = 0

    async def press(self, *keys: str) -> None:
        self.count += len(keys)
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def type(self, text: str) -> None:
        await self._pilot.press(*text)


async def test_the_first_success_from_a_fresh_home_takes_one_hold() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False, has_seen_welcome=False)
    async with r.app.run_test(size=SIZE) as pilot:
        keys = Keys(pilot)
        assert r.hold.armed
        await keys.press("space")  # held, and let go
        assert ("key",) in r.hold.calls
        r.engine.set_status(word=StateWord.TALKING, talking_since=NOW)
        r.engine.put(line(1, "Good", "", state=UtteranceState.TALKING, is_final=False))
        r.engine.set_status(word=StateWord.READY, talking_since=None)
        r.engine.put(line(1, "Good morning.", "Buenos días."))
        await until(pilot, lambda: "That's it." in text_of(r.app.main.notices))
        assert keys.count == 1


@pytest.mark.parametrize(("words", "wanted"), [("", 4), ("station", 2)], ids=["newest", "found"])
async def test_yesterdays_line_opens_with_two_keys_and_is_found_by_its_words_with_two(words: str, wanted: int) -> None:
    r, _ = past(YESTERDAY, OLDER)
    async with r.app.run_test(size=SIZE) as pilot:
        keys = Keys(pilot)
        await keys.press("h")
        await until(pilot, lambda: "Good morning." in shown(r.app))
        await keys.type(words)
        await until(pilot, lambda: not words or "found" in shown(r.app))
        await keys.press("enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.pause()
        screen = r.app.screen
        assert isinstance(screen, PastScreen)
        assert screen.lines.cursor == wanted
        assert keys.count == 2 <= 4


async def test_yesterdays_conversation_goes_on_with_two_keys() -> None:
    r, store = going_on()
    async with r.app.run_test(size=SIZE) as pilot:
        keys = Keys(pilot)
        await keys.press("h")
        await until(pilot, lambda: "Good morning." in shown(r.app))
        await keys.press("ctrl+o")
        await until(pilot, lambda: store.continued == [YESTERDAY.id] and r.app.screen is r.app.main)
        assert keys.count == 2


async def test_the_table_view_is_handed_over_with_one_key() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.put(line(1, "Where is it?", "¿Dónde está?"))
        keys = Keys(pilot)
        await keys.press("v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView))
        assert keys.count == 1


async def corrected(r: Rig, pilot: Pilot[Any], keys: Keys) -> None:
    """``Miller`` becomes ``Müller``, at the end of the original, and the translator is told."""
    await keys.press("ctrl+e")
    await until(pilot, lambda: isinstance(r.app.screen, CorrectScreen))
    await pilot.press(*["backspace"] * 7)
    await keys.type("Müller.")
    await keys.press("enter")
    await until(pilot, lambda: "tells the translator: Müller" in shown(r.app))
    await keys.press("ctrl+k")
    await until(pilot, lambda: any(isinstance(one, ChangeSession) for one in r.engine.intents))
    assert r.engine.params.context == "Müller"


async def test_a_name_is_corrected_and_told_with_three_keys_and_its_letters() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.put(line(1, "Thank you, Mr Miller.", "Gracias, señor Miller."))
        await pilot.pause()
        keys = Keys(pilot)
        await corrected(r, pilot, keys)
        assert keys.count == 3 <= 4


async def test_a_name_in_a_past_line_is_told_to_the_translator_too() -> None:
    r, _ = past(YESTERDAY)
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("h", "enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.press("ctrl+k")
        await until(pilot, lambda: "Correct a line first" in shown(r.app))
        keys = Keys(pilot)
        await corrected(r, pilot, keys)
        assert keys.count == 3 <= 4
        await until(pilot, lambda: "From now on the translator knows: Müller." in shown(r.app))
        assert isinstance(r.app.screen, PastScreen)
        await pilot.press("ctrl+k")
        await until(pilot, lambda: "Correct a line first" in shown(r.app))
