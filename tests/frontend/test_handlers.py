"""What actions do, on a face that only remembers: both faces of the program get the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import (
    ChangeSession,
    Correct,
    EngineEvent,
    Foreground,
    Intent,
    Logged,
    MicState,
    NoticePosted,
    Quit,
    ReplaySpeech,
    RetryNow,
    SelectMicrophone,
    SendAgain,
    SessionParams,
    SetBargeIn,
    SetVolume,
    Severity,
    StateWord,
    StopSpeech,
    Voice,
)
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.errors import EXIT_INTERRUPTED, EXIT_OK, PinchError, UsageError
from pinch_tui.frontend.actions import ACTIONS, BY_NAME, do
from pinch_tui.frontend.frontend import OFFERS, FrontEnd
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.ports import AppExit, Export, Wording
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.settings.model import BargeIn, Settings
from tests.fakes.app_services import app_services
from tests.fakes.fake_engine import FakeEngine, line
from tests.fakes.fake_hold import FakeHold

EXPORT: Export = (ExportFormat.MD, ExportSide.BOTH, ExportPart())


class FakeFace:
    """Remembers what it was told, in order."""

    write_raw = None

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.work: list[tuple[str, Coroutine[Any, Any, None]]] = []
        self.heard: list[EngineEvent] = []
        self.cursor: int | None = None
        self.wording: Wording | None = None
        self.is_typing = self.has_message = False
        self.left: list[tuple[AppExit, str]] = []

    def on_event(self, event: EngineEvent) -> None:
        self.heard.append(event)

    def say(self, topic: str, text: str, hint: str = "", *, path: str = "") -> None:
        self.told.append(("say", topic, f"{text} {path}" if path else text))

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        self.told.append(("warn", topic, text))

    def confirm(self, text: str) -> None:
        self.told.append(("confirm", text))

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.work.append((name, work))

    def has(self, action: str) -> bool:
        return action != "welcome"

    def do(self, action: str) -> None:
        self.told.append(("own", action))

    def selected(self) -> int | None:
        return self.cursor

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        self.told.append(("languages", "source" if is_source_side else "pair"))

    def choose_export(self, selected: int | None, write: Callable[[Export | None], None]) -> None:
        write(EXPORT)

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        done(self.wording)

    def close_typing(self) -> bool:
        was_typing, self.is_typing = self.is_typing, False
        return was_typing

    def dismiss(self) -> bool:
        had_message, self.has_message = self.has_message, False
        return had_message

    def rest(self) -> None:
        self.told.append(("rest",))

    def close_panels(self) -> None:
        self.told.append(("close panels",))

    def leave(self, how: AppExit, message: str = "") -> None:
        self.left.append((how, message))

    def stop_process(self) -> None:
        self.told.append(("stop",))

    async def finish(self) -> None:
        """Let the slow work end, and warn of what it raises."""
        while self.work:
            name, work = self.work.pop(0)
            try:
                await work
            except PinchError as error:
                self.warn(name, error.title, error.hint)


class Rig:
    def __init__(self, **services: Any) -> None:
        self.kept: dict[str, object] = {}
        self.pairs: list[tuple[str, str]] = []
        self.engine, self.hold, self.face = FakeEngine(stops_on_quit=False), FakeHold(), FakeFace()
        made = app_services(
            remember=self.kept.__setitem__, remember_pair=lambda *pair: self.pairs.append(pair), **services
        )
        self.front = FrontEnd(self.engine, self.hold, made, Settings(), self.face, lambda: 1.0)
        self.front.open()

    def do(self, *actions: str) -> None:
        for action in actions:
            do(self.front, action)

    @property
    def params(self) -> SessionParams:
        return self.engine.status.params

    @property
    def last(self) -> Intent:
        return self.engine.intents[-1]


def test_every_action_is_the_front_ends_or_the_faces() -> None:
    rig = Rig()
    rig.engine.set_status(service=PRACTICE)  # which offers them all
    for action in ACTIONS:
        if action.handler is None:
            rig.do(action.name)
            assert rig.face.told[-1] == ("own", action.name)


async def test_what_support_needs_is_copied_with_one_key() -> None:
    copied: list[str] = []

    async def copy(text: str) -> str:
        copied.append(text)
        return "wl-copy"

    async def doctor(service: str) -> list[str]:
        return [f"ok   asked for: {service}"]

    rig = Rig(copy=copy, doctor=doctor)
    rig.engine.put(line(1, "a canary original", "a canary translation"))
    rig.engine.set_status(model_version_id="m_7")
    rig.engine.say(Logged(0.5, "reconnecting", {"code": 4503, "reason": "Pinch ended the session (4503)."}))
    rig.do("support")
    assert rig.face.told == [("say", "support", "Preparing the report for support...")]
    await rig.face.finish()
    assert rig.face.told[-1] == ("say", "support", "Copied the report for support (wl-copy)")
    (text,) = copied
    assert "m_7" in text and "[4503]" in text and "asked for: pinch" in text and "canary" not in text


# ---- changing the session -----------------------------------------------------------------------------------------


def test_a_swap_is_said_asked_for_and_remembered_with_the_pair_before() -> None:
    rig = Rig()
    rig.do("swap")
    assert rig.last == ChangeSession(SessionParams("es", "en"))
    assert rig.face.told == [("say", "session", "From now on: Spanish to English")]
    assert rig.pairs == [("en", "es"), ("es", "en")]


def test_the_pair_before_is_remembered_once() -> None:
    rig = Rig(recent_pairs=lambda: [("en", "es"), ("de", "fr")])
    rig.do("previous_pair")
    assert rig.pairs == [("de", "fr")]
    assert (rig.params.source, rig.params.target) == ("de", "fr")


def test_there_is_nothing_to_swap_before_a_language_was_detected() -> None:
    rig = Rig()
    rig.engine.set_status(params=SessionParams("auto", "es"))
    rig.do("swap", "two_way")
    assert not rig.engine.intents
    assert [told[1] for told in rig.face.told] == ["swap", "two-way"]
    spoken = line(1, "Bonjour", "Hola", source="auto")
    rig.engine.put(replace(spoken, segments=(replace(spoken.segments[0], detected_language="fr"),)))
    rig.do("swap")
    assert rig.last == ChangeSession(SessionParams("es", "fr"))


def test_voice_speech_and_two_way_are_turned_over_and_remembered() -> None:
    rig = Rig()
    rig.do("voice", "text_only", "two_way")
    assert rig.params == SessionParams(voice=Voice.FEMALE, text_only=True, two_way=True)
    assert rig.kept == {"voice": "female", "text_only": True, "two_way": True}
    rig.do("voice", "text_only", "two_way")
    assert rig.params == SessionParams()


def test_speech_given_up_by_the_engine_comes_back_with_the_next_language() -> None:
    rig = Rig()
    rig.front.session.choose_pair(("en", "sv"))
    rig.engine.set_status(params=replace(rig.params, text_only=True))
    rig.front.session.choose_pair(("en", "fr"))
    assert rig.params == SessionParams("en", "fr")


def test_the_languages_are_asked_for_on_either_side() -> None:
    rig = Rig()
    rig.do("languages", "speak_language")
    assert rig.face.told == [("languages", "pair"), ("languages", "source")]
    rig.front.session.choose_pair(None)
    rig.front.session.choose_pair(("en", "es"))
    assert not rig.engine.intents


# ---- options that hold at once ------------------------------------------------------------------------------------


def test_options_hold_at_once_and_for_the_next_start() -> None:
    rig = Rig()
    session = rig.front.session
    session.use("mic.device", "USB")
    session.use("mic.device", "")
    session.use("speaker.barge_in", BargeIn.MIX)
    session.use("talk.mode", TalkMode.TAP)
    session.use("ui.theme", "nord")
    assert rig.engine.intents == [SelectMicrophone("USB"), SelectMicrophone(None), SetBargeIn("mix")]
    assert ("mode", TalkMode.TAP) in rig.hold.calls
    assert rig.kept == {"microphone": "", "barge_in": "mix", "talk_mode": "tap", "theme": "nord"}
    assert rig.front.settings.talk.mode is TalkMode.TAP


def test_the_volume_stays_within_its_range_and_a_turn_ends_the_mute() -> None:
    rig = Rig()
    rig.do("mute", "volume_up")
    assert rig.engine.intents == [SetVolume(1.0, True), SetVolume(1.1, False)]
    assert rig.face.told == [("say", "volume", "Voice muted"), ("say", "volume", "Volume 110 %")]
    rig.do(*["volume_up"] * 20)
    assert rig.engine.status.volume == 2.0
    rig.do(*["volume_down"] * 30)
    assert rig.kept == {"volume": 0.0, "muted": False}


# ---- lines --------------------------------------------------------------------------------------------------------


async def test_the_selected_line_is_copied_or_the_newest_with_something_in_it() -> None:
    copied = []

    async def copy(text: str) -> str:
        copied.append(text)
        return "wl-copy"

    rig = Rig(copy=copy)
    rig.do("copy")
    assert rig.face.told == [("say", "empty", "There are no lines yet.")]
    rig.engine.put(line(1, "one", "uno"), line(2, "two", "dos"), line(3, "three", ""))
    rig.do("copy")
    assert rig.face.told[-1] == ("say", "copy", "This line has no translation yet.")
    rig.face.cursor = 1
    rig.do("copy", "copy_original", "copy_both")
    await rig.face.finish()
    assert copied == ["uno", "one", "one\nuno"]
    assert rig.face.told[-1] == ("say", "copy", "Copied the line (wl-copy)")


async def test_a_line_is_corrected_and_its_new_words_go_into_the_context() -> None:
    rig = Rig()
    rig.do("add_context")
    assert "Correct a line first" in rig.face.told[-1][2]
    rig.engine.put(line(1, "I am Mr Miller.", "Soy el señor Miller."))
    rig.face.wording = None  # left without a change
    rig.do("correct")
    rig.face.wording = ("I am Mr Miller.", "Soy el señor Miller.")
    rig.do("correct")
    assert rig.engine.intents == []
    rig.face.wording = ("I am Mr Müller.", "Soy el señor Müller.")
    rig.do("correct")
    await rig.face.finish()
    assert rig.last == Correct(1, "I am Mr Müller.", "Soy el señor Müller.")
    assert rig.face.told[-1] == ("say", "correct", "Corrected.")
    rig.do("add_context")
    assert rig.last == ChangeSession(replace(SessionParams(), context="Müller"))
    n = len(rig.engine.intents)
    rig.do("add_context")  # once
    assert len(rig.engine.intents) == n


def test_a_line_under_way_is_not_corrected() -> None:
    rig = Rig()
    rig.engine.put(replace(line(1, "one", "uno"), state=UtteranceState.WAITING))
    rig.face.wording = ("two", "dos")
    rig.do("correct")
    assert rig.engine.intents == []
    assert "not finished" in rig.face.told[-1][2]


def test_a_line_without_text_is_sent_again() -> None:
    rig = Rig()
    rig.do("send_again")
    assert rig.face.told == [("say", "line", "There are no lines yet.")]
    rig.engine.put(
        line(1, "", "", state=UtteranceState.EMPTY, can_send_again=True),
        line(2, "", "", state=UtteranceState.EMPTY),
        line(3, "a", "b"),
    )
    rig.do("send_again")
    assert rig.engine.intents == [SendAgain(1)]
    rig.face.cursor = 2
    rig.do("send_again")
    assert rig.engine.intents == [SendAgain(1)]
    assert rig.face.told[-1] == ("say", "line", "This line cannot be sent again.")


def test_a_notice_names_the_keys_that_this_face_has() -> None:
    rig = Rig()
    rig.engine.say(NoticePosted("link", Severity.ERROR, "No.", "Kept.", offers=("welcome", "languages", "retry")))
    (notice,) = [event for event in rig.face.heard if isinstance(event, NoticePosted)]
    assert notice.hint == "Kept. l chooses the languages. Ctrl+R tries again now."


def test_a_notice_offers_no_action_without_a_key() -> None:
    rig = Rig()
    rig.front.keys = {**rig.front.keys, "languages": ()}
    rig.engine.say(NoticePosted("heard", Severity.INFO, "No text.", "Is this English?", offers=("languages",)))
    assert rig.face.heard[-1] == NoticePosted("heard", Severity.INFO, "No text.", "Is this English?")


def test_only_actions_are_offered() -> None:
    assert OFFERS.keys() <= BY_NAME.keys()


async def test_speech_is_said_again_and_saved() -> None:
    async def save(number: int, speech: bytes) -> Path:
        return Path(f"line-{number}.wav")

    rig = Rig(save_wav=save)
    rig.do("replay", "save_speech")
    assert rig.face.told == [("say", "line", "There are no lines yet.")] * 2
    rig.engine.put(line(1, "a", "b"), line(2, "c", "d"))
    rig.engine.speech[1] = b"1234"
    rig.do("replay", "replay_slower", "save_speech")
    await rig.face.finish()
    assert rig.engine.intents == [ReplaySpeech(1, 1.0), ReplaySpeech(1, 0.75)]
    assert rig.face.told[-1] == ("say", "save", "Saved line-1.wav")
    rig.face.cursor = 2
    rig.do("replay")
    assert rig.face.told[-1] == ("say", "line", "There is no speech for this line.")


async def test_an_export_that_fails_says_so() -> None:
    asked: list[Export] = []

    async def export(*chosen: Any) -> Path:
        asked.append(chosen)
        raise PinchError("The disk is full.")

    rig = Rig(export=export)
    rig.do("export")
    rig.engine.put(line(1, "a", "b"))
    rig.do("export")
    await rig.face.finish()
    assert asked == [EXPORT]
    assert rig.face.told == [("say", "empty", "There are no lines yet."), ("warn", "export", "The disk is full.")]


# ---- talking ------------------------------------------------------------------------------------------------------


def test_escape_ends_the_most_pressing_thing_first() -> None:
    rig = Rig()
    rig.face.is_typing = rig.face.has_message = True
    rig.engine.set_status(word=StateWord.TALKING)
    rig.do("cancel")
    assert ("escape",) not in rig.hold.calls
    rig.do("cancel")
    assert rig.hold.calls[-1] == ("escape",)
    rig.engine.set_status(word=StateWord.SPEAKING)
    rig.do("cancel")
    assert not rig.engine.intents
    rig.do("cancel")
    assert rig.last == StopSpeech()
    rig.engine.set_status(word=StateWord.READY)
    rig.do("cancel")
    assert rig.face.told[-1] == ("rest",)


def test_speech_is_stopped_and_skipped_and_the_link_tried_at_once() -> None:
    rig = Rig()
    rig.do("stop_speech", "skip_speech", "retry")
    assert rig.engine.intents == [StopSpeech(), StopSpeech(skip=True), RetryNow()]


# ---- leaving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "code"), [("quit", EXIT_OK), ("interrupt", EXIT_INTERRUPTED)])
async def test_leaving_waits_for_the_engine(action: str, code: int) -> None:
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(rig.front.run_engine())
        await asyncio.sleep(0)
        rig.do(action, "quit")
        assert rig.engine.intents == [Quit(drain=True)]
        assert not rig.face.left
        rig.engine.stop()
    assert rig.face.left == [(AppExit(code), "")]
    rig.front.close()


async def test_a_second_interrupt_does_not_wait() -> None:
    rig = Rig()
    rig.do("quit", "interrupt")
    assert rig.engine.intents == [Quit(drain=True), Quit(drain=False)]
    assert rig.face.left == [(AppExit(EXIT_INTERRUPTED), "")]
    rig.front.leaving.hang_up()
    assert len(rig.engine.intents) == 2


async def test_an_engine_that_cannot_run_leaves_with_its_sentence() -> None:
    rig = Rig()

    async def fail() -> None:
        raise PinchError("No sound.")

    rig.engine.run = fail  # type: ignore[method-assign]
    await rig.front.run_engine()
    assert rig.face.left == [(AppExit(PinchError.exit_code), "No sound.")]


async def test_suspending_closes_the_microphone_first_and_once() -> None:
    rig = Rig()
    rig.do("suspend", "suspend")
    assert len(rig.face.work) == 1
    rig.engine.set_status(mic=MicState.CLOSED)
    await rig.face.finish()
    assert rig.last == Foreground(False)
    assert rig.face.told == [("stop",)]


async def test_slow_work_that_breaks_is_told_and_ends_nothing() -> None:
    async def breaks(error: Exception) -> None:
        raise error

    rig = Rig()
    await rig.front.carefully("copy", breaks(OSError(5, "canary")))
    await rig.front.carefully("export", breaks(UsageError("It cannot be written.")))
    assert rig.face.told[-2:] == [
        ("warn", "copy", "That failed in an unexpected way (OSError)."),
        ("warn", "export", "It cannot be written."),
    ]
