"""Copies a text to the clipboard: with the system's own tool, else through the terminal (OSC 52).

A tool reports whether it worked and a terminal does not, so tools come first; each has `TOOL_TIMEOUT_S`. Over ssh,
tools that would fill the remote machine's clipboard are skipped. Each line is cleaned: people paste into shells, so no
control character reaches the clipboard.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pinch_tui.children import tied_to_parent, without_keys
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import PinchError

TOOL_TIMEOUT_S = 2.0
OSC_LIMIT = 74_000
"""Most bytes of text sent through OSC 52: several terminals drop sequences above 100,000 characters."""
_SCREEN_CHUNK = 700
"""GNU screen passes on at most 768 characters in one string."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A clipboard program: what to call it, how to run it, and what it reads."""

    name: str
    argv: tuple[str, ...]
    encoding: str = "utf-8"


_WL_COPY = Tool("wl-copy", ("wl-copy", "--type", "text/plain;charset=utf-8"))
_XCLIP = Tool("xclip", ("xclip", "-selection", "clipboard", "-in"))
_XSEL = Tool("xsel", ("xsel", "--clipboard", "--input"))
_PBCOPY = Tool("pbcopy", ("pbcopy",))
_CLIP = Tool("clip.exe", ("clip.exe",), "utf-16")
_TMUX = Tool("tmux", ("tmux", "load-buffer", "-w", "-"))


def tools(env: Mapping[str, str], platform: str = sys.platform) -> list[Tool]:
    """The programs that could work here, the likeliest first."""
    found: list[Tool] = []
    is_remote = any(env.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))
    if env.get("WAYLAND_DISPLAY") and not is_remote:
        found.append(_WL_COPY)
    if env.get("DISPLAY"):
        found += [_XCLIP, _XSEL]
    if platform == "darwin" and not is_remote:
        found.append(_PBCOPY)
    if (platform == "win32" or env.get("WSL_DISTRO_NAME")) and not is_remote:
        found.append(_CLIP)
    if env.get("TMUX"):
        found.append(_TMUX)
    return found


def safe(text: str) -> str:
    """What is copied: the lines of a text, each cleaned."""
    return "\n".join(clean(line, len(text)) for line in text.split("\n"))


def osc52(text: str, env: Mapping[str, str]) -> str:
    """The sequence that asks the terminal to take a text, wrapped for tmux and GNU screen to pass it on."""
    sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    if env.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if env.get("STY") or env.get("TERM", "").startswith("screen"):
        pieces = (sequence[i : i + _SCREEN_CHUNK] for i in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence


class Clipboard:
    """``write`` puts a sequence on the terminal in one piece (the running screen's own way), None: there is none."""

    def __init__(
        self,
        write: Callable[[str], None] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        platform: str = sys.platform,
        timeout_s: float = TOOL_TIMEOUT_S,
    ) -> None:
        self.write = write
        self._env = dict(os.environ if env is None else env)
        self._platform = platform
        self._timeout_s = timeout_s

    async def copy(self, text: str) -> str:
        """Copy; returns which way worked, in words. Raises `PinchError` when none did, or there is nothing to copy."""
        text = safe(text)
        if not text.strip():
            raise PinchError("There is no text to copy yet.")
        for tool in tools(self._env, self._platform):
            path = shutil.which(tool.argv[0], path=self._env.get("PATH"))
            if path and await self._run(path, tool, text):
                return tool.name
        if self.write is None:
            raise PinchError("No clipboard was found.", "Install wl-clipboard, xclip or xsel.")
        if len(text.encode()) > OSC_LIMIT:
            raise PinchError(
                "The text is too long for the terminal's clipboard.", "Install wl-clipboard, xclip or xsel."
            )
        self.write(osc52(text, self._env))
        return "the terminal (OSC 52)"

    async def _run(self, path: str, tool: Tool, text: str) -> bool:
        """Feed a tool; False when it failed, hung or could not be started.

        The outputs are closed to it: wl-copy and xclip leave a child behind that would hold a pipe open for ever.
        """
        quiet = asyncio.subprocess.DEVNULL
        env = {**self._env, "LC_CTYPE": "UTF-8"} if tool is _PBCOPY else self._env
        try:
            process = await asyncio.create_subprocess_exec(
                *tied_to_parent([path, *tool.argv[1:]]),
                stdin=asyncio.subprocess.PIPE,
                stdout=quiet,
                stderr=quiet,
                env=without_keys(env),
            )
        except OSError:
            return False
        try:
            async with asyncio.timeout(self._timeout_s):
                await process.communicate(text.encode(tool.encoding))
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            return False
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return process.returncode == 0
