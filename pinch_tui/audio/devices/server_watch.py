"""Watches a sound server through `pactl`; does nothing on systems without it.

``pactl subscribe`` reports that something has changed; two more calls (5 ms each) read the new state. Every call has a
time limit, because a hung server hangs them, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from typing import Final

from pinch_tui.audio.devices.server import ServerState, parse
from pinch_tui.boundary import carefully
from pinch_tui.children import kill, reap, start, tied_to_parent, without_keys

CALL_S: Final = 2.0
SETTLE_S: Final = 0.03
"""Changes come in bursts; the state is read once per burst."""
KNOWN_S: Final = 0.5
"""How long opening a stream waits for the server's first answer, which takes 15 ms."""
WAITS_S: Final = (0.25, 0.5, 0.7)
_KINDS: Final = ("source", "sink", "server", "card")


def has_pactl() -> bool:
    """True if this system has a sound server's control program."""
    return sys.platform.startswith("linux") and shutil.which("pactl") is not None


async def read_state() -> ServerState | None:
    """The server's current state; None if it does not answer."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_call(what)) for what in ("list", "info")]
    listing, info = (call.result() for call in calls)
    return parse(listing, info) if listing is not None and info is not None else None


class ServerWatch:
    """Calls ``on_state(state)`` at the start and after every change. `state` is the newest; None without a server."""

    def __init__(self, on_state: Callable[[ServerState | None], None]) -> None:
        self._on_state = on_state
        self.state: ServerState | None = None
        self._changed = asyncio.Event()
        self._is_known = asyncio.Event()

    async def known(self) -> None:
        """Wait for the first answer, at most `KNOWN_S`; `run` must be running."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_S):
                await self._is_known.wait()

    def look(self) -> None:
        """Read the state soon, for example because one of our streams was opened."""
        self._changed.set()

    async def run(self) -> None:
        """Watch until cancelled; returns at once without `pactl`."""
        if not has_pactl():
            self._is_known.set()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._subscribe())

    async def _read(self) -> None:
        while True:
            await carefully(self._read_once())
            self._is_known.set()
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()

    async def _read_once(self) -> None:
        state = await read_state()
        if state != self.state:
            self.state = state
            self._on_state(state)

    async def _subscribe(self) -> None:
        tries = 0
        while True:
            has_answered = await self._listen()
            tries = 0 if has_answered else tries + 1
            self._changed.set()
            await asyncio.sleep(WAITS_S[min(tries, len(WAITS_S) - 1)])

    async def _listen(self) -> bool:
        """Run one ``pactl subscribe`` until it ends; True if it reported anything."""
        process = await _pactl("subscribe")
        if process is None:
            return False
        has_answered = False
        self._changed.set()
        try:
            assert process.stdout is not None
            while line := await _line(process.stdout):
                has_answered = True
                if any(f" on {kind}" in line.decode("utf-8", "replace") for kind in _KINDS):
                    self._changed.set()
        finally:
            kill(process)
            await reap(process)
        return has_answered


async def _line(pipe: asyncio.StreamReader) -> bytes:
    """The next line; b"" at the end; an empty line in place of one that exceeds the pipe's limit."""
    try:
        return await pipe.readline()
    except ValueError:
        return b"\n"


async def _call(what: str) -> str | None:
    process = await _pactl("-f", "json", what)
    if process is None:
        return None
    try:
        async with asyncio.timeout(CALL_S):
            out, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        kill(process)
        await reap(process)
    return out.decode("utf-8", "replace") if process.returncode == 0 else None


async def _pactl(*words: str) -> asyncio.subprocess.Process | None:
    try:
        command = tied_to_parent(["pactl", *words])
        return await start(
            *command, env={**without_keys(os.environ), "LC_ALL": "C.UTF-8"}, has_stdin=False, limit=1 << 20
        )
    except OSError:
        return None
