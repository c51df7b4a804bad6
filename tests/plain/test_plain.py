"""The line mode: a keyboard on a pty, an engine by script, and nothing but lines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import (
    ChangeSession,
    EdgeKind,
    Levels,
    MicState,
    NoticePosted,
    Quit,
    ReplaySpeech,
    RetryNow,
    SendAgain,
    SessionParams,
    SetVolume,
    Severity,
    StateWord,
    Status,
    StopSpeech,
)
from pinch_tui.core.keymap import resolve_keys
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.errors import EXIT_INTERRUPTED, PinchError, UsageError
from pinch_tui.frontend.actions import BY_NAME
from pinch_tui.frontend.services import AppServices
from pinch_tui.keys import HoldInput
from pinch_tui.plain.app import PlainApp
from pinch_tui.plain.help import OFFERED, help_lines
from pinch_tui.plain.languages import UnclearLanguage, parse_pair
from pinch_tui.plain.terminal import key_names
from pinch_tui.plain.tty import PosixTerminal
from pinch_tui.plain.tty_windows import WindowsTerminal
from pinch_tui.plain.words import Narrator
from pinch_tui.services.cartesia.traits import CARTESIA
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.settings.model import Settings, Switch, TalkSettings, UiSettings
from tests.fakes.app_services import app_services
from tests.fakes.fake_engine import FakeEngine, line


class Session:
    """The line mode on a pty; ``lines`` is what it printed."""

    def __init__(
        self,
        services: AppServices | None = None,
        talk_key: str = "space",
        keys: dict[str, str] | None = None,
        columns: int = 0,
        is_ascii: bool = False,
    ) -> None:
        self.master, self.slave = os.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.engine = FakeEngine()
        self.text = ""
        self._printed = asyncio.Event()
        self.hold = HoldInput(TalkSettings(key=talk_key, mode=TalkMode.TAP, probe=False), self.engine.talk)
        self.app = PlainApp(
            self.engine,
            self.hold,
            services or app_services(),
            Settings(
                talk=TalkSettings(key=talk_key),
                ui=UiSettings(keys=keys or {}, ascii=Switch.ON if is_ascii else Switch.AUTO),
            ),
            columns=lambda: columns,
            terminal=PosixTerminal(self.slave, self._take),
        )

    def _take(self, text: str) -> None:
        self.text += text
        self._printed.set()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for something that a key or a line brings about."""
        async with asyncio.timeout(5):
            while not wanted():
                await asyncio.sleep(0.005)

    async def printed(self, needle: str) -> None:
        await self.until(lambda: needle in self.text)


@asynccontextmanager
async def running(
    services: AppServices | None = None,
    talk_key: str = "space",
    keys: dict[str, str] | None = None,
    columns: int = 0,
    code: int = 0,
    is_ascii: bool = False,
) -> AsyncIterator[Session]:
    session = Session(services, talk_key, keys, columns, is_ascii)
    try:
        async with asyncio.TaskGroup() as tasks:
            app = tasks.create_task(session.app.run())
            await session.printed("for help")
            yield session
            session.engine.stop()
            assert await app == code
        assert termios.tcgetattr(session.slave) == session.before
        assert "\x1b" not in session.text and "\r" not in session.text
        assert session.text.endswith("Good-bye.\n")
    finally:
        os.close(session.master)
        os.close(session.slave)


def test_the_help_has_every_action_of_the_screen_that_is_here_with_its_key() -> None:
    lines = list(help_lines(resolve_keys({"swap": "f5", "voice": "none"}, "space"), "Hold space", "space"))
    assert lines[0] == "Hold space."
    assert "question mark or f1: Help. All keys, and how to talk in this terminal." in [
        x.replace("F1", "f1") for x in lines
    ]
    assert "F5: Swap languages. Speak the other language from now on." in lines
    assert "No key: The other voice. Switch between female and male, from the next utterance." in lines
    assert set(OFFERED) <= set(BY_NAME)
    assert sum(": " in line for line in lines) == len(OFFERED) + 1


async def test_garbage_is_collected_once_it_is_there() -> None:
    gc.disable()  # as the command does
    async with running():
        assert gc.isenabled()


async def test_where_only_ascii_is_drawn_shapes_are_ascii_and_words_stay() -> None:
    async with running(is_ascii=True) as session:
        session.engine.notice(Severity.INFO, "Los días → the days…")
        await session.printed("Note: Los días > the days.")


async def test_the_same_action_has_the_same_key_as_on_the_screen() -> None:
    remembered = app_services(recent_pairs=lambda: [("en", "es"), ("de", "fr")])
    async with running(remembered) as session:
        session.type("p")
        await session.printed("From now on: German to French.")
        session.type("n")
        await session.printed("Next match works only on the full screen.")
        session.type("h")
        await session.printed("pinch-tui history lists past conversations.")
        session.type("\x12")
        await session.until(lambda: session.engine.intents[-1] == RetryNow())
        session.engine.put(line(1, "a", "b"))
        session.type("g")
        await session.until(lambda: session.lines.count("Translation (es): b") == 2)


async def test_practice_says_which_languages_it_has_before_it_asks() -> None:
    remembered = app_services(
        recent_pairs=lambda: [("en", "es"), ("en", "ja")],
        practice_languages=lambda: {"en": "ok", "es": "experimental"},
    )
    async with running(remembered) as session:
        session.engine.status = replace(session.engine.status, service=PRACTICE)
        session.type("l")
        await session.printed("Practice knows English (en), Spanish (es).")
        await session.printed("en ja (not in practice)")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type("\n")
        await session.printed("Languages unchanged")


async def test_the_users_own_keys_hold_here_too() -> None:
    async with running(keys={"swap": "f5", "stop_speech": "q", "details": "*", "star": "none"}) as session:
        session.type("\x1b[15~")
        await session.printed("From now on: Spanish to English.")
        session.type("s")
        await session.printed("The key s does nothing here")
        session.type("q")
        await session.printed("Voice stopped.")
        session.type("*")
        await session.printed("Microphone: mic open")


async def test_the_details_name_service_session_and_model() -> None:
    async with running() as session:
        session.engine.set_status(model_version_id="m_7")
        session.type("d")
        await session.printed("Service: Pinch. Session: 3f2a91c0-77aa-4f0e-9d10-1a2b3c4d5e6f. Model version: m_7.")


async def test_q_says_how_to_quit() -> None:
    async with running() as session:
        session.type("q")
        await session.until(lambda: "Ctrl+Q quits." in session.lines)  # a line of its own, unlike in the greeting
        assert not session.engine.intents


async def test_lines_are_broken_between_words() -> None:
    async with running(columns=40) as session:
        session.engine.put(line(1, "The end of a hold is known by the pause in the key's own repeats", "uno"))
        session.type("l")
        await session.printed("Type the language")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type("\n")
        await session.printed("Languages unchanged")
        assert max(map(len, session.lines)) <= 39
        said = session.text[session.text.index("You (en)") :].split("Translation")[0]
        assert " ".join(said.split()) == "You (en): The end of a hold is known by the pause in the key's own repeats"


@pytest.mark.parametrize(
    ("typed", "pair"),
    [
        ("es", ("en", "es")),
        ("spanish", ("en", "es")),
        ("español", ("en", "es")),
        ("to espa", ("en", "es")),
        ("en es", ("en", "es")),
        ("en to", ("en", "to")),
        ("english to ger", ("en", "de")),
        ("auto, 日本語", ("auto", "ja")),
        ("portuguese (brazil) french", ("pt-BR", "fr")),
        ("zh-Hant -> de", ("zh-Hant", "de")),
    ],
)
def test_languages_are_found_by_code_and_name(typed: str, pair: tuple[str, str]) -> None:
    assert parse_pair(typed, "en", "fr") == pair


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("chi", "chi could be Chinese (zh), "),
        ("japenese", "No language is called japenese. Did you mean Japanese (ja)"),
        ("fr x!", "No language is called x!."),
        ("a, b, c", "more than two"),
    ],
)
def test_what_names_no_language_or_several_is_said_with_its_neighbours(typed: str, words: str) -> None:
    with pytest.raises(UnclearLanguage) as caught:
        parse_pair(typed, "en", "fr")
    assert words in str(caught.value)


@given(st.text(max_size=40))
def test_any_answer_names_languages_or_says_why_not(typed: str) -> None:
    with contextlib.suppress(UnclearLanguage):
        assert all(parse_pair(typed, "en", "fr"))


def test_a_sequence_that_never_ends_is_kept_short() -> None:
    keys: list[str] = []
    reader, writer = os.pipe()
    try:
        terminal = PosixTerminal(reader)
        terminal._on_key = lambda key, _t: keys.append(key)
        terminal._loop = Mock()
        for data in (b"\x1b[", *([b"0" * 400] * 40), b"A", b"?"):
            os.write(writer, data)
            terminal._read()
            assert len(terminal._pending) <= 64
    finally:
        os.close(reader)
        os.close(writer)
    assert keys == ["question_mark"]


async def test_it_greets_and_says_how_to_talk() -> None:
    async with running() as session:
        assert session.lines[0] == "pinch-tui, line mode. English to Spanish."
        assert any(line.startswith("Press space, speak, press space again.") for line in session.lines)
        session.type("?")
        await session.printed("l: Choose languages")


async def test_the_talk_key_talks_and_escape_throws_away() -> None:
    async with running() as session:
        session.type(" ")
        await session.until(lambda: [e.kind for e in session.engine.edges[:1]] == [EdgeKind.START])
        session.engine.set_status(word=StateWord.TALKING)
        await session.printed("Talking.")
        session.type("\x1b")
        await session.until(lambda: session.engine.edges[-1].kind is EdgeKind.CANCEL)
        session.engine.set_status(word=StateWord.READY)
        await session.printed("Ready.")


async def test_a_moment_of_readiness_is_not_told() -> None:
    async with running() as session:
        for word in (StateWord.TALKING, StateWord.READY, StateWord.FINALIZING, StateWord.READY):
            session.engine.set_status(word=word)
        await session.printed("Ready.")
        told = [line for line in session.lines if line in ("Talking.", "Ready.", "Waiting for the last words.")]
        assert told == ["Talking.", "Waiting for the last words.", "Ready."]


async def test_a_key_that_a_plain_terminal_cannot_type_becomes_space() -> None:
    async with running(talk_key="left_shift") as session:
        assert "the talk key is space" in session.lines[0]
        session.type(" ")
        await session.until(lambda: bool(session.engine.edges))


@pytest.mark.parametrize(("talk_key", "sent"), [("f8", "\x1b[19~"), ("ctrl+t", "\x14"), ("at", "@")])
async def test_a_talk_key_that_can_be_typed_talks(talk_key: str, sent: str) -> None:
    async with running(talk_key=talk_key) as session:
        session.type(sent)
        await session.until(lambda: [e.kind for e in session.engine.edges[:1]] == [EdgeKind.START])


async def test_finals_are_told_and_interims_are_not() -> None:
    async with running() as session:
        session.engine.put(line(1, "good mor", "buenos", state=UtteranceState.TALKING, is_final=False))
        session.engine.put(line(1, "Good morning", "Buenos días"))
        await session.printed("Translation (es): Buenos días")
        assert "You (en): Good morning" in session.lines
        assert "good mor" not in session.text


async def test_enter_plays_the_practice_phrases_one_after_the_other() -> None:
    spoken: list[tuple[str, str]] = []

    async def speak(text: str, language: str) -> bool:
        if len(spoken) == 2:
            raise PinchError("The voice is gone.")
        spoken.append((text, language))
        return True

    services = app_services(
        practice_phrases=lambda _s, _t, n: [("Hello.", "Hola."), ("Thank you.", "Gracias.")][:n], speak_phrase=speak
    )
    async with running(services) as session:
        session.engine.set_status(service=PRACTICE)
        session.type("\r")
        await session.until(lambda: spoken == [("Hello.", "en")])
        session.type("\r")
        await session.until(lambda: spoken[1:] == [("Thank you.", "en")])
        session.type("\r")
        await session.printed("Error: The voice is gone.")


async def test_practice_says_what_it_understands() -> None:
    services = app_services(practice_phrases=lambda _s, _t, n: [("Hello.", "Hola."), ("Thank you.", "Gracias.")][:n])
    session = Session(services)
    session.engine.status = replace(session.engine.status, service=PRACTICE)
    async with asyncio.TaskGroup() as tasks:
        app = tasks.create_task(session.app.run())
        await session.printed("for help")
        session.engine.stop()
        assert await app == 0
    assert "everyday phrases, such as: Hello. Thank you." in session.text
    os.close(session.master)
    os.close(session.slave)


async def test_a_service_that_only_hears_is_asked_for_the_spoken_language_alone() -> None:
    async with running() as session:
        session.engine.set_status(service=CARTESIA)
        session.type("l")
        await session.printed("Now English.")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type("spanish\n")  # which is the target that no one asks for
        await session.printed("From now on: Spanish.")
        session.type("l")
        await session.printed("Now Spanish.")


async def test_languages_are_typed_swapped_and_refused() -> None:
    remembered: list[tuple[str, str]] = []
    kept: dict[str, object] = {}
    services = app_services(remember_pair=lambda s, t: remembered.append((s, t)), remember=kept.__setitem__)
    async with running(services) as session:
        session.type("l")
        await session.printed("Type the language you speak and")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        assert not session.hold.armed
        session.type("pt-br fr\n")
        await session.printed("From now on: Portuguese (Brazil) to French.")
        assert session.hold.armed
        session.type("s")
        await session.printed("From now on: French to Portuguese (Brazil).")
        session.type("l")
        await session.until(lambda: session.text.count("Type the language you speak and") == 2)
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type("fr x!\n")
        await session.printed("No language is called x!. Nothing was changed.")
        assert [
            (p.source, p.target) for i in session.engine.intents if isinstance(i, ChangeSession) for p in [i.params]
        ] == [
            ("pt-BR", "fr"),
            ("fr", "pt-BR"),
        ]
        assert remembered == [("en", "es"), ("pt-BR", "fr"), ("pt-BR", "fr"), ("fr", "pt-BR")]
        session.type("t")
        await session.printed("From now on: two-way (speak either language).")
        assert kept == {"two_way": True}


async def test_replay_volume_and_stop() -> None:
    async with running() as session:
        session.type("r")
        await session.printed("There are no lines yet.")
        session.engine.put(line(1, "a", "b"), line(2, "c", "d"))
        session.engine.speech[1] = b"1234"
        session.type("rwx+m")
        await session.until(lambda: len(session.engine.intents) == 5)
        assert session.engine.intents == [
            ReplaySpeech(1, 1.0),
            ReplaySpeech(1, 0.75),
            StopSpeech(),
            SetVolume(1.1, False),
            SetVolume(1.1, True),
        ]
        session.type("g")
        await session.until(lambda: session.lines.count("Translation (es): d") == 2)
        session.type("d")
        await session.printed("Microphone: mic open, Built-in Audio.")


async def test_copying_says_how() -> None:
    async def copy(text: str) -> str:
        return f"took {text}"

    async with running(app_services(copy=copy)) as session:
        session.engine.put(line(1, "one", "uno"))
        session.type("c")
        await session.printed("Copied the translation (took uno).")


async def test_what_support_needs_is_printed_where_there_is_no_clipboard() -> None:
    async def copy(_text: str) -> str:
        raise PinchError("No clipboard was found.", "Install xclip.")

    async with running(app_services(copy=copy)) as session:
        session.engine.set_status(model_version_id="m_7")
        session.type("\x1b[19~")  # F8
        await session.printed("No clipboard was found, so here is the report for support.")
        await session.until(lambda: "write to: support@startpinch.com" in session.lines)
        assert f"session: {session.engine.status.session_id}" in session.lines
        assert "model version: m_7" in session.lines


async def test_unknown_keys_and_sequences_do_no_harm() -> None:
    async with running() as session:
        session.type("\x1b[A\x1b[1;5C\x1bOP\x1b[200~é\x1b[201~")
        await session.printed("The key é does nothing here")
        assert not session.engine.edges and not session.engine.intents
        assert session.text.count("does nothing") == 1


@pytest.mark.parametrize("key", ["\x11", "\x03", "\x04"])
async def test_leaving_waits_for_the_last_words_and_an_interrupt_does_not(key: str) -> None:
    async with running(code=EXIT_INTERRUPTED) as session:
        session.engine.stops_on_quit = False
        session.type(key)
        await session.printed("Leaving; waiting for the last words. Ctrl+C leaves at once.")
        assert session.engine.intents == [Quit(drain=True)]
        session.type("\x11")
        session.type("\x03")
        await session.until(lambda: session.engine.intents[-1] == Quit(drain=False))
    assert session.engine.intents == [Quit(drain=True), Quit(drain=False)]


async def test_quitting_in_peace_is_no_interruption() -> None:
    async with running() as session:
        session.type("\x11")
        await session.printed("Good-bye.")


async def test_the_terminal_going_away_leaves() -> None:
    session = Session()
    async with asyncio.TaskGroup() as tasks:
        app = tasks.create_task(session.app.run())
        await session.printed("for help")
        os.close(session.master)
        assert await app == EXIT_INTERRUPTED
    os.close(session.slave)
    assert session.engine.intents == [Quit(drain=True)]


async def test_a_terminal_that_takes_no_line_any_more_is_one_hang_up() -> None:
    session = Session()
    session.engine.stops_on_quit = False
    async with asyncio.TaskGroup() as tasks:
        app = tasks.create_task(session.app.run())
        await session.printed("for help")

        def gone(text: str) -> None:
            raise OSError(5, "Input/output error")

        session.app._terminal._out = gone  # type: ignore[attr-defined]
        session.app.front.leaving.hang_up()  # the signal, the line that cannot be written, and the end of input
        os.close(session.master)
        await asyncio.sleep(0.1)
        assert session.engine.intents == [Quit(drain=True)]
        session.engine.stop()
        assert await app == EXIT_INTERRUPTED
    os.close(session.slave)


async def test_a_failing_engine_gives_the_terminal_back() -> None:
    session = Session()

    async def fail() -> None:
        raise RuntimeError("broken")

    session.engine.run = fail  # type: ignore[method-assign]
    with pytest.raises(BaseExceptionGroup):
        await session.app.run()
    assert termios.tcgetattr(session.slave) == session.before
    os.close(session.master)
    os.close(session.slave)


async def test_leaving_while_a_question_stands_gives_the_terminal_back() -> None:
    async with running() as session:
        session.type("l")
        await session.printed("Type the language you speak and")


async def test_without_a_terminal_it_says_so_clearly() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(UsageError, match="not a terminal") as caught:
            PosixTerminal(read).open(lambda key, t: None)
        assert "translate" in caught.value.hint
    finally:
        os.close(read)
        os.close(write)


def test_keys_are_named_as_textual_names_them() -> None:
    assert key_names(" aé?\r\t\x7f\x03+") == [
        "space", "a", "é", "question_mark", "enter", "tab", "backspace", "ctrl+c", "plus",
    ]  # fmt: skip
    assert key_names("\x1b[32;1:3u\x1bx\x1b[<0;1;1M") == []
    assert key_names("\x1b") == ["escape"]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX terminal")
@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"\x1b", []),
        (b"en f\x1b", []),
        (b"\x1b[A", ["up"]),
        (b"\x03", ["ctrl+c"]),
        (b"en f\x03", ["ctrl+c"]),
        (b"\x11", ["ctrl+q"]),
        (b"en f\x11", ["ctrl+q"]),
    ],
)
async def test_keys_that_end_a_question_do_what_they_do_elsewhere(typed: bytes, keys: list[str]) -> None:
    master, slave = os.openpty()
    heard: list[str] = []
    terminal = PosixTerminal(slave, lambda text: None)
    try:
        terminal.open(lambda name, t: heard.append(name))
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(terminal.ask("Which?"))
            await asyncio.sleep(0.05)
            os.write(master, typed)
            assert await answer == ""
        await asyncio.sleep(0.15)
        assert heard == keys
        os.write(master, b"x")
        async with asyncio.timeout(5):
            while heard[-1:] != ["x"]:
                await asyncio.sleep(0.01)
        assert heard == [*keys, "x"], "single keys are read again"
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(terminal.ask("Which?"))
            await asyncio.sleep(0.05)
            os.write(master, b"xx\x15en fr\r")
            assert await answer == "en fr", "with the terminal's own editing"
    finally:
        terminal.close()
        os.close(master)
        os.close(slave)


class Typed:
    """A Windows console with keys waiting."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def typed(self) -> str:
        typed = "".join(self.waiting)
        self.waiting.clear()
        return typed


async def test_a_windows_console_is_polled_for_keys_and_lines() -> None:
    console = Typed()
    keys: list[str] = []
    out: list[str] = []
    terminal = WindowsTerminal(console, out.append, lambda: True)
    console.waiting[:] = [" ", "\xe0", "H", "q"]
    terminal.open(lambda name, t: keys.append(name))
    assert keys == ["space", "\xe0", "H", "q"]
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(terminal.ask("Which?"))
        await asyncio.sleep(0)
        console.waiting[:] = [*"dx", "\x08", *"en fr", "\r"]
        assert await answer == "en fr"
    del keys[:]
    for char, told in (("\x1b", []), ("\x03", ["ctrl+c"]), ("\x11", ["ctrl+q"])):
        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(terminal.ask("Which?"))
            await asyncio.sleep(0)
            console.waiting[:] = [*"en", char]
            assert await answer == ""
        assert keys == told
        del keys[:]
    terminal.close()
    assert "".join(out).startswith("Which?\ndx\nen fr\n")
    with pytest.raises(UsageError, match="not a console"):
        WindowsTerminal(console, out.append, lambda: False).open(lambda name, t: None)


# ---- the words ------------------------------------------------------------------------------------------------------


def told(narrator: Narrator, *utterances: Utterance) -> list[str]:
    return list(narrator.utterances(utterances))


def test_growing_finals_are_told_by_what_was_added() -> None:
    narrator = Narrator()
    assert told(narrator, line(1, "one", "uno", state=UtteranceState.WAITING)) == []
    assert told(narrator, line(1, "one", "uno")) == ["You (en): one", "Translation (es): uno"]
    assert told(narrator, line(1, "one", "uno")) == []
    assert told(narrator, line(1, "one two", "uno dos")) == ["You (en), more: two", "Translation (es), more: dos"]
    assert told(narrator, line(1, "one two", "otra cosa")) == ["Translation (es), corrected: otra cosa"]


def test_earlier_segments_are_told_while_somebody_talks_on() -> None:
    narrator = Narrator()
    first = line(1, "One.", "Uno.", state=UtteranceState.TALKING)
    second = Segment("c2", "Tw", False, 0, "", False, 0)
    assert told(narrator, replace(first, segments=(*first.segments, second))) == [
        "You (en): One.",
        "Translation (es): Uno.",
    ]


def test_a_line_that_is_sent_again_is_told_anew() -> None:
    narrator = Narrator()
    empty = line(1, "", "", state=UtteranceState.EMPTY)
    assert told(narrator, empty) == ["Nothing was heard."]
    again = replace(empty, state=UtteranceState.WAITING, attempt=2)
    assert told(narrator, again) == ["Your words are being sent again."]
    assert told(narrator, replace(again, state=UtteranceState.EMPTY)) == ["Nothing was heard."]


async def test_the_line_mode_names_the_key_that_sends_a_line_again() -> None:
    async with running() as session:
        session.engine.put(line(1, "", "", state=UtteranceState.EMPTY, can_send_again=True))
        session.engine.say(
            NoticePosted("heard", Severity.INFO, "No text.", "", offers=("languages", "send_again", "welcome"))
        )
        await session.printed("Note: No text. l chooses the languages. Ctrl+G sends it again.")
        session.type("\x07")
        await session.until(lambda: session.engine.intents == [SendAgain(1)])


def test_ends_without_text_and_resends_have_words() -> None:
    narrator = Narrator()
    assert told(narrator, line(1, "", "", state=UtteranceState.EMPTY)) == ["Nothing was heard."]
    assert told(narrator, line(1, "", "", state=UtteranceState.EMPTY)) == []
    refused = replace(line(5, "", "", state=UtteranceState.EMPTY), segments=(Segment("a", note="Not a phrase."),))
    assert told(narrator, refused) == ["Practice: Not a phrase."]
    assert told(narrator, refused) == []
    assert told(narrator, line(2, "x", "y", state=UtteranceState.CANCELLED)) == ["Thrown away."]
    again = line(3, "", "", state=UtteranceState.WAITING, attempt=2)
    assert told(narrator, again) == ["The connection was lost; your words are being sent again."]
    assert told(narrator, again) == []
    assert told(narrator, line(4, "cut of", "", is_final=False)) == ["You (en), unfinished: cut of"]


def test_two_way_says_which_language_was_spoken() -> None:
    segment = Segment("a", "Hola", True, 4, "Hello", True, 5, detected_language="es")
    spoken = Utterance(1, 0.0, 0, "en", "es", True, UtteranceState.SETTLED, (segment,))
    assert told(Narrator(), spoken) == ["Said (es): Hola", "Translation (en): Hello"]


def test_interims_are_not_told() -> None:
    talking = line(1, "good mor", "", state=UtteranceState.TALKING, is_final=False)
    assert told(Narrator(), talking, talking) == []


def test_states_are_told_once_in_words() -> None:
    narrator = Narrator()
    ready = Status(word=StateWord.READY, mic=MicState.OPEN)
    assert list(narrator.status(ready, 0.0)) == ["Ready."]
    assert list(narrator.status(ready, 1.0)) == []
    lost = replace(ready, word=StateWord.RECONNECTING, retry_at=3.2, detail="The connection closed (1006).")
    assert list(narrator.status(lost, 0.0)) == ["Reconnecting in 4 seconds. The connection closed (1006)."]
    assert list(narrator.status(replace(lost, detail="x"), 1.0)) == []
    assert list(narrator.status(replace(ready, speech_late_s=4.0), 9.0)) == [
        "Ready.",
        "The voice is 4 seconds behind.",
    ]
    gone = list(narrator.status(replace(ready, mic=MicState.LOST), 9.0))
    assert len(gone) == 1 and gone[0].startswith("Microphone: ")
    silent = Levels(zeros_s=13.0)
    assert "no sound" in next(narrator.levels(ready, silent, 10.0))
    assert list(narrator.levels(ready, silent, 30.0)) == []
    assert len(list(narrator.levels(ready, silent, 75.0))) == 1
    turned = replace(ready, params=SessionParams("es", "en", text_only=True))
    assert next(iter(narrator.status(turned, 9.0))) == "Languages: Spanish to English, text only."


def test_notices_are_told_once_each() -> None:
    narrator = Narrator()
    notice = NoticePosted("key", Severity.ERROR, "The key was refused.", "Enter another\x1b[2J.")
    assert list(narrator.notice(notice)) == ["Error: The key was refused. Enter another."]
    assert list(narrator.notice(notice)) == []
    assert list(narrator.notice(replace(notice, title=""))) == []
    assert len(list(narrator.notice(notice))) == 1
    assert next(narrator.notice(NoticePosted("x", Severity.INFO, "Hm.", ""))) == "Note: Hm."


async def test_practice_phrases_and_how_to_continue_are_told_in_lines() -> None:
    services = app_services(all_phrases=lambda _s, _t: [("Hello.", "Hola."), ("Thank you.", "Gracias.")])
    async with running(services) as session:
        session.engine.set_status(service=PRACTICE)
        session.type("\x1bOS")  # F4
        await session.printed("2 in all: pinch-tui practice phrases lists them.")
        assert "Hello. Hola." in session.lines
        session.type("\x0f")  # Ctrl+O
        await session.printed("pinch-tui --plain --continue continues the last conversation.")


OFFERS = (("pinch", "Pinch"), ("pinch-beta1", "Pinch beta1"), ("cartesia", "Cartesia"), ("practice", "Practice"))


@pytest.mark.parametrize(
    ("answer", "chosen", "told"),
    [
        ("Cartesia", "cartesia", "From now on: Cartesia."),
        ("pinch-", "pinch-beta1", "From now on: Pinch beta1."),
        ("deepl", None, "There is no service called deepl. Nothing was changed."),
        ("p", None, "There is no service called p. Nothing was changed."),
        ("", None, ""),
    ],
)
async def test_the_service_is_said_and_changed(answer: str, chosen: str | None, told: str) -> None:
    used: list[str] = []

    async def use(name: str) -> None:
        used.append(name)

    async with running(app_services(service_offers=OFFERS, use_service=use)) as session:
        session.type(",")
        await session.printed("Press Enter to change nothing.")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type(f"{answer}\n")
        await session.until(lambda: session.hold.armed)
        await session.printed(told)
    assert used == ([chosen] if chosen else [])


async def test_a_service_that_cannot_be_used_says_why() -> None:
    async def refuse(name: str) -> None:
        raise PinchError(f"There is no key for {name}.")

    async with running(app_services(service_offers=OFFERS, use_service=refuse)) as session:
        session.type(",")
        await session.until(lambda: bool(termios.tcgetattr(session.slave)[3] & termios.ECHO))
        session.type("cartesia\n")
        await session.printed("There is no key for cartesia.")
