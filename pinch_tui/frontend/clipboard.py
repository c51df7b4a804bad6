"""Copies text to the clipboard: with a system tool if one works, else through the terminal (OSC 52).

A tool reports whether it worked and a terminal does not, so tools come first. Over ssh, tools that would fill the
remote machine's clipboard are skipped. Each line is cleaned: people paste into shells, so no control character may
reach the clipboard.
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
"""Maximum size of a text sent through OSC 52, in bytes: several terminals drop sequences of over 100,000
characters."""
_SCREEN_CHUNK = 700
"""GNU screen passes on at most 768 characters in one string."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A clipboard program and the encoding of its input."""

    argv: tuple[str, ...]
    encoding: str = "utf-8"

    @property
    def name(self) -> str:
        return self.argv[0]


def tools(env: Mapping[str, str], platform: str = sys.platform) -> list[Tool]:
    """The programs that could work here, the likeliest first."""
    is_local = not any(env.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))
    candidates = (
        (is_local and env.get("WAYLAND_DISPLAY"), Tool(("wl-copy", "--type", "text/plain;charset=utf-8"))),
        (env.get("DISPLAY"), Tool(("xclip", "-selection", "clipboard", "-in"))),
        (env.get("DISPLAY"), Tool(("xsel", "--clipboard", "--input"))),
        (is_local and platform == "darwin", Tool(("pbcopy",))),
        (is_local and (platform == "win32" or env.get("WSL_DISTRO_NAME")), Tool(("clip.exe",), "utf-16")),
        (env.get("TMUX"), Tool(("tmux", "load-buffer", "-w", "-"))),
    )
    return [tool for is_possible, tool in candidates if is_possible]


def safe(text: str) -> str:
    """The text with each line cleaned."""
    return "\n".join(clean(line, len(text)) for line in text.split("\n"))


def osc52(text: str, env: Mapping[str, str]) -> str:
    """The sequence that asks the terminal to copy a text, wrapped so that tmux and GNU screen pass it on."""
    sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    if env.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if env.get("STY") or env.get("TERM", "").startswith("screen"):
        pieces = (sequence[i : i + _SCREEN_CHUNK] for i in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence


class Clipboard:
    """``write`` writes a sequence to the terminal in one piece; None: only tools can be used."""

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
        """Copy; returns which way worked, in words. Raises `PinchError` if none did or there is nothing to copy."""
        text = safe(text)
        if not text.strip():
            raise PinchError("There is no text to copy yet.")
        for tool in tools(self._env, self._platform):
            path = shutil.which(tool.name, path=self._env.get("PATH"))
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
        """Pass the text to a tool; False if it failed, hung or could not be started.

        It gets no output pipes: wl-copy and xclip leave a child behind that would keep them open for ever.
        """
        quiet = asyncio.subprocess.DEVNULL
        env = {**self._env, "LC_CTYPE": "UTF-8"} if tool.name == "pbcopy" else self._env
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
