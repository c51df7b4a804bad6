"""The phrases of practice: found in either language, played, and offered in practice alone."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.services.practice.phrasebook import load, phrases, suggestions
from pinch_tui.settings.model import Settings, UiSettings
from pinch_tui.ui.screens.phrases import PhrasesScreen
from tests.ui.harness import PHRASES, rig, until
from tests.ui.test_app import text_of
from tests.ui.test_conversations import shown

SIZE = (80, 24)


async def test_a_phrase_is_found_in_either_language_and_played() -> None:
    r = rig(status={"service": PRACTICE})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: f"Practice phrases  {len(PHRASES)}" in shown(r.app))
        assert "Where is the station?" in shown(r.app) and "¿Dónde está la estación?" in shown(r.app)
        await pilot.press(*"estacion")
        await until(pilot, lambda: "Practice phrases  1" in shown(r.app))
        await pilot.press("enter")
        await until(pilot, lambda: r.asked.spoken == [("Where is the station?", "en")])
        assert r.app.screen is r.app.main


async def test_what_is_not_there_is_said_and_arrows_choose() -> None:
    r = rig(status={"service": PRACTICE})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4", *"xyz")
        await until(pilot, lambda: "No phrase matches." in shown(r.app))
        await pilot.press("enter")
        assert isinstance(r.app.screen, PhrasesScreen)
        await pilot.press(*["backspace"] * 3, "down", "down", "up", "enter")
        await until(pilot, lambda: r.asked.spoken == [(PHRASES[1][0], "en")])


async def test_the_same_key_closes_it() -> None:
    r = rig(status={"service": PRACTICE})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(r.app.screen, PhrasesScreen))
        assert isinstance(r.app.focused, Input) and not r.hold.armed
        await pilot.press("f4")
        assert r.app.screen is r.app.main and r.hold.armed


async def test_another_service_has_none_and_says_so() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4")
        await pilot.pause()
        assert r.app.screen is r.app.main
        assert "Pinch has no practice phrases." in text_of(r.app.main.notices)


async def test_languages_without_phrases_are_named() -> None:
    r = rig(status={"service": PRACTICE}, all_phrases=lambda _source, _target: ())
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: "no phrases from English to Spanish" in shown(r.app))


async def test_a_map_that_has_the_key_keeps_it() -> None:
    look = UiSettings(motion=False, keys={"support": "f4"})
    r = rig(status={"service": PRACTICE}, settings=Settings(ui=look))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: bool(r.asked.copied))
        assert r.app.screen is r.app.main


def test_every_phrase_of_the_book_is_there_once_the_best_understood_first(tmp_path: Path) -> None:
    found = phrases("en-GB", "es")
    best = suggestions("en", "es", 100)
    assert found[: len(best)] == best and len(found) == len(set(found))
    assert {original for original, _ in found} == {said.text for said in load().sentences("en")}
    assert phrases("auto", "es") == phrases("en", "es") and phrases("tlh", "es") == []
    book = tmp_path / "own.tsv"
    book.write_text("id\ten\tes\nlamp\tWhere is the lamp?\t¿Dónde está la lámpara?\n", encoding="utf-8")
    assert phrases("en", "es", book)[0] == ("Where is the lamp?", "¿Dónde está la lámpara?")
