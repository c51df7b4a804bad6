"""The key-state probes: the X protocol against a server of our own, and where no probe is opened."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinch_tui.keys.probes import open_probe, x11
from pinch_tui.keys.probes.system import mac_probe, windows_probe
from pinch_tui.keys.probes.x11 import Display, X11Probe, cookie_in, keysym_of
from tests.keys.x_server import SPACE, FakeXServer

COOKIE = bytes(range(16))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXServer]:
    path = tmp_path / "X0"
    fake = FakeXServer(path, cookie=COOKIE)

    def connect(display: Display) -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(1.0)
        link.connect(str(path))
        return link

    monkeypatch.setattr(x11, "_connect", connect)
    yield fake
    fake.close()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    authority = tmp_path / "authority"
    authority.write_bytes(entry(256, socket.gethostname().encode(), b"7", COOKIE))
    return {"DISPLAY": ":7", "XAUTHORITY": str(authority)}


def entry(family: int, address: bytes, number: bytes, cookie: bytes, name: bytes = b"MIT-MAGIC-COOKIE-1") -> bytes:
    fields = [address, number, name, cookie]
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(text)) + text for text in fields)


def opened(key: str, env: dict[str, str]) -> X11Probe:
    probe = X11Probe.open(key, env)
    assert probe is not None
    return probe


class TestX11:
    def test_it_says_whether_the_key_is_down(self, server: FakeXServer, env: dict[str, str]) -> None:
        probe = opened("space", env)
        assert probe.is_down() is False
        server.down = {SPACE}
        assert probe.is_down() is True
        server.down = {SPACE + 1}
        assert probe.is_down() is False
        probe.close()

    def test_a_modifier_on_the_second_level_is_found(self, server: FakeXServer, env: dict[str, str]) -> None:
        probe = opened("right_alt", env)
        server.down = {108}
        assert probe.is_down() is True
        probe.close()

    def test_stray_events_are_skipped(self, server: FakeXServer, env: dict[str, str]) -> None:
        server.stray_events = 3
        server.down = {SPACE}
        probe = opened("space", env)
        assert probe.is_down() is True
        probe.close()

    def test_a_server_that_goes_away_gives_no_answer(self, server: FakeXServer, env: dict[str, str]) -> None:
        probe = opened("space", env)
        server.close()
        assert probe.is_down() is None
        assert probe.is_down() is None

    def test_a_server_that_hangs_gives_no_answer(self, server: FakeXServer, env: dict[str, str]) -> None:
        probe = opened("space", env)
        server.is_mute = True
        assert probe.is_down() is None

    def test_a_wrong_cookie_opens_nothing(self, server: FakeXServer, env: dict[str, str]) -> None:
        Path(env["XAUTHORITY"]).write_bytes(entry(256, b"elsewhere", b"7", b"x" * 16))
        assert X11Probe.open("space", env) is None

    def test_a_key_that_the_keyboard_lacks_opens_nothing(self, server: FakeXServer, env: dict[str, str]) -> None:
        assert X11Probe.open("f24", env) is None
        assert X11Probe.open("no_such_key", env) is None

    def test_no_display_opens_nothing(self) -> None:
        assert X11Probe.open("space", {}) is None
        assert X11Probe.open("space", {"DISPLAY": ":59534"}) is None


@pytest.mark.parametrize(
    ("text", "display"),
    [
        (":0", Display("", 0)),
        (":1.0", Display("", 1)),
        ("unix:2", Display("", 2)),
        ("localhost:10.0", Display("localhost", 10)),
        ("[::1]:3", Display("::1", 3)),
        ("", None),
        (":", None),
        (":x", None),
        (":99999", None),
        ("wayland-0", None),
    ],
)
def test_display_names(text: str, display: Display | None) -> None:
    assert Display.parse(text) == display


class TestCookies:
    def test_the_displays_own_is_preferred(self) -> None:
        data = entry(256, b"host", b"1", b"one") + entry(256, b"host", b"7", b"seven") + entry(0, b"\x7f", b"7", b"x")
        assert cookie_in(data, Display("", 7), b"host") == b"seven"

    def test_a_wildcard_counts(self) -> None:
        assert cookie_in(entry(65535, b"", b"", b"any"), Display("", 7), b"host") == b"any"

    def test_other_kinds_and_torn_files_give_none(self) -> None:
        assert cookie_in(entry(256, b"host", b"7", b"x", name=b"OTHER"), Display("", 7), b"host") == b""
        whole = entry(256, b"host", b"7", b"seven")
        for size in range(len(whole)):
            assert cookie_in(whole[:size], Display("", 7), b"host") == b""


def test_keysyms() -> None:
    assert keysym_of("space") == 0x20
    assert keysym_of("ctrl+t") == ord("t")
    assert keysym_of("f5") == 0xFFC2
    assert keysym_of("nothing") is None


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY"])
def test_over_ssh_nobody_is_asked(name: str) -> None:
    assert open_probe("space", {name: "1", "DISPLAY": ":0"}) is None


class FakeLibrary:
    """Stands in for a ctypes library with one function."""

    class Function:
        argtypes: object = None
        restype: object = None
        answer: int | bool = 0

        def __call__(self, *arguments: int) -> int | bool:
            self.arguments = arguments
            return self.answer

    def __init__(self) -> None:
        self.GetAsyncKeyState = self.CGEventSourceKeyState = self.Function()


def test_windows_reads_the_high_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    library, loaded = FakeLibrary(), []
    monkeypatch.setattr("ctypes.WinDLL", lambda name: loaded.append(name) or library, raising=False)
    probe = windows_probe("ctrl+space")
    assert probe is not None
    library.GetAsyncKeyState.answer = -32768
    assert probe.is_down() is True
    library.GetAsyncKeyState.answer = 1  # pressed since the last call, but not down
    assert probe.is_down() is False
    assert library.GetAsyncKeyState.arguments == (0x20,)
    assert loaded == ["user32"]  # functions of Windows have a calling convention of their own


def test_macos_asks_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeLibrary()
    monkeypatch.setattr("ctypes.CDLL", lambda _name: library)
    probe = mac_probe("space")
    assert probe is not None
    library.CGEventSourceKeyState.answer = True
    assert probe.is_down() is True
    assert library.CGEventSourceKeyState.arguments == (0, 49)


def test_no_library_no_probe() -> None:
    assert mac_probe("space") is None
    assert mac_probe("f99") is None
    assert windows_probe("no_such_key") is None
