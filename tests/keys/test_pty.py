"""The whole chain in a pseudo-terminal: driver, threads, signals, and what the terminal is left with."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.keys.flavours import FLAVOURS, RIG, check_hold, holds_in_each_terminal
from tests.keys.pty_app import SAMPLE, PtyApp

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX thing"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    if not RIG.exists():
        pytest.skip(f"no rig at {RIG}")
    env = {**os.environ, "PINCH_TUI_TALK__PROBE": "false"}
    command = [sys.executable, str(SAMPLE), "{log}"]
    return holds_in_each_terminal(command, env, tmp_path_factory.mktemp("flavours"))


@pytest.mark.xdist_group("the sample app's holds")  # one run serves them all
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_start_and_one_stop_in_each_kind_of_terminal(flavour: str, runs: dict[str, tuple[int, str]]) -> None:
    check_hold(flavour, *runs[flavour])


PRESS, REPEAT, RELEASE = "\x1b[32;;32u", "\x1b[32;1:2;32u", "\x1b[32;1:3u"


def test_typing_works_as_before(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type("\x1b[9u\x1b[9;1:3u")  # Tab focuses the field
        typed = "Hello, World é 你"
        for character in typed:
            app.type(f"\x1b[{ord(character.lower())};1:1;{ord(character)}u\x1b[{ord(character.lower())};1:3u", 0)
        app.type("\x1b[0;;20320:22909u")
        assert app.texts()[-1] == typed + "你好"
        for _ in range(3):
            app.type("\x1b[127;1:2u", 0)
        app.type("\x1b[127;1:3u")
        assert app.texts()[-1] == typed[:-1]
        app.type("\x1b[1;1:1D\x1b[1;1:3D")
        app.type("\x1b[120;1:1;120u\x1b[120;1:3u")
        assert app.texts()[-1] == typed[:-2] + "x" + typed[-2:-1]
        app.type("\x1b[200~ pasted  text \x1b[201~")
        assert " pasted  text " in app.texts()[-1]
        assert app.talk() == []


def test_spaces_in_a_field_stay_spaces_without_the_protocol(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log", answers=False) as app:
        app.type("\t")
        app.type("a b  c")
        assert app.texts()[-1] == "a b  c"
        assert app.talk() == []


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type(
            b"\xff\xfe\x80\x1b[99999999;1;99999999u\x1b[32;1:7u\x1b[M\xff\xff\xff\x1b[48;0;0;0;0t\x1b[<0;1;1M", 0.5
        )
        app.type("\x1b[<0;1;1m\x1b[O\x1b[I", 0.5)
        before = len(app.talk())
        app.type(PRESS)
        app.type(RELEASE, 0.3)
        assert "talk-start key" in app.talk()[before:]
        app.type("\x1b[113;5u", 1.0)
        assert os.WEXITSTATUS(app.wait_exit()) == 0


def test_a_blocked_loop_neither_delays_nor_fakes(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log", "--busy", "0.9") as app:
        pressed = time.monotonic()
        app.type(PRESS, 0.66)
        for _ in range(20):
            app.type(REPEAT, 0.035)
        released = time.monotonic()
        app.type(RELEASE, 0.5)
        assert app.talk() == ["talk-start key", "talk-stop key"]
        start, stop = (event for event in app.events() if event["kind"].startswith("talk-"))
        assert start["told"] - pressed < 0.15
        assert 0.03 < stop["told"] - released < 0.25


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_clean_terminal(number: signal.Signals, tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type(PRESS, 0.4)
        os.kill(app.pid, number)
        app.wait_exit()
        assert app.talk() == ["talk-start key", "talk-stop quit"]
        assert app.is_clean()


@pytest.mark.parametrize("is_led", [False, True], ids=["by signal", "without a signal"])
def test_a_hang_up_ends_the_program(tmp_path: Path, is_led: bool) -> None:
    with PtyApp(tmp_path / "log", is_led=is_led) as app:
        app.type(PRESS, 0.4)
        app.hang_up()
        app.wait_exit()
        assert app.talk() == ["talk-start key", "talk-stop quit"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_suspended_ends_the_program(number: signal.Signals, tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        os.kill(app.pid, signal.SIGTSTP)
        app.pump(0.8)
        if number is signal.SIGHUP:
            app.hang_up()
        os.kill(app.pid, number)
        os.kill(app.pid, signal.SIGCONT)
        app.wait_exit()
        assert app.is_clean() or number is signal.SIGHUP


def test_quitting_with_the_key_held_leaves_a_clean_terminal(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type(PRESS, 0.4)
        app.type("\x1b[113;5u", 0)
        app.wait_exit()
        assert app.talk()[0] == "talk-start key"
        assert app.talk()[-1].startswith("talk-stop")
        assert app.is_clean()


def test_a_suspend_ends_the_hold_and_a_resume_asks_again(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type(PRESS, 0.4)
        os.kill(app.pid, signal.SIGTSTP)
        app.pump(0.8)
        assert app.talk() == ["talk-start key", "talk-stop quit"]
        assert app.is_clean()
        asked = app.output.count(b"\x1b[?u")
        os.kill(app.pid, signal.SIGCONT)
        app.pump(0.8)
        assert app.output.count(b"\x1b[?u") == asked + 1
        app.type(PRESS, 0.5)
        app.type(RELEASE, 0.3)
        assert app.talk()[2:] == ["talk-start key", "talk-stop key"]
        app.type("\x1b[113;5u", 0)
        app.wait_exit()
        assert app.is_clean()


def test_escape_wins_over_the_silence_of_the_key_that_it_cancels(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log", "--quiet-room", answers=False) as app:
        app.type(" ", 0.5)
        for _ in range(15):
            app.type(" ", 0.04)
        app.type("\x1b", 0.6)  # known to be the key only after a while, and the repeats have stopped
        assert app.talk() == ["talk-start key", "talk-cancel cancel"]


def test_the_protocol_can_be_switched_off(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "env", env={"TEXTUAL_DISABLE_KITTY_KEY": "1"}) as app:
        assert b"\x1b[>" not in app.output
        assert b"\x1b[?u" not in app.output
    with PtyApp(tmp_path / "setting", "--no-exact") as app:
        assert b"\x1b[>27u" not in app.output
        assert b"\x1b[?u" not in app.output


def test_a_bare_modifier_as_the_talk_key(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log", "--key", "right_alt") as app:
        app.type("\x1b[57449;4u", 0.5)
        app.type("\x1b[57449;1:3u", 0.3)
        assert app.talk() == ["talk-start key", "talk-stop key"]


def test_the_mouse(tmp_path: Path) -> None:
    with PtyApp(tmp_path / "log") as app:
        app.type("\x1b[<0;5;1M", 0.6)
        app.type("\x1b[<0;5;1m", 0.3)
        assert app.talk() == ["talk-start mouse", "talk-stop mouse"]


def test_what_was_learned_is_kept(tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    with PtyApp(tmp_path / "log", "--memory", str(memory), answers=False) as app:
        app.type(" ", 0.5)
        for _ in range(12):
            app.type(" ", 0.04)
        app.pump(0.8)
        assert app.talk()[-1] == "talk-stop gap"
        app.type("\x11", 0)
        app.wait_exit()
    assert '"delay_s"' in memory.read_text()
