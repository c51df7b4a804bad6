"""Every broken environment has its own sentence, its cure and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.diagnose.checks import link, machine, service, sound, terminal
from pinch_tui.diagnose.facts import (
    ConfigFacts,
    DateFacts,
    DeviceFact,
    DevicesFacts,
    KeyAnswer,
    KeyFacts,
    MicFacts,
    NetProblem,
    SessionFacts,
    SpeakerFacts,
    StageFacts,
    SystemFacts,
    TalkFacts,
    Target,
    TerminalFacts,
)
from pinch_tui.diagnose.finding import Finding, Verdict, exit_code, fail, ok, skip, warn
from pinch_tui.errors import AllocationError, AudioError, ConfigError, CredentialError, LinkError

SYSTEM = SystemFacts(
    (3, 12, 1), "CPython", "Linux", "6.1", "x86_64", "0.1.0", {"textual": "8.2.8"}, {"textual": "8.2.8"}
)
TERMINAL = TerminalFacts(
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
MIC = DeviceFact("Built-in", 48_000, is_default=True)
DEVICES = DevicesFacts((MIC,), (DeviceFact("Speakers", 44_100, is_default=True),))
HEARD = MicFacts("Built-in", 48_000, frames=50, peak=0.1, rms=0.02, first_frame_ms=70)
PLAYED = SpeakerFacts("Speakers", 48_000, wanted=9600, played=9600, has_ended=True)
REAL = Target("ws.startpinch.com", 443, is_tls=True, is_loopback=False)
LOCAL = Target("127.0.0.1", 8765, is_tls=False, is_loopback=True)
PROXIED = replace(REAL, proxy_host="proxy.corp", proxy_port=3128, proxy_kind="http", proxy_from="HTTPS_PROXY")
GIVEN = SessionFacts(None, 200, "ss_1", "m1", 60, 120)
TALKED = TalkFacts(None, 40, 55, "ss_1", (12.0, 11.0, 14.0), has_taken_sound=True)


def refused(status: int) -> SessionFacts:
    if status in (401, 403):
        return SessionFacts(CredentialError("The app's words.", status=status), status)
    return SessionFacts(AllocationError("", status=status, retryable=False), status)


def stage(problem: NetProblem, detail: str = "") -> StageFacts:
    return StageFacts(problem, 10, detail)


BROKEN: dict[str, tuple[Callable[[], Finding], Verdict, int, str]] = {
    "old Python": (
        lambda: machine.check_python(replace(SYSTEM, python=(3, 9, 2))),
        Verdict.FAIL,
        2,
        "3.9.2 is too old",
    ),
    "another Python": (
        lambda: machine.check_python(replace(SYSTEM, implementation="PyPy")),
        Verdict.WARN,
        0,
        "PyPy 3.12.1 is not tested",
    ),
    "another system": (
        lambda: machine.check_platform(replace(SYSTEM, system="SunOS")),
        Verdict.WARN,
        0,
        "SunOS is not",
    ),
    "missing package": (
        lambda: machine.check_packages(replace(SYSTEM, installed={"numpy": None})),
        Verdict.FAIL,
        2,
        "missing: numpy",
    ),
    "another Textual": (
        lambda: machine.check_packages(replace(SYSTEM, installed={"textual": "9.0"})),
        Verdict.WARN,
        0,
        "should be 8.2.8",
    ),
    "bad config": (
        lambda: machine.check_config(
            ConfigFacts("c.toml", True, ConfigError("c.toml, line 3: no such key.", "Meant x?"))
        ),
        Verdict.FAIL,
        2,
        "line 3",
    ),
    "readable config": (
        lambda: machine.check_config(
            ConfigFacts("c.toml", True, warnings=("c.toml holds the API key and others may read it.",))
        ),
        Verdict.WARN,
        0,
        "others may read it",
    ),
    "no key": (lambda: machine.check_key(KeyFacts("")), Verdict.WARN, 0, "There is no API key"),
    "locked keyring": (
        lambda: machine.check_key(KeyFacts("key file", ("The keyring was left out: locked.",))),
        Verdict.WARN,
        0,
        "left out",
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
    "no device": (lambda: sound.check_devices(DevicesFacts()), Verdict.FAIL, 4, "No sound device"),
    "no microphone": (
        lambda: sound.check_devices(replace(DEVICES, inputs=())),
        Verdict.FAIL,
        4,
        "No microphone was found",
    ),
    "no loudspeaker": (lambda: sound.check_devices(replace(DEVICES, outputs=())), Verdict.WARN, 0, "No loudspeaker"),
    "device list fails": (
        lambda: sound.check_devices(DevicesFacts(error=AudioError("The sound system hangs."))),
        Verdict.FAIL,
        4,
        "hangs",
    ),
    "gone device": (
        lambda: sound.check_devices(replace(DEVICES, wanted_input="USB Mic")),
        Verdict.WARN,
        0,
        "'USB Mic' is not there",
    ),
    "busy microphone": (
        lambda: sound.check_microphone(MicFacts(error=AudioError("x"), code=-9985)),
        Verdict.FAIL,
        4,
        "microphone is busy",
    ),
    "busy loudspeaker": (
        lambda: sound.check_speaker(SpeakerFacts(error=AudioError("x"), code=-9985)),
        Verdict.FAIL,
        4,
        "loudspeaker is busy",
    ),
    "sound server gone": (
        lambda: sound.check_microphone(MicFacts(error=AudioError("x"), code=-9993)),
        Verdict.FAIL,
        4,
        "sound server is gone",
    ),
    "macOS permission": (
        lambda: sound.check_microphone(MicFacts(error=AudioError("x"), code=-9999, system="Darwin")),
        Verdict.FAIL,
        4,
        "does not let the microphone",
    ),
    "unknown sound error": (
        lambda: sound.check_microphone(MicFacts(error=AudioError("The microphone cannot do that.", "Choose another."))),
        Verdict.FAIL,
        4,
        "cannot do that",
    ),
    "dead microphone": (lambda: sound.check_microphone(replace(HEARD, frames=0)), Verdict.FAIL, 4, "no sound came"),
    "muted": (
        lambda: sound.check_microphone(replace(HEARD, zeros=50, peak=0)),
        Verdict.WARN,
        0,
        "muted, or no permission",
    ),
    "quiet": (lambda: sound.check_microphone(replace(HEARD, peak=0.0005)), Verdict.WARN, 0, "very quiet (-66 dBFS"),
    "clipped": (lambda: sound.check_microphone(replace(HEARD, clipped=20, peak=1)), Verdict.WARN, 0, "20 of 50 frames"),
    "other microphone": (
        lambda: sound.check_microphone(replace(HEARD, is_substitute=True)),
        Verdict.WARN,
        0,
        "Built-in was used instead",
    ),
    "deaf loudspeaker": (
        lambda: sound.check_speaker(replace(PLAYED, has_ended=False, played=0)),
        Verdict.FAIL,
        4,
        "did not take the sound",
    ),
    "other loudspeaker": (
        lambda: sound.check_speaker(replace(PLAYED, is_substitute=True)),
        Verdict.WARN,
        0,
        "Speakers was used instead",
    ),
    "unsafe address": (lambda: link.check_address(None, False), Verdict.FAIL, 2, "must be https"),
    "dead proxy": (
        lambda: link.check_proxy(PROXIED, stage(NetProblem.REFUSED)),
        Verdict.FAIL,
        5,
        "The proxy proxy.corp:3128 (HTTPS_PROXY) refuses connections",
    ),
    "proxy password": (
        lambda: link.check_proxy(PROXIED, stage(NetProblem.PROXY_AUTH, "407")),
        Verdict.FAIL,
        5,
        "password",
    ),
    "proxy refuses": (
        lambda: link.check_proxy(PROXIED, stage(NetProblem.PROXY_REFUSED, "403")),
        Verdict.FAIL,
        5,
        "does not let us through",
    ),
    "SOCKS proxy": (
        lambda: link.check_proxy(replace(PROXIED, proxy_kind="socks5"), None),
        Verdict.FAIL,
        5,
        "SOCKS",
    ),
    "no proxy at all": (
        lambda: link.check_proxy(replace(PROXIED, proxy_kind="nonsense"), None),
        Verdict.FAIL,
        5,
        "is no HTTP proxy",
    ),
    "no such name": (lambda: link.check_name(REAL, stage(NetProblem.NO_SUCH_NAME)), Verdict.FAIL, 5, "was not found"),
    "no name server": (lambda: link.check_name(REAL, stage(NetProblem.NO_RESOLVER)), Verdict.FAIL, 5, "no name server"),
    "slow name server": (
        lambda: link.check_name(REAL, stage(NetProblem.TIMEOUT)),
        Verdict.FAIL,
        5,
        "name server does not",
    ),
    "refused": (lambda: link.check_connection(REAL, stage(NetProblem.REFUSED)), Verdict.FAIL, 5, ":443 refuses"),
    "firewall": (lambda: link.check_connection(REAL, stage(NetProblem.TIMEOUT)), Verdict.FAIL, 5, "does not answer"),
    "no route": (lambda: link.check_connection(REAL, stage(NetProblem.UNREACHABLE)), Verdict.FAIL, 5, "no way to"),
    "certificate of tomorrow": (
        lambda: link.check_tls(REAL, stage(NetProblem.NOT_YET_VALID)),
        Verdict.FAIL,
        5,
        "not valid yet",
    ),
    "certificate of yesterday": (
        lambda: link.check_tls(REAL, stage(NetProblem.EXPIRED)),
        Verdict.FAIL,
        5,
        "has expired",
    ),
    "reading proxy": (
        lambda: link.check_tls(REAL, stage(NetProblem.UNTRUSTED)),
        Verdict.FAIL,
        5,
        "not signed by anybody",
    ),
    "login page": (
        lambda: link.check_tls(REAL, stage(NetProblem.WRONG_NAME)),
        Verdict.FAIL,
        5,
        "not for ws.startpinch.com",
    ),
    "no TLS": (lambda: link.check_tls(REAL, stage(NetProblem.NO_TLS)), Verdict.FAIL, 5, "does not speak TLS"),
    "clock 3 h ahead": (lambda: link.check_clock(DateFacts(0, 3 * 3600 + 60)), Verdict.FAIL, 5, "3 h 1 min ahead"),
    "clock 5 days behind": (lambda: link.check_clock(DateFacts(5 * 86_400, 0)), Verdict.FAIL, 5, "5 days behind"),
    "clock 5 min ahead": (lambda: link.check_clock(DateFacts(0, 300)), Verdict.WARN, 0, "5 min ahead"),
    "401": (lambda: service.check_session(refused(401), "", "keyring"), Verdict.FAIL, 3, "from: keyring (401)"),
    "403": (
        lambda: service.check_session(refused(403)),
        Verdict.FAIL,
        3,
        "not entitled to real-time translation (403)",
    ),
    "429": (lambda: service.check_session(refused(429)), Verdict.FAIL, 5, "(429)"),
    "503": (lambda: service.check_session(refused(503)), Verdict.FAIL, 5, "no free capacity (503)"),
    "500": (lambda: service.check_session(refused(500)), Verdict.FAIL, 5, "internal error (500)"),
    "302": (lambda: service.check_session(refused(302)), Verdict.FAIL, 5, "redirect (302)"),
    "422": (lambda: service.check_session(refused(422)), Verdict.FAIL, 5, "settings (422)"),
    "no answer": (
        lambda: service.check_session(
            SessionFacts(AllocationError("No answer.", "Wait; your words are kept.", status=None, retryable=True))
        ),
        Verdict.FAIL,
        5,
        "No answer.",
    ),
    "socket refused": (
        lambda: service.check_socket(TalkFacts(open_error=LinkError("The session's socket was refused (403)."))),
        Verdict.FAIL,
        5,
        "socket was refused",
    ),
    "never ready": (lambda: service.check_ready(TalkFacts(None, 40)), Verdict.FAIL, 5, "never said that it is ready"),
    "expired": (lambda: service.check_ready(TalkFacts(None, 40, close_code=4401)), Verdict.FAIL, 5, "(4401)"),
    "complaint": (
        lambda: service.check_ready(replace(TALKED, said="targetLanguage='xx' is not supported.")),
        Verdict.WARN,
        0,
        "targetLanguage='xx' is not supported",
    ),
    "closed on sound": (
        lambda: service.check_round_trip(replace(TALKED, close_code=4400), GIVEN),
        Verdict.FAIL,
        5,
        "(4400)",
    ),
    "nothing back": (
        lambda: service.check_round_trip(replace(TALKED, round_trips_ms=())),
        Verdict.FAIL,
        5,
        "Nothing came back",
    ),
    "far away": (
        lambda: service.check_round_trip(replace(TALKED, round_trips_ms=(900.0,))),
        Verdict.WARN,
        0,
        "900 ms",
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
    assert "your words are kept" not in finding.cure


def test_no_two_of_them_share_a_sentence() -> None:
    sentences = [check().sentence for check, *_ in BROKEN.values()]
    assert len(set(sentences)) == len(sentences)


HEALTHY: list[Callable[[], Finding]] = [
    lambda: machine.check_python(SYSTEM),
    lambda: machine.check_platform(SYSTEM),
    lambda: machine.check_packages(SYSTEM),
    lambda: machine.check_config(ConfigFacts("c.toml", True)),
    lambda: machine.check_config(ConfigFacts("c.toml", False)),
    lambda: machine.check_key(KeyFacts("keyring")),
    lambda: machine.check_key(KeyFacts("practice", is_practice=True)),
    lambda: terminal.check_terminal(TERMINAL),
    lambda: terminal.check_size(TERMINAL),
    lambda: terminal.check_encoding(TERMINAL),
    lambda: terminal.check_colours(TERMINAL),
    lambda: terminal.check_hold(TERMINAL),
    lambda: terminal.check_hold(replace(TERMINAL, answer=KeyAnswer(None, True), probe="the X server")),
    lambda: terminal.check_hold(replace(TERMINAL, answer=None, probe="Windows", system="Windows", env={})),
    lambda: sound.check_portaudio(None),
    lambda: sound.check_devices(DEVICES),
    lambda: sound.check_microphone(HEARD),
    lambda: sound.check_speaker(PLAYED),
    lambda: link.check_address(REAL, True),
    lambda: link.check_address(LOCAL, False),
    lambda: link.check_proxy(REAL, None),
    lambda: link.check_proxy(PROXIED, StageFacts()),
    lambda: link.check_name(REAL, StageFacts(detail="192.0.2.1")),
    lambda: link.check_connection(REAL, StageFacts()),
    lambda: link.check_tls(REAL, StageFacts(detail="TLSv1.3")),
    lambda: link.check_tls(LOCAL, None),
    lambda: link.check_clock(DateFacts(100, 101)),
    lambda: service.check_session(GIVEN),
    lambda: service.check_socket(TALKED),
    lambda: service.check_ready(TALKED),
    lambda: service.check_round_trip(TALKED, GIVEN),
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
    lambda: sound.check_microphone(None),
    lambda: sound.check_speaker(None),
    lambda: link.check_tls(REAL, None),
    lambda: link.check_clock(None),
    lambda: service.check_session(None),
    lambda: service.check_socket(None),
    lambda: service.check_ready(None),
    lambda: service.check_round_trip(None),
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
        sound.check_microphone(replace(HEARD, name=name)),
        sound.check_devices(replace(DEVICES, wanted_output=name + "x")),
        link.check_name(replace(REAL, host=name), stage(NetProblem.NO_SUCH_NAME)),
        service.check_ready(replace(TALKED, said=name)),
        terminal.check_terminal(replace(TERMINAL, env={"TERM": name or "x", "TERM_PROGRAM": name})),
    ]
    for finding in findings:
        for text in (finding.sentence, finding.cure):
            assert "\x1b" not in text
            assert "\n" not in text
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in text)


def test_a_name_that_is_not_found_asks_about_the_network_before_it_blames_the_address() -> None:
    gone = stage(NetProblem.NO_SUCH_NAME)
    ours = link.check_name(REAL, gone, True)
    assert "online" in ours.cure
    assert "api.base_url" not in ours.cure
    other = link.check_name(REAL, gone, False)
    assert other.cure.index("online") < other.cure.index("api.base_url")
