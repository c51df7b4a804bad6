"""Players of macOS and Windows, with small programs that stand for osascript and PowerShell."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.audio.media import apple, windows
from pinch_tui.audio.media.apple import OSASCRIPT, ApplePlayers
from pinch_tui.audio.media.windows import SCRIPT, WindowsPlayers
from pinch_tui.core.choices import DUCKED, OtherSound
from pinch_tui.errors import AudioError

APPLE = """
import json, sys, time
path, *orders = sys.argv[1:]
state = json.load(open(path))
with open(path + ".log", "a") as log:
    for order in orders:
        verb, name, *volumes = order.split()
        app = state["apps"].get(name)
        if "hangs" in state:
            time.sleep(60)
        if "code" in state:
            sys.exit(state["code"])
        if app is None:
            continue
        if "error" in app:
            print(name, "failed", app["error"])
            continue
        if verb == "ask":
            print(name, app["state"], app["volume"])
            continue
        log.write(order + "\\n")
        if verb == "volume":
            app["volume"] = int(volumes[1])
        else:
            app["state"] = {"pause": "paused", "play": "playing"}[verb]
        print(name, "done")
json.dump(state, open(path, "w"))
"""

WINDOWS = """
import sys, time
path, how = sys.argv[1:]
log = open(path, "a", buffering=1)
log.write("start\\n")
for line in sys.stdin:
    number, word = line.split()
    log.write(word + "\\n")
    if how == "noise":
        sys.stdout.write("\\x1b[31mnoise\\n7\\n")
    if how == "ends":
        sys.exit(3)
    if how == "long":
        sys.stdout.write("x" * 200000)
    if how == "hangs":
        time.sleep(60)
    if how == "slow":
        time.sleep(0.1)
    print(number, "failed RuntimeException" if how == "fails" else "ok", end="\\r\\n", flush=True)
log.write("end\\n")
if how == "stays":
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The children of these tests share a machine with other tests."""
    monkeypatch.setattr(apple, "CALL_S", 20.0)
    monkeypatch.setattr(windows, "END_S", 20.0)


class Mac:
    """What runs on it, and what was ordered."""

    def __init__(self, folder: Path, **state: Any) -> None:
        self.path = folder / "state"
        self.path.write_text(json.dumps({"apps": {}, **state}))
        self.players = ApplePlayers([sys.executable, "-I", "-S", "-c", APPLE, str(self.path)])

    def volume(self, name: str) -> int:
        return int(json.loads(self.path.read_text())["apps"][name]["volume"])

    @property
    def log(self) -> list[str]:
        return Path(f"{self.path}.log").read_text().splitlines()


def app(state: str, volume: int = 60) -> dict[str, object]:
    return {"state": state, "volume": volume}


async def test_macos_pauses_what_plays_and_only_that_plays_again(tmp_path: Path) -> None:
    mac = Mac(tmp_path, apps={"Music": app("playing"), "Spotify": app("paused")})
    await mac.players.quiet(OtherSound.PAUSE)
    await mac.players.restore()
    await mac.players.restore()
    assert mac.log == ["pause Music", "play Music"]
    await mac.players.aclose()


async def test_macos_makes_it_quieter_and_louder_again(tmp_path: Path) -> None:
    mac = Mac(tmp_path, apps={"Music": app("playing", 0), "Spotify": app("playing", 60)})
    await mac.players.quiet(OtherSound.DUCK)
    assert mac.volume("Spotify") == round(60 * DUCKED)
    await mac.players.restore()
    assert mac.log == ["volume Spotify 60 18", "volume Spotify 18 60"]


async def test_macos_with_no_player_that_runs_is_left_alone(tmp_path: Path) -> None:
    mac = Mac(tmp_path)
    await mac.players.quiet(OtherSound.PAUSE)
    await mac.players.restore()
    assert mac.log == []


async def test_a_permission_that_macos_refuses_names_the_program_and_the_cure(tmp_path: Path) -> None:
    mac = Mac(tmp_path, apps={"Music": {"error": -1743}, "Spotify": app("playing")})
    with pytest.raises(AudioError, match="control Music") as refused:
        await mac.players.quiet(OtherSound.PAUSE)
    assert "Privacy & Security > Automation" in refused.value.hint
    assert mac.log == ["pause Spotify"]


async def test_a_program_that_ends_meanwhile_is_no_fault(tmp_path: Path) -> None:
    mac = Mac(tmp_path, apps={"Music": {"error": -600}})
    await mac.players.quiet(OtherSound.PAUSE)


async def test_a_permission_that_nobody_answers_is_left_until_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = Mac(tmp_path, hangs=True)
    monkeypatch.setattr(apple, "CALL_S", 0.05)
    await mac.players.quiet(OtherSound.PAUSE)
    first = mac.players._process
    assert first is not None
    assert first.returncode is None
    await mac.players.quiet(OtherSound.PAUSE)
    assert first.returncode == -9
    second = mac.players._process
    await mac.players.aclose()
    assert second is not None
    assert second.returncode == -9


async def test_an_osascript_that_fails_or_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as failed:
        await Mac(tmp_path, code=1).players.quiet(OtherSound.PAUSE)
    assert failed.value.hint == "(osascript: 1)"
    with pytest.raises(AudioError) as missing:
        await ApplePlayers([str(tmp_path / "nothing")]).quiet(OtherSound.PAUSE)
    assert missing.value.hint == "(FileNotFoundError)"


class Pc:
    def __init__(self, folder: Path, how: str = "") -> None:
        self.path = folder / "log"
        self.players = WindowsPlayers([sys.executable, "-I", "-S", "-c", WINDOWS, str(self.path), how])

    @property
    def log(self) -> list[str]:
        return self.path.read_text().split()


@pytest.mark.parametrize("how", ["", "noise"])
async def test_windows_asks_one_child_which_ends_with_its_pipe(tmp_path: Path, how: str) -> None:
    pc = Pc(tmp_path, how)
    await pc.players.restore()
    for _ in range(2):
        await pc.players.quiet(OtherSound.PAUSE)
        await pc.players.restore()
    await pc.players.aclose()
    assert pc.log == ["start", "pause", "play", "pause", "play", "end"]


async def test_windows_pauses_for_a_duck_and_says_so(tmp_path: Path) -> None:
    pc = Pc(tmp_path)
    with pytest.raises(AudioError, match="paused, not made quieter"):
        await pc.players.quiet(OtherSound.DUCK)
    await pc.players.aclose()
    assert pc.log == ["start", "pause", "end"]


async def test_a_request_that_was_given_up_is_done_before_the_next(tmp_path: Path) -> None:
    pc = Pc(tmp_path, "slow")
    await pc.players.quiet(OtherSound.PAUSE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await pc.players.quiet(OtherSound.PAUSE)
    await pc.players.restore()
    await pc.players.aclose()
    assert pc.log == ["start", "pause", "pause", "play", "end"]


async def test_a_child_that_hangs_is_replaced_and_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "ANSWER_S", 0.0)
    monkeypatch.setattr(windows, "END_S", 0.05)
    pc = Pc(tmp_path, "hangs")
    children = []
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await pc.players.quiet(OtherSound.PAUSE)
        children.append(pc.players._process)
    await pc.players.aclose()
    assert [child.returncode for child in children if child is not None] == [-9, -9]


async def test_a_child_that_does_not_end_with_its_pipe_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "END_S", 0.05)
    pc = Pc(tmp_path, "stays")
    await pc.players.quiet(OtherSound.PAUSE)
    child = pc.players._process
    await pc.players.aclose()
    assert child is not None
    assert child.returncode == -9


@pytest.mark.parametrize(
    ("how", "why"),
    [("fails", "RuntimeException"), ("ends", "EOFError"), ("long", "ValueError")],
)
async def test_a_child_that_fails_is_told_and_the_next_press_tries_again(tmp_path: Path, how: str, why: str) -> None:
    pc = Pc(tmp_path, how)
    for _ in range(2):
        with pytest.raises(AudioError) as failed:
            await pc.players.quiet(OtherSound.PAUSE)
        assert failed.value.hint == f"(PowerShell: {why})"
    await pc.players.aclose()


def test_the_commands_hold_fixed_scripts_alone_and_fit_the_command_line_of_windows() -> None:
    *options, encoded = windows.command()
    assert base64.b64decode(encoded).decode("utf-16-le") == SCRIPT
    assert options[1:] == ["-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand"]
    assert len(" ".join(windows.command())) < 32_000
    assert "$input" not in SCRIPT, "it would read all of stdin before the first line"
    assert OSASCRIPT[:4] == ("/usr/bin/osascript", "-l", "JavaScript", "-e")


async def test_children_get_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINCH_API_KEY", "pk_canary")
    path = tmp_path / "env"
    code = f"import os; open({str(path)!r}, 'w').write(repr(dict(os.environ)))"
    await ApplePlayers([sys.executable, "-S", "-c", code]).quiet(OtherSound.PAUSE)
    assert "pk_canary" not in path.read_text()
    assert "pk_canary" in os.environ["PINCH_API_KEY"]
