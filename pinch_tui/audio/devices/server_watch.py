"""Watches the sound server, where there is one that `pactl` can talk to; elsewhere it stays silent.

``pactl subscribe`` tells that something changed, two more calls (5 ms each) tell what. Every call has a time limit,
because a hung server hangs them too.
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
"""Changes come in bursts; the state is read once for each."""
KNOWN_S: Final = 0.5
"""A stream is not opened before the server has answered, or this has passed; an answer takes 15 ms."""
WAITS_S: Final = (0.25, 0.5, 0.7)
_KINDS: Final = ("source", "sink", "server", "card")


def has_pactl() -> bool:
    """There is a sound server's control program on this system."""
    return sys.platform.startswith("linux") and shutil.which("pactl") is not None


async def read_state() -> ServerState | None:
    """What the server says now; None when it does not answer."""
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_call(what)) for what in ("list", "info")]
    listing, info = (task.result() for task in asked)
    return parse(listing, info) if listing is not None and info is not None else None


class ServerWatch:
    """``on_state(state)`` at the start and after every change; ``state`` is the newest (None: no server)."""

    def __init__(self, on_state: Callable[[ServerState | None], None]) -> None:
        self._on_state = on_state
        self.state: ServerState | None = None
        self._changed = asyncio.Event()
        self._is_known = asyncio.Event()

    async def known(self) -> None:
        """Wait for the first answer, or for `KNOWN_S`; the watch must run."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_S):
                await self._is_known.wait()

    def look(self) -> None:
        """Read the state soon (one of our streams was opened)."""
        self._changed.set()

    async def run(self) -> None:
        """Watch until cancelled; returns at once where there is no `pactl`."""
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
            heard = await self._listen()
            tries = 0 if heard else tries + 1
            self._changed.set()
            await asyncio.sleep(WAITS_S[min(tries, len(WAITS_S) - 1)])

    async def _listen(self) -> bool:
        """One ``pactl subscribe``, until it ends; whether it told anything."""
        process = await _pactl("subscribe")
        if process is None:
            return False
        heard = False
        self._changed.set()
        try:
            assert process.stdout is not None
            while line := await _line(process.stdout):
                heard = True
                if any(f" on {kind}" in line.decode("utf-8", "replace") for kind in _KINDS):
                    self._changed.set()
        finally:
            kill(process)
            await reap(process)
        return heard


async def _line(pipe: asyncio.StreamReader) -> bytes:
    """The next line, b"" at the end; of one longer than the pipe's limit, a piece without a word in it."""
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
