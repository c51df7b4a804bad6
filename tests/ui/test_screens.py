"""The panels: languages, settings, help, details, export, welcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, TextArea

from pinch_tui.core.choices import HoldReport, TalkMode
from pinch_tui.core.events import (
    ChangeSession,
    Correct,
    Counters,
    Delay,
    HearMicrophone,
    Latency,
    NoticePosted,
    SelectMicrophone,
    SelectSpeaker,
    SessionParams,
    SetBargeIn,
    SetVolume,
    Severity,
    Voice,
)
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.errors import PinchError
from pinch_tui.frontend.languages_text import LanguageChoices, entries
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.settings.model import BargeIn, Settings, Switch, UiSettings
from pinch_tui.ui.app.app import HoldReportChanged
from pinch_tui.ui.screens.help import keys_text
from pinch_tui.ui.screens.key import KeyScreen
from pinch_tui.ui.screens.settings import KeyRow, SettingsScreen
from tests.fakes.fake_engine import line
from tests.fakes.fake_hold import SENTENCES
from tests.ui.harness import PHRASES, rig, until

SIZE = (90, 40)


def shown(app: Any) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


# ---- languages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "pair"),
    [
        (["l", "enter"], ("es", "en")),
        (["l", "2"], ("en", "ja")),
        (["l", "down", "enter"], ("en", "ja")),
        (["l", "3"], ("auto", "de")),
        (["p"], ("es", "en")),
        (["s"], ("es", "en")),
    ],
)
async def test_a_recent_pair_takes_at_most_three_keys(keys: list[str], pair: tuple[str, str]) -> None:
    assert len(keys) <= 3
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert (r.engine.params.source, r.engine.params.target) == pair
        assert r.asked.pairs == [pair]
        assert len(r.app.screen_stack) == 1


@pytest.mark.parametrize(
    ("is_source_side", "typed", "pair"),
    [
        (False, "french", ("en", "fr")),
        (False, "franc", ("en", "fr")),
        (False, "日本", ("en", "ja")),
        (False, "pt-BR", ("en", "pt-BR")),
        (False, "tlh", ("en", "tlh")),
        (True, "auto", ("auto", "es")),
        (True, "deutsch", ("de", "es")),
        (True, "spanish", ("es", "en")),
    ],
)
def test_type_to_find(is_source_side: bool, typed: str, pair: tuple[str, str]) -> None:
    assert entries(LanguageChoices(("en", "es")), typed, is_source_side=is_source_side)[0].pair == pair


def test_what_is_detected_never_becomes_the_target() -> None:
    for target, other in (("es", "en"), ("en", "es")):
        found = entries(LanguageChoices(("auto", target)), "", is_source_side=True)
        assert (target, other) in [entry.pair for entry in found]
        assert not any(entry.pair[1] == "auto" for entry in found)


async def test_a_language_is_typed_in_its_own_script_or_as_a_free_code() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        for typed, pair in (("日本", ("en", "ja")), ("pt-AO", ("en", "pt-AO"))):
            await pilot.press("l")
            r.app.screen.query_one(Input).insert_text_at_cursor(typed)  # as an input method commits it
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            assert (r.engine.params.source, r.engine.params.target) == pair


async def test_nothing_chosen_changes_nothing() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("l", *"qqqq", "enter", "escape")
        await pilot.pause()
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession)]


async def test_tab_goes_to_the_other_side_and_back() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("l", "tab", *"german", "enter")
        await pilot.pause()
        assert (r.engine.params.source, r.engine.params.target) == ("de", "es")


async def test_a_language_is_chosen_with_the_mouse() -> None:
    r = rig(recent_pairs=lambda: [("en", "ja")])
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("l")
        await pilot.click("OptionList", offset=(5, 0))
        await pilot.pause()
        assert r.engine.params.target == "ja"


async def test_without_recent_pairs_enter_changes_nothing_by_mistake() -> None:
    r = rig(recent_pairs=list)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert "Spanish, Español  now" in shown(r.app) and "1-9" not in shown(r.app)
        await pilot.press("enter")
        await pilot.pause()
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession)]


def test_recent_pairs_come_first_and_only_while_nothing_is_typed() -> None:
    choices = LanguageChoices(("en", "es"), recents=(("en", "es"), ("es", "en"), ("es", "en"), ("de", "en")))
    listed = entries(choices, "", is_source_side=False)
    assert [e.pair for e in listed if e.is_pair] == [("es", "en"), ("de", "en")]
    assert [e.hotkey for e in listed[:2]] == ["1", "2"]
    assert not any(e.is_pair for e in entries(choices, "fr", is_source_side=False))


def test_what_is_not_known_to_be_spoken_is_marked() -> None:
    choices = LanguageChoices(("en", "es"))
    notes = {e.code: e.note for e in entries(choices, "", is_source_side=False)}
    assert notes["fr"] == "" and notes["is"] == "speech not known"
    silent = LanguageChoices(("en", "es"), has_speech=False)
    assert {e.note for e in entries(silent, "icelandic", is_source_side=False)} == {""}


def test_practice_marks_what_it_only_tries() -> None:
    choices = LanguageChoices(("en", "es"), practice={"en": "ok", "es": "experimental"})
    spoken = {e.code: e.note for e in entries(choices, "", is_source_side=True)}
    assert spoken["en"] == "" and spoken["es"] == "experimental" and spoken["is"] == "not in practice"
    wanted = {e.code: e.note for e in entries(choices, "", is_source_side=False)}
    assert wanted["es"] == "" and wanted["is"] == "not in practice"
    codes = [e.code for e in entries(choices, "", is_source_side=False) if e.code]
    assert codes.index("es") < codes.index("zh")
    recents = replace(choices, recents=(("es", "en"), ("en", "ja"), ("auto", "es")))
    pairs = {e.pair: e.note for e in entries(recents, "", is_source_side=False) if e.is_pair}
    assert pairs == {("es", "en"): "", ("en", "ja"): "not in practice", ("auto", "es"): ""}


# ---- settings -----------------------------------------------------------------------------------------------------


async def test_what_needs_a_session_is_said_and_done_on_closing() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert "no new session needed" in shown(r.app)
        await pilot.press("right")
        await pilot.pause()
        assert "Esc opens a new session: female voice" in shown(r.app)
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession)]
        await pilot.press("escape")
        await pilot.pause()
        assert r.engine.intents[-1] == ChangeSession(SessionParams(voice=Voice.FEMALE))


async def test_labels_and_context_are_typed_with_spaces_and_counted() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        screen = r.app.screen
        screen.query_one("#source_label", Input).focus()
        await pilot.press(*"old", "space", *"man")
        screen.query_one("#context", TextArea).focus()
        await pilot.press(*"Anna", "space", *"日")
        await pilot.pause()
        assert "6 of 2,000" in shown(r.app)
        screen.query_one("#context", TextArea).text = "x" * 2005
        await pilot.pause()
        assert "2,005 of 2,000, 5 will be cut" in shown(r.app)
        await pilot.press("escape")
        await pilot.pause()
        assert r.engine.params.source_label == "old man"
        assert r.engine.params.context == "x" * 2000
        assert ("key",) not in r.hold.calls


async def test_sound_and_program_change_at_once() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        screen = r.app.screen
        r.engine.intents.clear()
        sound = ("noise_suppression", "gain_control", "echo_cancel")
        for name in (
            "microphone",
            *sound,
            "speaker",
            "volume",
            "muted",
            "barge_in",
            "other_sound",
            "talk_mode",
            "theme",
        ):
            screen.query_one(f"#{name}").focus()
            await pilot.press("right")
        assert r.engine.intents == [
            SelectMicrophone("WH-1000XM4 / sound server"),
            SelectSpeaker("HDMI / sound server"),
            SetVolume(1.1, is_muted=False),
            SetVolume(1.1, is_muted=True),
            SetBargeIn("duck"),
        ]
        assert ("mode", TalkMode.HOLD) in r.hold.calls
        assert (r.app.theme, r.app.looks.chosen) == ("pinch-dark", "pinch-dark"), "no longer as the terminal is"
        assert r.asked.kept == {
            "microphone": "WH-1000XM4 / sound server",
            "noise_suppression": True,
            "gain_control": True,
            "echo_cancel": True,
            "speaker": "HDMI / sound server",
            "volume": 1.1,
            "muted": True,
            "barge_in": BargeIn.DUCK.value,
            "other_sound": "pause",
            "talk_mode": "hold",
            "theme": "pinch-dark",
        }


async def test_a_volume_between_two_steps_is_shown_and_stays_when_the_voice_is_muted() -> None:
    r = rig(status={"volume": 0.35})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert "35 %" in shown(r.app)
        r.app.screen.query_one("#muted").focus()
        await pilot.press("right")
        assert r.engine.intents[-1] == SetVolume(0.35, is_muted=True)
        assert r.asked.kept["volume"] == 0.35
        r.app.screen.query_one("#volume").focus()
        await pilot.press("right")
        assert r.engine.intents[-1] == SetVolume(0.4, is_muted=True)
        await pilot.press("left", "left")
        assert r.engine.intents[-1] == SetVolume(0.3, is_muted=True)


async def test_two_way_is_not_asked_for_while_the_source_is_auto() -> None:
    r = rig(status={"params": SessionParams(source="auto", target="es")})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert "Two-way needs two languages" not in shown(r.app)
        r.app.screen.query_one("#two_way").focus()
        await pilot.press("right")
        await pilot.pause()
        assert "Two-way needs two languages" in shown(r.app)
        assert "no new session needed" in shown(r.app)
        await pilot.press("escape")
        await pilot.pause()
        assert len(r.app.screen_stack) == 1
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession)]
        assert "two_way" not in r.asked.kept


async def test_settings_open_again_with_what_was_chosen() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        r.app.screen.query_one("#barge_in").focus()
        await pilot.press("right", "down", "right", "down", "right", "escape")
        await pilot.press("comma")
        await pilot.pause()
        assert "pause meanwhile" in shown(r.app)
        assert "makes the voice quieter" in shown(r.app)
        assert "hold only" in shown(r.app)


async def test_what_a_session_is_asked_for_is_remembered_when_the_settings_apply_it() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        voice = r.app.front.session.wanted.voice
        await pilot.press("comma")
        await pilot.pause()
        await pilot.press("right")
        assert not r.asked.kept
        await pilot.press("escape")
        await pilot.pause()
        assert r.asked.kept == {"voice": r.app.front.session.wanted.voice.value}
        assert r.app.front.session.wanted.voice is not voice


async def test_settings_are_walked_with_up_and_down_through_lines_of_text_too() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        r.app.screen.query_one("#two_way").focus()
        seen = []
        for key in ("down", "down", "up", "up"):
            await pilot.press(key)
            focused = r.app.screen.focused
            seen.append(focused.id if focused is not None else None)
        assert seen == ["source_label", "target_label", "source_label", "two_way"]


async def test_the_meter_of_the_settings_keeps_the_microphone_open() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert HearMicrophone() in r.engine.intents


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 60)])
async def test_settings_fit(size: tuple[int, int]) -> None:
    r = rig()
    async with r.app.run_test(size=size) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert isinstance(r.app.screen, SettingsScreen)
        assert "Voice" in shown(r.app) and "Esc" in shown(r.app)


# ---- help, details, export ----------------------------------------------------------------------------------------


async def test_help_says_why_this_way_of_holding() -> None:
    r = rig(method="learned")
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = shown(r.app)
        assert f"hold: learned {SENTENCES['learned']}" in " ".join(text.split())
        assert "Throw away, close" in text


async def test_typing_in_the_help_looks_for_a_key() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("question_mark", *"SLOWer")
        await pilot.pause()
        text = shown(r.app)
        assert (
            "Say it slower" in text and "Swap languages" not in text and "hold: exact" not in text.partition("Esc")[0]
        )
        await pilot.press("question_mark")
        await pilot.pause()
        assert "No key does that." in shown(r.app), "the key that closes it is a letter of a search, too"
        await pilot.press("escape")
        assert r.app.screen is r.app.main


async def test_the_help_scrolls_to_its_ends() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("question_mark", "end")
        await until(pilot, lambda: "welcome" in shown(r.app))
        await pilot.press("home")
        await until(pilot, lambda: "let go." in shown(r.app))


async def test_the_help_begins_with_the_keys_of_the_place() -> None:
    phrases = rig(status={"service": PRACTICE})
    async with phrases.app.run_test(size=(100, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Hear it as a sample" in shown(phrases.app).partition("Talking")[0]
    r = rig()
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    async with r.app.run_test(size=(100, 40)) as pilot:
        await pilot.press("up", "v", "question_mark")
        await pilot.pause()
        here = shown(r.app).partition("Talking")[0]
        assert "Turn upside down" in here and "Mute the voice" in here
        await pilot.press("escape", "escape", "question_mark")
        await pilot.pause()
        groups = [
            text for text in shown(r.app).split("\n") for text in (text.strip(),) if text in ("This line", "Languages")
        ]
        assert groups[:1] == ["This line"]


def test_help_shows_the_keys_in_force() -> None:
    table = keys_text({"swap": ("ctrl+s",)}, 90).plain
    assert "Ctrl+S" in table
    assert max(len(row) for row in table.splitlines()) <= 90
    assert "Speak the other language" not in keys_text({}, 50).plain


def test_help_has_a_row_for_the_talk_key_and_says_no_key_in_words() -> None:
    rows = [row.split() for row in keys_text({"volume_down": ("minus",)}, 90, "f9").plain.splitlines()]
    talking = rows.index(["Talking"])
    assert rows[talking + 1][:2] == ["F9", "Talk"]
    assert [row for row in rows if row[:1] == ["-"]] == [row for row in rows if "Quieter" in row and row[0] == "-"]
    assert any(row[:3] == ["no", "key", "Text"] for row in rows)


async def test_details_tell_delays_session_and_counters() -> None:
    r = rig(
        status={
            "latency": Latency(Delay(210, (200, 320)), Delay(340, (330, 350)), Delay(420, (400, 430))),
            "counters": Counters(underruns=3, lost_samples=320, resent_s=1.5, reconnects=2),
            "model_version_id": "v1-2026-09",
        }
    )
    async with r.app.run_test(size=(90, 45)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        text = shown(r.app)
        for words in ("p50 400 ms, p95 430 ms", "3f2a91c0-77aa", "v1-2026-09", "320", "1.5 s"):
            assert words in text
        r.engine.set_status(latency=Latency(Delay(None, (200, 320)), Delay(340, (330, 350)), Delay(420, (400, 430))))
        await pilot.press("escape", "d")
        await pilot.pause()
        assert "not measured yet, p50 200 ms, p95 320 ms" in shown(r.app)
        assert "keys dropped" not in text
        r.hold.dropped = lambda: 41
        await pilot.press("escape", "d")
        await pilot.pause()
        assert "41 that came faster" in shown(r.app)


@pytest.mark.parametrize(
    ("utterance", "status", "words"),
    [
        (None, {}, ("not measured yet", "not measured yet", "not measured yet")),
        (line(2, "", "", state=UtteranceState.WAITING), {}, ("awaited", "awaited", "awaited")),
        (line(2, "Hi", "Hola", state=UtteranceState.WAITING), {}, ("before release", "awaited", "awaited")),
        (line(2, "Hi", "Hola"), {}, ("before release", "before release", "none")),
        (line(2, "Hi", ""), {}, ("before release", "none", "none")),
        (line(2, "", "", state=UtteranceState.EMPTY), {}, ("none", "none", "none")),
        (
            line(2, "", "", state=UtteranceState.WAITING),
            {"params": SessionParams(text_only=True)},
            ("awaited", "awaited", "none"),
        ),
        (
            line(2, "Hi", "Hola", has_speech=True),
            {"speech_late_s": 2.0, "speaking_utterance": 1},
            ("before release", "before release", "awaited"),
        ),
        (
            line(2, "Hi", "Hola", has_speech=True),
            {},
            ("before release", "before release", "before release, or not played"),
        ),
    ],
)
async def test_details_say_why_a_delay_has_no_figure(
    utterance: Utterance | None, status: dict[str, Any], words: tuple[str, str, str]
) -> None:
    r = rig(status=status)
    utterances = r.engine.transcript.utterances
    if utterance is not None:
        utterances += [line(1, "One", "Uno"), utterance, line(3, "", "", state=UtteranceState.TALKING)]
    async with r.app.run_test(size=(80, 40)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        rows = [" ".join(row.split()) for row in shown(r.app).splitlines()]
        for name, word in zip(("first text", "last text", "first sound"), words, strict=True):
            assert any(row == f"{name} {word}" for row in rows), (name, word, rows)


async def test_details_tell_how_few_measurements_there_are() -> None:
    r = rig(
        status={"latency": Latency(Delay(210, (200, 320), 3), Delay(340, (330, 350), 19), Delay(420, (400, 430), 20))}
    )
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("d")
        await pilot.pause()
        text = shown(r.app)
        assert "210 ms, p50 200 ms, p95 320 ms (n 3)" in text
        assert "p95 350 ms (n 19)" in text and "n 20" not in text


@pytest.mark.parametrize("key", ["d", "question_mark"])
async def test_the_key_that_opened_it_closes_it(key: str) -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert r.app.screen is not r.app.main
        await pilot.press(key)
        await pilot.pause()
        assert r.app.screen is r.app.main


@pytest.mark.parametrize(
    ("n_right", "part"),
    [(1, ExportPart(is_starred_only=True)), (2, ExportPart(first=2)), (3, ExportPart(last=2)), (4, ExportPart())],
)
async def test_export_asks_for_the_lines(n_right: int, part: ExportPart) -> None:
    r = rig()
    r.engine.transcript.utterances.extend(line(number, "Hello.", "Hola.") for number in (1, 2, 3))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("up", "e", "down", "down", *["right"] * n_right, "enter")
        await pilot.pause()
        assert [one[2] for one in r.asked.exported] == [part]


async def test_export_asks_for_format_and_side() -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("e", "right", "right", "down", "right", "enter")
        await pilot.pause()
        assert r.asked.exported == [(ExportFormat.SRT, ExportSide.ORIGINAL, ExportPart())]
        assert "talk.srt" in shown(r.app)
        r.asked.refuses = PinchError("The folder cannot be written.", "Choose another.")
        await pilot.press("e", "enter")
        await pilot.pause()
        assert "cannot be written" in shown(r.app)


async def test_the_path_of_an_export_is_shown_as_it_is() -> None:
    r = rig()
    path = "/home/a/My  Notes/[b]talk[/b] - 2.md"
    async with r.app.run_test(size=(140, 40)) as pilot:
        r.app._face.say("export", "Written to", path=path + "\x1b[31m")
        await pilot.pause()
        assert f"Written to {path}?[31m" in shown(r.app)


async def test_a_name_is_corrected_with_two_keys_beside_the_typing() -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "I am Mr Miller.", "Soy el señor Miller."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+e", *["backspace"] * 7, *"Muller.", "enter")
        await pilot.pause()
        assert r.engine.intents[-1] == Correct(1, "I am Mr Muller.", "Soy el señor Miller.")
        assert "Ctrl+K tells the translator: Muller." in shown(r.app)
        n = len(r.engine.intents)
        await pilot.press("ctrl+e", *"abc", "escape")
        await pilot.pause()
        assert [one for one in r.engine.intents[n:] if isinstance(one, Correct)] == []


async def test_the_next_star_is_found_round_the_end() -> None:
    r = rig()
    r.engine.transcript.utterances.extend(line(number, "Hello.", "Hola.") for number in (1, 2, 3, 4))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+n")
        assert "No line is starred" in shown(r.app)
        await pilot.press("home", "f", "down", "down", "f")
        await pilot.press("ctrl+n")
        assert r.app.main.lines.cursor == 1
        await pilot.press("ctrl+n")
        assert r.app.main.lines.cursor == 3


# ---- welcome ------------------------------------------------------------------------------------------------------


async def test_the_first_start_has_one_goal_and_the_talk_key_talks_at_once() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False, method="learned")
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert len(r.app.screen_stack) == 1 and r.hold.armed
        text = shown(r.app)
        for words in (
            "Welcome to pinch-tui",
            "Hold space",
            "Say:",
            PHRASES[0][0],
            PHRASES[0][1],
            "nothing leaves your",
        ):
            assert words in text
        assert PHRASES[1][0] not in text
        assert "Have a Pinch key? F3" in text
        assert r.asked.kept == {}
        r.engine.put(line(1, "Hello.", "Hola."))
        await until(pilot, lambda: "That's it." in shown(r.app))
        assert r.asked.kept == {"welcome_seen": True}
        assert "Welcome to pinch-tui" not in shown(r.app)


async def test_words_that_were_not_understood_are_no_success() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False)
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.put(line(1, "", ""))
        await pilot.pause()
        assert "That's it." not in shown(r.app) and r.asked.kept == {}


@pytest.mark.parametrize("size", [(60, 15), (60, 20), (71, 21), (80, 22), (80, 24)])
async def test_the_first_minute_fits_a_small_terminal(size: tuple[int, int]) -> None:
    r = rig(status={"service": PRACTICE}, has_key=False)
    async with r.app.run_test(size=size) as pilot:
        await pilot.pause()
        for text in ("Hold space, speak, let go", "Say:", PHRASES[0][0], "Have a Pinch key? F3"):
            assert text in shown(r.app)


async def test_whoever_was_understood_before_is_not_welcomed_again() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False, has_seen_welcome=True)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "Welcome" not in shown(r.app)
        assert PHRASES[1][0] in shown(r.app)
        assert "Have a Pinch key? F3" in shown(r.app)
        r.engine.put(line(1, "Hello.", "Hola."))
        await pilot.pause()
        assert "That's it." not in shown(r.app)


async def test_with_a_key_nothing_is_said_of_keys() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert len(r.app.screen_stack) == 1
        assert "Pinch key" not in shown(r.app)


# ---- the key ------------------------------------------------------------------------------------------------------


async def test_a_key_is_tried_kept_and_never_shown() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        assert isinstance(r.app.screen, KeyScreen)
        assert "https://portal.startpinch.com" in shown(r.app)
        assert "Esc back to practice" in shown(r.app) and "Ctrl+B" not in shown(r.app)
        await pilot.press(*"pk-canary")
        await pilot.pause()
        assert "canary" not in shown(r.app)
        await pilot.press("enter")
        await until(pilot, lambda: len(r.app.screen_stack) == 1)
    assert r.asked.keys == ["pk-canary"]
    assert r.app.return_value is None
    assert "canary" not in repr(r.asked.log)


async def test_a_key_in_use_is_named_by_its_place_and_practice_is_one_key_away() -> None:
    used: list[str] = []

    async def use_service(name: str) -> None:
        used.append(name)

    offers = (("pinch", "Pinch"), ("practice", "Practice"))
    r = rig(key_source="the keyring", use_service=use_service, service_offers=offers)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        assert "Using the key from the keyring. Paste a new one to replace it." in " ".join(shown(r.app).split())
        await pilot.press("ctrl+b")
        await until(pilot, lambda: used == ["practice"] and len(r.app.screen_stack) == 1)


async def test_the_settings_lead_to_the_key() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        r.app.screen.query_one(KeyRow).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(r.app.screen, KeyScreen))


async def test_a_key_that_is_refused_says_why_and_is_not_kept() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False)
    r.asked.refuses = PinchError("The service refused the API key (401).", "Check it.")
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f3", *"pk", "enter")
        await until(pilot, lambda: "The key was not saved." in shown(r.app))
        assert "refused the API key (401)" in shown(r.app)
        assert r.app.screen.query_one(Input).value == ""
        await pilot.press("enter")
        await until(pilot, lambda: len(r.app.screen_stack) == 1)


async def test_ascii_draws_ascii() -> None:
    r = rig(settings=Settings(ui=UiSettings(ascii=Switch.ON, motion=False)))
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert shown(r.app).replace("Español", "").isascii()


async def test_help_follows_what_is_found_out_about_the_talk_key() -> None:
    r = rig(method="learned")
    async with r.app.run_test(size=SIZE) as pilot:
        r.app.action_do("help")
        await until(pilot, lambda: "hold: learned" in shown(r.app))
        r.hold.now_report = HoldReport("probe", "The X server tells when the key is up.")
        r.app.post_message(HoldReportChanged())
        await until(pilot, lambda: "The X server tells" in shown(r.app))
        assert "hold: learned" not in shown(r.app)


async def test_auto_on_the_wrong_side_of_the_language_menu_is_explained() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("l", *"auto")
        await until(pilot, lambda: "auto works only for the language you speak" in shown(r.app))
        await pilot.press("tab")
        await until(pilot, lambda: "whatever is spoken" in shown(r.app))
        assert "auto works only" not in shown(r.app)
        await pilot.press(*"xxqq")
        await until(pilot, lambda: "No language found" in shown(r.app))


async def test_a_notice_that_stays_is_not_taken_along_by_one_that_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinch_tui.ui.widgets.notices.PASSING_S", 0.05)
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        notices = r.app.main.notices
        for has_been_taken_back in (False, True):
            notices.post(NoticePosted("mic", Severity.WARNING, "Another one is used."))
            if has_been_taken_back:
                notices.withdraw("mic")
            notices.post(NoticePosted("mic", Severity.ERROR, "The microphone is gone."))
            await pilot.pause(0.2)
            assert notices.current is not None
            assert notices.current.title == "The microphone is gone."


async def test_turning_the_volume_unmutes_for_the_next_start_too() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("m")
        r.engine.set_status(is_muted=True)
        assert r.asked.kept["muted"] is True
        await pilot.press("plus")
        assert r.asked.kept["muted"] is False


async def test_two_way_is_refused_where_the_language_is_to_be_detected() -> None:
    r = rig(status={"params": SessionParams(source="auto", target="es")})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("t")
        assert not r.engine.params.two_way
        assert "Two-way needs two languages" in shown(r.app)


async def test_an_error_is_seen_over_a_panel_too() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        r.engine.say(NoticePosted("key", Severity.ERROR, "The key was [b]refused[/b].\x1b[2J", "Enter another."))
        await until(pilot, lambda: "The key was [b]refused[/b]." in shown(r.app))
        await pilot.press("escape")
        await pilot.pause()
        assert shown(r.app).count("The key was") == 1, "the banner, and no second text beside it"
