"""The screens as pictures. Frozen clock, fixed levels, no motion; time stamps in UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, TextArea

from pinch_tui.core.events import (
    Counters,
    Delay,
    FinalizeMode,
    Latency,
    MicState,
    NoticePosted,
    SessionParams,
    Severity,
    StateWord,
)
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.core.transcript.unheard import Unheard, sentences
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.frontend.past import PastEntry
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.settings.model import Settings, Switch, UiSettings
from pinch_tui.ui.big.table import TableView
from pinch_tui.ui.screens.past import PastScreen
from pinch_tui.ui.widgets.choice import Choice
from tests.fakes.fake_engine import line
from tests.fakes.fake_past import FakePast
from tests.ui import picture
from tests.ui.harness import Rig, rig, until
from tests.ui.test_big_view import drawing

SMALL, USUAL, LARGE = (60, 15), (80, 24), (120, 40)
Size = tuple[int, int]
_SIZES = [pytest.param(SMALL, marks=pytest.mark.slow), USUAL, pytest.param(LARGE, marks=pytest.mark.slow)]
at_every_size = pytest.mark.parametrize("size", _SIZES, ids=["60x15", "80x24", "120x40"])


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def talked(**more: Any) -> Rig:
    """A conversation of two lines, and a third being spoken."""
    r = rig(**more)
    r.engine.transcript.utterances.extend(
        [
            line(1, "Good morning. Where is the train station?", "Buenos días. ¿Dónde está la estación de tren?"),
            line(2, "A table for two, near the window.", "Una mesa para dos, cerca de la ventana."),
            line(3, "How much does", "", state=UtteranceState.TALKING, is_final=False),
        ]
    )
    return r


def both_ways(**more: Any) -> Rig:
    """Two people, a detected language each, and words that are still provisional."""
    params = SessionParams(two_way=True, finalize_mode=FinalizeMode.SENTENCE)
    r = rig(status={"params": params, **more.pop("status", {})}, **more)
    r.engine.transcript.utterances.extend(
        [
            heard("en", line(1, "Do you have a room for tonight?", "¿Tiene una habitación para esta noche?")),
            heard("es", line(2, "Sí, una con vistas al mar.", "Yes, one with a view of the sea.")),
            heard("en", line(3, "And is breakfast", "¿Y el desayuno", state=UtteranceState.WAITING), stable=7),
        ]
    )
    return r


def heard(code: str, utterance: Utterance, *, stable: int | None = None) -> Utterance:
    """Two-way, with the language that the service detected; ``stable``: only so many characters are final."""
    segment = replace(utterance.segments[0], detected_language=code)
    if stable is not None:
        segment = replace(
            segment,
            original_is_final=False,
            original_stable=stable,
            translation_is_final=False,
            translation_stable=0,
        )
    return replace(utterance, is_two_way=True, segments=(segment,))


TALKING = {"word": StateWord.TALKING, "talking_since": 93.0, "limit_at": 108.0}
LOST = {"word": StateWord.RECONNECTING, "retry_at": 104.0, "mic": MicState.LOST}
MEASURED = {
    "latency": Latency(Delay(210, (200, 320)), Delay(340, (330, 350)), Delay(420, (400, 430))),
    "counters": Counters(underruns=1, resent_s=1.5, reconnects=1),
    "model_version_id": "v1",
}


async def test_the_readme_shows_the_screen_as_it_is() -> None:
    shown = picture.PICTURE.read_text(encoding="utf-8")
    assert await picture.draw() == shown, "draw it anew: python -m tests.ui.picture"


# ---- the conversation ----------------------------------------------------------------------------------------------


@at_every_size
def test_talking(snap_compare: Any, size: Size) -> None:
    r = talked(status={**TALKING, "service": PRACTICE})
    assert snap_compare(r.app, terminal_size=size)


@at_every_size
def test_first_sight_in_practice(snap_compare: Any, size: Size) -> None:
    r = rig(status={"service": PRACTICE}, method="tap")
    assert snap_compare(r.app, terminal_size=size)


@at_every_size
def test_first_sight_with_a_key(snap_compare: Any, size: Size) -> None:
    assert snap_compare(rig().app, terminal_size=size)


def sampled(**more: Any) -> Rig:
    """Practice in which a phrase was played, and another one is being spoken by the practice voice."""
    status = {"word": StateWord.TALKING, "talking_since": 98.0, "talk_source": "sample", "service": PRACTICE}
    r = rig(status=status | {"mic": MicState.ABSENT}, **more)
    rows = (
        line(1, "Where is the train station?", "¿Dónde está la estación de tren?"),
        line(2, "How much does", "", state=UtteranceState.TALKING, is_final=False),
    )
    r.engine.transcript.utterances.extend(replace(row, is_sample=True) for row in rows)
    return r


@at_every_size
def test_samples(snap_compare: Any, size: Size) -> None:
    assert snap_compare(sampled().app, terminal_size=size)


@pytest.mark.parametrize("theme", ["pinch-light", "pinch-contrast"])
def test_samples_in_other_themes(snap_compare: Any, theme: str) -> None:
    assert snap_compare(sampled(settings=Settings(ui=UiSettings(motion=False, theme=theme))).app, terminal_size=USUAL)


@pytest.mark.parametrize("theme", ["pinch-light", "pinch-contrast"])
def test_first_sight_in_practice_in_other_themes(snap_compare: Any, theme: str) -> None:
    r = rig(status={"service": PRACTICE}, method="tap", settings=Settings(ui=UiSettings(motion=False, theme=theme)))
    assert snap_compare(r.app, terminal_size=USUAL)


@pytest.mark.parametrize("theme", ["pinch-light", "pinch-contrast"])
def test_export_in_other_themes(snap_compare: Any, theme: str) -> None:
    r = talked(settings=Settings(ui=UiSettings(motion=False, theme=theme)))
    assert snap_compare(r.app, terminal_size=USUAL, press=["e", "down", "down", "right"])


@at_every_size
def test_both_ways(snap_compare: Any, size: Size) -> None:
    assert snap_compare(both_ways(status={"word": StateWord.FINALIZING}).app, terminal_size=size)


@at_every_size
def test_reconnecting(snap_compare: Any, size: Size) -> None:
    lost = {"word": StateWord.RECONNECTING, "retry_at": 104.0, "behind_s": 3.5, "counters": Counters(reconnects=2)}
    r = talked(status=lost)

    async def trouble(_pilot: Pilot[Any]) -> None:
        r.engine.notice(Severity.WARNING, "Can't reach the service.", "What you say is kept.", retrying=True)

    assert snap_compare(r.app, terminal_size=size, run_before=trouble)


@at_every_size
def test_trouble(snap_compare: Any, size: Size) -> None:
    r = talked(status=LOST)

    async def trouble(_pilot: Pilot[Any]) -> None:
        r.engine.notice(Severity.ERROR, "The service refused the key (401).", "Enter another one with F3.")

    assert snap_compare(r.app, terminal_size=size, run_before=trouble)


@at_every_size
def test_another_copy_has_the_microphone(snap_compare: Any, size: Size) -> None:
    r = rig(status={"mic": MicState.CLOSED, "mic_name": "", "mic_is_taken": True})
    hint = "Press the talk key to use it here as well, or close it there."

    async def tell(_pilot: Pilot[Any]) -> None:
        r.engine.say(NoticePosted("mic-taken", Severity.INFO, "Another pinch-tui has the microphone.", hint))

    assert snap_compare(r.app, terminal_size=size, run_before=tell)


@at_every_size
def test_nothing_came_back(snap_compare: Any, size: Size) -> None:
    """Why, for each cause; the microphone is muted now."""
    r = rig(status={"mic_is_muted": True})
    causes = (Unheard.ZEROS, Unheard.QUIET, Unheard.NO_TEXT, Unheard.MUTED)
    rows = [line(n, "", "", state=UtteranceState.EMPTY, unheard=cause) for n, cause in enumerate(causes, start=1)]
    r.engine.transcript.utterances.extend(rows)

    async def run(_pilot: Pilot[Any]) -> None:
        title, hint = sentences(Unheard.NO_TEXT, "en", "es")
        r.engine.say(NoticePosted("heard", Severity.INFO, title, hint, offers=("languages",)))

    assert snap_compare(r.app, terminal_size=size, run_before=run)


@at_every_size
def test_a_voice_that_is_late(snap_compare: Any, size: Size) -> None:
    """The talk bar names the key that catches up."""
    late = {"word": StateWord.SPEAKING, "speech_late_s": 6.2, "speaking_utterance": 1}
    assert snap_compare(talked(status=late).app, terminal_size=size)


@at_every_size
def test_search_with_matches(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["slash", *"ta"])


@at_every_size
def test_leaving(snap_compare: Any, size: Size) -> None:
    r = talked(stops_on_quit=False)

    async def leave(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+q")
        r.engine.set_status(word=StateWord.FINALIZING, draining_until=102.4)

    assert snap_compare(r.app, terminal_size=size, run_before=leave)


# ---- over it -------------------------------------------------------------------------------------------------------


@at_every_size
def test_language_menu(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["l"])


HOTEL = PastConversation(
    "c",
    1_790_000_000.0,
    (
        line(1, "Good morning. Where is the train station?", "Buenos días. ¿Dónde está la estación de tren?"),
        line(2, "A table for two, near the window.", "Una mesa para dos, cerca de la ventana."),
        line(4, "And the train to Granada leaves from platform nine?", "¿Y el tren a Granada sale del andén nueve?"),
    ),
    stars=frozenset({2}),
)


def kept(**more: Any) -> Rig:
    """Conversations of other days: long, two-way, right to left, one that cannot be read."""
    many = [
        line(n, f"Item {n} of the contract, please.", f"第{n}条をお願いします。", target="ja") for n in range(1, 42)
    ]
    doctor = [
        line(1, "أين أقرب محطة قطار من فضلك؟", "Where is the nearest train station, please?", source="ar", target="en")
    ]
    past = FakePast(
        [
            HOTEL,
            PastConversation("b", 1_789_700_000.0, tuple(many), stars=frozenset({3, 7}), unreadable=2),
            PastConversation("a", 1_789_100_000.0, tuple(doctor), is_practice=True),
        ],
        [PastEntry("x", 1_780_000_000.0, problem="permission denied")],
    )
    return rig(past=past, **more)


async def _list(pilot: Pilot[Any]) -> None:
    await pilot.press("h")
    await until(pilot, lambda: pilot.app.screen.query_one(OptionList).option_count == 4)
    await pilot.pause()


async def _found(pilot: Pilot[Any]) -> None:
    await pilot.press("h", *"train")
    await until(pilot, lambda: pilot.app.screen.query_one(OptionList).option_count == 3)
    await pilot.pause()


async def _opened(pilot: Pilot[Any]) -> None:
    await _list(pilot)
    await pilot.press("down", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PastScreen))
    await pilot.pause()


async def _doomed(pilot: Pilot[Any]) -> None:
    await _list(pilot)
    await pilot.press("delete")


@at_every_size
def test_past_conversations(snap_compare: Any, size: Size) -> None:
    assert snap_compare(kept().app, terminal_size=size, run_before=_list)


@at_every_size
def test_lines_found_in_past_conversations(snap_compare: Any, size: Size) -> None:
    assert snap_compare(kept().app, terminal_size=size, run_before=_found)


@at_every_size
def test_a_past_conversation(snap_compare: Any, size: Size) -> None:
    assert snap_compare(kept().app, terminal_size=size, run_before=_opened)


def test_a_past_conversation_about_to_be_deleted(snap_compare: Any) -> None:
    assert snap_compare(kept().app, terminal_size=USUAL, run_before=_doomed)


@pytest.mark.parametrize("run", [_list, _opened], ids=["list", "opened"])
def test_past_conversations_in_light(snap_compare: Any, run: Any) -> None:
    r = kept(settings=Settings(ui=UiSettings(motion=False, theme="pinch-light")))
    assert snap_compare(r.app, terminal_size=USUAL, run_before=run)


@at_every_size
def test_correcting_a_line(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["up", "ctrl+e"])


@at_every_size
def test_language_menu_typed(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["l", *"por"])


@at_every_size
def test_language_menu_for_the_spoken_one(snap_compare: Any, size: Size) -> None:
    r = talked(recent_pairs=list)
    assert snap_compare(r.app, terminal_size=size, press=["l", "tab"])


@at_every_size
def test_language_menu_with_nothing_found(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["l", *"xyzzy"])


@at_every_size
def test_settings(snap_compare: Any, size: Size) -> None:
    r = talked(status={"params": SessionParams(context="Anna Müller, dentist")})
    assert snap_compare(r.app, terminal_size=size, press=["comma", "right"])


async def _go_to(pilot: Pilot[Any], selector: str) -> None:
    """Into the settings and to this row."""
    await pilot.press("comma")
    microphone = pilot.app.screen.query_one("#microphone", Choice)
    await until(pilot, lambda: microphone.value is not None)  # the devices are listed
    pilot.app.screen.query_one(selector).focus()
    await pilot.pause()


@at_every_size
def test_settings_of_sound(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, run_before=lambda pilot: _go_to(pilot, "#barge_in"))


@at_every_size
def test_settings_of_the_program(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, run_before=lambda pilot: _go_to(pilot, "#theme"))


@at_every_size
def test_context(snap_compare: Any, size: Size) -> None:
    text = "Anna Müller, dentist in Graz.\nThe talk is about a crown on tooth 36, and about what it costs.\n日本語 too"
    params = SessionParams(source_label="Austrian German", context=text)

    async def edit(pilot: Pilot[Any]) -> None:
        await _go_to(pilot, "#context")
        pilot.app.screen.query_one("#context", TextArea).insert("New: ")

    assert snap_compare(talked(status={"params": params}).app, terminal_size=size, run_before=edit)


@at_every_size
def test_help(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked(method="learned").app, terminal_size=size, press=["question_mark"])


@at_every_size
def test_the_end_of_the_help(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["question_mark", "end"])


@at_every_size
def test_the_end_of_the_details(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked(status=MEASURED).app, terminal_size=size, press=["d", "end"])


@at_every_size
def test_details(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked(status=MEASURED).app, terminal_size=size, press=["d"])


@at_every_size
def test_export(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked().app, terminal_size=size, press=["e"])


@at_every_size
def test_palette(snap_compare: Any, size: Size) -> None:
    async def find(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+p", *"cop")
        screen = pilot.app.screen
        await until(pilot, lambda: screen.query_one(OptionList).option_count > 1)
        await until(pilot, lambda: screen.query_one(OptionList).highlighted is not None)
        await until(pilot, lambda: not any(worker.is_running for worker in pilot.app.workers if worker.node is screen))

    assert snap_compare(talked().app, terminal_size=size, run_before=find)


LARGE_TEXTS = {
    "latin": "¿Dónde está la estación?",
    "arabic": "أين محطة القطار؟",
    "chinese": "火车站在哪里？",
    "long": "The train to Graz leaves from platform four at ten past nine; you have to change in Bruck an der Mur.",
}


@at_every_size
@pytest.mark.parametrize("script", LARGE_TEXTS)
def test_big_view(snap_compare: Any, script: str, size: Size) -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "Where is the train station?", LARGE_TEXTS[script]))
    assert snap_compare(r.app, terminal_size=size, press=["up", "v"])


def handed_over(keys: str, **more: Any) -> tuple[Rig, Any]:
    """The table view of a line that is drawn, and what is pressed in it."""
    r = rig(draw_large=drawing(), **more)
    r.engine.transcript.utterances.append(line(1, "Where is the station?", LARGE_TEXTS["latin"]))

    async def hand_over(pilot: Pilot[Any]) -> None:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(r.app.screen, TableView) and r.app.screen.far.can_turn)
        await pilot.press(*keys)
        await until(pilot, lambda: not any(worker.name == "draw" and worker.is_running for worker in r.app.workers))

    return r, hand_over


@at_every_size
def test_table_view_upside_down(snap_compare: Any, size: Size) -> None:
    r, hand_over = handed_over("u", status=TALKING)
    assert snap_compare(r.app, terminal_size=size, run_before=hand_over)


@pytest.mark.slow
@pytest.mark.parametrize("keys", ["b", "u"], ids=["one", "both"])
def test_table_view_in_light(snap_compare: Any, keys: str) -> None:
    r, hand_over = handed_over(keys, settings=Settings(ui=UiSettings(theme="pinch-light", motion=False)))
    assert snap_compare(r.app, terminal_size=USUAL, run_before=hand_over)


@at_every_size
def test_practice_phrases(snap_compare: Any, size: Size) -> None:
    r = talked(status={"service": PRACTICE})
    assert snap_compare(r.app, terminal_size=size, press=["f4", *"station"])


@pytest.mark.slow
def test_practice_phrases_in_light(snap_compare: Any) -> None:
    look = UiSettings(theme="pinch-light", motion=False)
    r = talked(status={"service": PRACTICE}, settings=Settings(ui=look))
    assert snap_compare(r.app, terminal_size=USUAL, press=["f4"])


@at_every_size
def test_a_conversation_that_goes_on(snap_compare: Any, size: Size) -> None:
    r = rig(continued=HOTEL, status={"params": SessionParams(source="en", target="ja")})
    r.engine.transcript.utterances.extend(HOTEL.utterances)
    assert snap_compare(r.app, terminal_size=size)


@pytest.mark.slow
def test_a_conversation_that_goes_on_in_light(snap_compare: Any) -> None:
    r = rig(continued=HOTEL, settings=Settings(ui=UiSettings(theme="pinch-light", motion=False)))
    r.engine.transcript.utterances.extend(HOTEL.utterances)
    assert snap_compare(r.app, terminal_size=USUAL)


@at_every_size
def test_something_fatal(snap_compare: Any, size: Size) -> None:
    r = talked(status={"mic": MicState.ABSENT})

    async def fail(_pilot: Pilot[Any]) -> None:
        r.engine.notice(Severity.FATAL, "PortAudio is missing.", "sudo apt-get install libportaudio2")

    assert snap_compare(r.app, terminal_size=size, run_before=fail)


@at_every_size
def test_welcome(snap_compare: Any, size: Size) -> None:
    r = rig(status={"service": PRACTICE}, has_key=False, method="learned")
    assert snap_compare(r.app, terminal_size=size)


@at_every_size
def test_entering_a_key(snap_compare: Any, size: Size) -> None:
    assert snap_compare(talked(key_source="the keyring").app, terminal_size=size, press=["f3"])


# ---- other looks ---------------------------------------------------------------------------------------------------


def test_light(snap_compare: Any) -> None:
    r = talked(settings=Settings(ui=UiSettings(theme="pinch-light", motion=False)))
    assert snap_compare(r.app, terminal_size=USUAL, press=["slash", *"table"])


def test_high_contrast_in_ascii(snap_compare: Any) -> None:
    look = UiSettings(theme="pinch-contrast", motion=False, ascii=Switch.ON)
    assert snap_compare(talked(status=TALKING, settings=Settings(ui=look)).app, terminal_size=USUAL)


def test_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(talked(status=TALKING).app, terminal_size=USUAL)
