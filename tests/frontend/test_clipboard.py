"""The ways to a clipboard, with programs that really run."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from pinch_tui.errors import PinchError
from pinch_tui.frontend.clipboard import OSC_LIMIT, Clipboard, osc52, safe, tools


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def keeper(folder: Path, name: str) -> Path:
    """A tool that writes what it is given into a file."""
    program(folder, name, f'cat > "{folder}/{name}.got"')
    return folder / f"{name}.got"


def env(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{folder}:/usr/bin:/bin", **more}


@pytest.mark.parametrize(
    ("more", "platform", "names"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({"DISPLAY": "localhost:10.0", "SSH_TTY": "/dev/pts/1"}, "linux", ["xclip", "xsel"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "SSH_CONNECTION": "1 2 3 4"}, "linux", []),
        ({}, "darwin", ["pbcopy"]),
        ({"SSH_TTY": "x"}, "darwin", []),
        ({}, "win32", ["clip.exe"]),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ["clip.exe"]),
        ({"TMUX": "/tmp/x,1,0", "DISPLAY": ":0"}, "linux", ["xclip", "xsel", "tmux"]),
        ({}, "linux", []),
    ],
)
def test_the_tools_that_fit_the_place(more: dict[str, str], platform: str, names: list[str]) -> None:
    assert [tool.name for tool in tools(more, platform)] == names


async def test_the_tool_that_works_is_used_and_named(tmp_path: Path) -> None:
    got = keeper(tmp_path, "wl-copy")
    clipboard = Clipboard(env=env(tmp_path, WAYLAND_DISPLAY="w"), platform="linux")
    assert await clipboard.copy("Où est\nla gare?") == "wl-copy"
    assert got.read_text() == "Où est\nla gare?"


async def test_a_failing_a_missing_and_a_deaf_tool_are_passed_over(tmp_path: Path) -> None:
    program(tmp_path, "wl-copy", "exit 1")
    program(tmp_path, "xclip", "exec 0<&-; exit 3")
    got = keeper(tmp_path, "xsel")
    clipboard = Clipboard(env=env(tmp_path, WAYLAND_DISPLAY="w", DISPLAY=":7"), platform="linux")
    assert await clipboard.copy("x" * 300_000) == "xsel"
    assert got.stat().st_size == 300_000


async def test_a_hanging_tool_is_ended_and_never_blocks(tmp_path: Path) -> None:
    program(tmp_path, "xclip", "exec sleep 60")
    written: list[str] = []
    clipboard = Clipboard(written.append, env=env(tmp_path, DISPLAY=":7"), platform="linux", timeout_s=0.2)
    before = time.monotonic()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        assert await clipboard.copy("text") == "the terminal (OSC 52)"
        ticking.cancel()
    assert time.monotonic() - before < 5
    assert ticks > 3
    assert written


async def test_a_tool_that_stays_behind_is_not_waited_for(tmp_path: Path) -> None:
    program(tmp_path, "xclip", f'cat > "{tmp_path}/got"; sleep 3 & exit 0')
    clipboard = Clipboard(env=env(tmp_path, DISPLAY=":7"), platform="linux")
    before = time.monotonic()
    assert await clipboard.copy("text") == "xclip"
    assert time.monotonic() - before < 2


async def test_windows_gets_utf_16(tmp_path: Path) -> None:
    got = keeper(tmp_path, "clip.exe")
    assert await Clipboard(env=env(tmp_path), platform="win32").copy("ñ 今") == "clip.exe"
    assert got.read_bytes().decode("utf-16") == "ñ 今"


async def test_the_terminal_is_the_last_way(tmp_path: Path) -> None:
    written: list[str] = []
    assert await Clipboard(written.append, env=env(tmp_path), platform="linux").copy("é") == "the terminal (OSC 52)"
    assert written == [f"\x1b]52;c;{base64.b64encode('é'.encode()).decode()}\x07"]


def test_sequences_pass_through_tmux_and_screen() -> None:
    plain = osc52("hi", {})
    assert osc52("hi", {"TMUX": "x"}) == "\x1bPtmux;\x1b" + plain + "\x1b\\"
    long = osc52("x" * 5000, {"TERM": "screen.xterm"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", long, re.DOTALL)
    assert all(len(piece) <= 768 for piece in pieces)
    assert "".join(pieces) == osc52("x" * 5000, {})


async def test_nothing_dangerous_is_ever_copied(tmp_path: Path) -> None:
    got = keeper(tmp_path, "xclip")
    await Clipboard(env=env(tmp_path, DISPLAY=":7"), platform="linux").copy("rm\x1b[201~\r-rf\x00\x9b \u202ex\nok")
    assert got.read_text() == safe("rm\x1b[201~\r-rf\x00\x9b \u202ex\nok")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", got.read_text())


async def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="No clipboard"):
        await Clipboard(env=env(tmp_path), platform="linux").copy("x")
    with pytest.raises(PinchError, match="too long"):
        await Clipboard(lambda _: None, env=env(tmp_path), platform="linux").copy("x" * (OSC_LIMIT + 1))
    with pytest.raises(PinchError, match="no text"):
        await Clipboard(env=env(tmp_path), platform="linux").copy(" \n ")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
async def test_a_real_tmux_takes_the_text(tmp_path: Path) -> None:
    socket = str(tmp_path / "tmux")
    tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
    subprocess.run([*tmux, "new-session", "-d", "sleep 30"], check=True)
    try:
        place = {"PATH": os.environ["PATH"], "TMUX": f"{socket},1,0"}
        assert await Clipboard(env=place, platform="linux").copy("¿Qué tal?\n元気") == "tmux"
        shown = subprocess.run([*tmux, "show-buffer"], check=True, capture_output=True).stdout
        assert shown.decode() == "¿Qué tal?\n元気"
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
