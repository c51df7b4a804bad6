"""The screen with a service that only hears: its name, one column, and nothing offered that it cannot do."""

from __future__ import annotations

import asyncio

import pytest

from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.frontend.actions import ACTIONS, BY_NAME, do
from pinch_tui.services.beta1.traits import BETA1
from pinch_tui.services.cartesia.traits import CARTESIA
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.pinch.traits import PINCH
from pinch_tui.ui.screens.languages import LanguageScreen
from pinch_tui.ui.screens.settings import SettingsScreen
from pinch_tui.ui.transcript.row import RowStyle, build
from pinch_tui.ui.widgets.choice import Choice
from tests.ui.harness import rig, until

OFFERS = tuple((name, traits.label) for name, traits in TRAITS.items())


def row(target: str, translation: str = "") -> Utterance:
    segment = Segment("u1.1", "word " * 40, True, 199, translation, True, len(translation))
    return Utterance(1, 0.0, 0, "en", target, state=UtteranceState.SETTLED, segments=(segment,))


def text_of(utterance: Utterance, width: int) -> list[str]:
    return ["".join(piece.text for piece in line.pieces).rstrip() for line in build(utterance, RowStyle(width))]


@pytest.mark.parametrize("width", [50, 76, 120])
def test_a_transcript_is_one_column_as_wide_as_can_be_read(width: int) -> None:
    lines = text_of(row(""), width)
    assert max(map(len, lines)) > min(width, 83) - 10  # wider ones are hard to read
    assert not any("no translation" in line for line in lines)
    assert len(text_of(row("es", "palabra " * 20), 120)) > len(text_of(row(""), 120))


def test_a_row_that_lacks_its_translation_still_says_so() -> None:
    assert any("no translation arrived" in line for line in text_of(row("es"), 120))


async def test_the_header_names_the_service_and_the_footer_offers_what_it_can() -> None:
    r = rig(status={"service": CARTESIA})
    async with r.app.run_test(size=(110, 30)) as pilot:
        await pilot.pause()
        shown = r.app.export_screenshot()
        assert "cartesia" in shown
        assert "swap" not in shown
        assert "mute" not in shown
        for name in ("swap", "two_way", "voice", "text_only", "mute"):
            do(r.app.front, name)
        await pilot.pause()
        assert "Cartesia" in r.app.export_screenshot()
        assert r.engine.intents == [] or all(type(i).__name__ != "ChangeSession" for i in r.engine.intents)


async def test_where_nothing_is_translated_there_is_no_target_to_choose() -> None:
    r = rig(status={"service": CARTESIA})
    async with r.app.run_test(size=(110, 30)) as pilot:
        await pilot.pause()
        assert "Your words appear here." in str(r.app.main.empty.render())
        await pilot.press("l")
        await until(pilot, lambda: isinstance(r.app.screen, LanguageScreen))
        assert str(r.app.screen.query_one(".panel-title").render()) == "you speak English"
        assert "Tab" not in str(r.app.screen.query_one(".panel-keys").render())
        await pilot.press("tab", *"fren", "enter")
        await until(pilot, lambda: r.app.front.session.wanted.source == "fr")
        assert r.app.front.session.pair == "French"
        assert "From now on: French." in r.app.main.notices.current.title + "."


def test_pinch_offers_everything_but_the_phrases_of_practice() -> None:
    assert [action.name for action in ACTIONS if not action.is_offered(PINCH)] == ["phrases"]
    assert not BY_NAME["two_way"].is_offered(BETA1)


async def test_the_settings_offer_the_services_and_what_the_one_in_use_can_be_asked_for() -> None:
    used: list[str] = []

    async def use(name: str) -> None:
        used.append(name)

    of_speech = {"volume", "muted", "barge_in"}
    for traits, absent, voices in (
        (CARTESIA, {"voice", "two_way", "context", *of_speech}, ()),
        (BETA1, {"two_way"}, BETA1.voices),
    ):
        r = rig(status={"service": traits}, service_offers=OFFERS, use_service=use)
        async with r.app.run_test(size=(110, 44)) as pilot:
            await pilot.press("comma")
            await pilot.pause()
            screen = r.app.screen
            assert isinstance(screen, SettingsScreen)
            assert not any(screen.query(f"#{name}") for name in absent)
            if voices:
                assert all(screen.query(f"#{name}") for name in of_speech)
                choice = screen.query_one("#voice", Choice)
                assert {str(value) for value, _ in choice._options} == set(voices)
            service = screen.query_one("#service", Choice)
            assert service.value == traits.name
            service.focus()
            await pilot.press("right")
            await pilot.pause()
            await pilot.press("escape")
            await pilot.pause()
            await asyncio.sleep(0)
            await pilot.pause()
    assert len(used) == 2
    assert set(used) <= set(TRAITS)
    assert "cartesia" in used or "smallest" in used
