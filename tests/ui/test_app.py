"""The app over a fake engine: facts in, intents out, the talk key armed where it should be."""

from __future__ import annotations

import gc
from contextvars import Context
from dataclasses import replace
from time import monotonic
from typing import Any
from unittest.mock import patch

import pytest
from textual import events
from textual.command import CommandList
from textual.widgets import Input

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import (
    ChangeSession,
    EdgeKind,
    Foreground,
    MicState,
    NoticePosted,
    Quit,
    ReplaySpeech,
    RetryNow,
    SessionParams,
    SetVolume,
    Severity,
    StateWord,
    StatusChanged,
    StopSpeech,
    TalkSource,
    TerminalFocusChanged,
    Voice,
)
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.errors import AudioError, ConfigError, PinchError
from pinch_tui.frontend.ports import AppExit
from pinch_tui.keys.hold_input import HoldInput
from pinch_tui.services.pinch.traits import PRACTICE
from pinch_tui.settings.model import Bidi, Settings, TalkSettings, UiSettings
from pinch_tui.ui.app.app import PinchApp
from pinch_tui.ui.big.lettering import Picture, Request
from pinch_tui.ui.big.text import BigText
from pinch_tui.ui.big.view import BigView
from pinch_tui.ui.screens.fatal import FatalScreen
from pinch_tui.ui.screens.main import BELOW_HZ
from pinch_tui.ui.text.cells import Widths
from pinch_tui.ui.widgets.footer import Footer
from pinch_tui.ui.widgets.polling import IDLE_HZ, LIVE_HZ, polling_rate
from tests.fakes.fake_engine import FakeEngine, line
from tests.ui.harness import NOW, PHRASES, STILL, Asked, rig, services, until

SIZE = (100, 30)


def _painted(app: PinchApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def text_of(widget: Any) -> str:
    return str(widget.render().plain)


async def test_enter_on_a_phrase_has_it_spoken() -> None:
    r = rig(status={"service": PRACTICE, "word": StateWord.READY})
    async with r.app.run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        await pilot.press("down", "enter")
        await until(pilot, lambda: r.asked.spoken == [(PHRASES[1][0], "en")])
        r.engine.put(replace(line(1, "Good morning.", "Buenos días."), is_sample=True))
        await until(pilot, lambda: r.app.main.say_this.has_focus)
        await pilot.press("right", "enter")
        await until(pilot, lambda: r.asked.spoken[1:] == [(PHRASES[2][0], "en")])
        r.asked.refuses = PinchError("The voice is gone.")
        await pilot.press("enter")
        await until(pilot, lambda: "The voice is gone." in _painted(r.app))


async def test_escape_throws_a_sample_away() -> None:
    r = rig(status={"word": StateWord.TALKING, "talking_since": 99.0, "talk_source": "sample"})
    async with r.app.run_test(size=(90, 24)) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert [(edge.kind, edge.source) for edge in r.engine.edges] == [(EdgeKind.CANCEL, TalkSource.SAMPLE)]


async def test_it_starts_the_engine_and_says_ready() -> None:
    gc.disable()  # as the command does
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert r.engine.is_running
        assert r.asked.log == [("ready", {"hold": "exact"})]
        assert gc.isenabled()
        assert ("start",) in r.hold.calls
        assert TerminalFocusChanged(True, known=False) in r.engine.intents
        assert r.hold.armed
    assert ("stop",) in r.hold.calls


async def test_a_bad_key_map_is_refused_before_anything_is_drawn() -> None:
    with pytest.raises(ConfigError, match="swpa"):
        rig(settings=Settings(ui=UiSettings(keys={"swpa": "x"})))


async def test_an_unknown_theme_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="'pinch-lihgt'") as refused:
        rig(settings=Settings(ui=UiSettings(theme="pinch-lihgt")))
    assert "'pinch-light'" in refused.value.hint


async def test_the_users_keys_replace_the_tables() -> None:
    r = rig(settings=Settings(ui=UiSettings(motion=False, keys={"swap": "ctrl+s", "mute": "none"})))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("s", "m")
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession | SetVolume)]
        await pilot.press("ctrl+s")
        assert r.engine.params.source == "es"
        footer = text_of(r.app.main.query_one(Footer))
        assert "Ctrl+S swap" in footer and "mute" not in footer


# ---- the talk key -------------------------------------------------------------------------------------------------


async def test_what_the_screen_says_of_keys_follows_the_users_map() -> None:
    keys = {"speak_language": "j", "latest": "u", "big": "ctrl+b"}
    look = Settings(ui=UiSettings(motion=False, keys=keys))
    r = rig(settings=look, status={"params": SessionParams(source="auto")})
    for n in range(1, 30):
        r.engine.put(line(n, "Hello.", "Hola."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: "Choose a language with j." in text_of(r.app.main.notices))
        await pilot.press("home")
        r.engine.put(line(30, "Hello.", "Hola."))
        await until(pilot, lambda: len(r.app.main.lines.unseen) == 1)
        await pilot.pause()
        assert "jump to latest (u)" in r.app.main.lines.render_line(r.app.main.lines.size.height - 1).text
        await pilot.press("ctrl+b")
        assert len(r.app.screen_stack) == 2
        await pilot.press("ctrl+b")
        assert len(r.app.screen_stack) == 1


async def test_q_says_once_how_to_quit() -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        for _ in range(2):
            await pilot.press("q")
            await pilot.pause()
        assert "Ctrl+Q quits" in _painted(r.app)


async def test_q_is_the_users_when_the_map_has_it() -> None:
    r = rig(settings=replace(STILL, ui=replace(STILL.ui, keys={"swap": "q"})))
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("q")
        await pilot.pause()
        assert "Ctrl+Q quits" not in _painted(r.app)


async def test_who_speaks_while_scrolled_back_sees_the_new_line() -> None:
    r = rig()
    for n in range(1, 60):
        r.engine.put(line(n, "Hello.", "Hola."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        assert not r.app.main.lines.is_following
        r.engine.put(line(60, "", "", state=UtteranceState.TALKING))
        r.engine.set_status(talking_since=99.0)
        await until(pilot, lambda: r.app.main.lines.is_following and r.app.main.lines.cursor == 60)
        await pilot.press("home")  # and may look back again while speaking
        r.engine.set_status(word=StateWord.TALKING)
        await pilot.pause(0.1)
        assert not r.app.main.lines.is_following


async def test_after_a_misfire_the_line_keys_take_the_last_line_with_a_text() -> None:
    r = rig()
    r.engine.put(line(1, "Hello.", "Hola."))
    r.engine.put(line(2, "", "", state=UtteranceState.EMPTY))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: r.asked.copied == ["Hola."])
        await pilot.press("down", "c")
        await until(pilot, lambda: "This line is empty." in text_of(r.app.main.notices))
        assert r.asked.copied == ["Hola."]


async def test_the_theme_and_the_loudness_are_said_in_one_line_each() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f2")
        assert "Theme: light" in text_of(r.app.main.notices)
        await pilot.press("minus")
        assert "Volume 90 %" in text_of(r.app.main.notices)
        await pilot.press("m")
        assert text_of(r.app.main.notices) == "i Voice muted"
        await pilot.press("m")
        assert text_of(r.app.main.notices) == "i Volume 90 %"


async def test_a_swap_between_two_speakers_does_not_speak_of_a_direction() -> None:
    r = rig(status={"params": SessionParams(two_way=True)})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        assert "From now on: Spanish and English" in text_of(r.app.main.notices)


async def test_the_empty_view_speaks_of_the_bar_below() -> None:
    r = rig(status={"service": PRACTICE}, has_key=False, method="mouse")
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "on the bar below" in text_of(r.app.main.empty)
        assert "on this bar" in text_of(r.app.main.talk_bar)


async def test_the_talk_key_talks_on_the_conversation_and_types_in_text_fields() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("space")
        assert r.hold.calls.count(("key",)) == 1
        await pilot.press("slash")
        assert not r.hold.armed
        await pilot.press("a", "space", "b")
        assert r.app.main.search_bar.field.value == "a b"
        await pilot.press("escape")
        assert r.hold.armed
        await pilot.press("l")
        assert not r.hold.armed
        await pilot.press("h", "space")
        await pilot.press("escape")
        await pilot.pause()
        assert r.hold.armed
        assert r.hold.calls.count(("key",)) == 1


async def test_no_panel_lets_the_talk_key_through() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        for key in ("l", "k", "comma", "d", "question_mark", "f3", "ctrl+p"):
            await pilot.press(key)
            assert len(r.app.screen_stack) == 2, key
            assert not r.hold.armed, key
            await pilot.press("escape")
            await pilot.pause()
            assert len(r.app.screen_stack) == 1, key
            assert r.hold.armed, key


async def test_the_mouse_holds_the_talk_bar_even_when_it_leaves_it() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.mouse_down(r.app.main.talk_bar)
        assert r.hold.calls[-1] == ("mouse_down",)
        assert r.app.mouse_captured is r.app.main.talk_bar
        await pilot.hover(r.app.main.header)
        await pilot.mouse_up(r.app.main.header)
        assert r.hold.calls[-1] == ("mouse_up",)
        assert r.app.mouse_captured is None


async def test_losing_the_focus_ends_holds_and_tells_the_engine() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.mouse_down(r.app.main.talk_bar)
        r.app.post_message(events.AppBlur())
        await pilot.pause()
        assert ("blur",) in r.hold.calls and ("mouse_up",) in r.hold.calls
        assert r.engine.intents[-1] == TerminalFocusChanged(False)
        r.app.post_message(events.AppFocus())
        await pilot.pause()
        assert r.engine.intents[-1] == TerminalFocusChanged(True)
        assert ("focus",) in r.hold.calls


async def test_escape_cancels_the_utterance_first() -> None:
    r = rig(status={"word": StateWord.TALKING, "talking_since": 99.0})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("escape")
        assert ("escape",) in r.hold.calls


async def test_another_way_of_holding_is_shown_at_once() -> None:
    r = rig(method="tap")
    async with r.app.run_test(size=SIZE) as pilot:
        assert text_of(r.app.main.footer).endswith(" tap ")
        r.hold.now_report = replace(r.hold.now_report, method="exact")
        assert r.hold.on_report_changed is not None
        r.hold.on_report_changed(r.hold.now_report)
        await pilot.pause()
        assert text_of(r.app.main.footer).endswith(" hold: exact ")


# ---- what is shown ------------------------------------------------------------------------------------------------


async def test_header_and_bar_show_the_status() -> None:
    r = rig(status={"service": PRACTICE})
    async with r.app.run_test(size=SIZE) as pilot:
        header = text_of(r.app.main.header)
        assert "English → Español" in header and "PRACTICE" in header
        assert "connected" in header and "3f2a91c0" not in header
        assert "mic open" in text_of(r.app.main.talk_bar)
        r.engine.set_status(word=StateWord.RECONNECTING, retry_at=104.0, mic=MicState.LOST)
        await until(pilot, lambda: "reconnecting in 4 s" in text_of(r.app.main.talk_bar))
        assert "mic lost" in text_of(r.app.main.talk_bar) and "reconnecting" in text_of(r.app.main.header)


async def test_every_width_keeps_languages_state_and_microphone() -> None:
    r = rig(status={"service": PRACTICE, "word": StateWord.TALKING, "talking_since": 99.0})
    async with r.app.run_test(size=(60, 15)) as pilot:
        for width in (60, 70, 80, 100, 200):
            await pilot.resize_terminal(width, 15)
            await pilot.pause()
            header, bar = text_of(r.app.main.header), text_of(r.app.main.talk_bar)
            assert "PRACTICE" in header and ("Español" in header or "es" in header)
            assert "talking 0:01" in bar and "mic open" in bar
            assert "quit" in text_of(r.app.main.footer) and "hold: exact" in text_of(r.app.main.footer)


async def test_right_to_left_names_are_put_in_order_where_the_terminal_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("KITTY_WINDOW_ID", raising=False)
    params = SessionParams(source="he", target="en")
    for bidi, name in ((Bidi.APP, "עברית"[::-1]), (Bidi.TERMINAL, "עברית")):
        r = rig(status={"params": params}, settings=Settings(ui=UiSettings(motion=False, bidi=bidi)))
        async with r.app.run_test(size=SIZE):
            assert f"{name} → English" in text_of(r.app.main.header).replace("\u200f", "")


async def test_nothing_untrusted_is_parsed_or_reaches_the_terminal() -> None:
    evil = "[bold red]x[/] \x1b]0;owned\x07\x1b[31m\x9b2J\u202eabc"
    r = rig(status={"mic_name": evil, "session_id": "[b]\x1b[2J", "detail": evil, "word": StateWord.OFFLINE})
    async with r.app.run_test(size=(200, 40)) as pilot:
        r.engine.notice(Severity.ERROR, evil, evil)
        await pilot.press("d")
        await pilot.pause()
        shown = "\n".join(strip.text for screen in r.app.screen_stack for strip in screen._compositor.render_strips())
        assert "[bold red]x[/]" in shown
        for bad in ("\x1b", "\x07", "\x9b", "\u202e", "owned"):
            assert bad not in shown


async def test_status_changes_are_painted_at_most_twenty_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        drawn: list[StateWord] = []
        monkeypatch.setattr(r.app.main, "redraw", lambda: drawn.append(r.engine.status.word))
        for last in (StateWord.READY, StateWord.SPEAKING):
            for n in range(200):
                r.engine.set_status(behind_s=float(n), word=last if n == 199 else StateWord.TALKING)
            await until(pilot, lambda word=last: drawn[-1:] == [word])
        assert drawn == [StateWord.READY, StateWord.SPEAKING]


async def test_facts_may_come_from_a_task_that_knows_nothing_of_the_app() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        foreign = Context()
        for behind in (3.0, 4.0):
            foreign.copy().run(r.engine.set_status, behind_s=behind)
        await until(pilot, lambda: "4 s of speech still to send" in text_of(r.app.main.talk_bar))


def test_levels_are_polled_only_while_they_are_seen_to_move() -> None:
    status = rig().engine.status
    assert polling_rate(replace(status, word=StateWord.TALKING)) == LIVE_HZ
    assert polling_rate(status) == IDLE_HZ
    closed = replace(status, mic=MicState.CLOSED)
    assert polling_rate(replace(closed, retry_at=3.0)) == IDLE_HZ
    assert polling_rate(closed) == 0


async def test_a_panel_stops_the_polling() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: r.app.main._poller.rate > 0)
        await pilot.press("question_mark")
        await until(pilot, lambda: r.app.main._poller.rate == 0)
        await pilot.press("escape")
        await until(pilot, lambda: r.app.main._poller.rate > 0)
        r.engine.set_status(mic=MicState.CLOSED)
        await until(pilot, lambda: r.app.main._poller.rate == 0)


async def test_the_talk_bar_goes_on_below_a_panel_that_leaves_it_in_view() -> None:
    r = rig(status={"word": StateWord.TALKING, "talking_since": NOW - 2, "is_latched": True})
    async with r.app.run_test(size=(120, 40)) as pilot:
        main, now = r.app.main, [NOW]
        r.app.front.clock = lambda: now[0]
        await until(pilot, lambda: "talking 0:02" in main.talk_bar._drawn.plain)
        await pilot.press("d")
        await until(pilot, lambda: main._poller.rate == BELOW_HZ)
        now[0] = NOW + 60
        await until(pilot, lambda: "talking 1:02" in main.talk_bar._drawn.plain)
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: main._poller.rate == 0)
        r.engine.set_status(behind_s=1.0)
        await pilot.pause(0.1)
        assert main._poller.rate == 0
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: main._poller.rate == BELOW_HZ)
        await pilot.press("escape")
        await until(pilot, lambda: main._poller.rate == LIVE_HZ)


async def test_lines_appear_and_the_card_goes() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        assert r.app.main.empty.display and not r.app.main.lines.display
        r.engine.put(line(1, "Good morning.", "Buenos días."))
        await until(pilot, lambda: bool(r.app.main.lines.display))
        assert not r.app.main.empty.display


async def test_practice_offers_phrases() -> None:
    r = rig(status={"service": PRACTICE})
    async with r.app.run_test(size=SIZE) as pilot:
        assert "Where is the station?" in text_of(r.app.main.empty)
        r.engine.put(line(1, "Hello.", "Hola."))
        await until(pilot, lambda: "say this: Good morning." in text_of(r.app.main.say_this))


async def test_a_phrase_too_wide_for_the_card_does_not_break_its_table() -> None:
    wide = ("Where is the nearest pharmacy, please?", "¿Dónde está la farmacia más cercana?")
    r = rig(status={"service": PRACTICE}, practice_phrases=lambda _source, _target, n: [wide, *PHRASES][:n])
    async with r.app.run_test(size=(90, 30)) as pilot:
        assert wide[0] in text_of(r.app.main.empty)
        await pilot.resize_terminal(70, 30)
        await pilot.pause()
        assert wide[0] not in text_of(r.app.main.empty)
        assert "Good morning.  │  Buenos días." in text_of(r.app.main.empty)
        r.app.main.empty.focus()
        await pilot.press("enter")
        await until(pilot, lambda: [text for text, _ in r.asked.spoken] == ["Hello."])


async def test_where_no_phrase_fits_beside_its_translation_the_first_stands_above_it() -> None:
    wide = ("I would like a coffee, please.", "Quisiera un café, por favor.")
    r = rig(status={"service": PRACTICE}, practice_phrases=lambda _source, _target, n: [wide][:n])
    async with r.app.run_test(size=(60, 15)) as pilot:
        assert f"{wide[0]}\n {wide[1]}" in text_of(r.app.main.empty)
        r.app.main.empty.focus()
        await pilot.press("enter")
        await until(pilot, lambda: [text for text, _ in r.asked.spoken] == [wide[0]])


# ---- notices ------------------------------------------------------------------------------------------------------


async def test_a_banner_stays_until_it_is_closed_or_taken_back() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.notice(Severity.ERROR, "The key was refused (401).", "Check it with: pinch-tui key set", topic="key")
        r.engine.notice(Severity.INFO, "passing", topic="other")
        await pilot.pause()
        assert "refused (401)" in text_of(r.app.main.notices) and "pinch-tui key set" in text_of(r.app.main.notices)
        await pilot.press("escape")
        assert "passing" in text_of(r.app.main.notices)
        r.engine.notice(Severity.ERROR, "again", topic="key")
        r.engine.notice(Severity.ERROR, "", topic="key")
        r.engine.notice(Severity.INFO, "", topic="other")
        await pilot.pause()
        assert not r.app.main.notices.display


async def test_what_a_key_came_to_is_told_below_a_banner() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.notice(Severity.ERROR, "The key was refused (401).", topic="key")
        await pilot.pause()
        await pilot.press("m")
        await pilot.pause()
        told = text_of(r.app.main.notices)
        assert told.index("refused (401)") < told.index("Voice muted")


async def test_something_fatal_has_a_screen_that_stays() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.say(NoticePosted("sound", Severity.FATAL, "PortAudio is missing.", "apt-get install libportaudio2"))
        await pilot.pause()
        assert isinstance(r.app.screen, FatalScreen)
        assert not r.hold.armed


# ---- intents ------------------------------------------------------------------------------------------------------


async def test_keys_become_intents() -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    r.engine.speech[1] = b"\0" * 8
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.intents.clear()
        await pilot.press("r", "w", "x", "z", "m", "plus", "ctrl+r")
        assert r.engine.intents == [
            ReplaySpeech(1, 1.0),
            ReplaySpeech(1, 0.75),
            StopSpeech(),
            StopSpeech(skip=True),
            SetVolume(1.0, is_muted=True),
            SetVolume(1.1, is_muted=False),
            RetryNow(),
        ]
        assert r.asked.kept == {"muted": False, "volume": 1.1}


async def test_swapping_is_one_key_and_takes_the_labels_along() -> None:
    params = SessionParams(source_label="of Madrid", target_label="casual")
    r = rig(status={"params": params})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        changed = r.engine.params
        assert (changed.source, changed.target) == ("es", "en")
        assert (changed.source_label, changed.target_label) == ("casual", "of Madrid")
        assert r.asked.pairs == [("es", "en")]
        await pilot.press("p")
        assert (r.engine.params.source, r.engine.params.target) == ("en", "es")


async def test_auto_is_swapped_for_what_was_detected_last() -> None:
    r = rig(status={"params": SessionParams(source="auto", target="en", target_label="casual")})
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        assert not [i for i in r.engine.intents if isinstance(i, ChangeSession)]
        assert "nothing to swap" in text_of(r.app.main.notices)
        heard = line(1, "Bonjour.", "Hello.", source="auto", target="en")
        found = replace(heard.segments[0], detected_language="fr")
        r.engine.put(replace(heard, segments=(found,)), line(2, "", "", source="auto", target="en"))
        for number, code in enumerate(("en-US", "und", "en"), start=3):  # the target itself, or no language
            other = line(number, "Hi.", "Hi.", source="auto", target="en")
            r.engine.put(replace(other, segments=(replace(other.segments[0], detected_language=code),)))
        await pilot.press("s")
        assert (r.engine.params.source, r.engine.params.target) == ("en", "fr")
        assert (r.engine.params.source_label, r.engine.params.target_label) == ("casual", "")


async def test_the_engines_own_change_of_parameters_is_built_upon() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.set_status(params=replace(r.engine.params, voice=Voice.FEMALE, text_only=True))
        await pilot.press("s")
        assert r.engine.params == SessionParams(source="es", target="en", voice=Voice.FEMALE, text_only=True)


async def test_speech_that_a_language_took_away_comes_back_with_another() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.set_status(params=replace(r.engine.params, text_only=True))
        await pilot.press("s")
        assert r.engine.params == SessionParams(source="es", target="en", text_only=False)


async def test_escape_closes_the_search_before_it_throws_words_away() -> None:
    r = rig()
    r.engine.put(line(1, "A table, please.", "Una mesa, por favor."))
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.set_status(word=StateWord.TALKING, talking_since=monotonic(), is_latched=True)
        await pilot.press("slash", "t")
        await pilot.pause(0.1)
        assert "Tab, then space ends it" in text_of(r.app.main.talk_bar)
        await pilot.press("escape")
        assert not r.app.main.search_bar.is_open
        assert ("escape",) not in [call[:1] for call in r.hold.calls]
        await pilot.press("escape")
        assert "escape" in [call[0] for call in r.hold.calls]


@pytest.mark.parametrize("key", ["d", "question_mark"])
async def test_where_there_is_only_something_to_look_at_the_talk_key_ends_what_was_begun(key: str) -> None:
    r = rig()
    r.engine.put(line(1, "A table, please.", "Una mesa, por favor."))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert not r.hold.armed
        r.engine.set_status(word=StateWord.TALKING, talking_since=monotonic(), is_latched=True)
        await pilot.pause()
        assert r.hold.armed
        r.engine.set_status(word=StateWord.READY, talking_since=None, is_latched=False)
        await pilot.pause()
        assert not r.hold.armed


async def test_an_error_does_not_promise_escape_while_somebody_talks() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.notice(Severity.ERROR, "There is no microphone.", "Plug one in.")
        await pilot.pause()
        assert "Esc closes" in text_of(r.app.main.notices)
        r.engine.set_status(talking_since=monotonic())
        await pilot.pause(0.1)
        assert "Esc closes" not in text_of(r.app.main.notices)


async def test_lines_are_copied_saved_starred() -> None:
    r = rig()
    r.engine.transcript.utterances.extend([line(1, "One.", "Uno."), line(2, "Two.", "Dos.")])
    r.engine.speech[2] = b"abcd"
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("c", "o", "b", "a", "asterisk")
        await pilot.pause()
        assert r.asked.copied == ["Dos.", "Two.", "Two.\nDos."]
        assert r.asked.wavs == [(2, b"abcd")]
        assert r.asked.stars == [(2, True)]
        await pilot.press("up", "c", "r")
        await pilot.pause()
        assert r.asked.copied[-1] == "Uno."
        assert "no speech" in text_of(r.app.main.notices)
        r.asked.refuses = PinchError("No clipboard tool was found.", "Install xclip.")
        await pilot.press("c")
        await pilot.pause()
        assert "Install xclip." in text_of(r.app.main.notices)


async def test_the_big_view_grows_with_the_words() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.put(line(1, "Where is it?", "", state=UtteranceState.WAITING))
        await pilot.press("v")
        await pilot.pause()
        big = r.app.screen
        assert isinstance(big, BigView) and r.hold.armed
        assert (big.far._text, big.near._text) == ("", "Where is it?")
        r.engine.put(line(1, "Where is it?", "¿Dónde está?"))
        await until(pilot, lambda: big.far._text == "¿Dónde está?")
        await pilot.press("escape")
        r.engine.put(line(1, "Where is it?", "¿Dónde está eso?"))
        await until(pilot, lambda: r.app._face.actions.table_view is None)
        assert len(r.app.screen_stack) == 1


async def test_the_big_view_draws_both_languages_as_such() -> None:
    asked: list[Request] = []

    def draw(request: Request) -> Picture:
        asked.append(request)
        return Picture(("drawn",))

    r = rig(draw_large=draw)
    async with r.app.run_test(size=SIZE) as pilot:
        said = line(1, "Where is it?", "どこですか")
        r.engine.put(replace(said, segments=(replace(said.segments[0], target_language="ja"),)))
        await pilot.press("v")
        await until(pilot, lambda: r.app.screen.query_one(BigText).can_turn)
        assert {(one.text, one.language) for one in asked} == {("どこですか", "ja"), ("Where is it?", "en")}


async def test_an_empty_conversation_says_so() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("r", "c", "v", "e", "asterisk", "a")
        assert "There are no lines yet." in text_of(r.app.main.notices)
        assert len(r.app.screen_stack) == 1


async def test_the_search_line_follows_new_lines_and_the_selection() -> None:
    r = rig()
    r.engine.transcript.utterances += [line(n, f"Apple {n}", f"Manzana {n}") for n in range(1, 6)]
    async with r.app.run_test(size=SIZE) as pilot:
        found = r.app.main.search_bar.query_one("#found")
        await pilot.press("slash", *"appl")
        await until(pilot, lambda: "line 5 of 5" in text_of(found))
        r.engine.put(*(line(n, f"Apple {n}", f"Manzana {n}") for n in range(6, 10)))
        await until(pilot, lambda: "line 9 of 9" in text_of(found))
        r.engine.put(line(9, "Pear 9", "Pera 9"))
        await until(pilot, lambda: " 8 found" in text_of(found))
        r.app.main.lines.select(2)
        await until(pilot, lambda: "line 2 of 8" in text_of(found))
        await pilot.press("e")
        await until(pilot, lambda: "line 2 of 8" in text_of(found))
        r.engine.put(line(10, "Apple 10", ""))
        await until(pilot, lambda: "line 2 of 9" in text_of(found))
        await pilot.press(*"xyz")
        await until(pilot, lambda: "nothing found" in text_of(found))


async def test_searching_finds_and_steps() -> None:
    r = rig()
    r.engine.transcript.utterances.extend([line(n, f"Table {n}.", "Mesa.") for n in range(1, 6)])
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", *"table")
        assert r.app.main.lines.cursor == 5
        await pilot.press("enter")
        assert r.app.main.lines.cursor == 4
        await pilot.press("down")
        assert r.app.main.lines.cursor == 5
        assert "5 of 5" in text_of(r.app.main.search_bar.query_one("#found"))
        await pilot.press("escape")
        assert not r.app.main.search_bar.display


async def test_a_click_on_the_footer_runs_its_action() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        at = text_of(r.app.main.footer).index("swap")
        await pilot.click(r.app.main.footer, offset=(at, 0))
        assert r.engine.params.source == "es"


async def test_the_palette_runs_actions() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+p", *"swap lang")
        commands = r.app.screen.query_one(CommandList)
        await until(pilot, lambda: commands.option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: r.engine.params.source == "es")


async def test_themes_go_round_and_are_remembered() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("f2")
        assert r.app.theme == "pinch-light" == r.asked.kept["theme"]
        await pilot.press("f2", "f2")
        assert r.app.theme == "pinch-dark"


# ---- leaving ------------------------------------------------------------------------------------------------------


async def test_ctrl_q_drains_and_leaves_with_zero() -> None:
    r = rig(stops_on_quit=False)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("comma")
        await pilot.press("ctrl+q")
        assert r.engine.intents[-1] == Quit(drain=True)
        assert ("end", TalkSource.QUIT) in r.hold.calls
        assert len(r.app.screen_stack) == 1 and not r.hold.armed
        r.engine.set_status(draining_until=102.5)
        await until(pilot, lambda: "leaving in 3 s" in text_of(r.app.main.talk_bar))
        await pilot.press("ctrl+q")
        assert r.engine.intents.count(Quit(drain=True)) == 1
        r.engine.stop()
        await pilot.pause()
    assert r.app.return_value == AppExit(0)


async def test_the_second_ctrl_c_leaves_at_once() -> None:
    r = rig(stops_on_quit=False)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", "ctrl+c")
        assert r.engine.intents[-1] == Quit(drain=True)
        assert r.app.is_running
        await pilot.press("ctrl+c")
        assert r.engine.intents[-1] == Quit(drain=False)
    assert r.app.return_value == AppExit(130)
    assert r.app.return_code == 130


async def test_a_signal_drains() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.asked.signal()
        await pilot.pause()
        assert Quit(drain=True) in r.engine.intents
    assert r.app.return_value == AppExit(130)


async def test_a_hang_up_that_is_told_twice_is_one() -> None:
    r = rig(stops_on_quit=False)
    async with r.app.run_test(size=SIZE) as pilot:
        r.asked.hang_up()  # the signal,
        r.hold.on_hang_up()  # and the end of the input
        await pilot.pause()
        assert r.engine.intents[-1] == Quit(drain=True)
        assert r.app.is_running
        r.asked.signal()
        await pilot.pause()
        assert r.engine.intents[-1] == Quit(drain=False)
    assert r.app.return_value == AppExit(130)


async def test_an_engine_that_ends_by_itself_ends_the_app() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.stop()
        await pilot.pause()
    assert r.app.return_value == AppExit(0)


async def test_a_crash_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    r = rig(settings=STILL)

    def crash() -> None:
        secret = "hunter2-canary"
        raise ValueError(len(secret))

    with pytest.raises(ValueError, match="14"):
        async with r.app.run_test(size=SIZE) as pilot:
            r.app.call_later(crash)
            await until(pilot, lambda: r.app._exception is not None)
    r.app._print_error_renderables()
    out = capsys.readouterr()
    assert "ValueError" in out.out + out.err
    assert "secret =" not in (out.out + out.err).replace('secret = "hunter2-canary"', "")


async def test_repeated_facts_cost_no_repaint() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = r.app.main.talk_bar._drawn
        r.app._face._painting._next = float("-inf")
        r.engine.say(StatusChanged(r.engine.status))
        await pilot.pause()
        assert r.app.main.talk_bar._drawn is before


# ---- with the real talk key ---------------------------------------------------------------------------------------


async def test_the_real_talk_key_works_under_a_stock_driver() -> None:
    engine = FakeEngine()
    hold = HoldInput(TalkSettings(probe=False, mode=TalkMode.TAP), engine.talk)
    app = PinchApp(engine, hold, services(Asked()), STILL)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space")
        assert [edge.kind for edge in engine.edges][:1] == [EdgeKind.START]
        await pilot.press("l", "x", "space")
        assert app.screen.query_one("Input", Input).value == "x "
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert engine.edges[-1].kind is EdgeKind.COMMIT
    assert not hold.is_active


async def test_the_mouse_is_an_exact_hold_with_the_real_talk_key() -> None:
    engine = FakeEngine()
    hold = HoldInput(TalkSettings(probe=False), engine.talk)
    app = PinchApp(engine, hold, services(Asked()), STILL)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.mouse_down(app.main.talk_bar)
        began = monotonic()
        await until(pilot, lambda: monotonic() > began + 0.35)  # longer than a tap
        await pilot.mouse_up(app.main.header)
        await pilot.pause()
        assert [(edge.kind, edge.source) for edge in engine.edges] == [
            (EdgeKind.START, TalkSource.MOUSE),
            (EdgeKind.COMMIT, TalkSource.MOUSE),
        ]


# ---- odd places ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(12, 4), (40, 10), (200, 60)])
async def test_every_panel_opens_at_every_size(size: tuple[int, int]) -> None:
    r = rig(status={"service": PRACTICE})
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    async with r.app.run_test(size=size) as pilot:
        for key in ("l", "comma", "d", "question_mark", "f3", "e", "v"):
            await pilot.press(key)
            await pilot.pause()
            assert len(r.app.screen_stack) == 2
            await pilot.press("escape")
            await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "quit" in text_of(r.app.main.footer)


async def test_an_engine_that_cannot_run_ends_with_its_sentence_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    r = rig()

    async def run() -> None:
        raise AudioError("PortAudio [b]is missing.", "Install it.")

    r.engine.run = run  # type: ignore[method-assign]
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
    assert r.app.return_value == AppExit(4)
    assert "PortAudio [b]is missing. Install it." in capsys.readouterr().err


async def test_the_palette_has_what_has_no_key() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE):
        r.app.action_do("text_only")
        r.app.action_do("voice")
        assert r.engine.params == SessionParams(text_only=True, voice=Voice.FEMALE)


async def test_a_suspend_closes_the_microphone_first_and_a_resume_paints_all(monkeypatch: pytest.MonkeyPatch) -> None:
    r = rig()
    order: list[str] = []
    monkeypatch.setattr(r.app, "action_suspend_process", lambda: order.append("stopped"))
    async with r.app.run_test(size=SIZE) as pilot:
        r.engine.set_status(mic=MicState.OPEN)
        await pilot.press("ctrl+z")
        assert ("end", TalkSource.QUIT) in r.hold.calls
        await until(pilot, lambda: r.engine.intents[-1] == Foreground(False))
        await pilot.pause(0.1)
        assert order == []
        r.engine.set_status(mic=MicState.CLOSED)
        await until(pilot, lambda: order == ["stopped"])
        r.app.app_resume_signal.publish(r.app)
        await pilot.pause()
        assert r.engine.intents[-2:] == [Foreground(True), TerminalFocusChanged(True, known=False)]


async def test_what_was_said_of_the_empty_conversation_goes_with_the_first_words() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("v")
        assert r.app.main.notices.current is not None
        r.engine.put(line(1, "Hello", "", state=UtteranceState.TALKING))
        await pilot.pause()
        assert r.app.main.notices.current is None


async def test_the_terminals_answer_about_widths_is_used() -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "नमस्ते", "हिन्दी"))
    async with r.app.run_test(size=SIZE) as pilot:
        with patch.object(r.app.main.lines, "set_look") as set_look:
            r.app.post_message(events.CursorPosition(7, 0))
            r.app.post_message(events.CursorPosition(5, 3))
            r.app.post_message(events.CursorPosition(4, 0))
            await pilot.pause()
        set_look.assert_called_once_with(widths=Widths.CAPPED)


async def test_a_page_takes_the_selection_along() -> None:
    r = rig()
    r.engine.transcript.utterances.extend(line(n, f"Line {n}.", f"Línea {n}.") for n in range(1, 80))
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        first = r.app.main.lines.cursor
        assert first is not None and first < 79
        await pilot.press("pagedown", "pagedown")
        assert r.app.main.lines.cursor == 79 and r.app.main.lines.is_following
