"""Every broken environment has its own sentence, its cure and its exit code."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.devices.choice import Device, DeviceList
from pinch_tui.core.events import FRAME_S, FRAME_SAMPLES, Frame
from pinch_tui.core.sound import MicOpened, SpeakerOpened
from pinch_tui.diagnose.checks import machine, sound, terminal
from pinch_tui.diagnose.checks.terminal import Screen
from pinch_tui.diagnose.finding import Finding, Verdict, exit_code, fail, ok, skip, warn
from pinch_tui.diagnose.sound import Capture, Played
from pinch_tui.diagnose.tty import KeyAnswer
from pinch_tui.errors import AudioError, ConfigError

TERMINAL = Screen(
    True,
    True,
    True,
    120,
    40,
    "utf-8",
    "Linux",
    {"TERM": "xterm-kitty", "COLORTERM": "truecolor"},
    KeyAnswer(27, True, 20),
)
MIC = Device("Built-in", "ALSA", 0, 1, 48_000, is_default=True)
DEVICES = DeviceList((MIC,), (Device("Speakers", "ALSA", 1, 2, 44_100, is_default=True),))


def frames(n: int = 50, *, peak: float = 0.1, n_clipped: int = 0) -> list[Frame]:
    """A second of a square wave with this peak, and frames that were clipped before they were resampled."""
    high = round(peak * 32_768)
    pcm = array("h", [min(high, 32_767), -high] * (FRAME_SAMPLES // 2)).tobytes()
    return [Frame(pcm, i, 0.07 + i * FRAME_S, peak=1.0 if i < n_clipped else 0.0) for i in range(n)]


CAPTURED = Capture(MicOpened("Built-in", 48_000, 0.0), frames=frames())
PLAYED = Played(9600, SpeakerOpened("Speakers", 48_000), samples=9600, has_ended=True)
BUSY = AudioError("The microphone is busy.", "Close the program that is using it.", code=-9985)


def listening(**changes: object) -> Finding:
    return sound.check_microphone(replace(CAPTURED, **changes), "Linux")  # type: ignore[arg-type]


BROKEN: dict[str, tuple[Callable[[], Finding], Verdict, int, str]] = {
    "old Python": (
        lambda: machine.check_python((3, 9, 2), "CPython"),
        Verdict.FAIL,
        2,
        "3.9.2 is too old",
    ),
    "another Python": (
        lambda: machine.check_python((3, 12, 1), "PyPy"),
        Verdict.WARN,
        0,
        "PyPy 3.12.1 is not tested",
    ),
    "another system": (
        lambda: machine.check_platform("SunOS", "6.1", "x86_64"),
        Verdict.WARN,
        0,
        "SunOS is not",
    ),
    "missing package": (
        lambda: machine.check_packages({"numpy": None}, {}),
        Verdict.FAIL,
        2,
        "missing: numpy",
    ),
    "another Textual": (
        lambda: machine.check_packages({"textual": "9.0"}, {"textual": "8.2.8"}),
        Verdict.WARN,
        0,
        "should be 8.2.8",
    ),
    "bad config": (
        lambda: machine.check_config(
            "c.toml", exists=True, error=ConfigError("c.toml, line 3: no such key.", "Meant x?")
        ),
        Verdict.FAIL,
        2,
        "line 3",
    ),
    "readable config": (
        lambda: machine.check_config(
            "c.toml", exists=True, warnings=("c.toml holds the API key and others may read it.",)
        ),
        Verdict.WARN,
        0,
        "others may read it",
    ),
    "locked folder": (
        lambda: machine.check_files({"/home/me/history": "permission denied"}),
        Verdict.WARN,
        0,
        "/home/me/history (permission denied)",
    ),
    "no key": (lambda: machine.check_key(""), Verdict.WARN, 0, "There is no API key"),
    "locked keyring": (
        lambda: machine.check_key("key file", ("The keyring was skipped: locked.",)),
        Verdict.WARN,
        0,
        "was skipped",
    ),
    "no TTY": (lambda: terminal.check_terminal(replace(TERMINAL, has_terminal=False)), Verdict.WARN, 0, "no TTY"),
    "dumb": (lambda: terminal.check_terminal(replace(TERMINAL, env={"TERM": "dumb"})), Verdict.WARN, 0, "TERM=dumb"),
    "no TERM": (lambda: terminal.check_terminal(replace(TERMINAL, env={})), Verdict.WARN, 0, "TERM is not set"),
    "small window": (lambda: terminal.check_size(replace(TERMINAL, columns=50)), Verdict.WARN, 0, "50x40"),
    "Latin-1": (
        lambda: terminal.check_encoding(replace(TERMINAL, encoding="ISO-8859-1")),
        Verdict.WARN,
        0,
        "ISO-8859-1",
    ),
    "few colours": (
        lambda: terminal.check_colours(replace(TERMINAL, env={"TERM": "linux"})),
        Verdict.WARN,
        0,
        "16 colours",
    ),
    "legacy keys": (
        lambda: terminal.check_hold(replace(TERMINAL, answer=KeyAnswer(None, True))),
        Verdict.WARN,
        0,
        "does not report",
    ),
    "silent terminal": (
        lambda: terminal.check_hold(replace(TERMINAL, answer=KeyAnswer(None, False))),
        Verdict.WARN,
        0,
        "did not answer",
    ),
    "keys switched off": (
        lambda: terminal.check_hold(replace(TERMINAL, env={**TERMINAL.env, "TEXTUAL_DISABLE_KITTY_KEY": "1"})),
        Verdict.WARN,
        0,
        "TEXTUAL_DISABLE_KITTY_KEY",
    ),
    "no PortAudio": (
        lambda: sound.check_portaudio(
            AudioError("No sound: the PortAudio library is missing.", "Run: sudo apt install x")
        ),
        Verdict.FAIL,
        4,
        "PortAudio library is missing",
    ),
    "no device": (lambda: sound.check_devices(DeviceList()), Verdict.FAIL, 4, "No sound device"),
    "no microphone": (
        lambda: sound.check_devices(replace(DEVICES, inputs=())),
        Verdict.FAIL,
        4,
        "No microphone was found",
    ),
    "no loudspeaker": (lambda: sound.check_devices(replace(DEVICES, outputs=())), Verdict.WARN, 0, "No loudspeaker"),
    "device list fails": (
        lambda: sound.check_devices(DeviceList(error=AudioError("The sound system hangs."))),
        Verdict.FAIL,
        4,
        "hangs",
    ),
    "gone device": (
        lambda: sound.check_devices(DEVICES, ("USB Mic", "")),
        Verdict.WARN,
        0,
        "'USB Mic' is not connected",
    ),
    "busy microphone": (
        lambda: listening(error=BUSY),
        Verdict.FAIL,
        4,
        "microphone is busy",
    ),
    "busy loudspeaker": (
        lambda: sound.check_speaker(Played(1, error=AudioError("The loudspeaker is busy."))),
        Verdict.FAIL,
        4,
        "loudspeaker is busy",
    ),
    "unknown sound error": (
        lambda: listening(error=AudioError("The microphone cannot do that.")),
        Verdict.FAIL,
        4,
        "cannot do that",
    ),
    "dead microphone": (lambda: listening(frames=[]), Verdict.FAIL, 4, "no sound came"),
    "muted": (
        lambda: listening(frames=frames(peak=0.0)),
        Verdict.WARN,
        0,
        "muted, or no permission",
    ),
    "quiet": (lambda: listening(frames=frames(peak=0.0005)), Verdict.WARN, 0, "very quiet (-66 dBFS"),
    "clipped": (lambda: listening(frames=frames(n_clipped=20)), Verdict.WARN, 0, "20 of 50 frames"),
    "other microphone": (
        lambda: listening(opened=MicOpened("Built-in", 48_000, 0.0, is_substitute=True)),
        Verdict.WARN,
        0,
        "Built-in was used instead",
    ),
    "deaf loudspeaker": (
        lambda: sound.check_speaker(replace(PLAYED, has_ended=False, samples=0)),
        Verdict.FAIL,
        4,
        "did not accept the sound",
    ),
    "other loudspeaker": (
        lambda: sound.check_speaker(replace(PLAYED, opened=SpeakerOpened("Speakers", 48_000, is_substitute=True))),
        Verdict.WARN,
        0,
        "Speakers was used instead",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_environment_is_told_apart(name: str) -> None:
    check, verdict, code, words = BROKEN[name]
    finding = check()
    assert finding.verdict is verdict
    assert finding.exit_code == code
    assert words in finding.sentence
    assert finding.cure


def test_no_two_of_them_share_a_sentence() -> None:
    sentences = [check().sentence for check, *_ in BROKEN.values()]
    assert len(set(sentences)) == len(sentences)


HEALTHY: list[Callable[[], Finding]] = [
    *(lambda finding=finding: finding for finding in machine.machine()),
    lambda: machine.check_config("c.toml", exists=True),
    lambda: machine.check_config("c.toml", exists=False),
    lambda: machine.check_key("keyring"),
    lambda: machine.check_files({}),
    lambda: machine.check_key("practice", service="practice"),
    *(lambda finding=finding: finding for finding in terminal.checks(TERMINAL)),
    lambda: terminal.check_hold(replace(TERMINAL, answer=KeyAnswer(None, True), probe="the X server")),
    lambda: terminal.check_hold(replace(TERMINAL, answer=None, probe="Windows", system="Windows", env={})),
    lambda: sound.check_portaudio(None),
    lambda: sound.check_devices(DEVICES, ("built", "1")),
    listening,
    lambda: sound.check_speaker(PLAYED),
]


@pytest.mark.parametrize("number", range(len(HEALTHY)))
def test_what_is_healthy_is_ok(number: int) -> None:
    finding = HEALTHY[number]()
    assert finding.verdict is Verdict.OK
    assert finding.exit_code == 0


SKIPPED: list[Callable[[], Finding]] = [
    lambda: machine.check_key(None),
    lambda: terminal.check_size(replace(TERMINAL, has_terminal=False)),
    lambda: terminal.check_colours(replace(TERMINAL, has_terminal=False)),
    lambda: terminal.check_hold(replace(TERMINAL, has_terminal=False)),
    lambda: terminal.check_hold(replace(TERMINAL, env={"TERM": "dumb"})),
    lambda: terminal.check_hold(replace(TERMINAL, answer=None)),
    lambda: sound.check_devices(None),
    lambda: sound.check_microphone(None, "Linux"),
    lambda: sound.check_speaker(None),
]


@pytest.mark.parametrize("number", range(len(SKIPPED)))
def test_what_has_no_ground_is_skipped_and_says_why(number: int) -> None:
    finding = SKIPPED[number]()
    assert finding.verdict is Verdict.SKIP
    assert finding.sentence


def test_exit_code_is_that_of_the_first_failure() -> None:
    findings = [ok("a", "x"), warn("b", "x", "y"), skip("c", "x"), fail("d", 4, "x", "y"), fail("e", 3, "x", "y")]
    assert exit_code(findings) == 4
    assert exit_code(findings[:3]) == 0


def test_the_terminal_over_ssh_has_no_probe() -> None:
    remote = replace(
        TERMINAL, env={**TERMINAL.env, "SSH_TTY": "/dev/pts/1", "TMUX": "x"}, answer=KeyAnswer(None, True), probe="X"
    )
    assert terminal.check_hold(remote).facts["method"] == "learned"
    assert "Outside tmux" in terminal.check_hold(remote).cure
    assert "inside tmux over SSH" in terminal.check_terminal(remote).sentence


@pytest.mark.parametrize(
    ("env", "n"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 1 << 24),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm-direct"}, 1 << 24),
        ({"TERM": "xterm"}, 16),
        ({"TERM": "vt100"}, 2),
        ({"WT_SESSION": "1"}, 1 << 24),
    ],
)
def test_colours_are_counted(env: dict[str, str], n: int) -> None:
    assert terminal.n_colours(replace(TERMINAL, env=env)) == n


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_names_from_outside_cannot_paint(name: str) -> None:
    findings = [
        listening(opened=MicOpened(name, 48_000, 0.0)),
        sound.check_devices(DEVICES, ("", name + "x")),
        terminal.check_terminal(replace(TERMINAL, env={"TERM": name or "x", "TERM_PROGRAM": name})),
    ]
    for finding in findings:
        for text in (finding.sentence, finding.cure):
            assert "\x1b" not in text
            assert "\n" not in text
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in text)


def test_the_resampler_is_named_where_it_is_not_the_usual_one() -> None:
    usual, other = (machine.check_packages({}, {}, has_soxr=has_soxr) for has_soxr in (True, False))
    assert "soxr" not in usual.sentence and "Without soxr, numpy resamples the sound." in other.sentence
    assert (usual.facts["resampler"], other.facts["resampler"]) == ("soxr", "numpy")
